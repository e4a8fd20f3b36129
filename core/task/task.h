/* task/task.h -- what is to be learned: labels and their prior, the simulator, the instrument and
 * its noise. Makes simulated observations; says nothing of networks.
 *
 * One sample: labels from the prior -> simulator -> Doppler
 * shift, LSF, pixels -> error bars and mask from the noise model -> noise -> the instrument's
 * continuum rule with these error bars and this mask, exactly as it is applied to an observed
 * spectrum -> bad pixels inpainted. */
#ifndef ANPE_CORE_TASK_H
#define ANPE_CORE_TASK_H
#include "base/random.h"
#include "spectrum/broaden.h"
#include "spectrum/projector.h"
#include "spectrum/spectrum.h"
#include "kind/instrument.h"
#include "kind/noise.h"
#include "kind/prior.h"

typedef struct anpe_observe_options {
    anpe_texts channels;
    double sigma_floor, scatter, max_rv;
    int standardise; /* auto, none, channel, pixel */
    double drop;     /* probability that a segment is missing */
    int64_t basis;   /* coefficients; 0: pixels */
    int64_t newton;  /* most steps; 0: no fit */
} anpe_observe_options;

typedef struct anpe_label_options {
    anpe_texts infer;
    int transform; /* probit, none */
} anpe_label_options;

/* Labels to draw from in place of the prior. */
typedef struct anpe_label_rows {
    int64_t n, width; /* rows, labels of the prior */
    double *theta;    /* (n, width) in the prior's order */
    double *weight;   /* (n) of a row's loss, mean 1 */
} anpe_label_rows;

/* Option tables of the groups `labels` and `observe`. */
extern const anpe_option anpe_label_table[], anpe_observe_table[];

typedef struct anpe_task {
    anpe_settings *settings; /* borrowed */
    const anpe_observe_options *observe;
    const anpe_label_options *label_options;
    anpe_instrument instrument;
    anpe_component simulator, noise;
    anpe_simulator_info sim;
    anpe_prior *prior;
    int64_t n_labels;                       /* inferred */
    anpe_label *label;                      /* (n_labels) */
    int64_t *inferred;                      /* (n_labels) index into prior->label */
    int64_t *sim_label;                     /* (sim.n_labels) index into prior->label */
    int64_t rv;                             /* index into prior->label, -1: no Doppler shift */
    int64_t broadening[ANPE_N_BROADENINGS]; /* index into prior->label, -1: no such label */
    anpe_broaden *broaden;                  /* NULL: neither */
    anpe_projector *projector; /* NULL: simulator pixels are the instrument's, no wavelengths */
    uint8_t *continuum;        /* (n_pixels) or NULL */
    uint8_t *exclude;          /* (n_pixels) or NULL; what instrument.info.exclude points to */
    float *scatter;            /* (size) the simulator's on the instrument's pixels, or NULL */
    float *model_variance;     /* (size) of the model error, in units of the continuum (plain
                                * arrays: of x), or NULL: there is none */
    int noise_in_continuum;    /* the sigma drawn is in units of a continuum that is not 1, */
    int finds_continuum;       /* which is found in each noise-free spectrum */
    const anpe_label_rows *proposal; /* labels are drawn from it; NULL: from the prior. Borrowed */
} anpe_task;

/* What a trained model fixes for every pixel. */
typedef struct anpe_pixel_sets {
    int64_t n;                    /* pixels; 0: the model has none */
    uint8_t *continuum, *exclude; /* (n) or NULL */
    int64_t n_values;             /* channels * pixels */
    float *scatter;               /* (n_values) or NULL */
} anpe_pixel_sets;

typedef enum anpe_task_parts {
    ANPE_TASK_INSTRUMENT = 0, /* enough to read and normalise spectra */
    ANPE_TASK_SIMULATOR = 1,  /* simulator, prior and projection: enough for a model spectrum */
    ANPE_TASK_NOISE = 2,
    ANPE_TASK_ALL = 3,
    ANPE_TASK_OWN_GRID = 5, /* simulator and prior only: spectra on the simulator's own pixels */
    ANPE_TASK_BARE = 9,     /* the simulator alone, and an instrument if there is one: no prior */
    ANPE_TASK_MOCKS = 16    /* with others: spectra are made and not normalised, so that continuum
                             * pixels are looked for only where noise is scaled to a continuum */
} anpe_task_parts;
/* From the settings, as much as `parts` asks for. given: the pixel sets of a model, or NULL to take
 * them from the instrument; continuum pixels that nobody gives are found from the simulator, which
 * takes 256 spectra. */
ANPE_MUST_CHECK anpe_status anpe_task_new(anpe_ctx *ctx, anpe_settings *settings, unsigned parts,
                                          const anpe_pixel_sets *given, anpe_task **out);
anpe_task *anpe_task_free(anpe_task *t);
int64_t anpe_task_size(const anpe_task *t); /* values of one spectrum */

/* Memory for simulating up to `batch` spectra on one thread. */
typedef struct anpe_bench {
    int64_t batch;
    double *theta;     /* (batch, prior->n_labels) labels of the last simulation */
    double *weight;    /* (batch) of their loss: 1, unless the proposal says other */
    double *sim_theta; /* (batch, sim.n_labels) */
    double *label;     /* (n_labels) inferred labels of one sample */
    double *rv;        /* (batch) radial velocities of a projection */
    float *sim_flux;   /* (batch, sim.n_pixels) */
    float *flux;       /* (batch, size) noise-free on the instrument's pixels */
    anpe_spectrum spectrum, reference; /* reference: only if t->finds_continuum */
    void *scratch;                     /* of the simulator, then of the projection */
} anpe_bench;
ANPE_MUST_CHECK anpe_status anpe_bench_new(anpe_ctx *ctx, const anpe_task *t, int64_t batch,
                                           anpe_bench **out);
anpe_bench *anpe_bench_free(anpe_bench *b);

/* One set of labels, from the proposal or the prior, and its weight into row k of b. */
ANPE_MUST_CHECK anpe_status anpe_task_sample(const anpe_task *t, anpe_ctx *ctx, anpe_rng *rng,
                                             anpe_bench *b, int64_t k);
/* Draws labels of n samples first, first + 1, ... into rows 0, 1, ... of b. */
ANPE_MUST_CHECK anpe_status anpe_task_draw_labels(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b,
                                                  uint32_t seed, anpe_purpose purpose,
                                                  int64_t first, int64_t n);
/* Whether the simulator has flux for every pixel that mask (n_pixels) leaves, at the radial
 * velocity of theta (of the prior's labels). Inside the prior it has: the others are excluded. */
int anpe_task_covers(const anpe_task *t, const double *theta, const uint8_t *mask);
/* b->theta (n) -> b->sim_flux (n): the simulator's own spectra, on its pixels and at rest. shared:
 * NULL, or scratch of the simulator's simulate_shared, which then makes them. */
ANPE_MUST_CHECK anpe_status anpe_task_simulate_own(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b,
                                                   int64_t n, void *shared);
/* b->theta (n) -> b->flux (n): simulator and projection, no noise. */
ANPE_MUST_CHECK anpe_status anpe_task_simulate(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b,
                                               int64_t n);
/* The simulator's spectra (n, sim.n_pixels) of stars, or all of one star, broadened and on the
 * instrument's pixels (n, size). theta (n, prior->n_labels), or of one star (prior->n_labels) with
 * is_one; slope: NULL, or the broadening that they are differentiated for. */
void anpe_task_project(const anpe_task *t, int64_t n, const double *theta, int is_one,
                       const anpe_broadening *slope, const float *raw, float *flux, void *scratch);
/* Its derivative with respect to rv, per km/s, for the star that anpe_task_project was last called
 * for with this scratch, and slope NULL. */
void anpe_task_slope(const anpe_task *t, const double *theta, const float *raw, float *slope,
                     void *scratch);
/* Row k of b->flux observed: error bars and mask drawn, noise (model error included) added ->
 * b->spectrum as a survey would give it: not normalised, sigma without the model error. */
ANPE_MUST_CHECK anpe_status anpe_task_observe(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b,
                                              int64_t k, anpe_rng *rng);
/* Exclusion, continuum rule, model error and inpainting of a simulated or an observed spectrum.
 * ANPE_EFORMAT if no good pixel is left. */
ANPE_MUST_CHECK anpe_status anpe_task_reduce(const anpe_task *t, anpe_ctx *ctx, anpe_spectrum *s);
/* Observed and reduced; a draw that leaves no good pixel is drawn again. */
ANPE_MUST_CHECK anpe_status anpe_task_mock(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b,
                                           int64_t k, anpe_rng *rng);
/* The model spectrum in row k of b->flux under the continuum rule with the mask and the survey's
 * error bars of a reduced spectrum -> b->spectrum.flux, to be compared with that spectrum's flux.
 */
ANPE_MUST_CHECK anpe_status anpe_task_reduce_model(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b,
                                                   int64_t k, const anpe_spectrum *observed);
/* sigma (size) of a reduced spectrum with the model error taken off again. */
void anpe_task_survey_sigma(const anpe_task *t, const anpe_spectrum *reduced, float *sigma);
/* The noise model as far as a likelihood needs it: one with a likelihood of its own is created
 * (t->noise), independent Gaussians need no more than the spectrum's sigma. ANPE_EUNSUPPORTED where
 * there is none. Before threads start. */
ANPE_MUST_CHECK anpe_status anpe_task_open_likelihood(anpe_ctx *ctx, anpe_task *t);
/* Mean over good pixels of 1/sigma of a reduced spectrum, the model error taken off again. */
double anpe_task_snr(const anpe_task *t, const anpe_spectrum *s);
/* Inferred labels of row k of b->theta. */
void anpe_task_labels(const anpe_task *t, const double *theta, double *out);
/* Finds continuum pixels from the simulator (continuum_pixels.c); fills t->continuum. */
ANPE_MUST_CHECK anpe_status anpe_task_find_continuum(anpe_ctx *ctx, anpe_task *t);
/* Fills t->scatter, from the model if one is given, else from the simulator, and
 * t->model_variance (model_error.c). */
ANPE_MUST_CHECK anpe_status anpe_task_add_model_error(anpe_ctx *ctx, anpe_task *t,
                                                      const anpe_pixel_sets *given);
#endif
