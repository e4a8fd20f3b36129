/* layer.h -- conv1d, linear and masked_linear by oneDNN's convolution. */
#ifndef ONEDNN_LAYER_H
#define ONEDNN_LAYER_H
#include "job.h"

typedef struct layer layer;
/* emulate: bfloat16 by floats that are rounded to it. *out stays NULL where the core's own kernels
 * serve as well or better. */
anpe_status layer_new(anpe_ctx *ctx, dnnl_engine_t engine, int emulate,
                      const anpe_backend_request *request, anpe_backend_operation *operation,
                      layer **out);
void layer_free(void *state);
void layer_prepare(void *state, const anpe_call *call);
void layer_forward(void *state, const anpe_call *call);
void layer_backward(void *state, const anpe_call *call);
#endif
