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

/* Where the file of a record lies now, if it is not where it was: a model and its inputs may have
 * been installed, or copied, together. Looked for by its name, with none, one or two of the
 * directories before it ("emulator.h5", "apogee/emulator.h5", "instruments/apogee/emulator.h5"),
 * and as instruments/ANY/emulator.h5, beside the model, in up to four directories above that, and
 * in the installed data; taken if its SHA-256 is the record's. A path that is not absolute is no
 * place. *now: malloc'ed, NULL if it is at its place or nowhere. */
ANPE_MUST_CHECK anpe_status anpe_inputs_find(anpe_ctx *ctx, const char *model, const char *record,
                                             char **now);

/* What may be set anew when a model is used, "PATH=VALUE" each: options of its instrument that only
 * say how files are read (`reading` of anpe_instrument_ops), and where a file of the training lies
 * now, which must be that very file. ANPE_ECONFIG for all others: the network has learned with
 * them. stored: the model's configuration without the sets. */
ANPE_MUST_CHECK anpe_status anpe_inputs_may_set(anpe_ctx *ctx, anpe_settings *stored, int64_t n,
                                                char *const *inputs, int n_sets,
                                                const char *const *sets);
#endif
