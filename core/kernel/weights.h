/* kernel/weights.h -- one parameter between its raw and its effective form; _f and _d. norm: g of
 * a weight-normed parameter, else NULL. */
#ifndef ANPE_CORE_WEIGHTS_H
#define ANPE_CORE_WEIGHTS_H
#include <anpe/plugin.h>

typedef enum anpe_transform {
    ANPE_PLAIN,
    ANPE_NORM_G,
    ANPE_NORM_V,
    ANPE_MASKED,
    ANPE_BUFFER
} anpe_transform;

/* A parameter as operations read it: weight norm or mask applied. */
typedef struct anpe_weight {
    const char *name; /* "flow.blocks.0.l1.weight" */
    int rank;
    int64_t shape[4], size;
    int64_t offset;           /* in the effective block, a multiple of 16 */
    anpe_transform transform; /* ANPE_PLAIN, _NORM_V (raw value and raw g), _MASKED, _BUFFER */
    int raw, raw_g;           /* rows of the table of raw parameters */
    uint8_t *mask;            /* (size) 1 = kept; ANPE_MASKED */
    double *initial;          /* (size) ANPE_BUFFER */
    double bound;             /* uniform initialisation in [-bound, bound] */
    int zero;                 /* starts at zero */
} anpe_weight;

#define ANPE_WEIGHT_FUNCTIONS(suffix)                                                              \
    void anpe_weight_prepare_##suffix(const anpe_weight *w, const void *value, const void *norm,   \
                                      void *out);                                                  \
    void anpe_weight_pull_back_##suffix(const anpe_weight *w, const void *value, const void *norm, \
                                        const void *grad, void *grad_value, void *grad_norm);      \
    void anpe_weight_initial_##suffix(const anpe_weight *w, anpe_rng *rng, void *value, void *norm);
ANPE_WEIGHT_FUNCTIONS(f)
ANPE_WEIGHT_FUNCTIONS(d)
#undef ANPE_WEIGHT_FUNCTIONS
#endif
