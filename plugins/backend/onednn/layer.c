/* conv1d, linear and masked_linear: y = max(0, W * x + b), a linear layer being a convolution of
 * kernel 1.
 *
 * Tensors are float, channels last. In bfloat16 the inputs, the weights and dz (the gradient of the
 * output, where relu lets it through) are rounded when they are handed to oneDNN; sums, results and
 * gradients are float (emulated: the
 * factors are floats of the same values, so all but the order of sums is as it would be):
 *   forward   x -> bf16 (kept for backward, which then needs no x)      y = bf16 x bf16 -> float
 *   data      dz -> bf16                                                dx = bf16 x bf16 -> float
 *   weights                                                             dW, db, the same way
 *
 * Primitives have a fixed shape: one set for a whole micro-batch and one for a single sample, which
 * does the rest of what is no whole micro-batch. Weights in oneDNN's own layouts are kept with the
 * operation and renewed when they change. */
#include "config.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "layer.h"
#include "numbers.h"

enum { WHOLE, SINGLE, SIZES };

/* The primitives for one number of samples. */
typedef struct passes {
    int64_t samples;
    job forward, data, weights;
} passes;

struct layer {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    anpe_backend_request r;
    int bfloat16, emulated, relu, bias; /* emulated: bfloat16 held in floats */
    passes pass[SIZES];
    /* weights (out, in, k) into the layouts of forward and data, and gradients back */
    job to_forward, to_data, from_weights;
    void *w_forward, *w_data;
    size_t x_bytes, dz_bytes; /* of one sample, as oneDNN gets them */
    size_t w_forward_bytes, w_data_bytes, dw_bytes, scratchpad;
};

static size_t round64(size_t n)
{
    return (n + 63) / 64 * 64;
}

static size_t largest(size_t a, size_t b)
{
    return a > b ? a : b;
}

static int64_t in_reals(const layer *y) /* of one sample */
{
    return y->r.length * y->r.in;
}

static int64_t out_reals(const layer *y)
{
    return y->r.length * y->r.out;
}

/* ---- set-up ------------------------------------------------------------------------------------
 */

/* The descriptions of all tensors; rows of (B, F) are the pixels of one image. */
typedef struct tensors {
    dnnl_memory_desc_t x, dx, w, dw, plain, b, y, dz;
} tensors;

static dnnl_status_t describe(const layer *y, int64_t samples, tensors *t)
{
    const anpe_backend_request *r = &y->r;
    const int64_t images = r->rank == 2 ? samples : 1, pixels = r->rank == 2 ? r->length : samples;
    const dnnl_data_type_t type = y->bfloat16 && !y->emulated ? dnnl_bf16 : dnnl_f32;
    const dnnl_dims_t in = {images, r->in, pixels}, out = {images, r->out, pixels},
                      w = {r->out, r->in, r->width}, b = {r->out};
    const struct {
        dnnl_memory_desc_t *m;
        int rank;
        const dnnl_dim_t *dims;
        dnnl_data_type_t type;
        dnnl_format_tag_t tag;
    } list[] = {
        {&t->x, 3, in, type, dnnl_nwc},           {&t->dx, 3, in, dnnl_f32, dnnl_nwc},
        {&t->w, 3, w, type, dnnl_format_tag_any}, {&t->dw, 3, w, dnnl_f32, dnnl_format_tag_any},
        {&t->plain, 3, w, dnnl_f32, dnnl_oiw},    {&t->b, 1, b, dnnl_f32, dnnl_x},
        {&t->y, 3, out, dnnl_f32, dnnl_nwc},      {&t->dz, 3, out, type, dnnl_nwc},
    };
    dnnl_status_t status = dnnl_success;
    for (size_t i = 0; i < sizeof list / sizeof list[0] && !status; i++)
        status = dnnl_memory_desc_init_by_tag(list[i].m, list[i].rank, list[i].dims, list[i].type,
                                              list[i].tag);
    return status;
}

/* oneDNN's max(0, v) makes 0 of NaN, and what is not finite would no longer be seen. With a slope
 * its relu is v > 0 ? v : slope v, which keeps NaN; 2^-100 is zero to everything else. */
static const float almost_zero = 0x1p-100f;

static dnnl_status_t attributes_with_relu(int relu, dnnl_primitive_attr_t *out)
{
    dnnl_post_ops_t post = NULL;
    dnnl_status_t status = onednn_attributes(out);
    if (!status && relu && !(status = dnnl_post_ops_create(&post)) &&
        !(status = dnnl_post_ops_append_eltwise(post, 1, dnnl_eltwise_relu, almost_zero, 0)))
        status = dnnl_primitive_attr_set_post_ops(*out, post);
    dnnl_post_ops_destroy(post);
    return status;
}

/* What oneDNN chose for argument `argument`. */
static dnnl_memory_desc_t chosen(const_dnnl_primitive_desc_t pd, int argument)
{
    return *dnnl_primitive_desc_query_md(pd, dnnl_query_exec_arg_md, argument);
}

/* Forward; t->w becomes the layout of its weights. The description is the caller's. */
static dnnl_status_t new_forward(layer *y, passes *p, tensors *t, dnnl_primitive_desc_t *pd)
{
    static const int arguments[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_BIAS};
    const dnnl_dims_t stride = {1}, pad = {(y->r.width - 1) / 2};
    const dnnl_prop_kind_t kind = y->r.train ? dnnl_forward_training : dnnl_forward_inference;
    dnnl_convolution_desc_t d;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_status_t status =
        dnnl_convolution_forward_desc_init(&d, kind, dnnl_convolution_direct, &t->x, &t->w,
                                           y->bias ? &t->b : NULL, &t->y, stride, pad, pad);
    if (!status)
        status = attributes_with_relu(y->relu, &attr);
    if (!status)
        status = job_new(y->engine, &d, attr, NULL, 3 + y->bias, arguments, &p->forward, pd);
    if (!status)
        t->w = chosen(*pd, DNNL_ARG_WEIGHTS);
    dnnl_primitive_attr_destroy(attr);
    return status;
}

/* Both backwards; *w becomes the layout of the weights that `data` reads, t->dw that of dW. */
static dnnl_status_t new_backward(layer *y, passes *p, tensors *t, const_dnnl_primitive_desc_t hint,
                                  dnnl_memory_desc_t *w)
{
    static const int data[] = {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC};
    static const int weights[] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS,
                                  DNNL_ARG_DIFF_BIAS};
    const dnnl_dims_t stride = {1}, pad = {(y->r.width - 1) / 2};
    dnnl_convolution_desc_t d;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_status_t status = onednn_attributes(&attr);
    if (!status)
        status = dnnl_convolution_backward_data_desc_init(&d, dnnl_convolution_direct, &t->dx, w,
                                                          &t->dz, stride, pad, pad);
    if (!status)
        status = job_new(y->engine, &d, attr, hint, 3, data, &p->data, &pd);
    if (!status)
        *w = chosen(pd, DNNL_ARG_WEIGHTS);
    dnnl_primitive_desc_destroy(pd);
    pd = NULL;
    if (!status)
        status = dnnl_convolution_backward_weights_desc_init(&d, dnnl_convolution_direct, &t->x,
                                                             &t->dw, y->bias ? &t->b : NULL, &t->dz,
                                                             stride, pad, pad);
    if (!status)
        status = job_new(y->engine, &d, attr, hint, 3 + y->bias, weights, &p->weights, &pd);
    if (!status)
        t->dw = chosen(pd, DNNL_ARG_DIFF_WEIGHTS);
    dnnl_primitive_desc_destroy(pd);
    dnnl_primitive_attr_destroy(attr);
    return status;
}

/* The first set of primitives chooses the layouts of the weights; the second takes them. */
static dnnl_status_t new_passes(layer *y, tensors *t, dnnl_memory_desc_t *w_data)
{
    dnnl_status_t status = dnnl_success;
    for (int s = 0; s < SIZES && !status; s++) {
        passes *p = &y->pass[s];
        p->samples = s == WHOLE ? y->r.batch : 1;
        tensors now;
        dnnl_primitive_desc_t pd = NULL;
        status = describe(y, p->samples, &now);
        if (s == WHOLE)
            *t = now, *w_data = now.w;
        now.w = t->w, now.dw = t->dw;
        if (!status)
            status = new_forward(y, p, &now, &pd);
        if (!status && y->r.train)
            status = new_backward(y, p, &now, pd, w_data);
        dnnl_primitive_desc_destroy(pd);
        t->w = now.w, t->dw = now.dw;
        const job *all[] = {&p->forward, &p->data, &p->weights};
        for (int i = 0; i < 3; i++)
            y->scratchpad = largest(y->scratchpad, all[i]->scratchpad);
    }
    return status;
}

static dnnl_status_t new_reorders(layer *y, const tensors *t, const dnnl_memory_desc_t *w_data)
{
    dnnl_status_t status = job_new_reorder(y->engine, &t->plain, &t->w, 0, &y->to_forward);
    y->w_forward_bytes = onednn_bytes(&t->w);
    y->w_forward = aligned_alloc(64, y->w_forward_bytes);
    if (!status && !y->w_forward)
        status = dnnl_out_of_memory;
    if (!status && y->r.train) {
        status = job_new_reorder(y->engine, &t->plain, w_data, 0, &y->to_data);
        if (!status)
            status = job_new_reorder(y->engine, &t->dw, &t->plain, 1, &y->from_weights);
        y->w_data_bytes = onednn_bytes(w_data);
        y->w_data = aligned_alloc(64, y->w_data_bytes);
        y->dw_bytes = onednn_bytes(&t->dw);
        if (!status && !y->w_data)
            status = dnnl_out_of_memory;
    }
    const job *all[] = {&y->to_forward, &y->to_data, &y->from_weights};
    for (int i = 0; i < 3; i++)
        y->scratchpad = largest(y->scratchpad, all[i]->scratchpad);
    return status;
}

/* In float the core is faster (make bench BENCH=operations) where it halves the products, at
 * kernels of 3 between at least WIDE channels, and in both backwards of a kernel of 1. */
enum { WIDE = 32 };

static int declined(const anpe_backend_request *r)
{
    const int wide = r->width == 3 && r->in >= WIDE && r->out >= WIDE;
    return r->precision == ANPE_NUMBER_FLOAT && (wide || (r->train && r->width == 1));
}

/* scratch: dz (B), dx (B) where it is added to, dW, db, the primitive's own; without training x. */
static void say_sizes(const layer *y, anpe_backend_operation *operation)
{
    const size_t batch = (size_t)y->r.batch, x = round64(batch * y->x_bytes);
    size_t scratch = y->scratchpad;
    if (y->r.train)
        scratch += round64(batch * y->dz_bytes) + y->dw_bytes +
                   round64((size_t)y->r.out * sizeof(float)) +
                   round64(batch * (size_t)in_reals(y) * sizeof(float));
    operation->scratch_size = scratch;
    operation->saved_size = y->bfloat16 ? x : 0;
    if (y->bfloat16)
        operation->backward_needs &= ~(unsigned)ANPE_NEEDS_INPUT;
    if (!y->relu)
        operation->backward_needs &= ~(unsigned)ANPE_NEEDS_OUTPUT;
}

anpe_status layer_new(anpe_ctx *ctx, dnnl_engine_t engine, int emulate,
                      const anpe_backend_request *request, anpe_backend_operation *operation,
                      layer **out)
{
    *out = NULL;
    if (declined(request))
        return ANPE_OK;
    layer *y = calloc(1, sizeof *y);
    if (!y)
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "onednn: out of memory");
    tensors t;
    dnnl_memory_desc_t w_data;
    y->engine = engine;
    y->r = *request;
    y->bfloat16 = request->precision == ANPE_NUMBER_BFLOAT16;
    y->emulated = y->bfloat16 && emulate;
    y->relu = (request->flags & ANPE_RELU) != 0;
    y->bias = !(request->flags & ANPE_NO_BIAS);
    const size_t number = y->bfloat16 && !y->emulated ? sizeof(uint16_t) : sizeof(float);
    y->x_bytes = (size_t)in_reals(y) * number;
    y->dz_bytes = (size_t)out_reals(y) * number;
    dnnl_status_t status = dnnl_stream_create(&y->stream, engine, dnnl_stream_default_flags);
    if (!status)
        status = new_passes(y, &t, &w_data);
    if (!status)
        status = new_reorders(y, &t, &w_data);
    if (status) {
        layer_free(y);
        return ANPE_FAIL(ctx, status == dnnl_out_of_memory ? ANPE_ENOMEM : ANPE_EPLUGIN,
                         "onednn: no primitives for %s of %" PRId64 " to %" PRId64
                         " channels: status %d",
                         request->operation, request->in, request->out, (int)status);
    }
    say_sizes(y, operation);
    *out = y;
    return ANPE_OK;
}

void layer_free(void *state)
{
    layer *y = state;
    for (int s = 0; s < SIZES; s++) {
        job_clear(&y->pass[s].forward);
        job_clear(&y->pass[s].data);
        job_clear(&y->pass[s].weights);
    }
    job_clear(&y->to_forward);
    job_clear(&y->to_data);
    job_clear(&y->from_weights);
    dnnl_stream_destroy(y->stream);
    free(y->w_forward);
    free(y->w_data);
    free(y);
}

/* ---- running ------------------------------------------------------------------------------------
 */

static void reorder(const layer *y, const job *j, const void *from, void *to, void *scratchpad)
{
    job_set(j, DNNL_ARG_FROM, from);
    job_set(j, DNNL_ARG_TO, to);
    job_run(j, y->stream, scratchpad);
}

static void prepare(const layer *y, const job *j, const anpe_call *call, void *w, size_t bytes)
{
    reorder(y, j, call->parameter[0], w, call->scratch);
    if (y->emulated)
        onednn_round((int64_t)(bytes / sizeof(float)), w, w);
}

void layer_prepare(void *state, const anpe_call *call)
{
    const layer *y = state;
    prepare(y, &y->to_forward, call, y->w_forward, y->w_forward_bytes);
    if (y->r.train)
        prepare(y, &y->to_data, call, y->w_data, y->w_data_bytes);
}

/* Which primitives do the samples from `first` on: all at once if the micro-batch is whole. */
static const passes *passes_of(const layer *y, int64_t batch)
{
    return &y->pass[batch == y->r.batch ? WHOLE : SINGLE];
}

static const void *at(const void *data, int64_t sample, size_t bytes)
{
    return (const char *)data + (size_t)sample * bytes;
}

/* n numbers of x as factors of a product in bfloat16; `where`, if given: zero where it is not
 * positive. */
static void to_factors(const layer *y, int64_t n, const float *x, const float *where, void *to)
{
    if (y->emulated && where)
        onednn_round_where(n, x, where, to);
    else if (y->emulated)
        onednn_round(n, x, to);
    else if (where)
        onednn_to_bfloat16_where(n, x, where, to);
    else
        onednn_to_bfloat16(n, x, to);
}

void layer_forward(void *state, const anpe_call *call)
{
    const layer *y = state;
    const passes *p = passes_of(y, call->batch);
    const void *x = call->in[0];
    if (y->bfloat16) {
        to_factors(y, call->batch * in_reals(y), call->in[0], NULL, call->saved);
        x = call->saved;
    }
    job_set(&p->forward, DNNL_ARG_WEIGHTS, y->w_forward);
    job_set(&p->forward, DNNL_ARG_BIAS, call->parameter[1]);
    for (int64_t b = 0; b < call->batch; b += p->samples) {
        job_set(&p->forward, DNNL_ARG_SRC, at(x, b, y->x_bytes));
        job_set(&p->forward, DNNL_ARG_DST, (float *)call->out + b * out_reals(y));
        job_run(&p->forward, y->stream, call->scratch);
    }
}

/* Scratch of backward, in this order. */
typedef struct parts {
    char *dz, *dw, *db, *dx, *scratchpad;
} parts;

static parts cut(const layer *y, const anpe_call *call)
{
    parts s = {.dz = call->scratch};
    s.dw = s.dz + round64((size_t)y->r.batch * y->dz_bytes);
    s.db = s.dw + y->dw_bytes;
    s.dx = s.db + round64((size_t)y->r.out * sizeof(float));
    s.scratchpad = s.dx + round64((size_t)(y->r.batch * in_reals(y)) * sizeof(float));
    return s;
}

/* dz as oneDNN gets it. */
static const void *output_gradient(const layer *y, const anpe_call *call, const parts *s)
{
    const int64_t n = call->batch * out_reals(y);
    void *dz = s->dz;
    if (y->bfloat16)
        to_factors(y, n, call->grad_out, y->relu ? call->out : NULL, dz);
    else if (y->relu)
        onednn_copy_where(n, call->grad_out, call->out, dz);
    else
        return call->grad_out;
    return dz;
}

static void backward_weights(const layer *y, const anpe_call *call, const parts *s, const void *dz)
{
    const passes *p = passes_of(y, call->batch);
    const void *x = y->bfloat16 ? call->saved : call->in[0];
    job_set(&p->weights, DNNL_ARG_DIFF_WEIGHTS, s->dw);
    job_set(&p->weights, DNNL_ARG_DIFF_BIAS, s->db);
    for (int64_t b = 0; b < call->batch; b += p->samples) {
        job_set(&p->weights, DNNL_ARG_SRC, at(x, b, y->x_bytes));
        job_set(&p->weights, DNNL_ARG_DIFF_DST, at(dz, b, y->dz_bytes));
        job_run(&p->weights, y->stream, s->scratchpad);
        if (call->grad_parameter[0])
            reorder(y, &y->from_weights, s->dw, call->grad_parameter[0], s->scratchpad);
        if (call->grad_parameter[1])
            onednn_add(y->r.out, (const float *)(const void *)s->db, call->grad_parameter[1]);
    }
}

static void backward_data(const layer *y, const anpe_call *call, const parts *s, const void *dz)
{
    const passes *p = passes_of(y, call->batch);
    float *dx = call->grad_in_empty[0] ? call->grad_in[0] : (float *)(void *)s->dx;
    job_set(&p->data, DNNL_ARG_WEIGHTS, y->w_data);
    for (int64_t b = 0; b < call->batch; b += p->samples) {
        job_set(&p->data, DNNL_ARG_DIFF_DST, at(dz, b, y->dz_bytes));
        job_set(&p->data, DNNL_ARG_DIFF_SRC, dx + b * in_reals(y));
        job_run(&p->data, y->stream, s->scratchpad);
    }
    if (!call->grad_in_empty[0])
        onednn_add(call->batch * in_reals(y), dx, call->grad_in[0]);
}

void layer_backward(void *state, const anpe_call *call)
{
    const layer *y = state;
    const parts s = cut(y, call);
    const void *dz = output_gradient(y, call, &s);
    if (call->grad_parameter[0] || call->grad_parameter[1])
        backward_weights(y, call, &s, dz);
    if (call->grad_in[0])
        backward_data(y, call, &s, dz);
}
