/* make_spectrum KIND FILE: a combined APOGEE spectrum as apStar files have it, or a spoilt one.
 *
 *   good       flux, errors and a bit mask; weak lines on a sloping continuum, S/N 100
 *   some_nan   a tenth of the pixels are NaN in flux or error, without a bit
 *   nan        every flux is NaN
 *   bad        every pixel has the bit BADPIX
 *   short      8000 pixels
 *   truncated  a good one of which the last third is missing */
#define _POSIX_C_SOURCE 200809L
#include <fitsio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIXELS = 8575, SHORT = 8000 };

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

static int cut(const char *path)
{
    struct stat st;
    return stat(path, &st) || truncate(path, st.st_size / 3 * 2);
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = {"good", "some_nan", "nan", "bad", "short", "truncated"};
    const size_t n = sizeof kinds / sizeof *kinds;
    static images s;
    size_t k = 0;
    while (argc == 3 && k < n && strcmp(argv[1], kinds[k]))
        k++;
    if (argc != 3 || k == n) {
        fprintf(stderr, "usage: make_spectrum good|some_nan|nan|bad|short|truncated FILE\n");
        return 2;
    }
    fill(kinds[k], &s);
    if (write_file(argv[2], k == 4 ? SHORT : PIXELS, &s))
        return EXIT_FAILURE;
    return k == 5 && cut(argv[2]) ? EXIT_FAILURE : EXIT_SUCCESS;
}
