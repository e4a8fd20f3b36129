/* task/tangent.h -- the model spectrum at one label vector and its derivatives, from the
 * simulator's own (plugin.h) through the Doppler shift and the projection to the instrument, which
 * are linear in the flux. */
#ifndef ANPE_CORE_TANGENT_H
#define ANPE_CORE_TANGENT_H
#include "task/task.h"

/* Memory for one thread. */
typedef struct anpe_tangent {
    const anpe_task *task;
    double *sim_theta; /* (sim.n_labels) */
    float *raw;        /* (1 + sim.n_labels, sim.n_pixels) */
    float *flux;       /* (1 + prior->n_labels, size): the spectrum, then its derivatives */
    int64_t *row;      /* (prior->n_labels) of flux: the derivative with respect to this label */
} anpe_tangent;
/* *out NULL: the simulator has no derivatives. */
ANPE_MUST_CHECK anpe_status anpe_tangent_new(anpe_ctx *ctx, const anpe_task *t, anpe_tangent **out);
anpe_tangent *anpe_tangent_free(anpe_tangent *g);
/* theta (prior->n_labels) -> g->flux, derivatives per unit of the label. scratch: of a bench. */
ANPE_MUST_CHECK anpe_status anpe_tangent_run(anpe_tangent *g, anpe_ctx *ctx, const double *theta,
                                             void *scratch);
#endif
