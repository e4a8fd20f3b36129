/* make_spectrum KIND FILE: a combined APOGEE spectrum as apStar files have it, or a spoilt one.
 *
 *   good       flux, errors and a bit mask; weak lines on a sloping continuum, S/N 100
 *   some_nan   a tenth of the pixels are NaN in flux or error, without a bit
 *   nan        every flux is NaN
 *   bad        every pixel has the bit BADPIX
 *   short      8000 pixels
 *   truncated  a good one of which the last third is missing
 *   desi       two stars in two arms, as DESI's coadds have them
 *   kpf        a green arm of two orders, a red one of three, and the sky beside them
 *   mpdaf      flux and variance as the pipeline of MUSE names them
 *   espresso   a table with wavelengths of vacuum and of air, in this order
 *   ratio      a table with one signal-to-noise ratio, for the whole spectrum */
#define _POSIX_C_SOURCE 200809L
#include <fitsio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIXELS = 8575, SHORT = 8000, WIDTH = 1000 };

typedef struct images {
    float flux[PIXELS], sigma[PIXELS];
    short bits[PIXELS];
} images;

static void fill(const char *kind, images *s)
{
    for (int i = 0; i < PIXELS; i++) {
        const double line = pow(sin(0.05 * i), 20);
        s->flux[i] = (float)((1000 + 0.02 * i) * (1 - 0.3 * line));
        s->sigma[i] = 0.01f * s->flux[i];
        s->bits[i] = !strcmp(kind, "bad");
        if (!strcmp(kind, "nan") || (!strcmp(kind, "some_nan") && i % 20 == 3))
            s->flux[i] = NAN;
        if (!strcmp(kind, "some_nan") && i % 20 == 11)
            s->sigma[i] = NAN;
    }
}

static int write_file(const char *path, int width, images *s)
{
    fitsfile *f;
    int status = 0;
    long shape[1] = {width};
    double start = 4.179, step = 6e-6;
    char name[] = "made-up star";
    fits_create_diskfile(&f, path, &status);
    fits_create_img(f, SHORT_IMG, 0, NULL, &status);
    fits_write_key(f, TSTRING, "OBJID", name, NULL, &status);
    for (int hdu = 1; hdu <= 3; hdu++) {
        fits_create_img(f, hdu < 3 ? FLOAT_IMG : SHORT_IMG, 1, shape, &status);
        fits_write_key(f, TDOUBLE, "CRVAL1", &start, NULL, &status);
        fits_write_key(f, TDOUBLE, "CDELT1", &step, NULL, &status);
        if (hdu < 3)
            fits_write_img(f, TFLOAT, 1, width, hdu == 1 ? s->flux : s->sigma, &status);
        else
            fits_write_img(f, TSHORT, 1, width, s->bits, &status);
    }
    fits_close_file(f, &status);
    if (status)
        fits_report_error(stderr, status);
    return status;
}

static void image(fitsfile *f, const char *name, int rows, float *data, int *status)
{
    long shape[2] = {WIDTH, rows};
    char text[32];
    double start = 5000, step = 0.5;
    snprintf(text, sizeof text, "%s", name);
    fits_create_img(f, FLOAT_IMG, rows > 1 ? 2 : 1, shape, status);
    fits_write_key(f, TSTRING, "EXTNAME", text, NULL, status);
    if (!strcmp(name, "DATA") || !strcmp(name, "STAT")) {
        fits_write_key(f, TDOUBLE, "CRVAL1", &start, NULL, status);
        fits_write_key(f, TDOUBLE, "CDELT1", &step, NULL, status);
    }
    fits_write_img(f, TFLOAT, 1, (LONGLONG)rows * WIDTH, data, status);
}

static void table(fitsfile *f, const char *kind, float *wave, float *flux, int *status)
{
    float snr = 80;
    char *names[] = {"wavelength", "flux", "wavelength_air"};
    char *types[] = {"1000E", "1000E", "1000E"}, *units[] = {"angstrom", "", "angstrom"};
    float air[WIDTH];
    for (int i = 0; i < WIDTH; i++)
        air[i] = wave[i] / 1.00028f;
    if (!strcmp(kind, "ratio")) {
        names[2] = "snr";
        types[2] = "1E";
        units[2] = "";
    }
    fits_create_tbl(f, BINARY_TBL, 0, 3, names, types, units, NULL, status);
    fits_write_col(f, TFLOAT, 1, 1, 1, WIDTH, wave, status);
    fits_write_col(f, TFLOAT, 2, 1, 1, WIDTH, flux, status);
    if (!strcmp(kind, "ratio"))
        fits_write_col(f, TFLOAT, 3, 1, 1, 1, &snr, status);
    else
        fits_write_col(f, TFLOAT, 3, 1, 1, WIDTH, air, status);
}

static void coadd(fitsfile *f, float *wave, float *flux, float *ivar, int *status)
{
    char *name = "TARGETID", *type = "1K";
    LONGLONG id[2] = {39627000000000001, 39627000000000002};
    fits_create_tbl(f, BINARY_TBL, 0, 1, &name, &type, NULL, "FIBERMAP", status);
    fits_write_col(f, TLONGLONG, 1, 1, 1, 2, id, status);
    image(f, "B_WAVELENGTH", 1, wave, status);
    image(f, "B_FLUX", 2, flux, status);
    image(f, "B_IVAR", 2, ivar, status);
    for (int i = 0; i < WIDTH; i++)
        wave[i] += 400;
    image(f, "R_WAVELENGTH", 1, wave, status);
    image(f, "R_FLUX", 2, flux, status);
    image(f, "R_IVAR", 2, ivar, status);
}

static void orders(fitsfile *f, float *flux, float *variance, int *status)
{
    static float wave[2 * WIDTH], red[3 * WIDTH];
    for (int i = 0; i < 3 * WIDTH; i++) {
        red[i] = 6500 + 0.5f * (float)(i % WIDTH) + 500 * (float)(i / WIDTH);
        if (i < 2 * WIDTH)
            wave[i] = 5000 + 0.5f * (float)(i % WIDTH) + 500 * (float)(i / WIDTH);
    }
    image(f, "GREEN_SCI_FLUX1", 2, flux, status);
    image(f, "GREEN_SCI_VAR1", 2, variance, status);
    image(f, "GREEN_SCI_WAVE1", 2, wave, status);
    image(f, "GREEN_SKY_FLUX", 2, variance, status);
    image(f, "GREEN_SKY_WAVE", 2, wave, status);
    image(f, "RED_SCI_FLUX1", 3, flux, status);
    image(f, "RED_SCI_VAR1", 3, variance, status);
    image(f, "RED_SCI_WAVE1", 3, red, status);
}

/* Flux near 1 with a scatter of 0.02; the second row is half as bright. */
static int write_other(const char *path, const char *kind)
{
    static float wave[WIDTH], flux[3 * WIDTH], variance[3 * WIDTH], ivar[3 * WIDTH];
    fitsfile *f;
    int status = 0;
    for (int i = 0; i < 3 * WIDTH; i++) {
        wave[i % WIDTH] = 5000 + 0.5f * (float)(i % WIDTH);
        flux[i] = (i < WIDTH ? 1.0f : 0.5f) + 0.02f * (float)sin(2.1 * i);
        variance[i] = 0.0004f;
        ivar[i] = 1 / variance[i];
    }
    fits_create_diskfile(&f, path, &status);
    fits_create_img(f, SHORT_IMG, 0, NULL, &status);
    if (!strcmp(kind, "desi"))
        coadd(f, wave, flux, ivar, &status);
    else if (!strcmp(kind, "kpf"))
        orders(f, flux, variance, &status);
    else if (!strcmp(kind, "mpdaf")) {
        image(f, "DATA", 1, flux, &status);
        image(f, "STAT", 1, variance, &status);
    } else {
        table(f, kind, wave, flux, &status);
    }
    fits_close_file(f, &status);
    if (status)
        fits_report_error(stderr, status);
    return status != 0;
}

static int cut(const char *path)
{
    struct stat st;
    return stat(path, &st) || truncate(path, st.st_size / 3 * 2);
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = {"good",  "some_nan",  "nan",  "bad",
                                        "short", "truncated", "desi", "kpf",
                                        "mpdaf", "espresso",  "ratio"};
    const size_t n = sizeof kinds / sizeof *kinds;
    static images s;
    size_t k = 0;
    while (argc == 3 && k < n && strcmp(argv[1], kinds[k]))
        k++;
    if (argc != 3 || k == n) {
        fprintf(stderr, "usage: make_spectrum good|some_nan|nan|bad|short|truncated|desi|kpf|mpdaf|"
                        "espresso|ratio FILE\n");
        return 2;
    }
    if (k > 5)
        return write_other(argv[2], kinds[k]);
    fill(kinds[k], &s);
    if (write_file(argv[2], k == 4 ? SHORT : PIXELS, &s))
        return EXIT_FAILURE;
    return k == 5 && cut(argv[2]) ? EXIT_FAILURE : EXIT_SUCCESS;
}
