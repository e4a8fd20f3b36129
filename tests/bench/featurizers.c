/* Every featurizer for spectra with its defaults, on one thread: what a spectrum of 7214 pixels and
 * 3 channels costs, forward (inference) and forward and backward (training), without the flow. */
#include <config.h>
#include "bench/bench.h"
#include "kind/featurizer.h"
#include <stdio.h>
#include <stdlib.h>

enum { PIXELS = 7214, CHANNELS = 3, CONTEXT = 64 };

static const char *const configs[] = {
    "featurizer = { plugin = \"resnet_gru\"; };", "featurizer = { plugin = \"resnet\"; };",
    "featurizer = { plugin = \"gru\"; };", "featurizer = { plugin = \"transformer\"; };",
    "featurizer = { plugin = \"mlp\"; hidden = [ 128, 128 ]; };"};
enum { N_CONFIGS = sizeof configs / sizeof configs[0] };

typedef struct net {
    const bench *b;
    anpe_settings *settings;
    anpe_component featurizer;
    anpe_graph *graph;
    anpe_node x, features;
    anpe_parameters *parameters;
    anpe_executor *executor;
    float *gradient, *seed;
} net;

static anpe_status open_net(const bench *b, const char *config, net *n)
{
    const anpe_featurizer_setup setup = {sizeof setup, PIXELS, CHANNELS, CONTEXT};
    anpe_status status;
    *n = (net){.b = b, .graph = anpe_graph_new()};
    if (!n->graph)
        return ANPE_FAIL(b->ctx, ANPE_ENOMEM, "out of memory");
    ANPE_TRY(anpe_settings_parse(b->ctx, config, "bench", 0, NULL, &n->settings));
    ANPE_TRY(anpe_component_new(b->ctx, n->settings, ANPE_FEATURIZER, "featurizer", NULL, &setup,
                                &n->featurizer));
    anpe_graph_reduce(n->graph, 1);
    n->x = anpe_graph_input(n->graph, "x", 2, PIXELS, CHANNELS);
    ANPE_TRY(
        anpe_featurizer_build(&n->featurizer, b->ctx, n->graph, "featurizer", n->x, &n->features));
    ANPE_TRY(anpe_parameters_new(b->ctx, n->graph, ANPE_FLOAT, 1, &n->parameters));
    ANPE_TRY(anpe_executor_new(b->ctx, n->graph, n->parameters, b->backend, b->micro, 1, 0, 1,
                               &n->features, &n->executor));
    n->gradient = calloc((size_t)n->parameters->effective_size, sizeof *n->gradient);
    n->seed = malloc((size_t)(b->micro * CONTEXT) * sizeof *n->seed);
    if (!n->gradient || !n->seed)
        status = ANPE_FAIL(b->ctx, ANPE_ENOMEM, "out of memory");
out:
    return status;
}

static void close_net(net *n)
{
    anpe_executor_free(n->executor);
    anpe_parameters_free(n->parameters);
    anpe_graph_free(n->graph);
    anpe_component_clear(&n->featurizer);
    anpe_settings_free(n->settings);
    free(n->gradient);
    free(n->seed);
}

static void forward(void *user)
{
    net *n = user;
    anpe_executor_forward(n->executor, n->b->micro);
}

static void both(void *user)
{
    net *n = user;
    anpe_executor_forward(n->executor, n->b->micro);
    anpe_executor_backward(n->executor, n->features, n->seed, n->gradient);
}

anpe_status bench_featurizers(bench *b)
{
    anpe_status status = ANPE_OK;
    for (int i = 0; i < N_CONFIGS && !status; i++) {
        net n;
        status = open_net(b, configs[i], &n);
        if (!status) {
            char name[64];
            bench_fill(b->micro * PIXELS * CHANNELS, anpe_executor_tensor(n.executor, n.x));
            bench_fill(b->micro * CONTEXT, n.seed);
            for (int training = 0; training < 2; training++) {
                const double t = bench_seconds(b, training ? both : forward, &n);
                snprintf(name, sizeof name, "%s %s", n.featurizer.plugin->name,
                         training ? "forward and backward" : "forward");
                bench_report(b, name, 1e3 * t / (double)b->micro, "ms/spectrum", 1, NAN,
                             "%dx%dx%d, %lld parameters", (int)b->micro, PIXELS, CHANNELS,
                             (long long)n.parameters->size);
            }
        }
        close_net(&n);
    }
    return status;
}
