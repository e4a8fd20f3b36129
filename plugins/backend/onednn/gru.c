/* See gru.h; with h_{-1} = 0 a step is (Cho et al. 2014, in the form of cuDNN and PyTorch)
 *   r = s(W_ir x + b_ir + W_hr h + b_hr)      z = s(W_iz x + b_iz + W_hz h + b_hz)
 *   q = W_hn h + b_hn                         n = tanh(W_in x + b_in + r q)
 *   h' = (1 - z) n + z h
 * and back, from the last step,
 *   dn = dh (1 - z) (1 - n^2)   dz = dh (h - n) z (1 - z)   dr = dn q r (1 - r)   dq = dn r
 *   dh_{-1} = dh z + W_h^T (dr, dz, dq),  and dx = W_i^T (dr, dz, dn) for all steps at once.
 * Gates and the state that is carried on are float; what the products read are factors. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <anpe/vecmath.h>
#include "gru.h"

#if defined ANPE_HAVE_TARGET_CLONES && !defined ANPE_SANITIZE
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONES
#endif

enum { W_IH, W_HH, B_IH, B_HH };

struct gru {
    int64_t batch, length, in, hidden;
    number in_stored, out_stored, factor;
    layer *input;  /* (B, L, in) -> (B, L, 3H) */
    layer *step;   /* (B, H) -> (B, 3H), and back */
    layer *memory; /* gradient of W_hh from all steps */
};

int gru_declines(const anpe_backend_request *r)
{
    return r->precision == ANPE_NUMBER_FLOAT && r->in_stored == ANPE_NUMBER_FLOAT &&
           r->out_stored == ANPE_NUMBER_FLOAT;
}

static anpe_status new_layers(anpe_ctx *ctx, const layer_source *source,
                              const anpe_backend_request *request, gru *g)
{
    anpe_backend_request r = *request;
    const int train = request->train;
    r.width = 1;
    r.out = 3 * request->out;
    r.out_stored = ANPE_NUMBER_FLOAT;
    anpe_status status = layer_new(
        ctx, source, &r, LAYER_FORWARD | (train ? LAYER_DATA | LAYER_WEIGHTS : 0), &g->input);
    r.in = request->out;
    r.in_stored = ANPE_NUMBER_FLOAT;
    if (!status && train)
        status = layer_new(ctx, source, &r, LAYER_WEIGHTS, &g->memory);
    r.rank = 1;
    r.length = 1;
    if (!status)
        status = layer_new(ctx, source, &r, LAYER_FORWARD | (train ? LAYER_DATA : 0), &g->step);
    return status;
}

anpe_status gru_new(anpe_ctx *ctx, const layer_source *source, const anpe_backend_request *request,
                    gru **out)
{
    gru *g;
    *out = NULL;
    if (ANPE_NEW(ctx, g, 1))
        return ANPE_ENOMEM;
    *out = g;
    g->batch = request->batch;
    g->length = request->length;
    g->in = request->in;
    g->hidden = request->out;
    g->in_stored = request->in_stored == ANPE_NUMBER_BFLOAT16 ? BFLOAT16 : FLOAT;
    g->out_stored = request->out_stored == ANPE_NUMBER_BFLOAT16 ? BFLOAT16 : FLOAT;
    const anpe_status status = new_layers(ctx, source, request, g);
    if (status)
        *out = gru_free(g);
    else
        g->factor = layer_factor(g->input);
    return status;
}

gru *gru_free(gru *g)
{
    if (g) {
        layer_free(g->input);
        layer_free(g->step);
        layer_free(g->memory);
    }
    free(g);
    return NULL;
}

/* ---- memory ------------------------------------------------------------------------------ */

/* Cuts pieces from a block; with no block it only counts. */
typedef struct block {
    char *base;
    size_t used;
} block;

static void *take(block *b, int64_t n, number type)
{
    char *piece = b->base ? b->base + b->used : NULL;
    b->used += ((size_t)n * number_size(type) + 63) / 64 * 64;
    return piece;
}

/* From forward to backward. */
typedef struct saved {
    float *gates; /* r, z, n, q (B, L, 4H) */
    void *x;      /* factors of the input, unless they are the input */
} saved;

static saved cut_saved(const gru *g, block *b)
{
    const int64_t rows = g->batch * g->length;
    saved s = {.gates = take(b, rows * 4 * g->hidden, FLOAT)};
    if (g->in_stored != g->factor)
        s.x = take(b, rows * g->in, g->factor);
    return s;
}

typedef struct forward_parts {
    float *projected; /* (B, L, 3H) */
    float *recurrent; /* (B, 3H) */
    float *h;         /* (B, H) */
    void *h_factor;   /* (B, H) */
    void *products;
} forward_parts;

static forward_parts cut_forward(const gru *g, block *b)
{
    const int64_t h = g->hidden, n = g->batch;
    forward_parts s = {.projected = take(b, n * g->length * 3 * h, FLOAT)};
    s.recurrent = take(b, n * 3 * h, FLOAT);
    s.h = take(b, n * h, FLOAT);
    s.h_factor = take(b, n * h, g->factor);
    s.products = take(b, 0, FLOAT);
    return s;
}

typedef struct backward_parts {
    void *du, *dx; /* factors (B, L, 3H): gradients of the recurrent and of the projected sums */
    void *before;  /* factors (B, L, H): h one step earlier */
    void *du_step; /* factors (B, 3H) */
    float *dh, *dh_step; /* (B, H) */
    float *row;          /* 3H of du, 3H of dx, H of h */
    void *dx_out;        /* gradient of the input (B, L, in), where it is not made in place */
    void *products;
} backward_parts;

static backward_parts cut_backward(const gru *g, block *b)
{
    const int64_t h = g->hidden, n = g->batch, rows = n * g->length;
    backward_parts s = {.du = take(b, rows * 3 * h, g->factor)};
    s.dx = take(b, rows * 3 * h, g->factor);
    s.before = take(b, rows * h, g->factor);
    s.du_step = take(b, n * 3 * h, g->factor);
    s.dh = take(b, n * h, FLOAT);
    s.dh_step = take(b, n * h, FLOAT);
    s.row = take(b, 7 * h, FLOAT);
    s.dx_out = take(b, rows * g->in, FLOAT);
    s.products = take(b, 0, FLOAT);
    return s;
}

static size_t largest(size_t a, size_t b)
{
    return a > b ? a : b;
}

void gru_sizes(const gru *g, anpe_backend_operation *operation)
{
    block kept = {0}, forward = {0}, backward = {0};
    cut_saved(g, &kept);
    cut_forward(g, &forward);
    size_t products = largest(layer_scratch(g->input), layer_scratch(g->step));
    if (g->memory) {
        cut_backward(g, &backward);
        products = largest(products, layer_scratch(g->memory));
    }
    operation->saved_size = kept.used;
    operation->scratch_size = largest(forward.used, backward.used) + products;
    operation->backward_needs |= ANPE_NEEDS_OUTPUT;
    if (g->in_stored != g->factor)
        operation->backward_needs &= ~(unsigned)ANPE_NEEDS_INPUT;
}

/* Number i of a stored tensor or of factors. */
static char *at(const void *data, int64_t i, number type)
{
    union {
        const void *in;
        char *out;
    } address = {data};
    return address.out + (size_t)i * number_size(type);
}

/* ---- running ----------------------------------------------------------------------------- */

void gru_run_prepare(void *state, const anpe_call *call)
{
    const gru *g = state;
    layer_set_weights(g->input, call->parameter[W_IH], call->scratch);
    layer_set_weights(g->step, call->parameter[W_HH], call->scratch);
}

/* One step of one sample: x = W_i x + b_i, u = W_h h + b_h; h (H) becomes the next. */
CLONES
static void gates(int64_t n, const float *restrict x, const float *restrict u, float *restrict kept,
                  float *restrict h)
{
    for (int64_t j = 0; j < n; j++) {
        const float r = anpe_sigmoidf(x[j] + u[j]);
        const float z = anpe_sigmoidf(x[n + j] + u[n + j]);
        const float q = u[2 * n + j], candidate = anpe_tanhf(x[2 * n + j] + r * q);
        kept[j] = r, kept[n + j] = z, kept[2 * n + j] = candidate, kept[3 * n + j] = q;
        h[j] = (1 - z) * candidate + z * h[j];
    }
}

void gru_run_forward(void *state, const anpe_call *call)
{
    const gru *g = state;
    const int64_t h = g->hidden, steps = g->length, n = call->batch;
    block kept_block = {call->saved, 0}, parts = {call->scratch, 0};
    const saved kept = cut_saved(g, &kept_block);
    const forward_parts s = cut_forward(g, &parts);
    const void *x = kept.x ? kept.x : call->in[0];
    if (kept.x)
        numbers_convert(n * steps * g->in, g->in_stored, call->in[0], NULL, g->factor, kept.x);
    layer_forward(g->input, n, x, call->parameter[B_IH], s.projected, s.products);
    memset(s.h, 0, (size_t)(n * h) * sizeof(float));
    for (int64_t t = 0; t < steps; t++) {
        numbers_convert(n * h, FLOAT, s.h, NULL, g->factor, s.h_factor);
        layer_forward(g->step, n, s.h_factor, call->parameter[B_HH], s.recurrent, s.products);
        for (int64_t i = 0; i < n; i++) {
            const int64_t row = i * steps + t;
            gates(h, s.projected + row * 3 * h, s.recurrent + i * 3 * h, kept.gates + row * 4 * h,
                  s.h + i * h);
            numbers_convert(h, FLOAT, s.h + i * h, NULL, g->out_stored,
                            at(call->out, row * h, g->out_stored));
        }
    }
}

/* dh: gradient of h' on entry, the part dh z of the gradient of h on return. */
CLONES
static void gate_gradients(int64_t n, const float *restrict kept, const float *restrict before,
                           float *restrict dh, float *restrict du, float *restrict dx)
{
    for (int64_t j = 0; j < n; j++) {
        const float r = kept[j], z = kept[n + j], c = kept[2 * n + j], q = kept[3 * n + j];
        const float dn = dh[j] * (1 - z) * (1 - c * c);
        const float dz = dh[j] * (before[j] - c) * z * (1 - z);
        const float dr = dn * q * r * (1 - r);
        dx[j] = dr, dx[n + j] = dz, dx[2 * n + j] = dn;
        du[j] = dr, du[n + j] = dz, du[2 * n + j] = dn * r;
        dh[j] *= z;
    }
}

/* Step t of sample i. */
static void step_back(const gru *g, const anpe_call *call, const backward_parts *s,
                      const float *kept, int64_t i, int64_t t)
{
    const int64_t h = g->hidden, row = i * g->length + t;
    float *du = s->row, *dx = du + 3 * h, *before = dx + 3 * h;
    memset(before, 0, (size_t)h * sizeof(float));
    if (t)
        numbers_convert(h, g->out_stored, at(call->out, (row - 1) * h, g->out_stored), NULL, FLOAT,
                        before);
    numbers_add(h, g->out_stored, at(call->grad_out, row * h, g->out_stored), FLOAT, s->dh + i * h);
    gate_gradients(h, kept + row * 4 * h, before, s->dh + i * h, du, dx);
    numbers_convert(h, FLOAT, before, NULL, g->factor, at(s->before, row * h, g->factor));
    numbers_convert(3 * h, FLOAT, dx, NULL, g->factor, at(s->dx, row * 3 * h, g->factor));
    numbers_convert(3 * h, FLOAT, du, NULL, g->factor, at(s->du, row * 3 * h, g->factor));
    memcpy(at(s->du_step, i * 3 * h, g->factor), at(s->du, row * 3 * h, g->factor),
           (size_t)(3 * h) * number_size(g->factor));
}

static void input_gradient(const gru *g, const anpe_call *call, const backward_parts *s)
{
    const int64_t n = call->batch * g->length * g->in;
    const number made = layer_input_gradient(g->input);
    const int in_place = call->grad_in_empty[0] && made == g->in_stored;
    void *dx = in_place ? call->grad_in[0] : s->dx_out;
    layer_data(g->input, call->batch, s->dx, dx, s->products);
    if (!in_place && call->grad_in_empty[0])
        numbers_convert(n, made, dx, NULL, g->in_stored, call->grad_in[0]);
    else if (!in_place)
        numbers_add(n, made, dx, g->in_stored, call->grad_in[0]);
}

void gru_run_backward(void *state, const anpe_call *call)
{
    const gru *g = state;
    const int64_t h = g->hidden, n = call->batch;
    block kept_block = {call->saved, 0}, parts = {call->scratch, 0};
    const saved kept = cut_saved(g, &kept_block);
    const backward_parts s = cut_backward(g, &parts);
    memset(s.dh, 0, (size_t)(n * h) * sizeof(float));
    for (int64_t t = g->length - 1; t >= 0; t--) {
        for (int64_t i = 0; i < n; i++)
            step_back(g, call, &s, kept.gates, i, t);
        layer_data(g->step, n, s.du_step, s.dh_step, s.products);
        numbers_add(n * h, FLOAT, s.dh_step, FLOAT, s.dh);
    }
    if (call->grad_parameter[W_HH] || call->grad_parameter[B_HH])
        layer_add_weights(g->memory, n, s.before, s.du, call->grad_parameter[W_HH],
                          call->grad_parameter[B_HH], s.products);
    if (call->grad_parameter[W_IH] || call->grad_parameter[B_IH])
        layer_add_weights(g->input, n, kept.x ? kept.x : call->in[0], s.dx,
                          call->grad_parameter[W_IH], call->grad_parameter[B_IH], s.products);
    if (call->grad_in[0])
        input_gradient(g, call, &s);
}
