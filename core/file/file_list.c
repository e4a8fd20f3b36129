/* See file_list.h. */
#define _POSIX_C_SOURCE 200809L
#include "file/file_list.h"
#include "base/text.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_LEVELS = 32 }; /* of folders: a link may lead back */

/* Takes the name. */
static anpe_status append(anpe_ctx *ctx, anpe_file_list *list, char *path)
{
    if (!path)
        return ANPE_NO_MEMORY(ctx, "a path");
    if (ANPE_GROW(ctx, list->path, list->capacity, list->n + 1)) {
        free(path);
        return ANPE_ENOMEM;
    }
    list->path[list->n++] = path;
    return ANPE_OK;
}

static int is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int anpe_file_list_is_of_spectra(const char *path)
{
    const char *name = anpe_text_basename(path);
    static const char *const endings[] = {".fits", ".fit",  ".fz",  ".h5", ".hdf5",
                                          ".csv",  ".ecsv", ".txt", ".dat"};
    char plain[256];
    const size_t n = strlen(name), gz = anpe_text_has_extension(name, ".gz") ? 3 : 0;
    if (n - gz >= sizeof plain)
        return 0;
    memcpy(plain, name, n - gz);
    plain[n - gz] = '\0';
    for (size_t k = 0; k < sizeof endings / sizeof endings[0]; k++)
        if (anpe_text_has_extension(plain, endings[k]))
            return 1;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *join_path(const char *folder, const char *name)
{
    const size_t n = strlen(folder), slash = n && folder[n - 1] != '/';
    char *path = malloc(n + slash + strlen(name) + 1);
    if (path) {
        memcpy(path, folder, n);
        memcpy(path + n, "/", slash);
        memcpy(path + n + slash, name, strlen(name) + 1);
    }
    return path;
}

anpe_status anpe_file_list_folder(anpe_ctx *ctx, anpe_file_list *out, const char *folder)
{
    char reason[128];
    anpe_status status = ANPE_OK;
    DIR *d = opendir(folder);
    if (!d)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot open: %s", folder,
                         anpe_errno_text(errno, reason, sizeof reason));
    for (struct dirent *e; !status && (e = readdir(d));)
        if (e->d_name[0] != '.')
            status = append(ctx, out, join_path(folder, e->d_name));
    closedir(d);
    if (out->n)
        qsort(out->path, (size_t)out->n, sizeof *out->path, by_name);
    return status;
}

static anpe_status add_folder(anpe_ctx *ctx, anpe_file_list *list, const char *folder, int level,
                              int64_t *others)
{
    anpe_file_list in = {0};
    anpe_status status;
    if (level > MOST_LEVELS)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: more than %d folders below each other", folder,
                         MOST_LEVELS);
    ANPE_TRY(anpe_file_list_folder(ctx, &in, folder));
    for (int64_t i = 0; i < in.n; i++) {
        if (is_folder(in.path[i])) {
            ANPE_TRY(add_folder(ctx, list, in.path[i], level + 1, others));
        } else if (anpe_file_list_is_of_spectra(in.path[i])) {
            char *path = in.path[i];
            in.path[i] = NULL;
            ANPE_TRY(append(ctx, list, path));
        } else {
            ++*others;
        }
    }
out:
    anpe_file_list_clear(&in);
    return status;
}

anpe_status anpe_file_list_add(anpe_ctx *ctx, anpe_file_list *list, const char *path)
{
    const int64_t before = list->n;
    int64_t others = 0;
    if (!is_folder(path))
        return append(ctx, list, anpe_strdup(ctx, path));
    const anpe_status status = add_folder(ctx, list, path, 0, &others);
    if (status)
        return status;
    if (list->n == before) /* to be told as one that cannot be read, while others can */
        return append(ctx, list, anpe_strdup(ctx, path));
    anpe_log(ctx, ANPE_INFO, "%s: %lld files of spectra; %lld others left out", path,
             (long long)(list->n - before), (long long)others);
    return ANPE_OK;
}

anpe_status anpe_file_list_read(anpe_ctx *ctx, anpe_file_list *list, FILE *stream, const char *name)
{
    char *line = NULL, reason[128];
    size_t room = 0;
    ssize_t n;
    anpe_status status = ANPE_OK;
    for (int64_t number = 1; !status && (n = getline(&line, &room, stream)) >= 0; number++) {
        if (memchr(line, '\0', (size_t)n)) {
            status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                               "%s:%lld: not a list of files, a name a line: it has a NUL byte",
                               name, (long long)number);
            break;
        }
        while (n > 0 && strchr("\r\n", line[n - 1]))
            line[--n] = '\0';
        if (n > 0 && line[0] != '#')
            status = anpe_file_list_add(ctx, list, line);
    }
    if (!status && ferror(stream))
        status = ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot read: %s", name,
                           anpe_errno_text(errno, reason, sizeof reason));
    free(line);
    return status;
}

void anpe_file_list_clear(anpe_file_list *list)
{
    for (int64_t i = 0; i < list->n; i++)
        free(list->path[i]);
    free(list->path);
    *list = (anpe_file_list){0};
}
