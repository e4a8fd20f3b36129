/* The paper's network as it is trained and used: 7214 pixels, 2 channels, 26 labels; ResNet of 8
 * stages with 32 to 512 channels, 2 GRU layers, context 256; MAF of 15 blocks with 256 hidden
 * units. Inputs are random numbers: the data pipeline is measured by itself. */
#include <config.h>
#include "bench/bench.h"
#include "base/random.h"
#include "base/workers.h"
#include "kernel/vector.h"
#include "kind/flow.h"
#include "model/net.h"
#include "train/optimiser.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 7214, CHANNELS = 2, LABELS = 26, DRAWS = 1000 };

static const char paper[] =
    "compute = { backend = \"%s\"; precision = \"%s\"; };\n"
    "network = { context = 256; };\n"
    "featurizer = { plugin = \"resnet_gru\"; depth = 8; conv_min = 32; conv_max = 512;\n"
    "               nlayer = 2; kernel = 3; n_rnn = 2; };\n"
    "flow = { plugin = \"maf\"; num_blocks = 15; hidden = 256; n_mog = 1;\n"
    "         clamp = [ -1.0, 1.0 ]; direct = false; };\n";

typedef struct lane { /* what one thread owns */
    anpe_executor *executor;
    float *gradient, *seed;
} lane;

typedef struct paper_net {
    bench *b;
    anpe_settings *settings;
    anpe_net *net;
    anpe_workers *workers;
    lane *lane;
    float *x, *y; /* (batch, PIXELS, CHANNELS), (batch, LABELS) */
    float *total, *raw;
    anpe_optimiser *optimiser;
    double update; /* seconds of the optimiser's part, all steps */
    int64_t steps;
    anpe_status status;
} paper_net;

static anpe_status out_of_memory(const bench *b)
{
    return ANPE_FAIL(b->ctx, ANPE_ENOMEM, "out of memory");
}

static anpe_status open_paper(bench *b, paper_net *p)
{
    anpe_status status;
    char text[1024];
    *p = (paper_net){.b = b};
    snprintf(text, sizeof text, paper, b->backend_name, b->precision);
    ANPE_TRY(anpe_settings_parse(b->ctx, text, "bench", 0, NULL, &p->settings));
    ANPE_TRY(anpe_net_new(b->ctx, p->settings, PIXELS, CHANNELS, 0, NULL, LABELS, 1, 0, &p->net));
    ANPE_TRY(anpe_workers_new(b->ctx, b->threads, &p->workers));
    p->lane = calloc((size_t)b->threads, sizeof *p->lane);
    p->x = malloc((size_t)(b->batch * PIXELS * CHANNELS) * sizeof *p->x);
    p->y = malloc((size_t)(b->batch * LABELS) * sizeof *p->y);
    if (!p->lane || !p->x || !p->y)
        return out_of_memory(b);
    bench_fill(b->batch * PIXELS * CHANNELS, p->x);
    bench_fill(b->batch * LABELS, p->y);
out:
    return status;
}

static void close_paper(paper_net *p)
{
    for (int i = 0; p->lane && i < p->b->threads; i++) {
        anpe_executor_free(p->lane[i].executor);
        anpe_free(p->lane[i].gradient);
        anpe_free(p->lane[i].seed);
    }
    free(p->lane);
    free(p->x);
    free(p->y);
    anpe_free(p->total);
    anpe_free(p->raw);
    anpe_optimiser_free(p->optimiser);
    anpe_workers_free(p->workers);
    anpe_net_free(p->net);
    anpe_settings_free(p->settings);
}

/* FLOP of the featurizer's products, forward, for one spectrum. */
static double featurizer_flops(void)
{
    double sum = 0;
    int64_t length = PIXELS, before = CHANNELS;
    for (int i = 0; i < 8; i++, length /= 2) {
        const int64_t c = 32 << i < 512 ? 32 << i : 512;
        sum += 2.0 * (double)(length * c * (3 * before + 3 * 3 * c));
        sum += before != c ? 2.0 * (double)(length * c * before) : 0;
        before = c;
    }
    length = PIXELS >> 7;
    return sum + 2 * 2.0 * (double)(length * 6 * 512 * 512) + 2.0 * 512 * 256;
}

/* Rows of micro-batch `item` of the batch. */
static int64_t rows_of(const paper_net *p, int64_t item)
{
    const int64_t left = p->b->batch - item * p->b->micro;
    return left < p->b->micro ? left : p->b->micro;
}

static int64_t items(const paper_net *p)
{
    return (p->b->batch + p->b->micro - 1) / p->b->micro;
}

static void put_inputs(const paper_net *p, lane *l, int64_t item, int64_t n)
{
    const int64_t first = item * p->b->micro;
    memcpy(anpe_executor_tensor(l->executor, p->net->x), p->x + first * PIXELS * CHANNELS,
           (size_t)(n * PIXELS * CHANNELS) * sizeof(float));
    float *y = anpe_executor_tensor(l->executor, p->net->y);
    if (y)
        memcpy(y, p->y + first * LABELS, (size_t)(n * LABELS) * sizeof(float));
}

/* ---- a training step, as core/train/train.c does it -------------------------------------- */

static anpe_status open_training(bench *b, paper_net *p)
{
    anpe_status status = ANPE_OK;
    const size_t size = (size_t)p->net->parameters->effective_size * sizeof(float);
    for (int i = 0; i < b->threads; i++) {
        lane *l = &p->lane[i];
        ANPE_TRY(anpe_net_trainer(b->ctx, p->net, b->micro, &l->executor));
        l->gradient = anpe_alloc(b->ctx, size);
        l->seed = anpe_alloc(b->ctx, (size_t)b->micro * sizeof *l->seed);
        if (!l->gradient || !l->seed)
            return out_of_memory(b);
        for (int64_t k = 0; k < b->micro; k++)
            l->seed[k] = -1.0f / (float)b->batch;
    }
    p->total = anpe_alloc(b->ctx, size);
    p->raw = anpe_alloc(b->ctx, (size_t)p->net->parameters->size * sizeof(float));
    if (!p->total || !p->raw)
        return out_of_memory(b);
    ANPE_TRY(anpe_optimiser_new(b->ctx, p->net->parameters->size, 1, 85, &p->optimiser));
out:
    return status;
}

static anpe_status train_item(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    paper_net *p = user;
    lane *l = &p->lane[worker];
    const int64_t size = p->net->parameters->effective_size, n = rows_of(p, item);
    (void)ctx;
    put_inputs(p, l, item, n);
    anpe_executor_forward(l->executor, n);
    memset(l->gradient, 0, (size_t)size * sizeof *l->gradient);
    anpe_executor_backward(l->executor, p->net->log_prob, l->seed, l->gradient);
    anpe_workers_begin_ordered(p->workers, item);
    anpe_vector_add_f(size, l->gradient, p->total);
    anpe_workers_end_ordered(p->workers, item);
    return ANPE_OK;
}

static void train_step(void *user)
{
    paper_net *p = user;
    anpe_parameters *w = p->net->parameters;
    memset(p->total, 0, (size_t)w->effective_size * sizeof *p->total);
    p->status = anpe_workers_run(p->workers, p->b->ctx, items(p), train_item, p);
    const double start = bench_now();
    double norm;
    if (!p->status)
        p->status = anpe_optimiser_update(p->b->ctx, p->optimiser, 1e-5, p->total, p->raw, w,
                                          p->workers, &norm);
    p->update += bench_now() - start;
    p->steps++;
}

/* Seconds of every operation in a step, on all threads together. */
static void report_profile(const paper_net *p)
{
    anpe_profile_row sum[64], row[64];
    int n = 0;
    for (int i = 0; i < p->b->threads; i++) {
        n = anpe_executor_profile(p->lane[i].executor, row, 64);
        for (int r = 0; r < n; r++) {
            sum[r] = i ? sum[r] : (anpe_profile_row){.operation = row[r].operation};
            sum[r].forward += row[r].forward / (double)p->steps;
            sum[r].backward += row[r].backward / (double)p->steps;
        }
    }
    for (int r = 0; r < n; r++)
        for (int backward = 0; backward < 2; backward++) {
            char name[96];
            snprintf(name, sizeof name, "train part %s %s", sum[r].operation,
                     backward ? "backward" : "forward");
            bench_report(p->b, name, 1e3 * (backward ? sum[r].backward : sum[r].forward),
                         "ms of all threads/step", p->b->threads, NAN, "batch %d micro-batch %d",
                         (int)p->b->batch, (int)p->b->micro);
        }
    bench_report(p->b, "train part optimiser", 1e3 * p->update / (double)p->steps, "ms/step",
                 p->b->threads, NAN, "%lld parameters", (long long)p->net->parameters->size);
}

anpe_status bench_train(bench *b)
{
    paper_net p;
    anpe_status status = open_paper(b, &p);
    if (!status)
        status = open_training(b, &p);
    if (!status) {
        const double t = bench_seconds(b, train_step, &p), rate = (double)b->batch / t;
        bench_report(b, "train step", rate, "spectra/s", b->threads,
                     3 * rate * featurizer_flops() / (b->sgemm * b->threads),
                     "%dx%dx%d micro-batch %d, %d labels", (int)b->batch, PIXELS, CHANNELS,
                     (int)b->micro, LABELS);
        report_profile(&p);
        status = p.status;
    }
    close_paper(&p);
    return status;
}

/* ---- context vectors --------------------------------------------------------------------- */

static anpe_status featurize_item(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    paper_net *p = user;
    lane *l = &p->lane[worker];
    const int64_t n = rows_of(p, item);
    (void)ctx;
    put_inputs(p, l, item, n);
    anpe_executor_forward(l->executor, n);
    return ANPE_OK;
}

static void featurize(void *user)
{
    paper_net *p = user;
    p->status = anpe_workers_run(p->workers, p->b->ctx, items(p), featurize_item, p);
}

static void featurize_one(void *user)
{
    const paper_net *p = user;
    anpe_executor_forward(p->lane[0].executor, 1);
}

anpe_status bench_featurize(bench *b)
{
    paper_net p;
    anpe_status status = open_paper(b, &p);
    for (int i = 0; !status && i < b->threads; i++)
        status = anpe_net_featurizer(b->ctx, p.net, b->micro, &p.lane[i].executor);
    if (!status) {
        const double rate = (double)b->batch / bench_seconds(b, featurize, &p);
        bench_report(b, "featurize", rate, "spectra/s", b->threads,
                     rate * featurizer_flops() / (b->sgemm * b->threads), "%dx%dx%d micro-batch %d",
                     (int)b->batch, PIXELS, CHANNELS, (int)b->micro);
        const double one = bench_seconds(b, featurize_one, &p);
        bench_report(b, "featurize one spectrum", 1e3 * one, "ms", 1,
                     featurizer_flops() / one / b->sgemm, "1x%dx%d", PIXELS, CHANNELS);
        status = p.status;
    }
    close_paper(&p);
    return status;
}

/* ---- the flow: draws and log densities --------------------------------------------------- */

typedef struct flow_net {
    paper_net paper;
    anpe_weights *weights;
    void *sampler;
    char *scratch; /* (thread, scratch_size) */
    size_t scratch_size;
    float *context, *z, *u, *labels, *log_prob;
    int64_t part; /* draws of a piece of work */
    /* log densities: a graph of the flow alone */
    anpe_graph *graph;
    anpe_parameters *parameters;
    anpe_node in, y, out;
} flow_net;

static anpe_status draw_item(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    flow_net *f = user;
    const int64_t first = item * f->part, left = DRAWS - first;
    return anpe_flow_sample(&f->paper.net->flow, ctx, f->sampler, f->context,
                            left < f->part ? left : f->part, f->z + first * LABELS,
                            f->u + first * LABELS, f->labels + first * LABELS, f->log_prob + first,
                            f->scratch + (size_t)worker * f->scratch_size);
}

static void draw(void *user)
{
    flow_net *f = user;
    paper_net *p = &f->paper;
    p->status =
        anpe_workers_run(p->workers, p->b->ctx, (DRAWS + f->part - 1) / f->part, draw_item, f);
}

static anpe_status density_item(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    flow_net *f = user;
    const int64_t left = DRAWS - item * f->part;
    (void)ctx;
    anpe_executor_forward(f->paper.lane[worker].executor, left < f->part ? left : f->part);
    return ANPE_OK;
}

static void densities(void *user)
{
    flow_net *f = user;
    paper_net *p = &f->paper;
    p->status =
        anpe_workers_run(p->workers, p->b->ctx, (DRAWS + f->part - 1) / f->part, density_item, f);
}

static anpe_status open_sampler(bench *b, flow_net *f)
{
    const size_t n = (size_t)DRAWS * LABELS * sizeof(float);
    anpe_net *net = f->paper.net;
    anpe_status status;
    f->part = (DRAWS + b->threads - 1) / b->threads;
    f->context = anpe_alloc(b->ctx, (size_t)net->n_context * sizeof(float));
    f->z = anpe_alloc(b->ctx, n), f->u = anpe_alloc(b->ctx, n);
    f->labels = anpe_alloc(b->ctx, n), f->log_prob = anpe_alloc(b->ctx, n);
    f->scratch_size = anpe_flow_scratch(&net->flow, f->part);
    f->scratch_size = (f->scratch_size + 63) / 64 * 64;
    f->scratch = anpe_alloc(b->ctx, (size_t)b->threads * f->scratch_size + 64);
    if (!f->scratch || !f->context || !f->z || !f->u || !f->labels || !f->log_prob)
        return out_of_memory(b);
    anpe_rng rng = anpe_rng_make(1, ANPE_FOR_POSTERIOR, 0, 0);
    bench_fill(net->n_context, f->context);
    anpe_normals(&rng, (int64_t)DRAWS * LABELS, f->z);
    for (int64_t i = 0; i < (int64_t)DRAWS * LABELS; i++)
        f->u[i] = (float)anpe_uniform(&rng);
    ANPE_TRY(anpe_weights_new(b->ctx, net->parameters, "flow", &f->weights));
    ANPE_TRY(anpe_flow_sampler_new(&net->flow, b->ctx, f->weights, &f->sampler));
out:
    return status;
}

static anpe_status open_density(bench *b, flow_net *f)
{
    anpe_net *net = f->paper.net;
    anpe_status status;
    if (!(f->graph = anpe_graph_new()))
        return out_of_memory(b);
    f->in = anpe_graph_input(f->graph, "context", 1, 1, net->n_context);
    f->y = anpe_graph_input(f->graph, "y", 1, 1, LABELS);
    ANPE_TRY(anpe_flow_build(&net->flow, b->ctx, f->graph, f->y, f->in, &f->out));
    ANPE_TRY(anpe_parameters_new(b->ctx, f->graph, ANPE_FLOAT, 1, &f->parameters));
    for (int i = 0; i < b->threads; i++) {
        lane *l = &f->paper.lane[i];
        ANPE_TRY(anpe_executor_new(b->ctx, f->graph, f->parameters, net->backend, f->part, 0, 0, 1,
                                   &f->out, &l->executor));
        float *c = anpe_executor_tensor(l->executor, f->in);
        for (int64_t k = 0; k < f->part; k++) /* one spectrum: the same context in every row */
            memcpy(c + k * net->n_context, f->context, (size_t)net->n_context * sizeof *c);
        bench_fill(f->part * LABELS, anpe_executor_tensor(l->executor, f->y));
    }
out:
    return status;
}

static void close_flow(flow_net *f)
{
    for (int i = 0; f->paper.lane && i < f->paper.b->threads; i++)
        f->paper.lane[i].executor = anpe_executor_free(f->paper.lane[i].executor);
    anpe_parameters_free(f->parameters);
    anpe_graph_free(f->graph);
    if (f->sampler)
        anpe_flow_sampler_free(&f->paper.net->flow, f->sampler);
    anpe_weights_free(f->weights);
    void *const owned[] = {f->scratch, f->context, f->z, f->u, f->labels, f->log_prob};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        anpe_free(owned[i]);
    close_paper(&f->paper);
}

anpe_status bench_flow(bench *b)
{
    flow_net f = {0};
    anpe_status status = open_paper(b, &f.paper);
    if (!status)
        status = open_sampler(b, &f);
    if (!status)
        status = open_density(b, &f);
    if (!status) {
        const double draws = DRAWS / bench_seconds(b, draw, &f);
        status = f.paper.status;
        const double dense = DRAWS / bench_seconds(b, densities, &f);
        status = status ? status : f.paper.status;
        const char *shape = "%d of one spectrum, %d labels, 15 blocks of 256";
        bench_report(b, "posterior draws", draws, "draws/s", b->threads, NAN, shape, DRAWS, LABELS);
        bench_report(b, "log densities", dense, "densities/s", b->threads, NAN, shape, DRAWS,
                     LABELS);
        bench_report(b, "draws to log densities", draws / dense, "ratio", b->threads, NAN, shape,
                     DRAWS, LABELS);
    }
    close_flow(&f);
    return status;
}
