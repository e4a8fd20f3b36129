/* zoo/publish.h -- a model into a registry of one's own: a directory that is served as it is, with
 * index.json and REGISTRY/NAME/VERSION/ for each model. */
#ifndef ANPE_CORE_PUBLISH_H
#define ANPE_CORE_PUBLISH_H
#include "zoo/entry.h"

typedef struct anpe_zoo_publication {
    const char *model, *registry;
    const char *name, *version;
    const char *key;                          /* file of the secret key */
    const char *licence, *citation, *summary; /* NULL: not said */
    int n_with;                               /* files that the model was made of, to go with it */
    const char *const *with;
} anpe_zoo_publication;

/* What an index says of a model, without files and signature: instrument, labels with their ranges,
 * plugins, when it was made, whether it needs its simulator, and the summary of its validation. */
ANPE_MUST_CHECK anpe_status anpe_zoo_describe(anpe_ctx *ctx, const char *model, json_t **out);
/* Copies the files, signs them, and adds the entry to the index, which comes last. A version that
 * is there stays as it is: ANPE_EINVAL. So is a model whose training has not ended or that was not
 * validated, and a file that the model was not made of. pub: the key that signed. */
ANPE_MUST_CHECK anpe_status anpe_zoo_publish(anpe_ctx *ctx, const anpe_zoo_publication *p,
                                             char pub[ANPE_KEY_HEX], int64_t *serial);
#endif
