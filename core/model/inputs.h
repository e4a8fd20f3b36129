/* model/inputs.h -- the files that a model was made of.
 *
 * A model stands alone: draws need none of them. What is computed anew with its simulator, prior or
 * noise is only true with the very files of the training, so these are compared first. */
#ifndef ANPE_CORE_INPUTS_H
#define ANPE_CORE_INPUTS_H
#include "base/settings.h"

/* inputs: the n records "option SHA-256 path" of a model. ANPE_ECONFIG if a file that an option of
 * `group` ("simulator") names is not what it was, with both digests; as the digest if it cannot be
 * read. An option that the command line sets anew is not looked at. */
ANPE_MUST_CHECK anpe_status anpe_inputs_check(anpe_ctx *ctx, const anpe_settings *settings,
                                              int64_t n, char *const *inputs, const char *group);

/* What may be set anew when a model is used, "PATH=VALUE" each: options of its instrument that only
 * say how files are read (`reading` of anpe_instrument_ops), and where a file of the training lies
 * now, which must be that very file. ANPE_ECONFIG for all others: the network has learned with
 * them. stored: the model's configuration without the sets. */
ANPE_MUST_CHECK anpe_status anpe_inputs_may_set(anpe_ctx *ctx, anpe_settings *stored, int64_t n,
                                                char *const *inputs, int n_sets,
                                                const char *const *sets);
#endif
