/* instrument_afternoon.c -- an instrument to copy: an invented spectrograph of one window, whose
 * files are text: "# afternoon STAR", then a line "wavelength flux error" (vacuum Angstrom) for
 * each pixel it has. */
#include <anpe/plugin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 300 };
static const double first = 4992.5, step = 0.05, resolving_power = 20000;

typedef struct afternoon_options {
    double largest_error;
} afternoon_options;
static const anpe_option options[] = {
    ANPE_OPT_REAL(afternoon_options, largest_error, 0.5, 0, 1e30, "",
                  "a pixel with a larger error is bad"),
    ANPE_OPT_END,
};

typedef struct afternoon {
    afternoon_options o;
    double wavelength[N], resolution[N];
    int64_t segment[2];
} afternoon;

static anpe_status create(anpe_ctx *ctx, const void *given, const void *setup, void **self)
{
    afternoon *s;
    (void)setup;
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    *self = s;
    s->o = *(const afternoon_options *)given;
    s->segment[1] = N;
    for (int i = 0; i < N; i++) {
        s->wavelength[i] = first + step * i;
        s->resolution[i] = resolving_power;
    }
    return ANPE_OK;
}

static void info(const void *self, anpe_instrument_info *out)
{
    const afternoon *s = self;
    *out = (anpe_instrument_info){.channels = 1,
                                  .n_pixels = N,
                                  .wavelength = s->wavelength,
                                  .resolution = s->resolution,
                                  .n_segments = 1,
                                  .segment = s->segment};
}

/* The star's name; 0: not a file of this spectrograph. */
static int read_name(FILE *f, char name[80])
{
    char line[128];
    return fgets(line, sizeof line, f) && sscanf(line, "# afternoon %79s", name) == 1;
}

static anpe_status read(const void *self, anpe_ctx *ctx, const char *path, int64_t row,
                        anpe_spectrum *s)
{
    double w, flux, sigma;
    FILE *f = fopen(path, "r");
    if (!f)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot open", path);
    const int known = row == 0 && read_name(f, s->id);
    for (int i = 0; i < N; i++) { /* what no line gives stays bad */
        s->flux[i] = 0;
        s->sigma[i] = 1;
        s->mask[i] = 1;
    }
    while (known && fscanf(f, "%lf %lf %lf", &w, &flux, &sigma) == 3) {
        const double i = round((w - first) / step);
        if (!(i >= 0 && i < N && fabs(first + step * i - w) < 1e-3 * step) || !isfinite(flux) ||
            !(sigma > 0))
            continue;
        s->flux[(int)i] = (float)flux;
        s->sigma[(int)i] = (float)sigma;
        s->mask[(int)i] = sigma > ((const afternoon *)self)->o.largest_error;
    }
    const int whole = feof(f);
    fclose(f);
    return known && whole ? ANPE_OK
                          : ANPE_FAIL(ctx, ANPE_EFORMAT,
                                      "%s: expected '# afternoon STAR', then lines of "
                                      "wavelength, flux, error",
                                      path);
}

static anpe_status recognise(anpe_ctx *ctx, const char *path, anpe_recognition *out)
{
    FILE *f = fopen(path, "r");
    (void)ctx;
    if (f && read_name(f, out->object)) {
        out->match = ANPE_MATCH_SURVEY;
        snprintf(out->what, sizeof out->what, "spectrum of an invented spectrograph");
        snprintf(out->survey, sizeof out->survey, "afternoon");
        out->medium = ANPE_MEDIUM_VACUUM;
    }
    if (f)
        fclose(f);
    return ANPE_OK;
}

static const char *const reading[] = {"largest_error", NULL};
static const anpe_instrument_ops ops = {
    .size = sizeof ops, .info = info, .read = read, .recognise = recognise, .reading = reading};
ANPE_PLUGIN(ANPE_INSTRUMENT, "afternoon", "1.0", "an invented spectrograph (template)",
            afternoon_options, free);
