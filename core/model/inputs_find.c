/* The inputs of a model that was moved together with them; see inputs.h. */
#include <config.h>
#include "base/digest.h"
#include "base/text.h"
#include "model/inputs.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIGEST = 64, ABOVE = 4, BEFORE = 2 };

/* DIRECTORY/NAME with its digest as wanted. *now NULL: not there, or another file. */
static anpe_status try_file(anpe_ctx *ctx, const char *directory, const char *name,
                            const char *wanted, char **now)
{
    char hex[DIGEST + 1], *path;
    if (asprintf(&path, "%s/%s", directory, name) < 0)
        return ANPE_NO_MEMORY(ctx, "a path");
    if (access(path, R_OK) == 0 && !anpe_digest_file(ctx, path, hex) &&
        !strncmp(hex, wanted, DIGEST))
        *now = path;
    else
        free(path);
    return ANPE_OK;
}

/* DIRECTORY/instruments/EACH/NAME: where the files of every instrument are that come with anpe,
 * whatever the directory was called in which the model was trained. */
static anpe_status try_instruments(anpe_ctx *ctx, const char *directory, const char *name,
                                   const char *wanted, char **now)
{
    char *above, *below;
    anpe_status status = ANPE_OK;
    if (asprintf(&above, "%s/instruments", directory) < 0)
        return ANPE_NO_MEMORY(ctx, "a path");
    DIR *dir = opendir(above);
    for (struct dirent *e; dir && !*now && !status && (e = readdir(dir));) {
        if (e->d_name[0] == '.')
            continue;
        if (asprintf(&below, "%s/%s", above, e->d_name) < 0) {
            status = ANPE_NO_MEMORY(ctx, "a path");
            break;
        }
        status = try_file(ctx, below, name, wanted, now);
        free(below);
    }
    if (dir)
        closedir(dir);
    free(above);
    return status;
}

/* The name alone, then with what stands before it, then among the instruments. */
static anpe_status try_directory(anpe_ctx *ctx, const char *directory, const char *path,
                                 const char *wanted, char **now)
{
    const char *name = path + strlen(path);
    anpe_status status = ANPE_OK;
    for (int k = 0; k <= BEFORE && name > path && !*now && !status; k++) {
        for (name--; name > path && name[-1] != '/';)
            name--;
        status = try_file(ctx, directory, name, wanted, now);
    }
    if (!*now && !status)
        status = try_instruments(ctx, directory, anpe_text_basename(path), wanted, now);
    return status;
}

/* The directory above; 0 where there is none to name. */
static int go_up(char *directory)
{
    char *slash = strrchr(directory, '/');
    if (!slash || slash == directory)
        return 0;
    *slash = '\0';
    return 1;
}

anpe_status anpe_inputs_find(anpe_ctx *ctx, const char *model, const char *record, char **now)
{
    const size_t length = strcspn(record, " ");
    *now = NULL;
    if (strlen(record) < length + DIGEST + 3)
        return ANPE_OK; /* said by who compares digests */
    const char *wanted = record + length + 1, *path = wanted + DIGEST + 1;
    if (path[0] == '/' && access(path, F_OK) == 0)
        return ANPE_OK;
    char *directory = realpath(model, NULL);
    anpe_status status = ANPE_OK;
    for (int k = 0; directory && k <= ABOVE && !*now && !status && go_up(directory); k++)
        status = try_directory(ctx, directory, path, wanted, now);
    if (!*now && !status)
        status = try_directory(ctx, ANPE_DATADIR, path, wanted, now);
    free(directory);
    return status;
}
