/* zoo/get.h -- a model from a registry into the user's zoo.
 *
 * Its files are fetched into USER_ZOO/.partial/NAME-VERSION, where an earlier attempt may have left
 * the beginning of them, and compared with what is signed: size, SHA-256, signature by a trusted
 * key. Only then does the directory take its name, with all that is in it at once. No byte of a
 * model is looked at before. */
#ifndef ANPE_CORE_GET_H
#define ANPE_CORE_GET_H
#include "zoo/entry.h"

typedef struct anpe_zoo_got {
    char name[ANPE_ZOO_NAME], version[ANPE_ZOO_NAME];
    char *path;    /* of the model; malloc'ed */
    int64_t bytes; /* of all its files */
    int was_here;  /* nothing had to be fetched */
} anpe_zoo_got;

/* text: NAME, for its newest version, or NAME@VERSION. ANPE_EUNSUPPORTED: a model of a newer
 * format, or with plugins that are not here; ANPE_EFORMAT: altered; ANPE_EINVAL: not trusted, not
 * known. Two at once are safe. */
ANPE_MUST_CHECK anpe_status anpe_zoo_get(anpe_ctx *ctx, const char *registry, const char *text,
                                         anpe_zoo_got *out);
/* A model of the zoo is what its entry, which lies beside it, says, and that is signed by a trusted
 * key. *signed_by: what the user calls the key, malloc'ed; NULL: there is no entry, and the file's
 * own seal alone was checked. */
ANPE_MUST_CHECK anpe_status anpe_zoo_verify(anpe_ctx *ctx, const anpe_zoo_model *model,
                                            char **signed_by);
/* The entry that lies beside a model; NULL: none. json_decref it. */
ANPE_MUST_CHECK anpe_status anpe_zoo_entry_beside(anpe_ctx *ctx, const char *directory,
                                                  json_t **json);
#endif
