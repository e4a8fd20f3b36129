/* Text attributes of HDF5 files for plugins: anpe_attribute_read of <anpe/plugin.h>. */
#include "file/hdf5_file.h"
#include <stdlib.h>
#include <string.h>

/* n strings as one block: the pointers, then the characters. */
static char **pack(int64_t n, char *const *texts)
{
    size_t bytes = (size_t)n * sizeof(char *);
    for (int64_t i = 0; i < n; i++)
        bytes += strlen(texts[i]) + 1;
    char **block = malloc(bytes);
    if (!block)
        return NULL;
    char *at = (char *)(block + n);
    for (int64_t i = 0; i < n; i++) {
        const size_t size = strlen(texts[i]) + 1;
        block[i] = memcpy(at, texts[i], size);
        at += size;
    }
    return block;
}

anpe_status anpe_attribute_read(anpe_ctx *ctx, const char *path, const char *object,
                                const char *name, int64_t *n, char ***texts)
{
    anpe_h5 *f = NULL;
    char **found = NULL;
    int64_t n_found = 0;
    *n = 0;
    *texts = NULL;
    anpe_status status = anpe_h5_open(ctx, path, &f);
    if (status)
        return status;
    if (!anpe_h5_has_attribute(f, object, name))
        goto out;
    status = anpe_h5_get_texts(ctx, f, object, name, &n_found, &found);
    if (status)
        goto out;
    *texts = pack(n_found, found);
    if (*texts)
        *n = n_found;
    else
        status = ANPE_NO_MEMORY(ctx, name);
out:
    anpe_h5_texts_free(n_found, found);
    anpe_h5_abandon(f);
    return status;
}
