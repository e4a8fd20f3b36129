/* Which rows of a file are the wanted spectrum. */
#include "file_pixels.h"
#include "file_table.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PIXELS = 5000000 };

int file_pixels_row(file_pixels *p, const char *id, int array)
{
    const int goes_on = p->seen > 0 && !array && strcmp(id, p->id) == 0;
    p->array |= array;
    if (!goes_on && p->wanted >= 0 && p->seen == p->wanted + 1)
        return -1; /* and its identifier stays */
    if (!goes_on) {
        p->seen++;
        snprintf(p->id, sizeof p->id, "%s", id);
    }
    return p->seen == p->wanted + 1;
}

static anpe_status grow(anpe_ctx *ctx, file_pixels *p, const char *path)
{
    const int64_t more = p->capacity ? 2 * p->capacity : 4096;
    if (more > 2 * MOST_PIXELS)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: a spectrum of more than %d pixels", path,
                         MOST_PIXELS);
    for (int r = 0; r < N_COLUMN_ROLES; r++) {
        double *grown = realloc(p->value[r], (size_t)more * sizeof *grown);
        if (!grown)
            return ANPE_NO_MEMORY(ctx, path);
        p->value[r] = grown;
        for (int64_t i = p->capacity; i < more; i++)
            grown[i] = NAN;
    }
    p->capacity = more;
    return ANPE_OK;
}

anpe_status file_pixels_put(anpe_ctx *ctx, file_pixels *p, const char *path, column_role role,
                            int64_t k, double value)
{
    const anpe_status status = k < p->capacity ? ANPE_OK : grow(ctx, p, path);
    if (!status)
        p->value[role][k] = value;
    return status;
}

anpe_status file_pixels_length(anpe_ctx *ctx, file_pixels *p, const char *path, int64_t n)
{
    if (p->n && n != p->n)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: spectrum %lld: arrays of %lld and of %lld values in one row", path,
                         (long long)p->wanted, (long long)p->n, (long long)n);
    p->n = n;
    return ANPE_OK;
}

/* Wavelengths of the whole file into w (n). */
static anpe_status to_angstrom(anpe_ctx *ctx, const file_pixels *p, const char *path,
                               const columns *c, const column_names *given, double *angstrom)
{
    const double *w = p->value[COLUMN_WAVELENGTH], *log_w = p->value[COLUMN_LOG_WAVELENGTH];
    const int has = c->place[COLUMN_WAVELENGTH] >= 0,
              has_log = c->place[COLUMN_LOG_WAVELENGTH] >= 0;
    double unit = c->unit;
    if (has && !isfinite(unit)) {
        const anpe_status status = columns_guess_unit(ctx, path, p->n, w, &unit);
        if (status)
            return status;
    }
    for (int64_t i = 0; i < p->n; i++)
        angstrom[i] = has       ? unit * w[i]
                      : has_log ? pow(10, log_w[i])
                                : given->start + given->step * (double)i;
    return ANPE_OK;
}

static anpe_status put_pixels(anpe_ctx *ctx, const file_pixels *p, const char *path,
                              const columns *c, const column_names *given, gridded_file *file)
{
    observed_order *a;
    anpe_status status;
    ANPE_TRY(observed_add(ctx, &file->o, p->n, &a));
    ANPE_TRY(to_angstrom(ctx, p, path, c, given, a->wavelength));
    for (int64_t i = 0; i < p->n; i++) {
        a->flux[i] = p->value[COLUMN_FLUX][i];
        a->sigma[i] = file_sigma(c->error, a->flux[i], p->value[COLUMN_ERROR][i]);
        if (c->place[COLUMN_MASK] >= 0)
            a->mask[i] = survey_is_bad(p->value[COLUMN_MASK][i], c->marks_good);
    }
    ANPE_TRY(observed_split(ctx, &file->o));
out:
    return status;
}

anpe_status file_pixels_hand_over(anpe_ctx *ctx, const file_pixels *p, const char *path,
                                  const columns *c, const column_names *given, gridded_file *file)
{
    if (p->wanted >= p->seen && (p->wanted > 0 || p->seen))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no spectrum %lld; the file has %lld", path,
                         (long long)p->wanted, (long long)p->seen);
    if (p->n < 2)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %lld %s with numbers; no spectrum", path,
                         (long long)p->n, p->array ? "pixels" : "lines");
    const anpe_status status = put_pixels(ctx, p, path, c, given, file);
    if (status)
        return status;
    file->medium = c->medium;
    snprintf(file->id, sizeof file->id, "%s", p->id);
    return ANPE_OK;
}

void file_pixels_clear(file_pixels *p)
{
    for (int r = 0; r < N_COLUMN_ROLES; r++)
        free(p->value[r]);
    *p = (file_pixels){0};
}
