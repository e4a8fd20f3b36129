/* spectrum/projector_private.h -- the projector from the inside: projector.c is what it does for
 * any simulator, projector_shift.c one that is on the instrument's pixels already,
 * projector_project.c one with a grid of its own, which projector_weights.c sets up. */
#ifndef ANPE_CORE_PROJECTOR_PRIVATE_H
#define ANPE_CORE_PROJECTOR_PRIVATE_H
#include "spectrum/projector.h"

/* BLOCK: spectra that the parts below take at once, at most. */
enum { ANPE_PROJECTOR_BLOCK = 64, ANPE_PROJECTOR_TAPS = 8, ANPE_SINC = 12, ANPE_SINC_STEPS = 512 };

typedef enum anpe_projector_mode {
    ANPE_PROJECTOR_COPY,
    ANPE_PROJECTOR_SHIFT,
    ANPE_PROJECTOR_PROJECT
} anpe_projector_mode;

/* Weights of ANPE_SINC pixels and their derivatives with respect to the fraction t. */
typedef struct anpe_sinc_weights {
    double value[ANPE_SINC], slope[ANPE_SINC];
} anpe_sinc_weights;

/* Pixels from .. to - 1 and the columns of the grid that they see at rest, which may lie beyond its
 * ends. */
typedef struct anpe_projector_strip {
    int64_t from, to, first, count;
} anpe_projector_strip;

struct anpe_projector {
    anpe_projector_mode mode;
    int64_t n_in, n_out;
    /* ANPE_PROJECTOR_SHIFT */
    double *x; /* (n_out) ln(lambda) */
    int64_t n_segments, *segment;
    double *step;            /* (n_segments) of ln(lambda), 0: not uniform */
    anpe_sinc_weights *sinc; /* (ANPE_SINC_STEPS + 1) at fractions k / ANPE_SINC_STEPS */
    /* ANPE_PROJECTOR_PROJECT: grid x0 + k h, k = 0 .. n_uniform - 1 */
    double x0, h;
    int64_t n_uniform;
    int64_t max_steps;       /* largest shift */
    int resampled;           /* the input is not on that grid: */
    int32_t *source;         /* (n_uniform) first of 4 input pixels */
    float *source_weight;    /* (n_uniform, 4) */
    uint8_t *hole;           /* (n_uniform) 1: in a gap of the input */
    int64_t *first, *offset; /* (n_out), (n_out + 1): the rows of kernel/banded.h */
    float *weight;
    int64_t n_strips, window;    /* window: the most columns that a strip has */
    anpe_projector_strip *strip; /* (n_strips) */
};

/* s: atanh(v / c). slope: 1 for the derivative with respect to s. The transposes are those of the
 * products without. */

ANPE_MUST_CHECK anpe_status anpe_projector_set_up_shift(anpe_ctx *ctx, anpe_projector *p,
                                                        const anpe_projector_setup *setup);
void anpe_projector_shift_segment(const anpe_projector *p, int slope, int64_t segment, double s,
                                  const float *flux_in, float *flux_out);
/* flux_in += */
void anpe_projector_shift_segment_transpose(const anpe_projector *p, int64_t segment, double s,
                                            const float *flux_out, float *flux_in);

ANPE_MUST_CHECK anpe_status anpe_projector_set_up_project(anpe_ctx *ctx, anpe_projector *p,
                                                          const anpe_projector_setup *setup);
size_t anpe_projector_project_scratch(const anpe_projector *p);
/* s (n), in (n, n_in), out (n, n_out) */
void anpe_projector_project(const anpe_projector *p, int slope, int64_t n, const double *s,
                            const float *in, float *out, float *scratch);
void anpe_projector_project_transpose(const anpe_projector *p, int64_t n, const double *s,
                                      const float *out, float *in, float *scratch);
/* Whether pixel i sees holes or ends when it is moved by `from` to `to` steps. */
int anpe_projector_project_is_uncovered(const anpe_projector *p, int64_t i, int64_t from,
                                        int64_t to);
#endif
