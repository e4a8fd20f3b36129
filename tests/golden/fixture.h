/* A network for tests: plugins from configuration text, built, with parameters and an executor. */
#ifndef ANPE_TEST_FIXTURE_H
#define ANPE_TEST_FIXTURE_H
#include "graph/network.h"
#include "kind/component.h"

typedef struct fixture_shape {
    int64_t batch, length, channels; /* length 0: no featurizer, the input is the context */
    int64_t labels, context;
    uint32_t seed;
} fixture_shape;

typedef struct fixture {
    fixture_shape shape;
    anpe_settings *settings;
    anpe_component featurizer, flow, backend;
    anpe_graph *graph;
    anpe_node input, labels, features, log_prob;
    anpe_parameters *parameters;
    anpe_executor *executor;
    /* float only: */
    anpe_weights *weights;
    void *sampler;
} fixture;

/* Configuration, plugins and graph. On an error everything is freed. labels 0: no flow. */
ANPE_MUST_CHECK anpe_status fixture_build(anpe_ctx *ctx, const char *config,
                                          const fixture_shape *shape, fixture *f);
/* Parameters (initialised from seed) and an executor that keeps what backward needs. */
ANPE_MUST_CHECK anpe_status fixture_run_in(anpe_ctx *ctx, fixture *f, anpe_precision precision);
/* After a change of the float parameters: prepares them and makes f->sampler. */
ANPE_MUST_CHECK anpe_status fixture_sampler(anpe_ctx *ctx, fixture *f);
/* The flow's sample with that sampler: n draws for one context. */
anpe_status fixture_sample(anpe_ctx *ctx, const fixture *f, const float *context, int64_t n,
                           const float *z, const float *u, float *labels, float *log_prob);
void fixture_clear(fixture *f);

/* Element i of a block of reals. */
double fixture_get(const fixture *f, const void *block, int64_t i);
void fixture_set(const fixture *f, void *block, int64_t i, double value);
/* Sets raw parameter `name` to v (n); it must exist and have n values. */
ANPE_MUST_CHECK anpe_status fixture_set_parameter(anpe_ctx *ctx, fixture *f, const char *name,
                                                  int64_t n, const double *v);
/* log q of rows (n, D) given contexts (n, F) or inputs (n, L, C); n at most the batch. */
void fixture_log_prob(fixture *f, int64_t n, const double *labels, const double *input,
                      double *log_prob);

/* Points ANPE_PLUGIN_PATH at the build tree unless the environment says otherwise. */
void fixture_find_plugins(void);
#endif
