/* zoo/entry.h -- what an index says of one version of a model: a JSON object. docs/book/zoo.md has
 * its members. The signature is over
 *
 *     anpe zoo model 1
 *     NAME VERSION
 *     FILE SIZE SHA256       a line for each file, the model first
 */
#ifndef ANPE_CORE_ENTRY_H
#define ANPE_CORE_ENTRY_H
#include "zoo/keys.h"
#include "zoo/place.h"
#include <jansson.h>

enum { ANPE_ZOO_FILES = 8 };

typedef struct anpe_zoo_file {
    char name[ANPE_ZOO_NAME], sha256[65];
    int64_t size;
} anpe_zoo_file;

typedef struct anpe_zoo_entry {
    char name[ANPE_ZOO_NAME], version[ANPE_ZOO_NAME];
    char key[ANPE_KEY_HEX], signature[ANPE_SIGNATURE_HEX];
    int64_t format; /* of the model file */
    int n_files;
    anpe_zoo_file file[ANPE_ZOO_FILES];
    const json_t *json; /* borrowed */
} anpe_zoo_entry;

/* Everything that is relied on is checked: names that are no paths, sizes, digests. ANPE_EFORMAT;
 * `where` is for messages. */
ANPE_MUST_CHECK anpe_status anpe_zoo_entry_read(anpe_ctx *ctx, const char *where,
                                                const json_t *json, anpe_zoo_entry *out);
/* Of name, version, format and files a new object; `key` signs it. NULL: out of memory. */
json_t *anpe_zoo_entry_json(const anpe_zoo_entry *e, const anpe_zoo_key *key);
/* Is it signed by a key that the user trusts? ANPE_EINVAL says why not. */
ANPE_MUST_CHECK anpe_status anpe_zoo_entry_check(anpe_ctx *ctx, const char *where,
                                                 const anpe_zoo_entry *e);
/* Are files of these names, sizes and digests in the directory? ANPE_EFORMAT, ANPE_EIO: what not.
 */
ANPE_MUST_CHECK anpe_status anpe_zoo_entry_files(anpe_ctx *ctx, const char *directory,
                                                 const anpe_zoo_entry *e);
/* The same of one file. */
ANPE_MUST_CHECK anpe_status anpe_zoo_file_check(anpe_ctx *ctx, const char *path,
                                                const anpe_zoo_file *file);
#endif
