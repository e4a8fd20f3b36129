/* posterior/flow_density.h -- log q of a model's flow at given labels: the flow's part of the
 * network alone, for one context vector and many label vectors. */
#ifndef ANPE_CORE_FLOW_DENSITY_H
#define ANPE_CORE_FLOW_DENSITY_H
#include "model/net.h"

typedef struct anpe_flow_density anpe_flow_density; /* one per thread */
/* batch: label vectors that are run at once. The net must outlive it. */
ANPE_MUST_CHECK anpe_status anpe_flow_density_new(anpe_ctx *ctx, const anpe_net *net,
                                                  int64_t n_labels, int64_t batch,
                                                  anpe_flow_density **out);
anpe_flow_density *anpe_flow_density_free(anpe_flow_density *f);
/* context (n_context) of one spectrum, y (n, D) in the flow's coordinates, any n -> log_q (n), -inf
 * where the network's is not a number. */
void anpe_flow_density_eval(anpe_flow_density *f, const float *context, int64_t n, const double *y,
                            double *log_q);
/* One that also gives the scores. */
ANPE_MUST_CHECK anpe_status anpe_flow_density_new_scores(anpe_ctx *ctx, const anpe_net *net,
                                                         int64_t n_labels, int64_t batch,
                                                         anpe_flow_density **out);
/* y (n, D), any n -> d log q / d y (n, D) and d log q / d context (n, n_context). */
void anpe_flow_density_scores(anpe_flow_density *f, const float *context, int64_t n, const float *y,
                              float *score_y, float *score_context);
#endif
