/* Building the network from its plugins. */
#include "model/net.h"
#include "kind/featurizer.h"
#include "kind/flow.h"
#include "kind/backend.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct network_options {
    int64_t context;
    int arms;
} network_options;

const anpe_option anpe_network_table[] = {
    ANPE_OPT_INT(
        network_options, context, 64, 0, 65536, "",
        "width of the context vector between featurizer and flow; 0: the featurizer's own"),
    ANPE_OPT_BOOL(network_options, arms, 0,
                  "a featurizer for each segment of the instrument (detector, arm, order) with "
                  "weights of its own, their context vectors side by side"),
    ANPE_OPT_END};

const anpe_option anpe_compute_table[] = {
    ANPE_OPT_TEXT(anpe_compute_options, backend, "auto",
                  "plugin that runs the network; auto: the fastest that is installed and that the "
                  "processor can run"),
    ANPE_OPT_ENUM(
        anpe_compute_options, precision, 0, "float|bfloat16",
        "factors of the products in the featurizer's convolutions and linear layers, except "
        "where these read the spectrum itself; all else is float"),
    ANPE_OPT_INT(anpe_compute_options, threads, 0, 0, 4096, "",
                 "worker threads; 0: as many as there are cores"),
    ANPE_OPT_INT(
        anpe_compute_options, micro_batch, 0, 0, 4096, "",
        "spectra a worker runs at once in training; part of the result, unlike threads; 0: "
        "32 where the network has at most 2048 inputs, else 8"),
    ANPE_OPT_END};

static anpe_status open_backend(anpe_ctx *ctx, anpe_net *n, anpe_settings *settings)
{
    void *options;
    anpe_status status = anpe_settings_fill(ctx, settings, "compute", anpe_compute_table,
                                            sizeof(anpe_compute_options), &options);
    if (status)
        return status;
    n->compute = options;
    return anpe_backend_open(ctx, settings, n->compute->backend, (anpe_number)n->compute->precision,
                             &n->backend_plugin, &n->backend);
}

typedef struct input {
    int64_t length, width, n_segments;
    const int64_t *segment;
} input;

/* One featurizer, of `length` pixels x, to context features. */
static anpe_status build_one(anpe_ctx *ctx, anpe_net *n, anpe_settings *settings,
                             anpe_component *featurizer, const char *scope, anpe_node x,
                             int64_t length, int64_t width, int64_t context, anpe_node *features)
{
    const anpe_featurizer_setup setup = {sizeof setup, length, width, context};
    anpe_status status = anpe_component_new(ctx, settings, ANPE_FEATURIZER, "featurizer",
                                            "resnet_gru", &setup, featurizer);
    if (!status)
        status = anpe_featurizer_build(featurizer, ctx, n->graph, scope, x, features);
    if (status)
        return status;
    const int64_t got = anpe_width(n->graph, *features);
    if (anpe_rank(n->graph, *features) != 1 || (context && got != context))
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%s: featurizer '%s' gives %lld features, "
                         "network.context is %lld",
                         anpe_settings_where(settings, "network.context"), featurizer->plugin->name,
                         (long long)got, (long long)context);
    return ANPE_OK;
}

/* A featurizer for each segment, and what they see side by side. */
static anpe_status build_arms(anpe_ctx *ctx, anpe_net *n, anpe_settings *settings, const input *in,
                              int64_t context)
{
    if (in->n_segments < 2)
        return ANPE_FAIL(
            ctx, ANPE_ECONFIG,
            "%s: needs an instrument of several segments whose pixels the network sees "
            "(no observe.basis, no observe.newton)",
            anpe_settings_where(settings, "network.arms"));
    if (ANPE_NEW(ctx, n->arm, in->n_segments - 1))
        return ANPE_ENOMEM;
    n->n_arms = in->n_segments - 1;
    for (int64_t k = 0; k < in->n_segments; k++) {
        const int64_t start = in->segment[k], length = in->segment[k + 1] - start;
        char scope[40];
        anpe_node seen;
        snprintf(scope, sizeof scope, "featurizer.arm%lld", (long long)k);
        const anpe_node x = anpe_pixels(n->graph, n->x, start, length);
        const anpe_status status = build_one(ctx, n, settings, k ? &n->arm[k - 1] : &n->featurizer,
                                             scope, x, length, in->width, context, &seen);
        if (status)
            return status;
        n->features = k ? anpe_concat(n->graph, n->features, seen) : seen;
    }
    return ANPE_OK;
}

static anpe_status build_featurizer(anpe_ctx *ctx, anpe_net *n, anpe_settings *settings,
                                    const input *in)
{
    void *filled;
    anpe_status status = anpe_settings_fill(ctx, settings, "network", anpe_network_table,
                                            sizeof(network_options), &filled);
    if (status)
        return status;
    const network_options *options = filled;
    anpe_graph_reduce(n->graph, 1);
    n->x = anpe_graph_input(n->graph, "x", 2, in->length, in->width);
    status = options->arms ? build_arms(ctx, n, settings, in, options->context)
                           : build_one(ctx, n, settings, &n->featurizer, "featurizer", n->x,
                                       in->length, in->width, options->context, &n->features);
    n->n_context = status ? 0 : anpe_width(n->graph, n->features);
    return status;
}

static anpe_status build_flow(anpe_ctx *ctx, anpe_net *n, anpe_settings *settings, int64_t n_labels,
                              uint32_t seed)
{
    const anpe_flow_setup setup = {sizeof setup, n_labels, n->n_context, seed};
    anpe_status status =
        anpe_component_new(ctx, settings, ANPE_FLOW, "flow", "maf", &setup, &n->flow);
    if (status)
        return status;
    anpe_graph_reduce(n->graph, 0);
    n->y = anpe_graph_input(n->graph, "y", 1, 1, n_labels);
    return anpe_flow_build(&n->flow, ctx, n->graph, n->y, n->features, &n->log_prob);
}

anpe_status anpe_net_new(anpe_ctx *ctx, anpe_settings *settings, int64_t length, int64_t width,
                         int64_t n_segments, const int64_t *segment, int64_t n_labels,
                         uint32_t seed, int blank, anpe_net **out)
{
    const input in = {length, width, n_segments, segment};
    anpe_status status = ANPE_OK;
    anpe_net *n;
    *out = NULL;
    if (ANPE_NEW(ctx, n, 1))
        return ANPE_ENOMEM;
    if (!(n->graph = anpe_graph_new())) {
        status = ANPE_NO_MEMORY(ctx, "the network");
        goto out;
    }
    ANPE_TRY(open_backend(ctx, n, settings));
    ANPE_TRY(build_featurizer(ctx, n, settings, &in));
    ANPE_TRY(build_flow(ctx, n, settings, n_labels, seed));
    ANPE_TRY(blank ? anpe_parameters_new_blank(ctx, n->graph, ANPE_FLOAT, &n->parameters)
                   : anpe_parameters_new(ctx, n->graph, ANPE_FLOAT, seed, &n->parameters));
out:
    if (status)
        n = anpe_net_free(n);
    *out = n;
    return status;
}

anpe_net *anpe_net_free(anpe_net *n)
{
    if (!n)
        return NULL;
    anpe_parameters_free(n->parameters);
    anpe_graph_free(n->graph);
    anpe_component_clear(&n->featurizer);
    for (int64_t k = 0; k < n->n_arms; k++)
        anpe_component_clear(&n->arm[k]);
    free(n->arm);
    anpe_component_clear(&n->flow);
    anpe_component_clear(&n->backend_plugin);
    free(n);
    return NULL;
}

anpe_status anpe_net_trainer(anpe_ctx *ctx, const anpe_net *n, int64_t batch, anpe_executor **out)
{
    return anpe_executor_new(ctx, n->graph, n->parameters, n->backend, batch, 1, 0, 1, &n->log_prob,
                             out);
}

anpe_status anpe_net_featurizer(anpe_ctx *ctx, const anpe_net *n, int64_t batch,
                                anpe_executor **out)
{
    return anpe_executor_new(ctx, n->graph, n->parameters, n->backend, batch, 0, 0, 1, &n->features,
                             out);
}
