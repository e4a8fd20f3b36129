/* See layer.h. What the three products read and make, with factors in bfloat16:
 *   forward   x, W           y = bf16 x bf16, summed in float, stored as the output is
 *   data      dz, W          dx, the same way, stored as the input's gradient is
 *   weights   x, dz          dW and db in float
 * dz: the gradient of the output, where relu lets it through. With factors in float, emulated or
 * not, results are float, and rounded afterwards where they are stored in bfloat16.
 *
 * Primitives have a fixed shape: one set for a whole micro-batch and one for a single sample, which
 * does the rest of what is no whole micro-batch. Weights in oneDNN's own layouts are kept with the
 * layer and renewed when they change. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "layer.h"

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
    int products, relu, bias;
    number in, out;                /* what the input and the output are stored in */
    number factor;                 /* what x, W and dz are for the products */
    number output, input_gradient; /* what y and dx are made in */
    passes pass[SIZES];
    /* weights (out, in, k) into the layouts of forward and data, and gradients back */
    job to_forward, to_data, from_weights;
    void *w_forward, *w_data;
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

/* ---- set-up ------------------------------------------------------------------------------ */

static dnnl_data_type_t type_of(number n)
{
    return n == BFLOAT16 ? dnnl_bf16 : dnnl_f32;
}

/* The descriptions of all tensors; rows of (B, F) are the pixels of one image. */
typedef struct tensors {
    dnnl_memory_desc_t x, dx, w, dw, plain, b, y, dz;
} tensors;

static dnnl_status_t describe(const layer *y, int64_t samples, tensors *t)
{
    const anpe_backend_request *r = &y->r;
    const int64_t images = r->rank == 2 ? samples : 1, pixels = r->rank == 2 ? r->length : samples;
    const dnnl_data_type_t factor = type_of(y->factor);
    const dnnl_dims_t in = {images, r->in, pixels}, out = {images, r->out, pixels},
                      w = {r->out, r->in, r->width}, b = {r->out};
    const struct {
        dnnl_memory_desc_t *m;
        int rank;
        const dnnl_dim_t *dims;
        dnnl_data_type_t type;
        dnnl_format_tag_t tag;
    } list[] = {
        {&t->x, 3, in, factor, dnnl_nwc},
        {&t->dx, 3, in, type_of(y->input_gradient), dnnl_nwc},
        {&t->w, 3, w, factor, dnnl_format_tag_any},
        {&t->dw, 3, w, dnnl_f32, dnnl_format_tag_any},
        {&t->plain, 3, w, dnnl_f32, dnnl_oiw},
        {&t->b, 1, b, dnnl_f32, dnnl_x},
        {&t->y, 3, out, type_of(y->output), dnnl_nwc},
        {&t->dz, 3, out, factor, dnnl_nwc},
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

/* Backward for the data; *w becomes the layout of the weights that it reads. */
static dnnl_status_t new_data(layer *y, passes *p, tensors *t, const_dnnl_primitive_desc_t hint,
                              const_dnnl_primitive_attr_t attr, dnnl_memory_desc_t *w)
{
    static const int arguments[] = {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC};
    const dnnl_dims_t stride = {1}, pad = {(y->r.width - 1) / 2};
    dnnl_convolution_desc_t d;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t status = dnnl_convolution_backward_data_desc_init(
        &d, dnnl_convolution_direct, &t->dx, w, &t->dz, stride, pad, pad);
    if (!status)
        status = job_new(y->engine, &d, attr, hint, 3, arguments, &p->data, &pd);
    if (!status)
        *w = chosen(pd, DNNL_ARG_WEIGHTS);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

/* Backward for the weights; t->dw becomes the layout of dW. */
static dnnl_status_t new_weights(layer *y, passes *p, tensors *t, const_dnnl_primitive_desc_t hint,
                                 const_dnnl_primitive_attr_t attr)
{
    static const int arguments[] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS,
                                    DNNL_ARG_DIFF_BIAS};
    const dnnl_dims_t stride = {1}, pad = {(y->r.width - 1) / 2};
    dnnl_convolution_desc_t d;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t status = dnnl_convolution_backward_weights_desc_init(
        &d, dnnl_convolution_direct, &t->x, &t->dw, y->bias ? &t->b : NULL, &t->dz, stride, pad,
        pad);
    if (!status)
        status = job_new(y->engine, &d, attr, hint, 3 + y->bias, arguments, &p->weights, &pd);
    if (!status)
        t->dw = chosen(pd, DNNL_ARG_DIFF_WEIGHTS);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

static dnnl_status_t new_backward(layer *y, passes *p, tensors *t, const_dnnl_primitive_desc_t hint,
                                  dnnl_memory_desc_t *w_data)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_status_t status = onednn_attributes(&attr);
    if (!status && y->products & LAYER_DATA)
        status = new_data(y, p, t, hint, attr, w_data);
    if (!status && y->products & LAYER_WEIGHTS)
        status = new_weights(y, p, t, hint, attr);
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
        if (!status)
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
    dnnl_status_t status = dnnl_success;
    if (y->products & LAYER_FORWARD) {
        status = job_new_reorder(y->engine, &t->plain, &t->w, 0, &y->to_forward);
        y->w_forward_bytes = onednn_bytes(&t->w);
        y->w_forward = aligned_alloc(64, y->w_forward_bytes);
    }
    if (!status && y->products & LAYER_DATA) {
        status = job_new_reorder(y->engine, &t->plain, w_data, 0, &y->to_data);
        y->w_data_bytes = onednn_bytes(w_data);
        y->w_data = aligned_alloc(64, y->w_data_bytes);
    }
    if (!status && y->products & LAYER_WEIGHTS) {
        status = job_new_reorder(y->engine, &t->dw, &t->plain, 1, &y->from_weights);
        y->dw_bytes = onednn_bytes(&t->dw);
    }
    if (!status && ((y->w_forward_bytes && !y->w_forward) || (y->w_data_bytes && !y->w_data)))
        status = dnnl_out_of_memory;
    const job *all[] = {&y->to_forward, &y->to_data, &y->from_weights};
    for (int i = 0; i < 3; i++)
        y->scratchpad = largest(y->scratchpad, all[i]->scratchpad);
    return status;
}

static number stored(anpe_number n)
{
    return n == ANPE_NUMBER_BFLOAT16 ? BFLOAT16 : FLOAT;
}

static void choose_numbers(layer *y, int emulate)
{
    y->in = stored(y->r.in_stored);
    y->out = stored(y->r.out_stored);
    y->factor = y->r.precision != ANPE_NUMBER_BFLOAT16 ? FLOAT : emulate ? ROUNDED : BFLOAT16;
    y->output = y->factor == BFLOAT16 ? y->out : FLOAT;
    y->input_gradient = y->factor == BFLOAT16 ? y->in : FLOAT;
}

static void clear_primitives(layer *y)
{
    for (int s = 0; s < SIZES; s++) {
        job_clear(&y->pass[s].forward);
        job_clear(&y->pass[s].data);
        job_clear(&y->pass[s].weights);
    }
    job_clear(&y->to_forward);
    job_clear(&y->to_data);
    job_clear(&y->from_weights);
    free(y->w_forward);
    free(y->w_data);
    y->w_forward = y->w_data = NULL;
}

static dnnl_status_t new_primitives(layer *y)
{
    tensors t;
    dnnl_memory_desc_t w_data;
    const dnnl_status_t status = new_passes(y, &t, &w_data);
    return status ? status : new_reorders(y, &t, &w_data);
}

anpe_status layer_new(anpe_ctx *ctx, const layer_source *source,
                      const anpe_backend_request *request, int products, layer **out)
{
    layer *y;
    *out = NULL;
    if (ANPE_NEW(ctx, y, 1))
        return ANPE_ENOMEM;
    *out = y;
    y->engine = source->engine;
    y->r = *request;
    y->products = products;
    y->relu = (request->flags & ANPE_RELU) != 0;
    y->bias = !(request->flags & ANPE_NO_BIAS);
    choose_numbers(y, source->emulate);
    dnnl_status_t status = dnnl_stream_create(&y->stream, y->engine, dnnl_stream_default_flags);
    if (!status)
        status = new_primitives(y);
    if (status == dnnl_unimplemented && y->factor == BFLOAT16) { /* results in float, then */
        clear_primitives(y);
        y->output = y->input_gradient = FLOAT;
        status = new_primitives(y);
    }
    if (!status)
        return ANPE_OK;
    *out = layer_free(y);
    return ANPE_FAIL(ctx, status == dnnl_out_of_memory ? ANPE_ENOMEM : ANPE_EPLUGIN,
                     "onednn: no primitives for %s of %lld to %lld channels: status %d",
                     request->operation, (long long)request->in, (long long)request->out,
                     (int)status);
}

layer *layer_free(layer *y)
{
    if (y) {
        clear_primitives(y);
        dnnl_stream_destroy(y->stream);
    }
    free(y);
    return NULL;
}

number layer_factor(const layer *y)
{
    return y->factor;
}

number layer_input_gradient(const layer *y)
{
    return y->input_gradient;
}

/* ---- products ---------------------------------------------------------------------------- */

/* Scratch: dW, db, the primitive's own. */
static size_t db_bytes(const layer *y)
{
    return y->dw_bytes ? round64((size_t)y->r.out * sizeof(float)) : 0;
}

size_t layer_scratch(const layer *y)
{
    return y->dw_bytes + db_bytes(y) + y->scratchpad;
}

static void reorder(const layer *y, const job *j, const void *from, void *to, void *scratchpad)
{
    job_set(j, DNNL_ARG_FROM, from);
    job_set(j, DNNL_ARG_TO, to);
    job_run(j, y->stream, scratchpad);
}

static void set_weights(const layer *y, const job *j, const float *from, void *to, size_t bytes,
                        void *scratch)
{
    reorder(y, j, from, to, scratch);
    if (y->factor == ROUNDED)
        numbers_convert((int64_t)(bytes / sizeof(float)), FLOAT, to, NULL, ROUNDED, to);
}

void layer_set_weights(layer *y, const float *w, void *scratch)
{
    if (y->products & LAYER_FORWARD)
        set_weights(y, &y->to_forward, w, y->w_forward, y->w_forward_bytes, scratch);
    if (y->products & LAYER_DATA)
        set_weights(y, &y->to_data, w, y->w_data, y->w_data_bytes, scratch);
}

/* Which primitives do the samples: all at once if the micro-batch is whole. */
static const passes *passes_of(const layer *y, int64_t batch)
{
    return &y->pass[batch == y->r.batch ? WHOLE : SINGLE];
}

/* Sample b of a tensor of n numbers a sample. */
static char *at(const void *data, int64_t b, int64_t n, number type)
{
    union {
        const void *in;
        char *out;
    } address = {data};
    return address.out + (size_t)(b * n) * number_size(type);
}

void layer_forward(const layer *y, int64_t batch, const void *x, const float *bias, void *out,
                   void *scratch)
{
    const passes *p = passes_of(y, batch);
    job_set(&p->forward, DNNL_ARG_WEIGHTS, y->w_forward);
    job_set(&p->forward, DNNL_ARG_BIAS, bias);
    for (int64_t b = 0; b < batch; b += p->samples) {
        job_set(&p->forward, DNNL_ARG_SRC, at(x, b, in_reals(y), y->factor));
        job_set(&p->forward, DNNL_ARG_DST, at(out, b, out_reals(y), y->output));
        job_run(&p->forward, y->stream, scratch);
    }
}

void layer_data(const layer *y, int64_t batch, const void *dz, void *dx, void *scratch)
{
    const passes *p = passes_of(y, batch);
    job_set(&p->data, DNNL_ARG_WEIGHTS, y->w_data);
    for (int64_t b = 0; b < batch; b += p->samples) {
        job_set(&p->data, DNNL_ARG_DIFF_DST, at(dz, b, out_reals(y), y->factor));
        job_set(&p->data, DNNL_ARG_DIFF_SRC, at(dx, b, in_reals(y), y->input_gradient));
        job_run(&p->data, y->stream, scratch);
    }
}

void layer_add_weights(const layer *y, int64_t batch, const void *x, const void *dz, float *dw,
                       float *db, void *scratch)
{
    const passes *p = passes_of(y, batch);
    char *const made = scratch, *const bias = made + y->dw_bytes, *const pad = bias + db_bytes(y);
    job_set(&p->weights, DNNL_ARG_DIFF_WEIGHTS, made);
    job_set(&p->weights, DNNL_ARG_DIFF_BIAS, bias);
    for (int64_t b = 0; b < batch; b += p->samples) {
        job_set(&p->weights, DNNL_ARG_SRC, at(x, b, in_reals(y), y->factor));
        job_set(&p->weights, DNNL_ARG_DIFF_DST, at(dz, b, out_reals(y), y->factor));
        job_run(&p->weights, y->stream, pad);
        if (dw)
            reorder(y, &y->from_weights, made, dw, pad);
        if (db)
            numbers_add(y->r.out, FLOAT, bias, FLOAT, db);
    }
}

/* ---- the operation ----------------------------------------------------------------------- */

/* In float the core is faster (make bench BENCH=operations) where it halves the products, at
 * kernels of 3 between at least WIDE channels, and in both backwards of a kernel of 1. */
enum { WIDE = 32 };

int layer_declines(const anpe_backend_request *r)
{
    const int wide = r->width == 3 && r->in >= WIDE && r->out >= WIDE;
    const int reduced = r->precision == ANPE_NUMBER_BFLOAT16 ||
                        r->in_stored == ANPE_NUMBER_BFLOAT16 ||
                        r->out_stored == ANPE_NUMBER_BFLOAT16;
    return !reduced && (wide || (r->train && r->width == 1));
}

/* Scratch of the operation, in this order; for forward only the first and the last. */
typedef struct parts {
    char *result; /* y or dx, where it is not written in place */
    char *dz;
    void *products; /* of layer_scratch */
} parts;

static size_t result_bytes(const layer *y)
{
    const size_t b = (size_t)y->r.batch;
    const size_t out = b * (size_t)out_reals(y) * number_size(y->output);
    const size_t in = b * (size_t)in_reals(y) * number_size(y->input_gradient);
    return round64(y->r.train ? largest(in, out) : out);
}

static size_t dz_bytes(const layer *y)
{
    return y->r.train ? round64((size_t)(y->r.batch * out_reals(y)) * number_size(y->factor)) : 0;
}

static parts cut(const layer *y, const anpe_call *call)
{
    char *const scratch = call->scratch, *const dz = scratch + result_bytes(y);
    return (parts){scratch, dz, dz + dz_bytes(y)};
}

void layer_sizes(const layer *y, anpe_backend_operation *operation)
{
    const size_t x = (size_t)(y->r.batch * in_reals(y)) * number_size(y->factor);
    operation->scratch_size = result_bytes(y) + dz_bytes(y) + layer_scratch(y);
    operation->saved_size = y->in == y->factor ? 0 : round64(x);
    if (operation->saved_size)
        operation->backward_needs &= ~(unsigned)ANPE_NEEDS_INPUT;
    if (!y->relu)
        operation->backward_needs &= ~(unsigned)ANPE_NEEDS_OUTPUT;
}

void layer_run_prepare(void *state, const anpe_call *call)
{
    layer_set_weights(state, call->parameter[0], call->scratch);
}

/* The factors of the input, which forward leaves in `saved` where they are not the input itself. */
static const void *input_factors(const layer *y, const anpe_call *call)
{
    return y->in == y->factor ? call->in[0] : call->saved;
}

void layer_run_forward(void *state, const anpe_call *call)
{
    const layer *y = state;
    const parts s = cut(y, call);
    const int in_place = y->out == y->output;
    void *out = in_place ? call->out : s.result;
    if (y->in != y->factor)
        numbers_convert(call->batch * in_reals(y), y->in, call->in[0], NULL, y->factor,
                        call->saved);
    layer_forward(y, call->batch, input_factors(y, call), call->parameter[1], out, s.products);
    if (!in_place)
        numbers_convert(call->batch * out_reals(y), y->output, out, NULL, y->out, call->out);
}

/* dz as the products read it. */
static const void *output_gradient(const layer *y, const anpe_call *call, const parts *s)
{
    if (!y->relu && y->out == y->factor)
        return call->grad_out;
    numbers_convert(call->batch * out_reals(y), y->out, call->grad_out, y->relu ? call->out : NULL,
                    y->factor, s->dz);
    return s->dz;
}

static void input_gradient(const layer *y, const anpe_call *call, const parts *s, const void *dz)
{
    const int64_t n = call->batch * in_reals(y);
    const int in_place = call->grad_in_empty[0] && y->in == y->input_gradient;
    void *dx = in_place ? call->grad_in[0] : s->result;
    layer_data(y, call->batch, dz, dx, s->products);
    if (!in_place && call->grad_in_empty[0])
        numbers_convert(n, y->input_gradient, dx, NULL, y->in, call->grad_in[0]);
    else if (!in_place)
        numbers_add(n, y->input_gradient, dx, y->in, call->grad_in[0]);
}

void layer_run_backward(void *state, const anpe_call *call)
{
    const layer *y = state;
    const parts s = cut(y, call);
    const void *dz = output_gradient(y, call, &s);
    if (call->grad_parameter[0] || call->grad_parameter[1])
        layer_add_weights(y, call->batch, input_factors(y, call), dz, call->grad_parameter[0],
                          call->grad_parameter[1], s.products);
    if (call->grad_in[0])
        input_gradient(y, call, &s, dz);
}
