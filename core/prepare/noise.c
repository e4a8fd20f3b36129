/* Error bars and masks of real spectra into a library: noise_library.h. */
#include "prepare/noise.h"
#include "file/bytes.h"
#include "file/hdf5_file.h"
#include "file/output.h"
#include "spectrum/spectrum.h"
#include "kind/instrument.h"
#include "stat/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_BYTES     80
#define DIGEST_BYTES 64

typedef struct maker {
    const anpe_noise_library_job *job;
    const anpe_instrument_ops *ops;
    const void *self;
    anpe_instrument instrument; /* borrows the job's component */
    anpe_instrument_info info;
    anpe_input input; /* the file that is being read */
    anpe_h5 *file;
    anpe_spectrum spectrum;
    char digest[DIGEST_BYTES + 1];
    double *snr; /* (n_rows, room) */
    int64_t room, n_bad;
} maker;

/* ---- one spectrum ------------------------------------------------------------------------ */

/* Relative width of the smoothing where the instrument's own rule cannot be used: far wider than
 * lines, narrower than a detector's response. */
#define SMOOTH 0.003

/* Divides by the continuum. A rule that wants continuum pixels that nobody gave (they are found
 * from a simulator, and here is none) gives way to smoothing: sigma need only be relative. */
static anpe_status normalise(anpe_ctx *ctx, const maker *m, anpe_spectrum *s)
{
    const anpe_instrument_info *i = &m->info;
    const int64_t n = i->n_pixels;

    if (ANPE_HAS(m->ops, normalise) && (i->continuum || !i->needs_continuum))
        return m->ops->normalise(m->self, ctx, i->continuum, s);
    if (!i->wavelength)
        return ANPE_OK; /* no continuum to speak of */
    return anpe_continuum_smooth(ctx, SMOOTH * i->wavelength[n / 2], i->wavelength, i->n_segments,
                                 i->segment, s);
}

/* A pixel whose error exceeds this many continua tells nothing; it comes from a continuum near 0.
 */
#define LARGEST_SIGMA 100

static int64_t judge(int64_t planes, anpe_spectrum *s)
{
    for (int64_t k = 0; k < s->n_pixels; k++)
        if (!(s->sigma[k] < LARGEST_SIGMA))
            s->mask[k] = 1;
    (void)anpe_spectrum_check(s);
    return anpe_spectrum_inpaint(planes, s);
}

static anpe_status reduce(anpe_ctx *ctx, maker *m, const char *path, int64_t row, anpe_spectrum *s)
{
    anpe_status status = anpe_instrument_read(&m->instrument, ctx, &m->input, row, s);

    if (status)
        return status;
    if ((status = normalise(ctx, m, s)))
        return anpe_fail_prefix(ctx, status, "%s", path);
    if (judge(m->info.channels, s) == 0)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no good pixel once divided by the continuum", path);
    return ANPE_OK;
}

static anpe_status append(anpe_ctx *ctx, maker *m, anpe_noise_library_result *result)
{
    const anpe_spectrum *s = &m->spectrum;
    char id[ID_BYTES] = {0};
    anpe_status status = anpe_h5_append_rows(ctx, m->file, "sigma", ANPE_H5_FLOAT, 1, s->sigma);

    if (!status)
        status = anpe_h5_append_rows(ctx, m->file, "mask", ANPE_H5_UINT8, 1, s->mask);
    snprintf(id, sizeof id, "%s", s->id);
    if (!status)
        status = anpe_h5_append_rows(ctx, m->file, "id", ANPE_H5_UINT8, 1, id);
    if (!status)
        status = anpe_h5_append_rows(ctx, m->file, "sha256", ANPE_H5_UINT8, 1, m->digest);
    if (status)
        return status;
    if (ANPE_GROW(ctx, m->snr, m->room, result->n_rows + 1))
        return ANPE_ENOMEM;
    m->snr[result->n_rows++] = anpe_spectrum_snr(s);
    for (int64_t k = 0; k < s->n_pixels; k++)
        m->n_bad += s->mask[k];
    return ANPE_OK;
}

/* ---- the library ------------------------------------------------------------------------- */

/* Errors that are one file's fault; the others end the run. */
static int is_of_the_file(anpe_status status)
{
    return status == ANPE_EINVAL || status == ANPE_EIO || status == ANPE_EFORMAT ||
           status == ANPE_ENUMERIC || status == ANPE_EUNSUPPORTED;
}

static anpe_status add_file(anpe_ctx *ctx, maker *m, const char *path,
                            anpe_noise_library_result *result)
{
    int64_t n = 0;
    anpe_status status = anpe_input_open(&m->instrument, ctx, path, &m->input);

    if (!status)
        status = anpe_instrument_count(&m->instrument, ctx, &m->input, &n);
    if (!status)
        status = anpe_file_digest(ctx, path, m->digest);
    if (status && is_of_the_file(status)) {
        anpe_log(ctx, ANPE_WARNING, "left out: %s", anpe_error(ctx));
        result->n_skipped++;
        n = 0;
        status = ANPE_OK;
    }
    for (int64_t row = 0; !status && row < n; row++) {
        if (anpe_cancelled(ctx)) {
            status = ANPE_FAIL(ctx, ANPE_ECANCEL, "cancelled");
            break;
        }
        status = reduce(ctx, m, path, row, &m->spectrum);
        if (!status) {
            status = append(ctx, m, result);
        } else if (is_of_the_file(status)) {
            anpe_log(ctx, ANPE_WARNING, "left out: %s", anpe_error(ctx));
            result->n_skipped++;
            status = ANPE_OK;
        }
    }
    anpe_input_close(&m->input);
    return status;
}

static anpe_status describe(anpe_ctx *ctx, maker *m)
{
    const int64_t n = m->info.channels * m->info.n_pixels;
    const int64_t pixels[2] = {0, n}, id[2] = {0, ID_BYTES}, digest[2] = {0, DIGEST_BYTES};
    anpe_h5 *f = m->file;
    anpe_status status = anpe_h5_create_rows(ctx, f, "sigma", ANPE_H5_FLOAT, 2, pixels);

    if (!status)
        status = anpe_h5_create_rows(ctx, f, "mask", ANPE_H5_UINT8, 2, pixels);
    if (!status)
        status = anpe_h5_create_rows(ctx, f, "id", ANPE_H5_UINT8, 2, id);
    if (!status)
        status = anpe_h5_create_rows(ctx, f, "sha256", ANPE_H5_UINT8, 2, digest);
    if (!status && m->info.wavelength)
        status = anpe_h5_write(ctx, f, "wavelength", ANPE_H5_DOUBLE, 1, &m->info.n_pixels,
                               m->info.wavelength);
    if (!status)
        status = anpe_h5_put_text(ctx, f, "/", "instrument", m->job->instrument->plugin->name);
    if (!status && m->job->configuration)
        status = anpe_h5_put_text(ctx, f, "/", "configuration", m->job->configuration);
    if (!status)
        status = anpe_h5_put_text(ctx, f, "/", "anpe_version", anpe_version());
    return status;
}

static void summarise(const maker *m, anpe_noise_library_result *result)
{
    const int64_t n = result->n_rows;
    anpe_sort(n, m->snr);
    result->snr_median = anpe_quantile_sorted(n, m->snr, 0.5);
    result->bad_fraction = (double)m->n_bad / ((double)n * (double)m->spectrum.n_pixels);
}

static anpe_status fill(anpe_ctx *ctx, maker *m, anpe_noise_library_result *result)
{
    const anpe_noise_library_job *job = m->job;
    anpe_status status = describe(ctx, m);

    for (int64_t k = 0; !status && k < job->n_paths; k++) {
        if (anpe_cancelled(ctx))
            return ANPE_FAIL(ctx, ANPE_ECANCEL, "cancelled");
        anpe_progress(ctx, "spectra", (double)k, (double)job->n_paths);
        status = add_file(ctx, m, job->paths[k], result);
    }
    if (!status && result->n_rows == 0)
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "no usable spectrum in %lld files; nothing written",
                           (long long)job->n_paths);
    return status;
}

anpe_status anpe_noise_library_make(anpe_ctx *ctx, const anpe_noise_library_job *job,
                                    anpe_noise_library_result *result)
{
    maker m = {.job = job, .ops = job->instrument->ops, .self = job->instrument->self};
    anpe_status status;

    *result = (anpe_noise_library_result){0};
    m.ops->info(m.self, &m.info);
    m.instrument = (anpe_instrument){*job->instrument, m.info, job->instrument->plugin->name};
    m.instrument.info.exclude = NULL; /* a choice of the model, not a property of the spectra */
    for (int64_t k = 0; k < job->n_paths; k++)
        if ((status = anpe_output_differs(ctx, job->output, job->paths[k])))
            return status;
    if ((status = anpe_spectrum_new(ctx, m.info.channels * m.info.n_pixels, &m.spectrum)))
        return status;
    if ((status = anpe_h5_create(ctx, job->output, &m.file)))
        goto out;
    if ((status = fill(ctx, &m, result))) {
        m.file = anpe_h5_abandon(m.file);
        goto out;
    }
    if ((status = anpe_h5_close(ctx, m.file)))
        goto out;
    anpe_progress(ctx, "spectra", (double)job->n_paths, (double)job->n_paths);
    summarise(&m, result);
out:
    free(m.snr);
    anpe_spectrum_clear(&m.spectrum);
    return status;
}
