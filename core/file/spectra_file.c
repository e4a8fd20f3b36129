/* file/spectra_file.c -- see spectra_file.h. */
#include <config.h>
#include "file/spectra_file.h"
#include "base/shape.h"
#include "base/text.h"
#include "file/hdf5_file.h"
#include "file/seal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every row of the flux becomes a row of the run, so that its rows must be stored sooner. */
enum { LEAST_STORED = 1 << 20 }; /* bytes */

struct anpe_spectra_file {
    anpe_h5 *h5;
    const char *data;              /* "flux" or "x" */
    int64_t rows, values;          /* of one row */
    const double *same_wavelength; /* the grid that the file's has been compared with */
    char **id;                     /* (rows) of the stars, or NULL */
};

int anpe_spectra_file_is_hdf5(anpe_ctx *ctx, const char *path)
{
    static const char signature[8] = "\x89HDF\r\n\x1a\n";
    anpe_file *f;
    if (anpe_text_has_extension(path, ".h5") || anpe_text_has_extension(path, ".hdf5"))
        return 1;
    if (anpe_file_hold(ctx, path))
        return 0;
    const int yes =
        !anpe_file_bytes(ctx, path, 0, &f) &&
        (anpe_seal_is(f->bytes, f->size) ||
         (f->size >= sizeof signature && !memcmp(f->bytes, signature, sizeof signature)));
    anpe_file_let_go(ctx, path);
    return yes;
}

/* "flux", or "x" where there is no flux; its rows and the values of one row. */
static anpe_status read_shape(anpe_ctx *ctx, anpe_spectra_file *f)
{
    int rank;
    int64_t shape[8];
    f->data = !anpe_h5_has(f->h5, "flux") && anpe_h5_has(f->h5, "x") ? "x" : "flux";
    anpe_status status = anpe_h5_shape(ctx, f->h5, f->data, &rank, shape);
    if (status)
        return status;
    if (rank < 1)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: '%s' must be (spectra, pixels), it is one number",
                         anpe_h5_path(f->h5), f->data);
    f->rows = shape[0];
    f->values = anpe_shape_count(rank - 1, shape + 1);
    return anpe_h5_check_stored(ctx, f->h5, f->data, LEAST_STORED);
}

/* Identifiers as whole numbers, such as Gaia's. */
static anpe_status read_numbers(anpe_ctx *ctx, anpe_spectra_file *f)
{
    enum { WIDTH = 24 };
    int64_t *number;
    if (ANPE_NEW(ctx, number, f->rows))
        return ANPE_ENOMEM;
    anpe_status status = anpe_h5_read(ctx, f->h5, "id", ANPE_H5_INT64, f->rows, number);
    for (int64_t i = 0; i < f->rows && !status; i++) {
        if (ANPE_NEW(ctx, f->id[i], WIDTH))
            status = ANPE_ENOMEM;
        else
            snprintf(f->id[i], WIDTH, "%lld", (long long)number[i]);
    }
    free(number);
    return status;
}

static anpe_status read_ids(anpe_ctx *ctx, anpe_spectra_file *f)
{
    if (!anpe_h5_has(f->h5, "id"))
        return ANPE_OK;
    if (ANPE_NEW(ctx, f->id, f->rows + 1))
        return ANPE_ENOMEM;
    if (!anpe_h5_read_texts(ctx, f->h5, "id", f->rows, f->id) || !read_numbers(ctx, f))
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EFORMAT,
                     "%s: dataset 'id' must be %lld texts or whole numbers, a star's identifier "
                     "for each spectrum",
                     anpe_h5_path(f->h5), (long long)f->rows);
}

static anpe_status check_row(anpe_ctx *ctx, anpe_h5 *f, int64_t row, int64_t rows)
{
    if (row >= 0 && row < rows)
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no spectrum %lld, the file has %lld", anpe_h5_path(f),
                     (long long)row, (long long)rows);
}

anpe_status anpe_spectra_file_made_for(anpe_ctx *ctx, anpe_spectra_file *f, const char *name)
{
    return anpe_h5_made_for(ctx, f->h5, name, 0, NULL);
}

anpe_status anpe_spectra_file_open(anpe_ctx *ctx, const char *path, anpe_spectra_file **out)
{
    anpe_spectra_file *f = anpe_alloc(ctx, sizeof *f);
    anpe_status status = f ? anpe_h5_open(ctx, path, &f->h5) : ANPE_ENOMEM;
    if (!status)
        status = read_shape(ctx, f);
    if (!status)
        status = read_ids(ctx, f);
    if (status)
        f = anpe_spectra_file_close(f);
    *out = f;
    return status;
}

anpe_spectra_file *anpe_spectra_file_close(anpe_spectra_file *f)
{
    if (f) {
        anpe_h5_texts_free(f->rows, f->id);
        anpe_h5_abandon(f->h5);
    }
    anpe_free(f);
    return NULL;
}

int64_t anpe_spectra_file_rows(const anpe_spectra_file *f)
{
    return f->rows;
}

int anpe_spectra_file_has_sigma(const anpe_spectra_file *f)
{
    return anpe_h5_has(f->h5, "sigma");
}

/* ---- one spectrum ------------------------------------------------------------------------ */

/* Once for a file and a grid. */
static anpe_status check_wavelengths(anpe_ctx *ctx, anpe_spectra_file *file,
                                     const anpe_instrument_info *ins)
{
    if (file->same_wavelength == ins->wavelength)
        return ANPE_OK;
    const anpe_status status =
        anpe_h5_made_for(ctx, file->h5, NULL, ins->n_pixels, ins->wavelength);
    if (!status)
        file->same_wavelength = ins->wavelength;
    return status;
}

/* Rows of sigma and mask must be as many, and as long, as those of the flux. */
static anpe_status check_same(anpe_ctx *ctx, const anpe_spectra_file *f, const char *name)
{
    int rank;
    int64_t shape[8];
    anpe_status status = anpe_h5_shape(ctx, f->h5, name, &rank, shape);
    if (status)
        return status;
    if (rank < 1 || shape[0] != f->rows || anpe_shape_count(rank - 1, shape + 1) != f->values)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: '%s' must have the shape of '%s': %lld spectra of "
                         "%lld values",
                         anpe_h5_path(f->h5), name, f->data, (long long)f->rows,
                         (long long)f->values);
    return ANPE_OK;
}

static anpe_status read_sigma(anpe_ctx *ctx, const anpe_spectra_file *f, int64_t row,
                              const anpe_instrument_info *ins, anpe_spectrum *s)
{
    if (anpe_h5_has(f->h5, "sigma")) {
        anpe_status status = check_same(ctx, f, "sigma");
        return status ? status
                      : anpe_h5_read_rows(ctx, f->h5, "sigma", ANPE_H5_FLOAT, row, 1, f->values,
                                          s->sigma);
    }
    if (ins->wavelength)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: no dataset 'sigma': a spectrum needs its errors",
                         anpe_h5_path(f->h5));
    for (int64_t i = 0; i < s->n_pixels; i++)
        s->sigma[i] = 1;
    return ANPE_OK;
}

static anpe_status read_mask(anpe_ctx *ctx, const anpe_spectra_file *f, int64_t row,
                             anpe_spectrum *s)
{
    memset(s->mask, 0, (size_t)s->n_pixels);
    if (!anpe_h5_has(f->h5, "mask"))
        return ANPE_OK;
    const anpe_status status = check_same(ctx, f, "mask");
    return status ? status : anpe_h5_read_mask(ctx, f->h5, "mask", row, 1, f->values, s->mask);
}

anpe_status anpe_spectra_file_read(anpe_ctx *ctx, anpe_spectra_file *f, int64_t row,
                                   const anpe_instrument_info *instrument, anpe_spectrum *s)
{
    const char *path = anpe_h5_path(f->h5);
    anpe_status status = check_row(ctx, f->h5, row, f->rows);
    if (status)
        return status;
    if (f->values != s->n_pixels)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: spectra of %lld pixels, the instrument has %lld",
                         path, (long long)f->values, (long long)s->n_pixels);
    status = check_wavelengths(ctx, f, instrument);
    if (!status)
        status = anpe_h5_read_rows(ctx, f->h5, f->data, ANPE_H5_FLOAT, row, 1, f->values, s->flux);
    if (!status)
        status = read_sigma(ctx, f, row, instrument, s);
    if (!status)
        status = read_mask(ctx, f, row, s);
    if (!status)
        snprintf(s->id, sizeof s->id, "%s", f->id ? f->id[row] : "");
    return status;
}

/* ---- truth ------------------------------------------------------------------------------- */

static anpe_status read_truth(anpe_ctx *ctx, anpe_h5 *f, int64_t row, int64_t n_labels,
                              const anpe_label *labels, double *truth)
{
    int rank;
    int64_t shape[8], n = 0;
    char **names = NULL;
    double *theta = NULL;
    anpe_status status = anpe_h5_shape(ctx, f, "theta", &rank, shape);
    if (!status)
        status = anpe_h5_get_texts(ctx, f, "theta", "labels", &n, &names);
    if (!status && (rank != 2 || shape[1] != n))
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: 'theta' must be (spectra, labels), with as many "
                           "names in its attribute 'labels'",
                           anpe_h5_path(f));
    if (!status)
        status = check_row(ctx, f, row, shape[0]);
    if (!status && !(theta = anpe_alloc(ctx, (size_t)(n + 1) * sizeof *theta)))
        status = ANPE_ENOMEM;
    if (!status)
        status = anpe_h5_read_rows(ctx, f, "theta", ANPE_H5_DOUBLE, row, 1, n, theta);
    for (int64_t k = 0; k < n_labels && !status; k++)
        for (int64_t j = 0; j < n; j++)
            if (!strcmp(labels[k].name, names[j]))
                truth[k] = theta[j];
    anpe_free(theta);
    anpe_h5_texts_free(n, names);
    return status;
}

anpe_status anpe_spectra_file_truth(anpe_ctx *ctx, anpe_spectra_file *f, int64_t row,
                                    int64_t n_labels, const anpe_label *labels, double *truth,
                                    int *found)
{
    for (int64_t k = 0; k < n_labels; k++)
        truth[k] = NAN;
    *found = anpe_h5_has(f->h5, "theta");
    return *found ? read_truth(ctx, f->h5, row, n_labels, labels, truth) : ANPE_OK;
}
