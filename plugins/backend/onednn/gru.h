/* gru.h -- a GRU layer, its products by layer.h: one for all projections of the input, one a step
 * for the recurrence, one for the gradient of all recurrent weights. */
#ifndef ONEDNN_GRU_H
#define ONEDNN_GRU_H
#include "layer.h"

typedef struct gru gru;
/* Whether the core's own kernels serve as well. */
int gru_declines(const anpe_backend_request *request);
ANPE_MUST_CHECK anpe_status gru_new(anpe_ctx *ctx, const layer_source *source,
                                    const anpe_backend_request *request, gru **out);
gru *gru_free(gru *g);
void gru_sizes(const gru *g, anpe_backend_operation *operation);
void gru_run_prepare(void *state, const anpe_call *call);
void gru_run_forward(void *state, const anpe_call *call);
void gru_run_backward(void *state, const anpe_call *call);
#endif
