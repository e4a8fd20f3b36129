/* Tables with named columns; see rows.h. */
#include <config.h>
#include "rows.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

static int ends_with(const char *path, const char *extension)
{
    const size_t n = strlen(path), m = strlen(extension);
    return n > m && !strcasecmp(path + n - m, extension);
}

/* n names, the i-th of length(i), copied into one block. */
static char **copy_names(int64_t n, const char *const *names, const size_t *lengths)
{
    size_t bytes = (size_t)n * sizeof(char *);
    for (int64_t i = 0; i < n; i++)
        bytes += lengths[i] + 1;
    char **block = malloc(bytes ? bytes : 1);
    char *at = (char *)(block + n);
    for (int64_t i = 0; block && i < n; i++) {
        block[i] = memcpy(at, names[i], lengths[i]);
        at[lengths[i]] = 0;
        at += lengths[i] + 1;
    }
    return block;
}

/* Words of a header line. */
static anpe_status split(anpe_ctx *ctx, const char *line, int64_t *n, char ***names)
{
    static const char blank[] = " \t,\r\n";
    const size_t room = strlen(line) / 2 + 1;
    const char **words = malloc(room * sizeof *words);
    size_t *lengths = malloc(room * sizeof *lengths);
    *n = 0;
    for (const char *p = line + strspn(line, blank); words && lengths && *p;
         p += strspn(p, blank)) {
        words[*n] = p;
        lengths[*n] = strcspn(p, blank);
        p += lengths[(*n)++];
    }
    *names = words && lengths ? copy_names(*n, words, lengths) : NULL;
    free(words);
    free(lengths);
    return *names ? ANPE_OK : ANPE_NO_MEMORY(ctx, "the names of the columns");
}

/* The last line that starts with '#' before the first line of numbers. */
static anpe_status text_names(anpe_ctx *ctx, const char *path, int64_t *n, char ***names)
{
    char *line = NULL, *header = NULL;
    size_t room = 0;
    anpe_status status = ANPE_OK;
    FILE *f = fopen(path, "r");
    while (f && !status && getline(&line, &room, f) > 0) {
        if (*line == '#') {
            free(header);
            if (!(header = strdup(line + 1)))
                status = ANPE_NO_MEMORY(ctx, path);
        } else if (line[strspn(line, " \t\r\n")])
            break;
    }
    if (!f)
        status = ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot open", path);
    else if (!status && ferror(f))
        status = ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot read", path);
    else if (!status && !header)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: no line '# name name ...' above the numbers names the columns; "
                           "name them with the option columns",
                           path);
    else if (!status)
        status = split(ctx, header, n, names);
    free(line);
    free(header);
    if (f)
        fclose(f);
    return status;
}

static anpe_status file_names(anpe_ctx *ctx, const char *path, const char *key, int64_t *n,
                              char ***names)
{
    if (ends_with(path, ".npz") || ends_with(path, ".npy"))
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%s does not name its columns; name them with the option columns", path);
    if (!ends_with(path, ".h5") && !ends_with(path, ".hdf5"))
        return text_names(ctx, path, n, names);
    const anpe_status status = anpe_attribute_read(ctx, path, key, "labels", n, names);
    if (!status && *n == 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: dataset '%s' has no attribute 'labels'", path,
                         key);
    return status;
}

static anpe_status given_names(anpe_ctx *ctx, anpe_texts given, int64_t *n, char ***names)
{
    size_t *lengths = malloc((size_t)given.n * sizeof *lengths);
    for (int64_t i = 0; lengths && i < given.n; i++)
        lengths[i] = strlen(given.v[i]);
    *n = given.n;
    *names = lengths ? copy_names(given.n, given.v, lengths) : NULL;
    free(lengths);
    return *names ? ANPE_OK : ANPE_NO_MEMORY(ctx, "the names of the columns");
}

anpe_status table_rows_read(anpe_ctx *ctx, const char *path, const char *key, anpe_texts names,
                            table_rows *t)
{
    int rank = 0;
    int64_t shape[4] = {0}, n_names = 0;
    *t = (table_rows){0};
    if (!key[0] && (ends_with(path, ".h5") || ends_with(path, ".hdf5")))
        key = "theta";
    anpe_status status = anpe_array_read(ctx, path, key, &t->v, &rank, shape);
    if (!status)
        status = names.n ? given_names(ctx, names, &n_names, &t->names)
                         : file_names(ctx, path, key, &n_names, &t->names);
    if (status)
        return status;
    if (rank == 1) { /* one column, or one row when there are as many names */
        shape[1] = n_names > 1 && n_names == shape[0] ? shape[0] : 1;
        shape[0] /= shape[1];
    }
    t->n = shape[0];
    t->n_columns = shape[1];
    if (rank < 1 || rank > 2 || t->n < 1 || t->n_columns < 1)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: not a table: the array has %d dimensions", path,
                         rank);
    if (n_names != t->n_columns)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %lld names for %lld columns", path,
                         (long long)n_names, (long long)t->n_columns);
    return ANPE_OK;
}

void table_rows_clear(table_rows *t)
{
    free(t->v);
    free(t->names);
    *t = (table_rows){0};
}

int64_t table_rows_find(const table_rows *t, const char *name)
{
    for (int64_t i = 0; i < t->n_columns; i++)
        if (!strcmp(t->names[i], name))
            return i;
    return -1;
}

const char *table_rows_list(const table_rows *t, char *buffer, size_t size)
{
    size_t used = 0;
    buffer[0] = 0;
    for (int64_t i = 0; i < t->n_columns && used < size; i++)
        used += (size_t)snprintf(buffer + used, size - used, "%s%s", i ? ", " : "", t->names[i]);
    return buffer;
}
