/* prepare/calibrate.h -- log gf of spectral lines, and the van der Waals widths of strong ones,
 * from observed spectra of stars whose labels are known.
 *
 * Minimised is
 *
 *     sum over stars and pixels of ((observed - model) / sigma)^2
 *         + sum over lines of (change of log gf / accuracy)^2 + (change of log width / damping)^2
 *
 * by Gauss and Newton's steps. What a line does to a spectrum is local: one synthesis with every
 * line of a set changed whose members are farther apart than `reach` gives the derivatives by all
 * of them. The observed spectrum and the model, broadened by the star's vsini and vmacro, are
 * brought to one resolution with a Gaussian, and the observed to the scale of the model by the
 * median of their ratio. */
#ifndef ANPE_CORE_CALIBRATE_H
#define ANPE_CORE_CALIBRATE_H
#include "base/settings.h"
#include "base/workers.h"
#include "kind/component.h"
#include "spectrum/broaden.h"

enum { ANPE_CALIBRATE_LABELS = 128 };

typedef struct anpe_calibrate_request {
    const char *config;
    int n_sets;
    const char *const *sets;
    int threads;
    const char *output; /* the list */
} anpe_calibrate_request;

/* Options of the group `calibrate`; the table of its stars too. */
typedef struct anpe_calibrate_options {
    anpe_rows stars;
    double resolution, lambda_min, lambda_max; /* vacuum Angstrom */
    double sigma, accuracy, damping, least, reach, continuum;
    int64_t steps;
} anpe_calibrate_options;
extern const anpe_option anpe_calibrate_table[];
typedef struct anpe_calibrate_row {
    const char *file, *wavelength, *flux;
    int air;
    double resolution;
    anpe_texts labels;
} anpe_calibrate_row;

/* One star on the simulator's pixels. */
typedef struct anpe_calibrate_star {
    char name[128];                      /* of its file */
    double theta[ANPE_CALIBRATE_LABELS]; /* the simulator's labels */
    double kms[ANPE_N_BROADENINGS], rv;
    float *observed;      /* (n_pixels) at the common resolution, at rest; NAN: none */
    float *scaled, *flux; /* (n_pixels) observed on the model's scale; the model */
    double before, after; /* root mean square difference */
} anpe_calibrate_star;

typedef struct anpe_calibrate_result {
    int64_t n_lines, n_log_gf, n_waals; /* of the list; calibrated */
    int n_stars;
    anpe_calibrate_star *star;
    double change; /* root mean square of the changes of log gf, dex */
} anpe_calibrate_result;

/* Writes the list (format `calibrated` of the simulator lte). A simulator without lines is
 * ANPE_EUNSUPPORTED. */
ANPE_MUST_CHECK anpe_status anpe_calibrate(anpe_ctx *ctx, const anpe_calibrate_request *request,
                                           anpe_calibrate_result *result);
void anpe_calibrate_result_clear(anpe_calibrate_result *result);

/* ---- calibrate_star.c -------------------------------------------------------------------- */

/* Gaussian of a resolving power on pixels uniform in ln(lambda). */
typedef struct anpe_calibrate_blur {
    int half;      /* weights -half .. half */
    float *weight; /* (2 half + 1) */
} anpe_calibrate_blur;
ANPE_MUST_CHECK anpe_status anpe_calibrate_blur_new(anpe_ctx *ctx, double step, double resolution,
                                                    anpe_calibrate_blur *blur);
/* in (n) -> out (n); beyond the ends the flux is that of the ends. */
void anpe_calibrate_blur_apply(const anpe_calibrate_blur *blur, int64_t n, const float *in,
                               float *out);
/* Labels and spectrum of a star: reads row->file. */
ANPE_MUST_CHECK anpe_status anpe_calibrate_star_read(anpe_ctx *ctx, const anpe_calibrate_row *row,
                                                     const anpe_simulator_info *sim,
                                                     const anpe_calibrate_options *o,
                                                     anpe_calibrate_star *star);
/* star->scaled from star->flux; returns the root mean square difference. width: Angstrom of the
 * pieces whose scale is found by itself, 0: one for all. room (n_pixels). */
double anpe_calibrate_star_scale(const anpe_simulator_info *sim, double width,
                                 anpe_calibrate_star *star, double *room);

/* ---- calibrate_solve.c ------------------------------------------------------------------- */

/* Derivatives of spectra by unknowns, each over a range of pixels. */
typedef struct anpe_sparse_column {
    int star;
    int64_t first, n;
    float *v; /* (n) */
} anpe_sparse_column;
/* Minimises |residual - J x|^2 / sigma^2 + sum (x + offset)^2 / width^2 over x (n) by conjugate
 * gradients. Unknown k has the columns k * n_stars + s of J; residual (n_stars, n_pixels), NAN: no
 * data. error (n): standard deviations, other unknowns held. */
ANPE_MUST_CHECK anpe_status anpe_calibrate_solve(anpe_ctx *ctx, int64_t n, int n_stars,
                                                 int64_t n_pixels, const anpe_sparse_column *column,
                                                 const float *residual, double sigma,
                                                 const double *offset, const double *width,
                                                 double *x, double *error);
#endif
