/* See lsf_file.h. */
#include <config.h>
#include "lsf_file.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_KERNELS = 10000, MOST_POINTS = 100000 };
static const char blanks[] = " \t\r\n,";

typedef struct table_reader {
    anpe_ctx *ctx;
    const char *path;
    FILE *file;
    char *line;
    size_t size;
    int64_t n_line, room;                 /* room: points that memory is there for */
    double *wavelength, *offset, *kernel; /* kernel (room, n_kernels): as in the file */
    int64_t n_kernels, n_points;
} table_reader;

static anpe_status wrong(const table_reader *r, const char *expected, const char *cell)
{
    return ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s:%lld: '%.40s'; expected %s", r->path,
                     (long long)r->n_line, cell, expected);
}

/* The next line that is not empty or a comment; 0: the end. */
static int next_line(table_reader *r)
{
    while (getline(&r->line, &r->size, r->file) >= 0) {
        r->n_line++;
        const char *start = r->line + strspn(r->line, blanks);
        if (*start && *start != '#')
            return 1;
    }
    return 0;
}

static anpe_status number(const table_reader *r, const char *cell, double *out)
{
    char *end;
    *out = strtod(cell, &end);
    return *end || end == cell ? wrong(r, "a number", cell) : ANPE_OK;
}

static anpe_status read_head(table_reader *r)
{
    char *rest, *cell = next_line(r) ? strtok_r(r->line, blanks, &rest) : NULL;
    if (!cell || strcasecmp(cell, "velocity"))
        return wrong(r, "'velocity' and the wavelengths of the kernels", cell ? cell : "");
    if (ANPE_NEW(r->ctx, r->wavelength, MOST_KERNELS))
        return ANPE_ENOMEM;
    while ((cell = strtok_r(NULL, blanks, &rest))) {
        if (r->n_kernels == MOST_KERNELS)
            return wrong(r, "at most 10000 kernels", cell);
        const anpe_status status = number(r, cell, &r->wavelength[r->n_kernels++]);
        if (status)
            return status;
    }
    return r->n_kernels ? ANPE_OK : wrong(r, "the wavelengths of the kernels", "");
}

static anpe_status make_room(table_reader *r)
{
    if (r->n_points == MOST_POINTS)
        return wrong(r, "at most 100000 lines", r->line);
    if (r->n_points < r->room)
        return ANPE_OK;
    r->room = r->room ? 2 * r->room : 256;
    const size_t n = (size_t)r->room;
    double *offset = realloc(r->offset, n * sizeof *offset);
    r->offset = offset ? offset : r->offset;
    double *kernel = realloc(r->kernel, n * (size_t)r->n_kernels * sizeof *kernel);
    r->kernel = kernel ? kernel : r->kernel;
    return offset && kernel ? ANPE_OK : ANPE_NO_MEMORY(r->ctx, r->path);
}

static anpe_status read_point(table_reader *r)
{
    char *rest, *cell = r->line;
    anpe_status status = make_room(r);
    for (int64_t k = -1; !status && k < r->n_kernels; k++) {
        cell = strtok_r(k < 0 ? cell : NULL, blanks, &rest);
        if (!cell)
            return ANPE_FAIL(r->ctx, ANPE_EFORMAT,
                             "%s:%lld: %lld values; expected %lld: a velocity and a value of each "
                             "kernel",
                             r->path, (long long)r->n_line, (long long)k + 1,
                             (long long)r->n_kernels + 1);
        status = number(
            r, cell, k < 0 ? &r->offset[r->n_points] : &r->kernel[r->n_points * r->n_kernels + k]);
    }
    if (!status && (cell = strtok_r(NULL, blanks, &rest)))
        return wrong(r, "the end of the line after as many values as kernels", cell);
    r->n_points += !status;
    return status;
}

/* (points, kernels) as in the file becomes (kernels, points). */
static anpe_status hand_over(table_reader *r, anpe_lsf_table *out)
{
    const int64_t n = r->n_points, kernels = r->n_kernels;
    if (n < 3)
        return ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: %lld lines of values; expected at least 3",
                         r->path, (long long)n);
    double *kernel;
    if (ANPE_NEW(r->ctx, kernel, n, kernels))
        return ANPE_ENOMEM;
    for (int64_t k = 0; k < kernels; k++)
        for (int64_t i = 0; i < n; i++)
            kernel[k * n + i] = r->kernel[i * kernels + k];
    *out = (anpe_lsf_table){kernels, n, r->wavelength, r->offset, kernel};
    r->wavelength = r->offset = NULL;
    return ANPE_OK;
}

anpe_status lsf_file_read(anpe_ctx *ctx, const char *path, anpe_lsf_table *out)
{
    table_reader r = {.ctx = ctx, .path = path};
    anpe_status status;
    *out = (anpe_lsf_table){0};
    if (!path[0])
        return ANPE_OK;
    r.file = fopen(path, "r");
    if (!r.file)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot open: %s", path, strerror(errno));
    ANPE_TRY(read_head(&r));
    while (next_line(&r))
        ANPE_TRY(read_point(&r));
    if (ferror(r.file))
        status = ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot read: %s", path, strerror(errno));
    else
        status = hand_over(&r, out);
out:
    fclose(r.file);
    free(r.line);
    free(r.wavelength);
    free(r.offset);
    free(r.kernel);
    return status;
}

const anpe_lsf_table *lsf_file_table(const anpe_lsf_table *t)
{
    return t->n_kernels ? t : NULL;
}

void lsf_file_clear(anpe_lsf_table *t)
{
    free((void *)(uintptr_t)t->wavelength);
    free((void *)(uintptr_t)t->offset);
    free((void *)(uintptr_t)t->kernel);
    *t = (anpe_lsf_table){0};
}
