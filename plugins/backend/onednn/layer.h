/* layer.h -- y = max(0, W * x + b) by oneDNN's convolution: conv1d, linear, masked_linear, and the
 * products of gru.h.
 *
 * Factors are what a layer's products read: floats; bfloat16; or, where bfloat16 is emulated,
 * floats rounded to it. Each tensor is stored in float or bfloat16, whatever its factors are. */
#ifndef ONEDNN_LAYER_H
#define ONEDNN_LAYER_H
#include "job.h"
#include "numbers.h"

typedef struct layer layer;
enum { LAYER_FORWARD = 1, LAYER_DATA = 2, LAYER_WEIGHTS = 4 };

/* Where layers come from. emulate: bfloat16 by floats that are rounded to it. */
typedef struct layer_source {
    dnnl_engine_t engine;
    int emulate;
} layer_source;

/* products: which of LAYER_... are wanted. */
ANPE_MUST_CHECK anpe_status layer_new(anpe_ctx *ctx, const layer_source *source,
                                      const anpe_backend_request *request, int products,
                                      layer **out);
layer *layer_free(layer *y);
number layer_factor(const layer *y);

/* ---- products ---------------------------------------------------------------------------- */

/* Of `batch` rows: factors in layer_factor; scratch: layer_scratch(y) bytes. */
size_t layer_scratch(const layer *y);
/* W (out, in, k) into the layouts of the products. */
void layer_set_weights(layer *y, const float *w, void *scratch);
/* What layer_data makes dx in; layer_forward makes `out` in float where it is stored so. */
number layer_input_gradient(const layer *y);
void layer_forward(const layer *y, int64_t batch, const void *x, const float *bias, void *out,
                   void *scratch);
void layer_data(const layer *y, int64_t batch, const void *dz, void *dx, void *scratch);
/* Adds to dw (out, in, k) and db (out); either may be NULL. */
void layer_add_weights(const layer *y, int64_t batch, const void *x, const void *dz, float *dw,
                       float *db, void *scratch);

/* ---- the operation ----------------------------------------------------------------------- */

/* Whether the core's own kernels serve as well or better. */
int layer_declines(const anpe_backend_request *request);
void layer_sizes(const layer *y, anpe_backend_operation *operation);
void layer_run_prepare(void *state, const anpe_call *call);
void layer_run_forward(void *state, const anpe_call *call);
void layer_run_backward(void *state, const anpe_call *call);
#endif
