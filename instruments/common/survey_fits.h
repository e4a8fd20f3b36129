/* common/survey_fits.h -- the little of CFITSIO that the readers of survey files share.
 *
 * Every failure names the file and what was looked for. HDUs are numbered from 0 (the primary), as
 * in the surveys' own documentation. Opens read-only and by its literal name: no extended file
 * name syntax, no network; gzipped files too. */
#ifndef ANPE_SURVEY_FITS_H
#define ANPE_SURVEY_FITS_H
#include <anpe/plugin.h>
#include <fitsio.h>

typedef struct survey_image {
    int64_t width, rows; /* NAXIS1 and NAXIS2 (1 for a single row) */
    int integers;        /* 1: whole numbers, as in a bit mask */
} survey_image;

/* A file that the core holds (anpe_file_hold) is read from memory. */
ANPE_MUST_CHECK anpe_status survey_fits_open(anpe_ctx *ctx, const char *path, fitsfile **out);
void survey_fits_close(fitsfile *f);            /* takes NULL */
int survey_fits_is_fits(const anpe_file *file); /* by its first bytes */

/* Moves to an HDU and describes its image. `what` names the content in messages ("error"). */
ANPE_MUST_CHECK anpe_status survey_fits_image(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu,
                                              const char *what, survey_image *out);
/* One row of the current HDU's image into width doubles; a null value (NaN, BLANK) is NaN. */
ANPE_MUST_CHECK anpe_status survey_fits_row(anpe_ctx *ctx, fitsfile *f, const char *path,
                                            const char *what, const survey_image *image,
                                            int64_t row, double *data);
/* n values of a column of the current table, from `row` (from 1) on; a null value (NaN, TNULL) is
 * NaN, of a logical column true is 1. Returns CFITSIO's status. */
int survey_fits_cells(fitsfile *f, int column, LONGLONG row, int64_t n, double *data);
/* A numeric column of a table, its rows one after the other, into *n doubles; a null value (NaN,
 * TNULL) is NaN. data NULL: only *n. A column of another length than *n (data given) is an error.
 */
ANPE_MUST_CHECK anpe_status survey_fits_column(anpe_ctx *ctx, fitsfile *f, const char *path,
                                               int hdu, const char *name, int64_t *n, double *data);
/* Whether the file is as long as the HDU's axes say, before memory is taken or rows are counted by
 * them: that is an error. */
ANPE_MUST_CHECK anpe_status survey_fits_stored(anpe_ctx *ctx, fitsfile *f, const char *path,
                                               int hdu, const char *what);
int survey_fits_is_table(fitsfile *f, int hdu);
int survey_fits_is_image(fitsfile *f, int hdu); /* one with pixels */
int survey_fits_has_column(fitsfile *f, int hdu, const char *name);
int survey_fits_has(fitsfile *f, int hdu); /* whether the file has this HDU */
/* A keyword of an HDU: 1 and the value, or 0 and nothing. */
int survey_fits_text(fitsfile *f, int hdu, const char *key, char value[FLEN_VALUE]);
int survey_fits_real(fitsfile *f, int hdu, const char *key, double *value);
/* Whether a keyword is there and says no: F, or 0 as writers without a logical type have it. */
int survey_fits_denies(fitsfile *f, int hdu, const char *key);

/* The bits of a mask as survey_is_flagged understands them. */
uint64_t survey_bits(double mask);
/* Whether a mask has one of these bits. What is no set of bits (NaN, a null value, a fraction, a
 * number beyond 62 bits) counts as all of them; a negative number is one of two's complement. */
int survey_is_flagged(double mask, uint64_t bits);
/* The same of all bits, for a mask that is 1 where a pixel is good, or where it is bad. A null
 * value is bad in both. */
uint8_t survey_is_bad(double mask, int marks_good);
/* flux, sigma of one pixel into the spectrum: what is not a measurement becomes a bad pixel. */
void survey_put_pixel(anpe_spectrum *s, int64_t i, double flux, double sigma, int bad);
/* The median of n values, which are reordered; 0 for n = 0. */
double survey_median(int64_t n, double *v);
#endif
