/* kind/prior.h -- the joint prior: independent blocks of labels, one prior plugin each, in the
 * order of the configuration. */
#ifndef ANPE_CORE_PRIOR_H
#define ANPE_CORE_PRIOR_H
#include "kind/component.h"

typedef struct anpe_prior {
    int n_blocks;
    anpe_component *block; /* (n_blocks) */
    int64_t *start;        /* (n_blocks + 1) first label of each block */
    int64_t n_labels;
    anpe_label *label; /* (n_labels) min, max: the support */
} anpe_prior;

/* From the list `prior`; known: labels that the simulator and the core understand, with domains.
 * A label that nobody knows, or that is given twice, is an error. */
ANPE_MUST_CHECK anpe_status anpe_prior_new(anpe_ctx *ctx, anpe_settings *settings, int64_t n_known,
                                           const anpe_label *known, anpe_prior **out);
anpe_prior *anpe_prior_free(anpe_prior *p);
/* theta (n_labels) */
ANPE_MUST_CHECK anpe_status anpe_prior_sample(const anpe_prior *p, anpe_ctx *ctx, anpe_rng *rng,
                                              double *theta);
double anpe_prior_log_density(const anpe_prior *p, const double *theta);
/* Of block b alone, at its labels. */
double anpe_prior_log_density_of(const anpe_prior *p, int b, const double *theta);
/* Index of a label, or -1. */
int64_t anpe_label_find(int64_t n, const anpe_label *labels, const char *name);
#endif
