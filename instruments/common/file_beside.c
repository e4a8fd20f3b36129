/* Names of files that belong together. */
#include <config.h>
#include "file_beside.h"
#include "survey_fits.h"
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int file_beside(const char *path, const char *from, const char *to, size_t size, char *out)
{
    const char *last = NULL;
    for (const char *p = name_of(path); (p = strstr(p, from)); p++)
        last = p;
    if (!last)
        return 0;
    const int n =
        snprintf(out, size, "%.*s%s%s", (int)(last - path), path, to, last + strlen(from));
    return n > 0 && (size_t)n < size && access(out, R_OK) == 0;
}

/* ---- arms: one digit of the name -------------------------------------------------------- */

size_t file_arm_place(const char *path, int digits, int n)
{
    const char *name = name_of(path);
    for (int k = 0; k <= digits; k++)
        if (!isdigit((unsigned char)name[k]))
            return 0;
    const char *end = name + digits + 1;
    const int arm = name[digits] - '0';
    if (arm < 1 || arm > n || (strcmp(end, ".fits") != 0 && strcmp(end, ".fits.gz") != 0))
        return 0;
    return (size_t)(name + digits - path);
}

int file_arm(const char *path, size_t place, int digit, char out[ARM_PATH])
{
    if (strlen(path) >= ARM_PATH)
        return 0;
    snprintf(out, ARM_PATH, "%s", path);
    out[place] = (char)('0' + digit);
    return access(out, F_OK) == 0;
}

int file_arm_is_first(const char *path, size_t place)
{
    char other[ARM_PATH];
    for (int digit = 1; place && digit < path[place] - '0'; digit++)
        if (file_arm(path, place, digit, other))
            return 0;
    return 1;
}

/* ---- exposures: a number before the ending ---------------------------------------------- */

/* Where the number before the ending starts and ends; 0 if there is none. */
static int split(const char *name, size_t *first, size_t *end)
{
    static const char *const endings[] = {"_flux.fits", "_Flux.fits", ".fits"};
    const char *tail = NULL;
    for (size_t i = 0; !tail && i < sizeof endings / sizeof *endings; i++)
        tail = strstr(name, endings[i]);
    if (!tail)
        return 0;
    *first = *end = (size_t)(tail - name);
    while (*first > 0 && strchr("_0123456789", name[*first - 1]))
        (*first)--;
    *first += strcspn(name + *first, "_");
    return *first + 1 < *end;
}

static int are_siblings(const char *a, const char *b)
{
    size_t first_a, end_a, first_b, end_b;
    return split(a, &first_a, &end_a) && split(b, &first_b, &end_b) && first_a == first_b &&
           !strncmp(a, b, first_a) && !strcmp(a + end_a, b + end_b);
}

static anpe_status add(anpe_ctx *ctx, file_list *list, int64_t folder, const char *path,
                       const char *name)
{
    int64_t room = list->n;
    if (ANPE_GROW(ctx, list->path, room, list->n + 1))
        return ANPE_ENOMEM;
    if (asprintf(&list->path[list->n], "%.*s%s", (int)folder, path, name) < 0)
        return ANPE_NO_MEMORY(ctx, path);
    list->n++;
    return ANPE_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What tells exposures apart; "" where nothing does. */
static void exposure_of(anpe_ctx *ctx, const char *path, char out[4 * FLEN_VALUE])
{
    static const char *const keys[] = {"DATE-OBS", "UTC", "MJD"};
    char text[FLEN_VALUE];
    fitsfile *f = NULL;
    out[0] = '\0';
    if (survey_fits_open(ctx, path, &f))
        return;
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        if (survey_fits_text(f, 0, keys[k], text))
            strcat(strcat(out, text), " ");
    survey_fits_close(f);
}

static int same_exposure(anpe_ctx *ctx, const char *own, const char *path)
{
    char other[4 * FLEN_VALUE];
    exposure_of(ctx, path, other);
    return own[0] && !strcmp(own, other);
}

/* By their names alone, in their order. */
static anpe_status list_siblings(anpe_ctx *ctx, const char *path, file_list *out)
{
    const char *name = name_of(path);
    const int64_t folder = name - path;
    anpe_status status = ANPE_OK;
    *out = (file_list){0};
    char *folder_name = folder ? strndup(path, (size_t)folder) : strdup(".");
    if (!folder_name)
        return ANPE_NO_MEMORY(ctx, path);
    DIR *d = opendir(folder_name);
    for (struct dirent *e; d && !status && (e = readdir(d));)
        if (strcmp(name, e->d_name) && are_siblings(name, e->d_name))
            status = add(ctx, out, folder, path, e->d_name);
    if (d)
        closedir(d);
    free(folder_name);
    if (status)
        file_list_clear(out);
    else if (out->n)
        qsort(out->path, (size_t)out->n, sizeof *out->path, by_name);
    return status;
}

anpe_status file_siblings(anpe_ctx *ctx, const char *path, file_list *out)
{
    char own[4 * FLEN_VALUE] = "";
    int64_t kept = 0;
    const anpe_status status = list_siblings(ctx, path, out);
    if (!status && out->n)
        exposure_of(ctx, path, own);
    for (int64_t i = 0; !status && i < out->n; i++) {
        if (same_exposure(ctx, own, out->path[i]))
            out->path[kept++] = out->path[i];
        else
            free(out->path[i]);
    }
    out->n = kept;
    return status;
}

anpe_status file_is_first(anpe_ctx *ctx, const char *path, int *first)
{
    char own[4 * FLEN_VALUE] = "";
    file_list list;
    const anpe_status status = list_siblings(ctx, path, &list);
    *first = 1;
    if (!status && list.n)
        exposure_of(ctx, path, own);
    for (int64_t i = 0; !status && *first && i < list.n && strcmp(list.path[i], path) < 0; i++)
        *first = !same_exposure(ctx, own, list.path[i]);
    file_list_clear(&list);
    return status;
}

void file_list_clear(file_list *list)
{
    for (int64_t i = 0; i < list->n; i++)
        free(list->path[i]);
    free(list->path);
    *list = (file_list){0};
}
