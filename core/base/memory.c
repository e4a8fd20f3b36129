/* Memory that says by itself what could not be had. */
#include <config.h>
#include "base/memory.h"
#include "base/shape.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "self->weight" is the array of the name weight. */
static anpe_status no_memory(anpe_ctx *ctx, const char *file, int line, const char *what,
                             const char *shape, double bytes)
{
    const char *name = what;
    for (const char *p = what; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '_' && *p != ']' && *p != '[')
            name = p + 1;
    return anpe_fail(ctx, ANPE_ENOMEM, file, line, "out of memory: %.1f MiB for %s%s",
                     bytes / 1048576.0, *name ? name : what, shape);
}

anpe_status anpe_new(anpe_ctx *ctx, const char *file, int line, const char *what, size_t size,
                     void *p, size_t rank, const int64_t *length)
{
    char shape[80] = " (";
    double bytes = (double)size;
    const int64_t n = anpe_shape_count((int)rank, length);
    void *block = n < 0 ? NULL : calloc(n ? (size_t)n : 1, size);
    memcpy(p, &block, sizeof block); /* a pointer to another type than void */
    if (block)
        return ANPE_OK;
    for (size_t k = 0; k < rank; k++) {
        const size_t used = strlen(shape);
        bytes *= (double)length[k];
        snprintf(shape + used, sizeof shape - used, "%lld%s", (long long)length[k],
                 k + 1 < rank ? ", " : ")");
    }
    return no_memory(ctx, file, line, what, shape, bytes);
}

anpe_status anpe_grow(anpe_ctx *ctx, const char *file, int line, const char *what, size_t size,
                      void *p, int64_t *room, int64_t n)
{
    enum { LEAST = 16 };
    const int64_t most = INT64_MAX / (int64_t)size;
    const int64_t twice = *room < LEAST / 2 ? LEAST : *room < most / 2 ? 2 * *room : most;
    const int64_t more = n > twice ? n : twice;
    void *block;
    if (n <= *room)
        return ANPE_OK;
    memcpy(&block, p, sizeof block);
    char *grown = more > most ? NULL : realloc(block, (size_t)more * size);
    if (!grown)
        return no_memory(ctx, file, line, what, "", (double)more * (double)size);
    memset(grown + (size_t)*room * size, 0, (size_t)(more - *room) * size);
    memcpy(p, &grown, sizeof grown);
    *room = more;
    return ANPE_OK;
}

void *anpe_alloc(anpe_ctx *ctx, size_t size)
{
    const size_t align = 64;
    size_t whole = size ? (size + align - 1) / align * align : align;
    void *p = whole >= size ? aligned_alloc(align, whole) : NULL;
    if (!p) {
        (void)no_memory(ctx, __FILE__, __LINE__, "arrays", "", (double)size);
        return NULL;
    }
    return memset(p, 0, whole);
}

void anpe_free(void *p)
{
    free(p);
}

char *anpe_strdup(anpe_ctx *ctx, const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        (void)no_memory(ctx, __FILE__, __LINE__, "text", "", (double)strlen(text) + 1);
    return copy;
}
