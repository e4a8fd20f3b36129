/* What anpe reads that is no HDF5, for libFuzzer: `make check-fuzz-readers`. ANPE_FUZZ names the
 * target; the bytes are written to a file of the target's extension and read as a user's file is.
 *
 *   settings   a configuration
 *   npy, npz, text   arrays
 *   csv, fits_table  catalogues
 *   fits, spectrum_text, votable   spectra: told by every instrument what they are, read by the one
 * that knows them and by `spectrum` vald, moog, turbospectrum, kurucz, pfant   lists of lines of
 * the simulator `lte` */
#include <config.h>
#include "base/settings.h"
#include "file/catalogue_read.h"
#include "kind/recognise.h"
#include "lte.h"
#include "spectrum/spectrum.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void read_fn(anpe_ctx *ctx, const char *path);
typedef struct target {
    const char *name, *extension;
    read_fn *read;
} target;

static void read_settings(anpe_ctx *ctx, const char *path)
{
    anpe_settings *s = NULL;
    if (!anpe_settings_read(ctx, path, 0, NULL, &s))
        anpe_settings_free(s);
}

static void read_array(anpe_ctx *ctx, const char *path)
{
    double *data = NULL;
    int rank;
    int64_t shape[4];
    if (!anpe_array_read(ctx, path, NULL, &data, &rank, shape))
        free(data);
}

static void read_catalogue(anpe_ctx *ctx, const char *path)
{
    anpe_catalogue_file *c = NULL;
    if (anpe_catalogue_read_open(ctx, path, &c))
        return;
    const int64_t n = anpe_catalogue_read_rows(c);
    double *values = calloc((size_t)n + 1, sizeof *values);
    for (int k = 0; values && k < anpe_catalogue_read_n_columns(c) && k < 20; k++) {
        const char *name = anpe_catalogue_read_name(c, k);
        char **texts;
        (void)!anpe_catalogue_read_reals(ctx, c, name, values);
        if (!anpe_catalogue_read_texts(ctx, c, name, &texts))
            anpe_catalogue_texts_free(n, texts);
    }
    free(values);
    anpe_catalogue_read_close(c);
}

static void read_rows(anpe_ctx *ctx, const anpe_instrument *i, anpe_input *in, int64_t n)
{
    anpe_spectrum s;
    if (anpe_spectrum_new(ctx, anpe_instrument_size(i), &s))
        return;
    for (int64_t row = 0; row < n && row < 3; row++)
        (void)!anpe_instrument_read(i, ctx, in, row, &s);
    anpe_spectrum_clear(&s);
}

/* The instrument `spectrum` on a grid of its own, opened once. */
static anpe_instrument *any_spectrum(anpe_ctx *ctx)
{
    static anpe_settings *settings;
    static anpe_instrument any;
    static const char text[] = "instrument = { plugin = \"spectrum\"; windows = [ 4000.0, 7000.0 "
                               "]; resolution = 5000.0; };";
    if (settings)
        return &any;
    if (anpe_settings_parse(ctx, text, "fuzz", 0, NULL, &settings) ||
        anpe_instrument_new(ctx, settings, &any)) {
        fprintf(stderr, "targets: %s\n", anpe_error(ctx));
        exit(1);
    }
    return &any;
}

static void read_spectra(anpe_ctx *ctx, const char *path)
{
    anpe_known_file f;
    anpe_input in;
    int64_t n = 0;
    if (!anpe_known_file_open(ctx, path, &f)) {
        read_rows(ctx, &f.instrument, &f.input, f.n);
        anpe_known_file_close(&f);
    }
    const anpe_instrument *any = any_spectrum(ctx);
    if (anpe_input_open(any, ctx, path, &in))
        return;
    if (!anpe_instrument_count(any, ctx, &in, &n))
        read_rows(ctx, any, &in, n);
    anpe_input_close(&in);
}

/* The format has the name of the extension. */
static void read_lines(anpe_ctx *ctx, const char *path)
{
    static const struct {
        const char *name;
        anpe_lte_format format;
    } formats[] = {{".vald", ANPE_LTE_VALD},
                   {".moog", ANPE_LTE_MOOG},
                   {".turbospectrum", ANPE_LTE_TURBOSPECTRUM},
                   {".kurucz", ANPE_LTE_KURUCZ_MOLECULES},
                   {".pfant", ANPE_LTE_PFANT}};
    anpe_lte_list_options o = {.low = 1000, .high = 30000, .unsoeld = 1};
    anpe_lte_lines lines = {0};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (!strcmp(strrchr(path, '.'), formats[i].name))
            o.format = formats[i].format;
    (void)!anpe_lte_list_read(ctx, path, &o, &lines);
    anpe_lte_lines_free(&lines);
}

static const target targets[] = {
    {"settings", "cfg", read_settings}, {"npy", "npy", read_array},
    {"npz", "npz", read_array},         {"text", "txt", read_array},
    {"csv", "csv", read_catalogue},     {"fits_table", "fits", read_catalogue},
    {"fits", "fits", read_spectra},     {"spectrum_text", "txt", read_spectra},
    {"votable", "vot", read_spectra},   {"vald", "vald", read_lines},
    {"moog", "moog", read_lines},       {"turbospectrum", "turbospectrum", read_lines},
    {"kurucz", "kurucz", read_lines},   {"pfant", "pfant", read_lines},
};
enum { N_TARGETS = sizeof targets / sizeof *targets };

static const target *chosen(void)
{
    const char *name = getenv("ANPE_FUZZ");
    for (int i = 0; name && i < N_TARGETS; i++)
        if (!strcmp(targets[i].name, name))
            return &targets[i];
    fprintf(stderr, "targets: ANPE_FUZZ is one of");
    for (int i = 0; i < N_TARGETS; i++)
        fprintf(stderr, " %s", targets[i].name);
    fprintf(stderr, "\n");
    exit(2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const target *t;
    static char path[64];
    if (!t) {
        t = chosen();
        snprintf(path, sizeof path, "/dev/shm/anpe-fuzz-%ld.%s", (long)getpid(), t->extension);
    }
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f)) {
        fprintf(stderr, "targets: %s: cannot write\n", path);
        exit(1);
    }
    anpe_ctx *ctx = anpe_ctx_new();
    if (ctx) {
        anpe_ctx_set_log(ctx, NULL, NULL);
        t->read(ctx, path);
    }
    anpe_ctx_free(ctx);
    unlink(path);
    return 0;
}
