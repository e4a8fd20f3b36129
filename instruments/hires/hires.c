/* HIRES at Keck: exposures of one file or many, whose layouts are in hires_files.c. */
#include "hires.h"
#include "../common/file_beside.h"
#include "../common/recognise.h"
#include <stdio.h>

typedef struct options {
    gridded_options grid;
    int join;
} options;

/* clang-format off */
static const anpe_option option_table[] = {
    GRIDDED_OPTIONS("5000 6280", 48000, GRIDDED_SMOOTH, 10, 40, ""),
    ANPE_OPT_BOOL(options, join, 1, "orders and detectors of the same exposure, in files beside the one that is given, are read with it"),
    ANPE_OPT_END};
/* clang-format on */

static anpe_status read_file(anpe_ctx *ctx, const void *opaque, const char *path, int64_t row,
                             gridded_file *file)
{
    const options *o = opaque;
    file_list list = {0};
    if (row != 0)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no spectrum %lld; the file has 1", path,
                         (long long)row);
    file->barycentric = 0;
    anpe_status status = hires_read(ctx, path, file);
    if (!status && o->join)
        status = file_siblings(ctx, path, &list);
    for (int64_t k = 0; !status && k < list.n; k++)
        status = hires_read(ctx, list.path[k], file);
    file_list_clear(&list);
    return status;
}

/* Of an exposure's files the first stands for all. */
static anpe_status count(anpe_ctx *ctx, const void *opaque, const char *path, int64_t *n)
{
    const options *o = opaque;
    int first = 1;
    const anpe_status status = o->join ? file_is_first(ctx, path, &first) : ANPE_OK;
    *n = first;
    return status;
}

static anpe_status recognise(anpe_ctx *ctx, const char *path, anpe_recognition *out)
{
    fitsfile *f = recognise_fits(ctx, path);
    char text[FLEN_VALUE];
    const char *product = f ? hires_product(f) : NULL;
    if (product) {
        recognise_as(out, ANPE_MATCH_SURVEY, "HIRES", "HIRES: %s", product);
        out->medium = ANPE_MEDIUM_VACUUM;
        snprintf(out->frame, sizeof out->frame, "heliocentric");
        if (survey_fits_text(f, 0, "OBJECT", text) || survey_fits_text(f, 0, "TARGNAME", text))
            snprintf(out->object, sizeof out->object, "%s", text);
    }
    survey_fits_close(f);
    return ANPE_OK;
}

static const char *const reading[] = {GRIDDED_READING, "join", NULL};
static const gridded_family family = {
    .medium = MEDIUM_VACUUM, .count = count, .read = read_file, .recognise = recognise};

GRIDDED_INSTRUMENT(hires, "1", "HIRES echelle spectra of MAKEE, the Keck archive and HIRES-redux",
                   option_table, options, family);
/* 52.68 lines/mm at 70.5 degrees; 4096 pixels of 1.3 km/s. */
GRIDDED_ECHELLE_NOISE(hires, "1", 20, 300, 357900, 0.0089);

ANPE_PLUGINS(&hires_instrument, &hires_noise);
