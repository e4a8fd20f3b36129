/* zoo/index.h -- the list of what a registry has: index.json, which ends with its signature.
 *
 *     {
 *       "format": "anpe zoo 1", "serial": 7, "date": "2026-11-30T04:00:00Z", "key": "...",
 *       "models": [ entries, zoo/entry.h ],
 *       "signature": "..."
 *     }
 *
 * Signed are the bytes of the file up to the comma before its last member, behind a line "anpe zoo
 * index 1": what is read is what was signed, however JSON is written. The serial grows with every
 * change; an index older than the newest that this user has seen of that registry is refused. */
#ifndef ANPE_CORE_INDEX_H
#define ANPE_CORE_INDEX_H
#include "zoo/entry.h"

typedef struct anpe_zoo_index {
    json_t *json;
    int64_t serial;
    char key[ANPE_KEY_HEX];
    char *registry; /* an absolute path, or the URL */
} anpe_zoo_index;

/* Signed by a key that the user trusts, and not older than what was seen; ANPE_EINVAL, ANPE_EFORMAT
 * say why not. */
ANPE_MUST_CHECK anpe_status anpe_zoo_index_open(anpe_ctx *ctx, const char *registry,
                                                anpe_zoo_index *out);
/* The index of a directory that this key signs, to be changed; a directory without one has an empty
 * one. */
ANPE_MUST_CHECK anpe_status anpe_zoo_index_own(anpe_ctx *ctx, const char *directory,
                                               const anpe_zoo_key *key, anpe_zoo_index *out);
void anpe_zoo_index_close(anpe_zoo_index *index);
/* The newest of NAME, or NAME@VERSION; ANPE_EINVAL: none, with the nearest name. */
ANPE_MUST_CHECK anpe_status anpe_zoo_index_find(anpe_ctx *ctx, const anpe_zoo_index *index,
                                                const char *text, anpe_zoo_entry *out);
/* With the next serial, into the directory. */
ANPE_MUST_CHECK anpe_status anpe_zoo_index_write(anpe_ctx *ctx, anpe_zoo_index *index,
                                                 const char *directory, const anpe_zoo_key *key);
#endif
