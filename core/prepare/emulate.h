/* prepare/emulate.h -- trains The Payne's network (Ting et al. 2019, ApJ 879, 69) on a grid of
 * spectra: labels in, all pixels or the coefficients of their principal components out, for the
 * simulator `payne`.
 *
 *     emulate_grid.c   reads the spectra: of `anpe simulate --own-grid`, or anybody's
 *     emulate_fit.c    trains on some of them
 *     emulate_error.c  compares with others: by spectrum, pixel and label
 *     emulate.c        the whole, and what is to be said of it */
#ifndef ANPE_CORE_EMULATE_H
#define ANPE_CORE_EMULATE_H
#include "file/emulator.h"

/* Text left NULL or "" was not given. */
typedef struct anpe_emulate_request {
    const char *grid, *output;
    /* of a grid that does not say it: comma-separated names and units; arrays of the file */
    const char *labels, *units, *theta, *flux, *wavelength;
    double resolution; /* lambda / FWHM of the spectra; 0: as the grid says, else not known */
    int absolute;      /* the flux is not continuum-normalised */
    /* the network: `layers` hidden layers of `width` units */
    int64_t width, layers, steps;
    int64_t components;     /* principal components whose coefficients it gives; 0: pixels */
    const char *activation; /* leaky_relu, relu, sigmoid */
    double rate;
    double held_out; /* fraction of the spectra */
    int half;        /* weights in half precision */
    int halves;      /* also train on half the spectra, to see what more would bring */
    uint32_t seed;
    int threads;
} anpe_emulate_request;

/* ---- the grid ---------------------------------------------------------------------------- */

typedef struct anpe_emulate_grid {
    int64_t n, n_labels, n_pixels;
    double *theta;        /* (n, n_labels) */
    double *min, *max;    /* (n_labels) of theta */
    float *flux;          /* (n, n_pixels) */
    double *wavelength;   /* (n_pixels) vacuum Angstrom; NULL: none */
    char *labels, *units; /* comma-separated; units NULL: by name */
    char on_grid[64];     /* instrument whose pixels these are, "": none */
    double resolution;
    int normalised;
    int64_t per_atmosphere; /* above 1: rows that follow each other share labels of an atmosphere */
} anpe_emulate_grid;

/* Reads and checks: shapes agree, all numbers are finite, no label is the same everywhere. */
ANPE_MUST_CHECK anpe_status anpe_emulate_read(anpe_ctx *ctx, const anpe_emulate_request *r,
                                              anpe_emulate_grid *g);
void anpe_emulate_grid_clear(anpe_emulate_grid *g);

/* ---- training ---------------------------------------------------------------------------- */

/* Trains on rows (n) of the grid and adds the layers to e, and the components behind them, at most
 * n - 1. The same for any number of threads. */
ANPE_MUST_CHECK anpe_status anpe_emulate_fit(anpe_ctx *ctx, const anpe_emulate_request *r,
                                             const anpe_emulate_grid *g, int64_t n,
                                             const int64_t *rows, const char *what,
                                             anpe_emulator *e);

/* ---- errors ------------------------------------------------------------------------------ */

enum { ANPE_EMULATE_BINS = 5 };

/* Emulator minus spectrum over n spectra. */
typedef struct anpe_emulate_error {
    int64_t n, n_pixels, n_labels;
    double *spectrum; /* (n) root mean square over pixels */
    double *sorted;   /* (n) the same in order */
    double *pixel;    /* (n_pixels) root mean square over spectra: the scatter */
    double *by_label; /* (n_labels, BINS) median of `spectrum` in equal parts of the spectra */
    double *edge;     /* (n_labels, BINS + 1) where these parts begin and end */
} anpe_emulate_error;

ANPE_MUST_CHECK anpe_status anpe_emulate_compare(anpe_ctx *ctx, const anpe_emulator *e,
                                                 const char *output, const anpe_emulate_grid *g,
                                                 int64_t n, const int64_t *rows,
                                                 anpe_emulate_error *error);
void anpe_emulate_error_clear(anpe_emulate_error *error);
/* left (n), ascending: root mean square over pixels of what no coefficients of e's components give
 * of each spectrum. */
ANPE_MUST_CHECK anpe_status anpe_emulate_project(anpe_ctx *ctx, const anpe_emulator *e,
                                                 const anpe_emulate_grid *g, int64_t n,
                                                 const int64_t *rows, double *left);
/* Medians of error (n) in BINS parts, of n / BINS or one more each, by ascending value (n). */
ANPE_MUST_CHECK anpe_status anpe_emulate_bins(anpe_ctx *ctx, int64_t n, const double *value,
                                              const double *error, double *median, double *edge);

/* ---- the whole --------------------------------------------------------------------------- */

typedef struct anpe_emulate_result {
    anpe_emulate_grid grid; /* what was trained on */
    anpe_emulator e;
    anpe_emulate_error held_out, trained; /* errors for spectra held out, and trained on */
    double *left;  /* (held_out.n) by anpe_emulate_project; NULL: no components */
    double *worst; /* (n_labels) of the held-out spectrum fitted worst */
    double half;   /* median error when trained on half; NAN: not tried */
    int more_spectra, more_units, more_components; /* would help, as far as these figures tell */
} anpe_emulate_result;

/* Trains, compares, writes r->output. The result is to be cleared, also on failure. */
ANPE_MUST_CHECK anpe_status anpe_emulate(anpe_ctx *ctx, const anpe_emulate_request *r,
                                         anpe_emulate_result *result);
void anpe_emulate_result_clear(anpe_emulate_result *result);
#endif
