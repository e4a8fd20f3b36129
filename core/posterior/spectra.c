/* posterior/spectra.c -- files of spectra as a model's instrument reads them, for those who embed
 * the library. */
#include <config.h>
#include "posterior/session.h"
#include "base/locale.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct anpe_spectra {
    const anpe_model *model;
    char *path;
    anpe_input input;
    anpe_spectrum spectrum;
    int64_t n;
};

static anpe_status open_file(anpe_ctx *ctx, const anpe_model *model, const char *path,
                             anpe_spectra **out)
{
    const anpe_instrument *instrument = &model->task->instrument;
    anpe_status status;
    ANPE_TRY(ANPE_NEW(ctx, *out, 1));
    anpe_spectra *s = *out;
    s->model = model;
    if (!(s->path = strdup(path)))
        return ANPE_NO_MEMORY(ctx, path);
    ANPE_TRY(anpe_spectrum_new(ctx, anpe_task_size(model->task), &s->spectrum));
    ANPE_TRY(anpe_input_open(instrument, ctx, s->path, &s->input));
    ANPE_TRY(anpe_instrument_count(instrument, ctx, &s->input, &s->n));
    if (!s->n)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: holds no spectrum", path);
out:
    return status;
}

anpe_status anpe_spectra_open(anpe_ctx *ctx, const anpe_model *model, const char *path,
                              anpe_spectra **out)
{
    const locale_t before = anpe_locale_enter();
    *out = NULL;
    const anpe_status status = open_file(ctx, model, path, out);
    if (status)
        *out = anpe_spectra_close(*out);
    anpe_locale_leave(before);
    return status;
}

anpe_spectra *anpe_spectra_close(anpe_spectra *s)
{
    if (!s)
        return NULL;
    anpe_input_close(&s->input);
    anpe_spectrum_clear(&s->spectrum);
    free(s->path);
    free(s);
    return NULL;
}

int64_t anpe_spectra_count(const anpe_spectra *s)
{
    return s->n;
}

static anpe_status read_one(anpe_spectra *s, anpe_ctx *ctx, int64_t row, float *flux, float *sigma,
                            uint8_t *mask, char id[80])
{
    anpe_spectrum *o = &s->spectrum;
    const size_t n = (size_t)o->n_pixels;
    if (row < 0 || row >= s->n)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no spectrum %lld: it holds %lld", s->path,
                         (long long)row, (long long)s->n);
    o->id[0] = '\0';
    const anpe_status status =
        anpe_instrument_read(&s->model->task->instrument, ctx, &s->input, row, o);
    if (status)
        return status;
    if (row == 0 && s->input.h5 && !anpe_spectra_file_has_sigma(s->input.h5))
        anpe_log(ctx, ANPE_WARNING,
                 "%s: has no sigma; it is given as 1, which no likelihood must be made of",
                 s->path);
    memcpy(flux, o->flux, n * sizeof *flux);
    memcpy(sigma, o->sigma, n * sizeof *sigma);
    memcpy(mask, o->mask, n);
    if (id)
        snprintf(id, 80, "%s", o->id[0] ? o->id : s->path);
    return ANPE_OK;
}

anpe_status anpe_spectra_read(anpe_spectra *s, anpe_ctx *ctx, int64_t row, float *flux,
                              float *sigma, uint8_t *mask, char id[80])
{
    const locale_t before = anpe_locale_enter();
    const anpe_status status = read_one(s, ctx, row, flux, sigma, mask, id);
    anpe_locale_leave(before);
    return status;
}
