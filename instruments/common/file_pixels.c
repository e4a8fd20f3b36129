/* Which rows of a file are the wanted spectrum. */
#include "file_pixels.h"
#include "file_table.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PIXELS = 5000000, LEAST_ORDER = 50 };

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
static void to_angstrom(const file_pixels *p, const columns *c, const column_names *given,
                        double *angstrom)
{
    const double *w = p->value[COLUMN_WAVELENGTH], *log_w = p->value[COLUMN_LOG_WAVELENGTH];
    const int has = c->place[COLUMN_WAVELENGTH] >= 0,
              has_log = c->place[COLUMN_LOG_WAVELENGTH] >= 0;
    const double unit = !has || isfinite(c->unit) ? c->unit : columns_guess_unit(p->n, w);
    for (int64_t i = 0; i < p->n; i++)
        angstrom[i] = has       ? unit * w[i]
                      : has_log ? pow(10, log_w[i])
                                : given->start + given->step * (double)i;
}

/* Behind the run of pixels from `first` on whose wavelengths go one way: orders of an echelle that
 * overlap stand one after the other. */
static int64_t run_end(int64_t n, const double *w, int64_t first)
{
    double last = w[first], way = 0;
    int64_t i = first + 1;
    for (; i < n; i++) {
        const double step = w[i] - last;
        if (!isfinite(step))
            continue;
        if (way * step < 0)
            break;
        way = way != 0 ? way : step;
        last = w[i];
    }
    return i;
}

/* Whether all runs are long enough for orders; what goes back and forth is none. */
static int has_orders(int64_t n, const double *w)
{
    for (int64_t first = 0, end; first < n; first = end)
        if ((end = run_end(n, w, first)) - first < LEAST_ORDER)
            return 0;
    return 1;
}

static anpe_status put_order(anpe_ctx *ctx, const file_pixels *p, const columns *c, const double *w,
                             int64_t first, int64_t end, gridded_file *file)
{
    observed_order *a;
    const anpe_status status = observed_add(ctx, &file->o, end - first, &a);
    if (status)
        return status;
    for (int64_t i = first; i < end; i++) {
        const double error = p->value[COLUMN_ERROR][i];
        a->wavelength[i - first] = w[i];
        a->flux[i - first] = p->value[COLUMN_FLUX][i];
        a->sigma[i - first] = file_sigma(c->error, a->flux[i - first], error);
        if (c->place[COLUMN_MASK] >= 0)
            a->mask[i - first] = (uint8_t)survey_is_flagged(p->value[COLUMN_MASK][i], UINT64_MAX);
    }
    return ANPE_OK;
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
    double *w;
    if (ANPE_NEW(ctx, w, p->n))
        return ANPE_ENOMEM;
    to_angstrom(p, c, given, w);
    const int orders = has_orders(p->n, w);
    anpe_status status = ANPE_OK;
    for (int64_t first = 0, end; first < p->n && !status; first = end) {
        end = orders ? run_end(p->n, w, first) : p->n;
        status = put_order(ctx, p, c, w, first, end, file);
    }
    free(w);
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
