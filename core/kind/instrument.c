/* Reading and normalising observed spectra through an instrument plugin. */
#include "kind/instrument.h"
#include "base/text.h"
#include "kind/recognise.h"
#include "spectrum/spectrum.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const anpe_instrument_ops *ops_of(const anpe_instrument *i)
{
    return (const anpe_instrument_ops *)i->component.ops;
}

static anpe_status check_info(anpe_ctx *ctx, const anpe_instrument *i)
{
    const anpe_instrument_info *f = &i->info;
    if (f->channels < 1 || f->n_pixels < 1)
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "instrument '%s' declares no pixels", i->name);
    if (f->wavelength && f->channels != 1)
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "instrument '%s': wavelengths need one channel",
                         i->name);
    for (int64_t p = 1; f->wavelength && p < f->n_pixels; p++)
        if (!(f->wavelength[p] > f->wavelength[p - 1]))
            return ANPE_FAIL(ctx, ANPE_EPLUGIN, "instrument '%s': wavelengths do not ascend",
                             i->name);
    if (f->wavelength &&
        (f->n_segments < 1 || f->segment[0] != 0 || f->segment[f->n_segments] != f->n_pixels))
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "instrument '%s': segments do not cover the grid",
                         i->name);
    return ANPE_OK;
}

anpe_status anpe_instrument_new(anpe_ctx *ctx, anpe_settings *settings, anpe_instrument *out)
{
    const anpe_instrument_setup setup = {sizeof setup};
    memset(out, 0, sizeof *out);
    anpe_status status = anpe_component_new(ctx, settings, ANPE_INSTRUMENT, "instrument", NULL,
                                            &setup, &out->component);
    if (status)
        return status;
    out->name = out->component.plugin->name;
    ops_of(out)->info(out->component.self, &out->info);
    status = check_info(ctx, out);
    if (status)
        anpe_instrument_clear(out);
    return status;
}

void anpe_instrument_clear(anpe_instrument *i)
{
    anpe_component_clear(&i->component);
    memset(i, 0, sizeof *i);
}

int64_t anpe_instrument_size(const anpe_instrument *i)
{
    return i->info.channels * i->info.n_pixels;
}

anpe_status anpe_input_open(const anpe_instrument *i, anpe_ctx *ctx, const char *path,
                            anpe_input *out)
{
    anpe_status status;
    *out = (anpe_input){.path = path};
    ANPE_TRY(anpe_file_hold(ctx, path));
    out->ctx = ctx;
    if (!ANPE_HAS(ops_of(i), read) || anpe_spectra_file_is_hdf5(ctx, path))
        status = anpe_spectra_file_open(ctx, path, &out->h5);
    if (!status && out->h5)
        status = anpe_spectra_file_made_for(ctx, out->h5, i->name);
out:
    if (status)
        anpe_input_close(out);
    return status;
}

void anpe_input_close(anpe_input *in)
{
    anpe_spectra_file_close(in->h5);
    if (in->ctx)
        anpe_file_let_go(in->ctx, in->path);
    *in = (anpe_input){0};
}

/* A file that this instrument cannot read and does not know, and that another knows for one of its
 * survey: that says more than what is missing in it. */
static anpe_status explain(const anpe_instrument *i, anpe_ctx *ctx, const char *path,
                           anpe_status status)
{
    anpe_recognition own = {.size = sizeof own};
    anpe_recognised other;
    char message[1024];
    if (status != ANPE_EFORMAT && status != ANPE_EINVAL)
        return status;
    snprintf(message, sizeof message, "%s", anpe_error(ctx));
    if (ANPE_HAS(ops_of(i), recognise) && !ops_of(i)->recognise(ctx, path, &own) && !own.match &&
        !anpe_recognise(ctx, path, &other) && other.file.match == ANPE_MATCH_SURVEY)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: this is a file of %s, which the instrument %s reads; the one asked "
                         "for is %s",
                         path, other.file.survey, other.plugin->name, i->name);
    return ANPE_FAIL(ctx, status, "%s", message);
}

anpe_status anpe_instrument_count(const anpe_instrument *i, anpe_ctx *ctx, const anpe_input *in,
                                  int64_t *n)
{
    const anpe_instrument_ops *ops = ops_of(i);
    *n = in->h5 ? anpe_spectra_file_rows(in->h5) : 1;
    if (in->h5 || !ANPE_HAS(ops, count))
        return ANPE_OK;
    const anpe_status status = ops->count(i->component.self, ctx, in->path, n);
    return status ? explain(i, ctx, in->path, status) : ANPE_OK;
}

/* Plain values have no neighbours to take one from that is missing. */
static anpe_status check_values(anpe_ctx *ctx, const char *name, const anpe_spectrum *s)
{
    for (int64_t k = 0; k < s->n_pixels; k++)
        if (!s->mask[k] && !isfinite(s->flux[k]))
            return ANPE_FAIL(ctx, ANPE_EFORMAT,
                             "value %lld of %s is %g: a spectrum without wavelengths has no "
                             "neighbours to take it from, and no mask says that it is bad",
                             (long long)k, name, (double)s->flux[k]);
    return ANPE_OK;
}

anpe_status anpe_instrument_judge(const anpe_instrument *i, anpe_ctx *ctx, const char *name,
                                  anpe_spectrum *s, float *room)
{
    const anpe_status status = i->info.wavelength ? ANPE_OK : check_values(ctx, name, s);
    if (status)
        return status;
    anpe_instrument_exclude(i, s);
    if (anpe_spectrum_check(s) == 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "no good pixel in %s", name);
    if (!i->info.wavelength)
        return ANPE_OK;
    anpe_spectrum_null_errors(s->n_pixels, s->sigma, s->mask, room);
    return anpe_spectrum_check_errors(ctx, s, room);
}

/* "spec-1", "spectra.h5[3]". */
static void name_spectrum(const anpe_input *in, int64_t row, anpe_spectrum *s)
{
    static const char *const endings[] = {".gz", ".fits", ".fit"};
    const char *base = anpe_text_basename(in->path);
    size_t n = strlen(base);
    for (size_t k = 0; k < sizeof endings / sizeof endings[0]; k++) {
        const size_t m = strlen(endings[k]);
        if (n > m && !strncmp(base + n - m, endings[k], m))
            n -= m;
    }
    const int width = n > 50 ? 50 : (int)n;
    if (in->h5 || row > 0)
        snprintf(s->id, sizeof s->id, "%.*s[%lld]", width, base, (long long)row);
    else
        snprintf(s->id, sizeof s->id, "%.*s", width, base);
}

/* Not judged. */
static anpe_status read_row(const anpe_instrument *i, anpe_ctx *ctx, anpe_input *in, int64_t row,
                            anpe_spectrum *s)
{
    anpe_status status;
    s->id[0] = '\0';
    if (in->h5)
        status = anpe_spectra_file_read(ctx, in->h5, row, &i->info, s);
    else if ((status = ops_of(i)->read(i->component.self, ctx, in->path, row, s)))
        status = explain(i, ctx, in->path, status);
    in->named = s->id[0] != '\0';
    if (!in->named)
        name_spectrum(in, row, s);
    return status;
}

anpe_status anpe_instrument_read(const anpe_instrument *i, anpe_ctx *ctx, anpe_input *in,
                                 int64_t row, anpe_spectrum *s)
{
    char name[48];
    anpe_status status = read_row(i, ctx, in, row, s);
    float *room = status ? NULL : anpe_alloc(ctx, (size_t)s->n_pixels * sizeof *room);
    if (!status && !room)
        status = ANPE_ENOMEM;
    if (status)
        return status;
    snprintf(name, sizeof name, "spectrum %lld", (long long)row);
    status = anpe_instrument_judge(i, ctx, name, s, room);
    anpe_free(room);
    return status ? anpe_fail_prefix(ctx, status, "%s", in->path) : ANPE_OK;
}

void anpe_instrument_exclude(const anpe_instrument *i, anpe_spectrum *s)
{
    for (int64_t p = 0; i->info.exclude && p < s->n_pixels; p++)
        s->mask[p] |= i->info.exclude[p];
}

anpe_status anpe_instrument_normalise(const anpe_instrument *i, anpe_ctx *ctx,
                                      const uint8_t *continuum, anpe_spectrum *s)
{
    const anpe_instrument_ops *ops = ops_of(i);
    return ANPE_HAS(ops, normalise) ? ops->normalise(i->component.self, ctx, continuum, s)
                                    : ANPE_OK;
}

int64_t anpe_instrument_continuum_modes(const anpe_instrument *i, float *mode)
{
    const anpe_instrument_ops *ops = ops_of(i);
    return ANPE_HAS(ops, continuum_modes) ? ops->continuum_modes(i->component.self, mode) : 0;
}

anpe_status anpe_instrument_continuum_weights(const anpe_instrument *i, anpe_ctx *ctx,
                                              const uint8_t *continuum, const anpe_spectrum *s,
                                              double *weight)
{
    return ops_of(i)->continuum_weights(i->component.self, ctx, continuum, s, weight);
}

anpe_status anpe_instrument_continuum(const anpe_instrument *i, anpe_ctx *ctx,
                                      const uint8_t *continuum_set, const anpe_spectrum *s,
                                      int64_t n, const float *flux, float *continuum)
{
    return ops_of(i)->continuum(i->component.self, ctx, continuum_set, s, n, flux, continuum);
}

anpe_division anpe_instrument_division(const anpe_instrument *i)
{
    const anpe_instrument_ops *ops = ops_of(i);
    if (!ANPE_HAS(ops, normalise) || i->info.rule == ANPE_RULE_NONE)
        return ANPE_DIVISION_NONE;
    if (anpe_instrument_continuum_modes(i, NULL) && ANPE_HAS(ops, continuum_weights))
        return ANPE_DIVISION_MODES;
    return i->info.rule == ANPE_RULE_LINEAR && ANPE_HAS(ops, continuum) ? ANPE_DIVISION_ROWS
                                                                        : ANPE_DIVISION_CALLED;
}
