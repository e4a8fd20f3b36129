/* Backend `onednn`: convolutions, linear layers and products by oneDNN, single-threaded.
 *
 * Which kernels run is oneDNN's own choice for the processor (its variable ONEDNN_MAX_CPU_ISA
 * lowers it); this file only refuses bfloat16 where it would be emulated, unless
 * that is asked for. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <anpe/plugin.h>
#include "gru.h"
#include "layer.h"

typedef struct options {
    int emulate;
} options;

static const anpe_option option_table[] = {
    ANPE_OPT_BOOL(
        options, emulate, 0,
        "bfloat16 on any processor, to see what it does to a training: factors are rounded "
        "to it and multiplied as floats, more slowly than in float"),
    ANPE_OPT_END};

typedef struct onednn {
    layer_source source;
} onednn;

/* What oneDNN would use, best first; each holds the bits of those that it includes. */
static const struct {
    dnnl_cpu_isa_t isa;
    const char *name;
} instruction_sets[] = {
    {dnnl_cpu_isa_avx512_core_amx, "AMX with bfloat16"},
    {dnnl_cpu_isa_avx512_core_bf16, "AVX-512 with bfloat16"},
    {dnnl_cpu_isa_avx512_core, "AVX-512"},
    {dnnl_cpu_isa_avx2, "AVX2"},
};

static int has(dnnl_cpu_isa_t isa)
{
    return (dnnl_get_effective_cpu_isa() & isa) == isa;
}

static const char *instruction_set(void)
{
    for (size_t i = 0; i < sizeof instruction_sets / sizeof instruction_sets[0]; i++)
        if (has(instruction_sets[i].isa))
            return instruction_sets[i].name;
    return "none of AVX2 and AVX-512";
}

static anpe_status create(anpe_ctx *ctx, const void *opts, const void *setup, void **self)
{
    const anpe_backend_setup *s = setup;
    const int emulate = opts && ((const options *)opts)->emulate;
    if (s && s->precision == ANPE_NUMBER_BFLOAT16 && !emulate &&
        !has(dnnl_cpu_isa_avx512_core_bf16))
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "onednn: this processor has no instructions for bfloat16 (AVX512_BF16 or "
                         "AMX_BF16), oneDNN uses %s",
                         instruction_set());
    onednn *o;
    if (ANPE_NEW(ctx, o, 1))
        return ANPE_ENOMEM;
    o->source.emulate = emulate;
    const dnnl_status_t status = dnnl_engine_create(&o->source.engine, dnnl_cpu, 0);
    if (status) {
        free(o);
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "onednn: oneDNN does not start: status %d",
                         (int)status);
    }
    const dnnl_version_t *v = dnnl_version();
    anpe_log(ctx, ANPE_DEBUG, "onednn: version %d.%d.%d, %s", v->major, v->minor, v->patch,
             instruction_set());
    *self = o;
    return ANPE_OK;
}

static void destroy(void *self)
{
    onednn *o = self;
    if (o)
        dnnl_engine_destroy(o->source.engine);
    free(o);
}

/* ---- products that are not part of an operation ------------------------------------------ */

static void sgemm(const void *self, int ta, int tb, int64_t m, int64_t n, int64_t k, float alpha,
                  const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
                  int64_t ldc)
{
    (void)self;
    const int before = onednn_alone_begin();
    (void)dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    onednn_alone_end(before);
}

/* oneDNN has no product in double, and only gradient checks use it. */
static void dgemm(const void *self, int ta, int tb, int64_t m, int64_t n, int64_t k, double alpha,
                  const double *a, int64_t lda, const double *b, int64_t ldb, double beta,
                  double *c, int64_t ldc)
{
    (void)self;
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++)
            c[i * ldc + j] = beta != 0 ? beta * c[i * ldc + j] : 0;
        for (int64_t p = 0; p < k; p++) {
            const double x = alpha * a[ta ? p * lda + i : i * lda + p];
            for (int64_t j = 0; j < n; j++)
                c[i * ldc + j] += x * b[tb ? j * ldb + p : p * ldb + j];
        }
    }
}

/* ---- operations -------------------------------------------------------------------------- */

typedef struct operation {
    layer *layer; /* one of the two */
    gru *gru;
} operation;

static void operation_free(void *state)
{
    operation *o = state;
    if (o) {
        layer_free(o->layer);
        gru_free(o->gru);
    }
    free(o);
}

static anpe_status new_operation(const onednn *self, anpe_ctx *ctx, const anpe_backend_request *r,
                                 anpe_backend_operation *out, operation *o)
{
    const int all = LAYER_FORWARD | (r->train ? LAYER_DATA | LAYER_WEIGHTS : 0);
    const int is_gru = !strcmp(r->operation, "gru");
    const anpe_status status = is_gru ? gru_new(ctx, &self->source, r, &o->gru)
                                      : layer_new(ctx, &self->source, r, all, &o->layer);
    if (!status && is_gru)
        gru_sizes(o->gru, out);
    else if (!status)
        layer_sizes(o->layer, out);
    return status;
}

static anpe_status operation_new(const void *self, anpe_ctx *ctx, const anpe_backend_request *r,
                                 anpe_backend_operation *out)
{
    if (strcmp(r->operation, "gru") ? layer_declines(r) : gru_declines(r))
        return ANPE_OK;
    operation *o;
    if (ANPE_NEW(ctx, o, 1))
        return ANPE_ENOMEM;
    const int before = onednn_alone_begin();
    const anpe_status status = new_operation(self, ctx, r, out, o);
    onednn_alone_end(before);
    if (status)
        operation_free(o);
    else
        out->state = o;
    return status;
}

#define ALONE(name)                                                                                \
    static void operation_##name(void *state, const anpe_call *call)                               \
    {                                                                                              \
        const operation *o = state;                                                                \
        const int before = onednn_alone_begin();                                                   \
        if (o->layer)                                                                              \
            layer_run_##name(o->layer, call);                                                      \
        else                                                                                       \
            gru_run_##name(o->gru, call);                                                          \
        onednn_alone_end(before);                                                                  \
    }
ALONE(prepare)
ALONE(forward)
ALONE(backward)

static const char *const stores_bfloat16[] = {"conv1d", "linear", "masked_linear", "gru", NULL};

static const char *kernels(const void *self)
{
    (void)self;
    return instruction_set();
}

static const anpe_backend_ops ops = {
    .size = sizeof ops,
    .sgemm = sgemm,
    .dgemm = dgemm,
    .operation_new = operation_new,
    .operation_free = operation_free,
    .operation_prepare = operation_prepare,
    .operation_forward = operation_forward,
    .operation_backward = operation_backward,
    .stores_bfloat16 = stores_bfloat16,
    .kernels = kernels,
};

static const anpe_plugin plugin = {
    .abi = ANPE_ABI,
    .kind = ANPE_BACKEND,
    .name = "onednn",
    .version = "1.0",
    .summary = "convolutions, linear layers, GRU and products by oneDNN, in float and bfloat16",
    .capabilities = ANPE_CAN_BFLOAT16,
    .options = option_table,
    .options_size = sizeof(options),
    .create = create,
    .destroy = destroy,
    .ops = &ops,
};
ANPE_PLUGINS(&plugin);
