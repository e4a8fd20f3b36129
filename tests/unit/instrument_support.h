/* Shared by the tests of instruments: components from configuration text, spectra, FITS files. */
#ifndef ANPE_TEST_INSTRUMENT_SUPPORT_H
#define ANPE_TEST_INSTRUMENT_SUPPORT_H
#include "data_support.h"
#include "spectrum/spectrum.h"
#include "kind/component.h"

#include <fitsio.h>
#include <math.h>

/* One instrument at a time, with a spectrum of its size and a noise model when asked for. */
static anpe_settings *settings;
static anpe_component instrument, noise;
static const anpe_instrument_ops *ops;
static anpe_instrument_info info;
static anpe_spectrum spectrum;

static inline void close_all(void)
{
    anpe_component_clear(&noise);
    anpe_component_clear(&instrument);
    settings = anpe_settings_free(settings);
    anpe_spectrum_clear(&spectrum);
    memset(&spectrum, 0, sizeof spectrum);
}

/* text: the whole configuration, with groups instrument and perhaps noise. */
static inline anpe_status open_instrument(const char *text)
{
    const anpe_instrument_setup setup = {sizeof setup};
    close_all();
    anpe_status status = anpe_settings_parse(ctx, text, "test", 0, NULL, &settings);
    if (!status)
        status = anpe_component_new(ctx, settings, ANPE_INSTRUMENT, "instrument", NULL, &setup,
                                    &instrument);
    if (status)
        return status;
    ops = instrument.ops;
    ops->info(instrument.self, &info);
    return anpe_spectrum_new(ctx, info.channels * info.n_pixels, &spectrum);
}

static inline anpe_status open_noise(const char *text)
{
    anpe_status status = open_instrument(text);
    if (status)
        return status;
    const anpe_noise_setup setup = {sizeof setup, &info, NULL};
    return anpe_component_new(ctx, settings, ANPE_NOISE, "noise", NULL, &setup, &noise);
}

static inline anpe_status read_row(const char *path, int64_t row)
{
    return ops->read(instrument.self, ctx, path, row, &spectrum);
}

static inline int64_t n_good(void)
{
    int64_t n = 0;
    for (int64_t i = 0; i < spectrum.n_pixels; i++)
        n += !spectrum.mask[i];
    return n;
}

/* Nothing that is not a number may leave a reader. */
static inline int all_finite(void)
{
    for (int64_t i = 0; i < spectrum.n_pixels; i++)
        if (!isfinite(spectrum.flux[i]) || !(spectrum.sigma[i] > 0) || !isfinite(spectrum.sigma[i]))
            return 0;
    return 1;
}

/* ---- FITS files -------------------------------------------------------------------------- */

static inline fitsfile *new_fits(const char *path)
{
    fitsfile *f = NULL;
    int status = 0;
    unlink(path);
    fits_create_file(&f, path, &status);
    CU_ASSERT_EQUAL_FATAL(status, 0);
    return f;
}

static inline void put_image(fitsfile *f, int bitpix, int64_t width, int64_t rows,
                             const double *data)
{
    int status = 0;
    long axes[2] = {(long)width, (long)rows};
    double *copy = data ? malloc((size_t)(width * rows) * sizeof *copy) : NULL;
    fits_create_img(f, bitpix, data ? (rows > 1 ? 2 : 1) : 0, axes, &status);
    if (data) {
        memcpy(copy, data, (size_t)(width * rows) * sizeof *copy);
        fits_write_img(f, TDOUBLE, 1, width * rows, copy, &status);
    }
    free(copy);
    CU_ASSERT_EQUAL_FATAL(status, 0);
}

static inline void put_text(fitsfile *f, const char *key, const char *value)
{
    int status = 0;
    char text[80];
    snprintf(text, sizeof text, "%s", value);
    fits_write_key(f, TSTRING, key, text, NULL, &status);
    CU_ASSERT_EQUAL_FATAL(status, 0);
}

static inline void put_real(fitsfile *f, const char *key, double value)
{
    int status = 0;
    fits_write_key(f, TDOUBLE, key, &value, NULL, &status);
    CU_ASSERT_EQUAL_FATAL(status, 0);
}

static inline void end_fits(fitsfile *f)
{
    int status = 0;
    fits_close_file(f, &status);
    CU_ASSERT_EQUAL_FATAL(status, 0);
}

static inline void cut_file(const char *path, size_t keep)
{
    CU_ASSERT_EQUAL_FATAL(truncate(path, (off_t)keep), 0);
}

/* ---- real data --------------------------------------------------------------------------- */

/* The shared folder's sub-folder, or NULL after saying that it is not there. */
/* Each file of the folder whose name begins with prefix; returns how many. */
static inline int each_file(const char *folder, const char *prefix, void (*each)(const char *path))
{
    char path[800];
    int n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (strncmp(e->d_name, prefix, strlen(prefix)))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        each(path);
        n++;
    }
    if (d)
        closedir(d);
    return n;
}

static inline const char *shared(const char *name)
{
    static char path[4][512];
    static int turn;
    const char *root = getenv("ANPE_SHARED");
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/data/%s", root ? root : "", name);
    if (root && access(path[turn], R_OK) == 0)
        return path[turn];
    test_skip("no shared data");
    return NULL;
}
#endif
