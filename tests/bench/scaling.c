/* Cost of inference against the number of pixels and of spectra: the context vector and 1000 draws
 * of each spectrum, with the network of Zhang et al. (2023) cut to a few cores as in
 * payne_alone.cfg. Inputs are random numbers, the same for every micro-batch: reading files is
 * measured by the group command. */
#include <config.h>
#include "bench/bench.h"
#include "base/random.h"
#include "base/workers.h"
#include "kind/flow.h"
#include "model/net.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABELS = 6, CHANNELS = 3, DRAWS = 1000 };
static const int64_t pixels[] = {1000, 2000, 4000, 8000, 16000};
static const int64_t spectra[] = {10, 100, 1000, 10000};
enum {
    N_PIXELS = sizeof pixels / sizeof pixels[0],
    N_SPECTRA = sizeof spectra / sizeof spectra[0]
};

static const char cut[] =
    "compute = { backend = \"%s\"; precision = \"%s\"; };\n"
    "network = { context = 64; };\n"
    "featurizer = { plugin = \"resnet_gru\"; depth = 8; conv_min = 8; conv_max = 64;\n"
    "               nlayer = 1; kernel = 5; };\n"
    "flow = { plugin = \"maf\"; num_blocks = 5; hidden = 96; };\n";

typedef struct lane { /* what one thread owns */
    anpe_executor *executor;
    float *labels, *log_prob;
    char *scratch;
} lane;

typedef struct survey {
    bench *b;
    anpe_settings *settings;
    anpe_net *net;
    anpe_workers *workers;
    anpe_weights *weights;
    void *sampler;
    lane *lane;
    float *x, *z, *u; /* (micro, length, CHANNELS), (DRAWS, LABELS) */
    int64_t length, n;
    anpe_status status;
} survey;

static anpe_status open_lane(survey *s, lane *l)
{
    anpe_ctx *ctx = s->b->ctx;
    anpe_status status = anpe_net_featurizer(ctx, s->net, s->b->micro, &l->executor);
    const size_t size = anpe_flow_scratch(&s->net->flow, DRAWS);
    l->labels = anpe_alloc(ctx, (size_t)DRAWS * LABELS * sizeof *l->labels);
    l->log_prob = anpe_alloc(ctx, (size_t)DRAWS * sizeof *l->log_prob);
    l->scratch = anpe_alloc(ctx, size + 64);
    if (!status && (!l->labels || !l->log_prob || !l->scratch))
        status = ANPE_ENOMEM;
    return status;
}

static anpe_status open_survey(bench *b, int64_t length, survey *s)
{
    anpe_status status;
    char text[1024];
    anpe_rng rng = anpe_rng_make(1, ANPE_FOR_POSTERIOR, 0, 0);
    *s = (survey){.b = b, .length = length};
    snprintf(text, sizeof text, cut, b->backend_name, b->precision);
    ANPE_TRY(anpe_settings_parse(b->ctx, text, "bench", 0, NULL, &s->settings));
    ANPE_TRY(anpe_net_new(b->ctx, s->settings, length, CHANNELS, 0, NULL, LABELS, 1, 0, &s->net));
    ANPE_TRY(anpe_workers_new(b->ctx, b->threads, &s->workers));
    ANPE_TRY(anpe_weights_new(b->ctx, s->net->parameters, "flow", &s->weights));
    ANPE_TRY(anpe_flow_sampler_new(&s->net->flow, b->ctx, s->weights, &s->sampler));
    s->lane = anpe_alloc(b->ctx, (size_t)b->threads * sizeof *s->lane);
    s->x = anpe_alloc(b->ctx, (size_t)(b->micro * length * CHANNELS) * sizeof *s->x);
    s->z = anpe_alloc(b->ctx, (size_t)DRAWS * LABELS * sizeof *s->z);
    s->u = anpe_alloc(b->ctx, (size_t)DRAWS * LABELS * sizeof *s->u);
    if (!s->lane || !s->x || !s->z || !s->u) {
        status = ANPE_ENOMEM;
        goto out;
    }
    bench_fill(b->micro * length * CHANNELS, s->x);
    anpe_normals(&rng, (int64_t)DRAWS * LABELS, s->z);
    for (int64_t i = 0; i < (int64_t)DRAWS * LABELS; i++)
        s->u[i] = (float)anpe_uniform(&rng);
    for (int i = 0; i < b->threads; i++)
        ANPE_TRY(open_lane(s, &s->lane[i]));
out:
    return status;
}

static void close_survey(survey *s)
{
    for (int i = 0; s->lane && i < s->b->threads; i++) {
        anpe_executor_free(s->lane[i].executor);
        anpe_free(s->lane[i].labels);
        anpe_free(s->lane[i].log_prob);
        anpe_free(s->lane[i].scratch);
    }
    anpe_free(s->lane);
    anpe_free(s->x);
    anpe_free(s->z);
    anpe_free(s->u);
    if (s->sampler)
        anpe_flow_sampler_free(&s->net->flow, s->sampler);
    anpe_weights_free(s->weights);
    anpe_workers_free(s->workers);
    anpe_net_free(s->net);
    anpe_settings_free(s->settings);
}

static anpe_status infer_item(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    survey *s = user;
    lane *l = &s->lane[worker];
    const int64_t micro = s->b->micro, left = s->n - item * micro, n = left < micro ? left : micro;
    anpe_status status = ANPE_OK;
    memcpy(anpe_executor_tensor(l->executor, s->net->x), s->x,
           (size_t)(n * s->length * CHANNELS) * sizeof *s->x);
    anpe_executor_forward(l->executor, n);
    const float *context = anpe_executor_tensor(l->executor, s->net->features);
    for (int64_t i = 0; i < n && !status; i++)
        status = anpe_flow_sample(&s->net->flow, ctx, s->sampler, context + i * s->net->n_context,
                                  DRAWS, s->z, s->u, l->labels, l->log_prob, l->scratch);
    return status;
}

static void infer(void *user)
{
    survey *s = user;
    const int64_t micro = s->b->micro;
    s->status = anpe_workers_run(s->workers, s->b->ctx, (s->n + micro - 1) / micro, infer_item, s);
}

/* Once where there are many spectra, else the median. */
static double seconds_of(survey *s)
{
    if (s->n < 1000)
        return bench_seconds(s->b, infer, s);
    const double start = bench_now();
    infer(s);
    return bench_now() - start;
}

anpe_status bench_scaling(bench *b)
{
    anpe_status status = ANPE_OK;
    for (int p = 0; p < N_PIXELS && !status; p++) {
        survey s;
        status = open_survey(b, pixels[p], &s);
        for (int i = 0; i < N_SPECTRA && !status; i++) {
            s.n = spectra[i];
            const double each = seconds_of(&s) / (double)s.n;
            status = s.status;
            bench_report(b, "infer per spectrum", 1e3 * each, "ms", b->threads, NAN,
                         "%d pixels, %d spectra", (int)s.length, (int)s.n);
        }
        close_survey(&s);
    }
    return status;
}
