/* Lines of a text file, read whole, through zlib where that is there. */
#include "lte.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef ANPE_LTE_GZIP
#include <zlib.h>
#endif

#define BLOCK 65536

typedef struct source {
#ifdef ANPE_LTE_GZIP
    gzFile file;
#else
    FILE *file;
#endif
} source;

static int source_open(source *s, const char *path)
{
#ifdef ANPE_LTE_GZIP
    s->file = gzopen(path, "rb");
#else
    s->file = fopen(path, "rb");
#endif
    return s->file != NULL;
}

/* Bytes read, 0 at the end, -1 on an error. */
static int source_read(source *s, char *to, unsigned n)
{
#ifdef ANPE_LTE_GZIP
    return gzread(s->file, to, n);
#else
    const size_t got = fread(to, 1, n, s->file);
    return ferror(s->file) ? -1 : (int)got;
#endif
}

/* 0, or what is wrong at the end of a file (a gzip'ed one may be cut short). */
static int source_close(source *s)
{
#ifdef ANPE_LTE_GZIP
    return gzclose(s->file) != Z_OK;
#else
    return fclose(s->file) != 0;
#endif
}

static anpe_status read_all(anpe_ctx *ctx, source *s, const char *path, char **data, size_t *size)
{
    int64_t room = 0;
    for (int got = 1; got > 0;) {
        if (ANPE_GROW(ctx, *data, room, (int64_t)*size + BLOCK + 1))
            return ANPE_ENOMEM;
        got = source_read(s, *data + *size, BLOCK);
        if (got < 0)
            return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot be read, or is no whole gzip file", path);
        *size += (size_t)got;
    }
    return ANPE_OK;
}

anpe_status anpe_lte_text_open(anpe_ctx *ctx, const char *path, anpe_lte_text *text)
{
    source s;
    size_t size = 0;
    *text = (anpe_lte_text){.path = path};
    errno = 0;
    if (!source_open(&s, path))
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: %s", path,
                         errno ? strerror(errno) : "cannot be opened");
    anpe_status status = read_all(ctx, &s, path, &text->data, &size);
    if (source_close(&s) && !status)
        status = ANPE_FAIL(ctx, ANPE_EIO, "%s: the gzip file is cut short", path);
    if (!status && memchr(text->data, 0, size))
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: not a text file", path);
    if (status) {
        anpe_lte_text_close(text);
        return status;
    }
    text->data[size] = 0;
    text->next = text->data;
    return ANPE_OK;
}

void anpe_lte_text_close(anpe_lte_text *text)
{
    free(text->data);
    *text = (anpe_lte_text){0};
}

int anpe_lte_text_next(anpe_lte_text *text)
{
    if (!text->next || !*text->next)
        return 0;
    text->line = text->next;
    char *end = strchr(text->line, '\n');
    text->next = end ? end + 1 : text->line + strlen(text->line);
    if (end)
        *end = 0;
    for (size_t n = strlen(text->line); n > 0 && text->line[n - 1] == '\r';)
        text->line[--n] = 0;
    text->number++;
    return 1;
}

int anpe_lte_text_numbers(const char **at, int n, double *values)
{
    int found = 0;
    while (found < n) {
        while (**at == ' ' || **at == '\t' || **at == ',')
            ++*at;
        char *end;
        const double v = strtod(*at, &end);
        if (end == *at)
            break;
        values[found++] = v;
        *at = end;
    }
    return found;
}

anpe_status anpe_lte_text_fail(anpe_ctx *ctx, const anpe_lte_text *text, const char *file, int line,
                               const char *format, ...)
{
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return anpe_fail(ctx, ANPE_EFORMAT, file, line, "%s:%lld: %s", text->path,
                     (long long)text->number, what);
}
