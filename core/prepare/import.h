/* prepare/import.h -- published emulators to the one layout of file/emulator.h. */
#ifndef ANPE_CORE_IMPORT_H
#define ANPE_CORE_IMPORT_H
#include "file/emulator.h"

/* What the user asked for. A FILE may be FILE:KEY where the file holds several arrays. Text left
 * NULL or "" was not given. */
typedef struct anpe_import_request {
    const char *model; /* payne, cannon */
    const char *file, *out;
    const char *labels, *units; /* "teff,logg,fe_h"; units: by name where not given */
    const char *range;          /* "3500:5500,0:4,-1:0.5": cannon, whose files have none */
    const char *wavelength;     /* FILE: vacuum Angstrom, ascending */
    const char *grid;           /* apogee: wavelengths known, pixels are the instrument's */
    const char *activation;     /* payne, dense: leaky_relu (default), relu, sigmoid */
    const char *scatter;        /* FILE (n_pixels) */
    const char *held_out;       /* FILE.h5: theta and flux of spectra to find the scatter from */
    const char *pivots, *scale; /* FILE (n_labels): cannon */
    const char *terms;          /* "teff^2 teff*logg ...": cannon; default: quadratic */
    double resolution;          /* 0: not given */
    int absolute;               /* the flux is not continuum-normalised */
} anpe_import_request;

/* Reads, checks and writes request->out; e describes what was written (anpe_emulator_clear). */
ANPE_MUST_CHECK anpe_status anpe_import(anpe_ctx *ctx, const anpe_import_request *request,
                                        anpe_emulator *e);

/* ---- shared by import.c, import_labels.c and import_scatter.c ---------------------------- */
/* Compares the otherwise complete emulator with request->held_out and adds `scatter`. */
ANPE_MUST_CHECK anpe_status anpe_import_held_out(anpe_ctx *ctx, const anpe_import_request *request,
                                                 anpe_emulator *e);
/* Names, units and domain of n labels from the request and the file's own limits (may be NULL). */
ANPE_MUST_CHECK anpe_status anpe_import_labels(anpe_ctx *ctx, const anpe_import_request *request,
                                               int64_t n, const double *x_min, const double *x_max,
                                               anpe_emulator *e);
/* "teff^2 teff*logg" -> exponents (n_terms + 1, n_labels), the constant first. */
ANPE_MUST_CHECK anpe_status anpe_import_terms(anpe_ctx *ctx, const char *terms,
                                              const anpe_emulator *e, int64_t *n_features,
                                              double **exponents);
#endif
