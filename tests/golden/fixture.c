#include <config.h>
#include "golden/fixture.h"
#include "kind/featurizer.h"
#include "kind/flow.h"
#include <stdlib.h>
#include <string.h>

void fixture_find_plugins(void)
{
    setenv("ANPE_PLUGIN_PATH", TEST_PLUGIN_PATH, 0);
}

double fixture_get(const fixture *f, const void *block, int64_t i)
{
    return f->parameters->precision == ANPE_DOUBLE ? ((const double *)block)[i]
                                                   : (double)((const float *)block)[i];
}

void fixture_set(const fixture *f, void *block, int64_t i, double value)
{
    if (f->parameters->precision == ANPE_DOUBLE)
        ((double *)block)[i] = value;
    else
        ((float *)block)[i] = (float)value;
}

static anpe_status build_networks(anpe_ctx *ctx, fixture *f)
{
    const fixture_shape *s = &f->shape;
    anpe_status status = ANPE_OK;
    if (!(f->graph = anpe_graph_new()))
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "out of memory");
    if (s->length > 0) {
        f->input = anpe_graph_input(f->graph, "input", 2, s->length, s->channels);
        status = anpe_featurizer_build(&f->featurizer, ctx, f->graph, "featurizer", f->input,
                                       &f->features);
    } else {
        f->input = f->features = anpe_graph_input(f->graph, "context", 1, 1, s->context);
    }
    if (!status && s->labels > 0) {
        anpe_graph_scope(f->graph, NULL);
        f->labels = anpe_graph_input(f->graph, "labels", 1, 1, s->labels);
        status = anpe_flow_build(&f->flow, ctx, f->graph, f->labels, f->features, &f->log_prob);
    }
    anpe_graph_scope(f->graph, NULL);
    return status ? status : anpe_graph_check(ctx, f->graph);
}

anpe_status fixture_build(anpe_ctx *ctx, const char *config, const fixture_shape *shape, fixture *f)
{
    const anpe_featurizer_setup featurizer = {sizeof featurizer, shape->length, shape->channels,
                                              shape->context};
    const anpe_flow_setup flow = {sizeof flow, shape->labels, shape->context, shape->seed};
    const anpe_backend_setup backend = {.size = sizeof backend};
    *f = (fixture){.shape = *shape};
    anpe_status status = anpe_settings_parse(ctx, config, "test", 0, NULL, &f->settings);
    if (!status && shape->length > 0)
        status = anpe_component_new(ctx, f->settings, ANPE_FEATURIZER, "featurizer", NULL,
                                    &featurizer, &f->featurizer);
    if (!status && shape->labels > 0)
        status = anpe_component_new(ctx, f->settings, ANPE_FLOW, "flow", "maf", &flow, &f->flow);
    if (!status)
        status = anpe_component_new(ctx, f->settings, ANPE_BACKEND, "backend", "openblas", &backend,
                                    &f->backend);
    if (!status)
        status = build_networks(ctx, f);
    if (status)
        fixture_clear(f);
    return status;
}

anpe_status fixture_run_in(anpe_ctx *ctx, fixture *f, anpe_precision precision)
{
    const anpe_backend backend = {.self = f->backend.self, .ops = f->backend.ops};
    const anpe_node outputs[] = {f->features, f->log_prob};
    anpe_status status =
        anpe_parameters_new(ctx, f->graph, precision, f->shape.seed, &f->parameters);
    if (status)
        return status;
    anpe_parameters_prepare(f->parameters);
    return anpe_executor_new(ctx, f->graph, f->parameters, backend, f->shape.batch, 1, 1,
                             f->shape.labels > 0 ? 2 : 1, outputs, &f->executor);
}

static void free_sampler(fixture *f)
{
    anpe_flow_sampler_free(&f->flow, f->sampler);
    f->sampler = NULL;
    f->weights = anpe_weights_free(f->weights);
}

anpe_status fixture_sampler(anpe_ctx *ctx, fixture *f)
{
    free_sampler(f);
    anpe_parameters_prepare(f->parameters);
    const anpe_status status = anpe_weights_new(ctx, f->parameters, "flow", &f->weights);
    return status ? status : anpe_flow_sampler_new(&f->flow, ctx, f->weights, &f->sampler);
}

anpe_status fixture_sample(anpe_ctx *ctx, const fixture *f, const float *context, int64_t n,
                           const float *z, const float *u, float *labels, float *log_prob)
{
    const size_t size = anpe_flow_scratch(&f->flow, n);
    void *scratch = anpe_alloc(ctx, size);
    if (!scratch)
        return ANPE_ENOMEM;
    memset(scratch, 0xff, size); /* NaN: what is read before it is written would show */
    const anpe_status status =
        anpe_flow_sample(&f->flow, ctx, f->sampler, context, n, z, u, labels, log_prob, scratch);
    anpe_free(scratch);
    return status;
}

void fixture_clear(fixture *f)
{
    free_sampler(f);
    anpe_executor_free(f->executor);
    anpe_parameters_free(f->parameters);
    anpe_graph_free(f->graph);
    anpe_component_clear(&f->featurizer);
    anpe_component_clear(&f->flow);
    anpe_component_clear(&f->backend);
    anpe_settings_free(f->settings);
    *f = (fixture){0};
}

anpe_status fixture_set_parameter(anpe_ctx *ctx, fixture *f, const char *name, int64_t n,
                                  const double *v)
{
    const anpe_parameter *p = anpe_parameters_find(f->parameters, name);
    if (!p)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "the network has no parameter %s", name);
    if (p->size != n)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s has %lld values, not %lld", name, (long long)p->size,
                         (long long)n);
    for (int64_t i = 0; i < n; i++)
        fixture_set(f, f->parameters->raw, p->offset + i, v[i]);
    return ANPE_OK;
}

void fixture_log_prob(fixture *f, int64_t n, const double *labels, const double *input,
                      double *log_prob)
{
    const fixture_shape *s = &f->shape;
    const int64_t width = s->length > 0 ? s->length * s->channels : s->context;
    void *y = anpe_executor_tensor(f->executor, f->labels);
    void *x = anpe_executor_tensor(f->executor, f->input);
    for (int64_t i = 0; i < n * s->labels; i++)
        fixture_set(f, y, i, labels[i]);
    for (int64_t i = 0; i < n * width; i++)
        fixture_set(f, x, i, input[i]);
    anpe_executor_forward(f->executor, n);
    for (int64_t i = 0; i < n; i++)
        log_prob[i] = fixture_get(f, anpe_executor_tensor(f->executor, f->log_prob), i);
}
