/* plot/known.h -- labels that are known beside those that were inferred: from the validation in a
 * model, or from a catalogue and another one that it is compared with. */
#ifndef ANPE_CORE_KNOWN_H
#define ANPE_CORE_KNOWN_H
#include "plot/plot_kind.h"

typedef struct anpe_known {
    int64_t n; /* objects */
    anpe_plot_labels labels;
    /* (labels, n): the values of one label are neighbours */
    double *truth, *median, *mean, *sd, *p16, *p84;
    /* of a validation, else NULL */
    int64_t n_draws;
    int64_t *rank;      /* (labels, n) in 0..n_draws */
    double *hpd, *tarp; /* (n) levels: validate/calibration.h */
    char source[80];    /* what the truth is called: "true" or the name of the catalogue */
} anpe_known;

/* Arrays for n objects, labels still without names. On failure *out is freed by the caller. */
ANPE_MUST_CHECK anpe_status anpe_known_new(anpe_ctx *ctx, int64_t n, int64_t n_labels,
                                           anpe_known **out);
/* From a model; ANPE_EINVAL when it has no validation. */
ANPE_MUST_CHECK anpe_status anpe_known_of_model(anpe_ctx *ctx, const anpe_plot_request *q,
                                                anpe_known **out);
/* From q->files[0] and q->compare: rows are matched by identifier where both have one, else by the
 * row that the catalogue says, else in order. */
ANPE_MUST_CHECK anpe_status anpe_known_of_catalogues(anpe_ctx *ctx, const anpe_plot_request *q,
                                                     anpe_known **out);
anpe_known *anpe_known_free(anpe_known *k);
/* load and free of the plots of a validation. */
ANPE_MUST_CHECK anpe_status anpe_known_load(anpe_ctx *ctx, const anpe_plot_request *q, void **data);
void anpe_known_unload(void *data);
#endif
