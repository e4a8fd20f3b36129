/* Speed of a featurizer-like network on one thread: spectra per second forward and forward with
 * backward, GFLOP/s of its products, and seconds per operation.
 *   bench_graph [first channels, 8] [largest, 64] [micro-batch, 4] [length, 7214] [repeats, 5] */
#include "config.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/context.h"
#include "base/loader.h"
#include "graph/network.h"

typedef struct bench {
    int64_t first, most, batch, length;
    double flops; /* of the products of one spectrum, forward */
} bench;

static anpe_node conv(bench *b, anpe_graph *g, const char *name, anpe_node x, int64_t out,
                      int64_t k, unsigned flags)
{
    b->flops += 2.0 * (double)(anpe_length(g, x) * anpe_width(g, x) * out * k);
    return anpe_conv1d(g, name, x, out, k, flags);
}

static anpe_node build(bench *b, anpe_graph *g, anpe_node x)
{
    const unsigned flags = ANPE_WEIGHT_NORM | ANPE_RELU;
    for (int i = 0; i < 8; i++) {
        const int64_t wide = b->first << i, c = wide < b->most ? wide : b->most;
        if (i)
            x = anpe_max_pool(g, x, 2);
        for (int j = 0; j < 2; j++) {
            anpe_node y = conv(b, g, anpe_name(g, "%d.%d.conv1", i, j), x, c, 3, flags);
            y = conv(b, g, anpe_name(g, "%d.%d.conv2", i, j), y, c, 3, flags);
            if (anpe_width(g, x) != c)
                x = conv(b, g, anpe_name(g, "%d.%d.skip", i, j), x, c, 1, 0);
            x = anpe_add(g, y, x);
        }
    }
    for (int i = 0; i < 2; i++) {
        b->flops += 2.0 * (double)(anpe_length(g, x) * 6 * anpe_width(g, x) * anpe_width(g, x));
        x = anpe_gru(g, anpe_name(g, "gru.%d", i), x, anpe_width(g, x));
    }
    return anpe_linear(g, "head", anpe_last(g, x), 64, 0);
}

/* Time of this thread, so that a busy machine matters less. */
static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static anpe_status run(anpe_ctx *ctx, bench *b, int train, int repeats, anpe_backend backend)
{
    anpe_graph *g = anpe_graph_new();
    anpe_parameters *p = NULL;
    anpe_executor *e = NULL;
    const anpe_node in = anpe_graph_input(g, "x", 2, b->length, 2);
    b->flops = 0;
    const anpe_node out = build(b, g, in);
    anpe_status status = anpe_parameters_new(ctx, g, ANPE_FLOAT, 1, &p);
    if (status == ANPE_OK)
        status = anpe_executor_new(ctx, g, p, backend, b->batch, train, 0, 1, &out, &e);
    float *grad = calloc(p ? (size_t)p->effective_size : 1, sizeof *grad);
    float *seed = calloc((size_t)b->batch * 64, sizeof *seed);
    double best = INFINITY;
    for (int r = -1; status == ANPE_OK && grad && seed && r < repeats; r++) {
        for (int64_t i = 0; r < 0 && i < b->batch * b->length * 2; i++)
            ((float *)anpe_executor_tensor(e, in))[i] = (float)sin(0.01 * (double)(i % 9973));
        for (int64_t i = 0; i < b->batch * 64; i++)
            seed[i] = 1;
        const double start = seconds();
        anpe_executor_forward(e, b->batch);
        if (train)
            anpe_executor_backward(e, out, seed, grad);
        best = r >= 0 && seconds() - start < best ? seconds() - start : best;
    }
    if (status == ANPE_OK) {
        const double rate = (double)b->batch / best;
        printf("%s: %.1f spectra/s, %.1f GFLOP/s, %.1f MB\n",
               train ? "forward and backward" : "forward", rate,
               rate * b->flops * (train ? 3 : 1) * 1e-9, (double)anpe_executor_bytes(e) * 1e-6);
        anpe_profile_row rows[30];
        const int n = anpe_executor_profile(e, rows, 30);
        for (int i = 0; i < n; i++)
            printf("    %-16s forward %8.3f ms  backward %8.3f ms\n", rows[i].operation,
                   1e3 * rows[i].forward / (repeats + 1), 1e3 * rows[i].backward / (repeats + 1));
    }
    free(grad), free(seed);
    anpe_executor_free(e), anpe_parameters_free(p), anpe_graph_free(g);
    return status;
}

static int64_t number(int argc, char **argv, int i, int64_t otherwise)
{
    return i < argc ? strtoll(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    anpe_ctx *ctx = anpe_ctx_new();
    const anpe_plugin *plugin = NULL;
    void *self = NULL;
    const struct {
        const char *coretype;
    } options = {"auto"};
    bench b = {number(argc, argv, 1, 8), number(argc, argv, 2, 64), number(argc, argv, 3, 4),
               number(argc, argv, 4, 7214), 0};
    const int repeats = (int)number(argc, argv, 5, 5);
    anpe_status status = anpe_loader_get(ctx, ANPE_BACKEND, "openblas", &plugin);
    if (status == ANPE_OK)
        status = plugin->create(ctx, &options, NULL, &self);
    for (int train = 0; status == ANPE_OK && train < 2; train++)
        status = run(ctx, &b, train, repeats, (anpe_backend){self, plugin->ops});
    if (status != ANPE_OK)
        fprintf(stderr, "bench_graph: %s\n", anpe_error(ctx));
    anpe_ctx_free(ctx);
    return status == ANPE_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
