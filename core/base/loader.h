/* base/loader.h -- finds and opens plugins with libltdl. See <anpe/plugin.h> for the rules.
 *
 * KIND_NAME.so along ANPE_PLUGIN_PATH (an empty entry stands for the built-in directory), else the
 * built-in directory; a noise model is also looked for in instrument_NAME.so. */
#ifndef ANPE_CORE_LOADER_H
#define ANPE_CORE_LOADER_H
#include "base/context.h"

/* The descriptor, valid for ever: plugins are never unloaded, nor looked at again.
 * An unknown name: "no simulator 'pyne' in DIR; did you mean 'payne'?". Names other than
 * [a-z0-9_]+ are refused, so that a configuration or model cannot give a path. */
ANPE_MUST_CHECK anpe_status anpe_loader_get(anpe_ctx *ctx, anpe_kind kind, const char *name,
                                            const anpe_plugin **out);
/* Every plugin of the kind (0: of any) that can be found, sorted by kind and name; *list is
 * malloc'ed. Files that cannot be loaded are logged as warnings and left out. */
ANPE_MUST_CHECK anpe_status anpe_loader_list(anpe_ctx *ctx, anpe_kind kind, int *n,
                                             const anpe_plugin ***list);
const char *anpe_kind_name(anpe_kind kind); /* "simulator" */
anpe_kind anpe_kind_of(const char *name);   /* 0 if unknown */
#endif
