/* kind/backend.h -- the backend that runs the network. */
#ifndef ANPE_CORE_BACKEND_H
#define ANPE_CORE_BACKEND_H
#include "graph/network.h"
#include "kind/component.h"

/* The backend of that name with the options of the group "backend", for products in `precision`.
 * A backend that cannot is ANPE_EUNSUPPORTED. "auto" takes the fastest for the precision that is
 * installed and that the processor can run; if none can, float with a warning. The component owns
 * what *backend points to. */
ANPE_MUST_CHECK anpe_status anpe_backend_open(anpe_ctx *ctx, anpe_settings *settings,
                                              const char *name, anpe_number precision,
                                              anpe_component *component, anpe_backend *backend);
/* "openblas Haswell": the plugin and, if it says, the kernels in force. Returns text. */
const char *anpe_backend_kernels(const anpe_component *component, char *text, size_t size);
#endif
