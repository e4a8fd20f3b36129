/* Convolutions and linear layers against loops in double: outputs and all gradients, in float and
 * double, for widths that take either way (core/kernel/conv.c and conv3.c), lengths of
 * a part of a tile, a tile, and several, even and odd; and the same with every backend that takes
 * operations over, in each of its precisions. */
#include <config.h>
#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "testlib.h"
#include "base/context.h"
#include "base/loader.h"
#include "kernel/conv3.h"
#include "graph/network.h"
#include "graph_support.h"

typedef struct shape {
    int64_t batch, length, in, out, k;
    int relu, residual; /* residual: + x, so that the input's gradient is added to */
    int linear;         /* k = 1 as anpe_linear; of (B, F) where the length is 1 */
    int64_t spare;      /* rows of the micro-batch that stay empty */
} shape;

static anpe_ctx *ctx;
enum { OPENBLAS, ONEDNN, BFLOAT16, EMULATED, N_BACKENDS };
static anpe_backend backends[N_BACKENDS]; /* ops NULL: not there */
static anpe_backend backend;              /* of the test that runs */

typedef struct net {
    shape s;
    anpe_precision precision;
    anpe_graph *g;
    anpe_parameters *p;
    anpe_executor *e;
    anpe_node x, y, out;
    void *seed, *effective;
} net;

static double get(const net *n, const void *v, int64_t i)
{
    return n->precision == ANPE_DOUBLE ? ((const double *)v)[i] : (double)((const float *)v)[i];
}

/* Numbers that float holds too. */
static double value(uint32_t seed, int64_t i)
{
    return (double)(float)anpe_test_number(seed, i);
}

static void put(const net *n, void *v, uint32_t seed, int64_t size)
{
    for (int64_t i = 0; i < size; i++)
        if (n->precision == ANPE_DOUBLE)
            ((double *)v)[i] = value(seed, i);
        else
            ((float *)v)[i] = (float)value(seed, i);
}

static void open_net(net *n, const shape *s, anpe_precision precision)
{
    const int64_t rows = s->batch * s->length;
    *n = (net){.s = *s, .precision = precision, .g = anpe_graph_new()};
    n->x = anpe_graph_input(n->g, "x", s->linear && s->length == 1 ? 1 : 2, s->length, s->in);
    n->y = s->linear ? anpe_linear(n->g, "a", n->x, s->out, s->relu ? ANPE_RELU : 0)
                     : anpe_conv1d(n->g, "a", n->x, s->out, s->k, s->relu ? ANPE_RELU : 0);
    n->g->vertex[n->y].reduce_factors = 1; /* although it reads an input */
    n->out = s->residual ? anpe_add(n->g, n->y, n->x) : n->y;
    const anpe_node outputs[2] = {n->y, n->out};
    CU_ASSERT_EQUAL_FATAL(anpe_parameters_new(ctx, n->g, precision, 1, &n->p), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(
        anpe_executor_new(ctx, n->g, n->p, backend, s->batch + s->spare, 1, 1, 2, outputs, &n->e),
        ANPE_OK);
    put(n, n->p->raw, 1, n->p->size);
    anpe_parameters_prepare(n->p);
    n->seed = calloc((size_t)(rows * s->out), sizeof(double));
    n->effective = calloc((size_t)n->p->effective_size + 1, sizeof(double));
    put(n, anpe_executor_tensor(n->e, n->x), 2, rows * s->in);
    put(n, n->seed, 3, rows * s->out);
    anpe_executor_forward(n->e, s->batch);
    anpe_executor_backward(n->e, n->out, n->seed, n->effective);
}

static void close_net(net *n)
{
    anpe_executor_free(n->e);
    anpe_parameters_free(n->p);
    anpe_graph_free(n->g);
    free(n->seed);
    free(n->effective);
}

/* Plain sums of k products of numbers below 1 have errors <= (k + 2) k eps. conv3.c: its
 * sums are shorter, k / 3 (k / 4 for the weights) + 12 terms, and the transforms together multiply
 * magnitudes by up to 9.2 * 3: less than 16 (k + 10)^2 eps. In practice its errors are those of the
 * plain sum, so that 2 (k + 10)^2 eps holds with much to spare.
 *
 * In bfloat16, of 8 bits, each of the k products has two factors that are off by up to u = 2^-9 of
 * their size, which is below 1: 2 u (1 + u) k in all, on top of what float sums lose. */
static double bound(const net *n, int64_t k)
{
    const double eps = n->precision == ANPE_DOUBLE ? 1.2e-16 : 6e-8, u = 0x1p-9;
    const int rounded = n->precision == ANPE_FLOAT && backend.precision == ANPE_NUMBER_BFLOAT16;
    return 2 * (double)((k + 10) * (k + 10)) * eps + (rounded ? 2 * u * (1 + u) * (double)k : 0);
}

static double worst(double a, double b)
{
    return a >= b ? a : b; /* NaN stays */
}

/* x[b, l, i], zero outside */
static double at(const shape *s, uint32_t seed, int64_t b, int64_t l, int64_t width, int64_t i)
{
    return l < 0 || l >= s->length ? 0 : value(seed, (b * s->length + l) * width + i);
}

static double output_error(const net *n)
{
    const shape *s = &n->s;
    const anpe_parameter *bias = anpe_parameters_find(n->p, "a.bias");
    const void *y = anpe_executor_tensor(n->e, n->y);
    double error = 0;
    for (int64_t r = 0; r < s->batch * s->length; r++)
        for (int64_t o = 0; o < s->out; o++) {
            double sum = value(1, bias->offset + o);
            for (int64_t j = 0; j < s->k; j++)
                for (int64_t i = 0; i < s->in; i++)
                    sum += get(n, n->p->raw, (o * s->in + i) * s->k + j) *
                           at(s, 2, r / s->length, r % s->length + j - s->k / 2, s->in, i);
            sum = s->relu && sum < 0 ? 0 : sum;
            error = worst(fabs(get(n, y, r * s->out + o) - sum), error);
        }
    return error;
}

/* Gradient of the output, where relu lets it through; zero outside. */
static double dz(const net *n, int64_t b, int64_t l, int64_t o)
{
    const shape *s = &n->s;
    if (l < 0 || l >= s->length)
        return 0;
    const int64_t at_o = (b * s->length + l) * s->out + o;
    return s->relu && !(get(n, anpe_executor_tensor(n->e, n->y), at_o) > 0) ? 0 : value(3, at_o);
}

static double input_error(const net *n)
{
    const shape *s = &n->s;
    const void *dx = anpe_executor_gradient(n->e, n->x);
    double error = 0;
    for (int64_t r = 0; r < s->batch * s->length; r++)
        for (int64_t i = 0; i < s->in; i++) {
            double sum = s->residual ? value(3, r * s->in + i) : 0;
            for (int64_t j = 0; j < s->k; j++)
                for (int64_t o = 0; o < s->out; o++)
                    sum += get(n, n->p->raw, (o * s->in + i) * s->k + j) *
                           dz(n, r / s->length, r % s->length - j + s->k / 2, o);
            error = worst(fabs(get(n, dx, r * s->in + i) - sum), error);
        }
    return error;
}

static double weight_error(const net *n)
{
    const shape *s = &n->s;
    double error = 0;
    for (int64_t o = 0; o < s->out; o++)
        for (int64_t i = 0; i < s->in; i++)
            for (int64_t j = 0; j < s->k; j++) {
                double sum = 0;
                for (int64_t r = 0; r < s->batch * s->length; r++)
                    sum += dz(n, r / s->length, r % s->length, o) *
                           at(s, 2, r / s->length, r % s->length + j - s->k / 2, s->in, i);
                const double have = get(n, n->effective, (o * s->in + i) * s->k + j);
                error = worst(fabs(have - sum), error);
            }
    return error;
}

static double bias_error(const net *n)
{
    const shape *s = &n->s;
    const int64_t offset = (s->out * s->in * s->k + 15) / 16 * 16; /* in the effective block */
    double error = 0;
    for (int64_t o = 0; o < s->out; o++) {
        double sum = 0;
        for (int64_t r = 0; r < s->batch * s->length; r++)
            sum += dz(n, r / s->length, r % s->length, o);
        error = worst(fabs(get(n, n->effective, offset + o) - sum), error);
    }
    return error;
}

static const shape shapes[] = {{2, 9, 5, 7, 3, 1, 0, 0, 0},     {1, 1, 64, 64, 3, 0, 0, 0, 0},
                               {3, 2, 64, 64, 3, 1, 0, 0, 0},   {2, 7, 70, 64, 3, 1, 0, 0, 0},
                               {3, 57, 64, 97, 3, 1, 0, 0, 0},  {2, 231, 66, 65, 3, 1, 0, 0, 0},
                               {1, 450, 64, 64, 3, 0, 0, 0, 0}, {2, 5, 64, 129, 3, 0, 0, 0, 0},
                               {4, 113, 64, 64, 3, 1, 0, 0, 0}, {1, 9, 64, 64, 5, 1, 0, 0, 0},
                               {2, 30, 600, 64, 3, 0, 0, 0, 0}, {1, 12, 64, 600, 3, 1, 0, 0, 0},
                               {2, 11, 6, 6, 3, 1, 1, 0, 0},    {2, 59, 65, 65, 3, 1, 1, 0, 0},
                               {1, 6, 64, 64, 3, 0, 1, 0, 0},   {3, 21, 17, 40, 5, 1, 0, 0, 0},
                               {3, 33, 16, 48, 1, 0, 0, 0, 0},  {2, 19, 33, 33, 1, 1, 1, 1, 0},
                               {6, 1, 50, 34, 1, 1, 0, 1, 0},   {2, 41, 40, 24, 5, 1, 0, 0, 1},
                               {3, 1, 30, 44, 1, 0, 0, 1, 2}};
enum { N_SHAPES = sizeof shapes / sizeof shapes[0] };

static void against_loops(void)
{
    for (int k = 0; k < N_SHAPES; k++)
        for (int precision = ANPE_FLOAT; precision <= ANPE_DOUBLE; precision++) {
            const shape *s = &shapes[k];
            net n;
            open_net(&n, s, (anpe_precision)precision);
            CU_ASSERT(output_error(&n) <= bound(&n, s->k * s->in));
            CU_ASSERT(input_error(&n) <= bound(&n, s->k * s->out));
            CU_ASSERT(weight_error(&n) <= bound(&n, s->batch * s->length));
            CU_ASSERT(bias_error(&n) <= bound(&n, s->batch * s->length));
            close_net(&n);
        }
}

static void test_against_loops(void)
{
    backend = backends[OPENBLAS];
    against_loops();
}

static void test_onednn(void)
{
    backend = backends[ONEDNN];
    if (backend.ops)
        against_loops();
}

static void test_onednn_bfloat16(void)
{
    for (int i = BFLOAT16; i <= EMULATED; i++) {
        backend = backends[i];
        if (backend.ops)
            against_loops();
    }
}

/* Roundings are independent: the root mean square of the errors of sums of k products of numbers in
 * (-1, 1) is at most sqrt(2 k) u, not 2 k u, and well above what float would give. */
static void bfloat16_is_used(void)
{
    const shape s = {2, 300, 64, 64, 3, 0, 0, 0, 0};
    const int64_t size = s.batch * s.length * s.out;
    net n, exact;
    open_net(&n, &s, ANPE_FLOAT);
    open_net(&exact, &s, ANPE_DOUBLE);
    const void *y = anpe_executor_tensor(n.e, n.y), *z = anpe_executor_tensor(exact.e, exact.y);
    double sum = 0;
    for (int64_t i = 0; i < size; i++)
        sum += pow(get(&n, y, i) - get(&exact, z, i), 2);
    const double rms = sqrt(sum / (double)size), expected = sqrt(2.0 * 3 * 64) * 0x1p-9;
    CU_ASSERT(rms < expected && rms > 0.05 * expected);
    close_net(&n);
    close_net(&exact);
}

static void test_bfloat16_is_used(void)
{
    for (int i = BFLOAT16; i <= EMULATED; i++) {
        backend = backends[i];
        if (backend.ops)
            bfloat16_is_used();
    }
}

/* New weights are seen by the next call, in every backend. */
static void test_weights_change(void)
{
    const shape s = {2, 30, 40, 48, 5, 1, 0, 0, 0};
    const size_t bytes = (size_t)(s.batch * s.length * s.out) * sizeof(float);
    for (int i = 0; i < N_BACKENDS; i++) {
        net n;
        backend = backends[i];
        if (!backend.ops)
            continue;
        open_net(&n, &s, ANPE_FLOAT);
        void *y = anpe_executor_tensor(n.e, n.y), *before = malloc(bytes);
        memcpy(before, y, bytes);
        put(&n, n.p->raw, 9, n.p->size);
        anpe_parameters_prepare(n.p);
        anpe_executor_forward(n.e, s.batch);
        CU_ASSERT(memcmp(before, y, bytes) != 0);
        put(&n, n.p->raw, 1, n.p->size);
        anpe_parameters_prepare(n.p);
        anpe_executor_forward(n.e, s.batch);
        CU_ASSERT(memcmp(before, y, bytes) == 0);
        free(before);
        close_net(&n);
    }
}

/* A weight or an input that is not finite does not vanish in a relu, in any backend: the command
 * that trains looks for it. */
static void test_nan_stays(void)
{
    const shape s = {2, 30, 40, 48, 5, 1, 0, 0, 0};
    for (int i = 0; i < N_BACKENDS; i++) {
        net n;
        backend = backends[i];
        if (!backend.ops)
            continue;
        open_net(&n, &s, ANPE_FLOAT);
        const float *y = anpe_executor_tensor(n.e, n.y);
        float *x = anpe_executor_tensor(n.e, n.x), before = x[0];
        x[0] = NAN;
        anpe_executor_forward(n.e, s.batch);
        CU_ASSERT(isnan(y[0]) && isfinite(y[s.length * s.out]));
        x[0] = before;
        ((float *)n.p->raw)[0] = NAN;
        anpe_parameters_prepare(n.p);
        anpe_executor_forward(n.e, s.batch);
        CU_ASSERT(isnan(y[10 * s.out]) && isfinite(y[10 * s.out + 1]));
        close_net(&n);
    }
}

/* ---- threads ----------------------------------------------------------------------------- */

enum { RUNNERS = 3 };
static const shape threaded = {3, 90, 48, 64, 5, 1, 0, 0, 1};

static int64_t effective_bytes(const net *n)
{
    return n->p->effective_size * (int64_t)sizeof(float);
}

static void *run_again(void *user)
{
    net *n = user;
    for (int i = 0; i < 20; i++) {
        memset(n->effective, 0, (size_t)effective_bytes(n));
        anpe_executor_forward(n->e, n->s.batch);
        anpe_executor_backward(n->e, n->out, n->seed, n->effective);
    }
    return NULL;
}

static int count_threads(void)
{
    int count = 0;
    DIR *d = opendir("/proc/self/task");
    for (const struct dirent *e; d && (e = readdir(d));)
        count += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return count;
}

/* Whether count threads are left. A joined thread stays listed until it had the processor once
 * more, a pool of OpenMP's for good: a minute is long for the first. */
static int settles_to(int count)
{
    const struct timespec millisecond = {0, 1000000};
    for (int i = 0; i < 60000 && count_threads() > count; i++)
        nanosleep(&millisecond, NULL);
    return count_threads() == count;
}

/* Executors side by side give the bits of one alone, and nothing but our own threads is there,
 * although the environment asks OpenMP for four. */
static void check_threads(int before)
{
    net alone, n[RUNNERS];
    pthread_t thread[RUNNERS];
    open_net(&alone, &threaded, ANPE_FLOAT);
    run_again(&alone);
    CU_ASSERT(settles_to(before));
    for (int i = 0; i < RUNNERS; i++)
        open_net(&n[i], &threaded, ANPE_FLOAT);
    for (int i = 0; i < RUNNERS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, run_again, &n[i]), 0);
    CU_ASSERT(count_threads() <= before + RUNNERS);
    for (int i = 0; i < RUNNERS; i++) {
        pthread_join(thread[i], NULL);
        CU_ASSERT_EQUAL(memcmp(n[i].effective, alone.effective, (size_t)effective_bytes(&alone)),
                        0);
        close_net(&n[i]);
    }
    CU_ASSERT(settles_to(before));
    close_net(&alone);
}

static void test_threads(void)
{
    const int before = count_threads();
    for (int i = 0; i < N_BACKENDS; i++) {
        backend = backends[i];
        if (backend.ops)
            check_threads(before);
    }
}

/* The shapes above take both ways. */
static void test_both_ways(void)
{
    int taken[2] = {0, 0};
    for (int k = 0; k < N_SHAPES; k++)
        taken[anpe_conv3_fits_f(shapes[k].k, shapes[k].in, shapes[k].out)]++;
    CU_ASSERT(taken[0] >= 2 && taken[1] >= 8);
}

/* A spectrum's output does not depend, to the bit, on what else is in the batch. */
static void test_batch_independent(void)
{
    const shape whole = {3, 227, 64, 96, 3, 1, 0, 0, 0};
    net n;
    backend = backends[OPENBLAS];
    open_net(&n, &whole, ANPE_FLOAT);
    const int64_t in = whole.length * whole.in, out = whole.length * whole.out;
    float *x = anpe_executor_tensor(n.e, n.x), *y = anpe_executor_tensor(n.e, n.y);
    float *last = malloc((size_t)out * sizeof *last);
    memcpy(last, y + 2 * out, (size_t)out * sizeof *last);
    memmove(x, x + 2 * in, (size_t)in * sizeof *x);
    anpe_executor_forward(n.e, 1);
    CU_ASSERT_EQUAL(memcmp(y, last, (size_t)out * sizeof *last), 0);
    free(last);
    close_net(&n);
}

static const anpe_plugin *plugin_of[N_BACKENDS];
static int n_plugins;

/* ops NULL and the reason on standard output where there is no such backend here. */
static anpe_backend open_backend(const char *name, const void *options, anpe_number precision)
{
    const anpe_backend_setup setup = {sizeof setup, precision};
    const anpe_plugin *plugin = NULL;
    void *self = NULL;
    const char *preload = getenv("LD_PRELOAD");
    if (strcmp(name, "onednn") == 0 && preload && strstr(preload, "vgpreload")) {
        printf("skipped: onednn makes its code as it runs, which valgrind takes minutes for\n");
        return (anpe_backend){0};
    }
    if (anpe_loader_get(ctx, ANPE_BACKEND, name, &plugin) != ANPE_OK ||
        plugin->create(ctx, options, &setup, &self) != ANPE_OK) {
        printf("skipped: %s\n", anpe_error(ctx));
        return (anpe_backend){0};
    }
    plugin_of[n_plugins++] = plugin;
    return (anpe_backend){self, plugin->ops, precision};
}

static int start(void)
{
    const struct {
        const char *coretype;
    } options = {"auto"};
    setenv("OMP_NUM_THREADS", "4", 1);
    ctx = anpe_ctx_new();
    backends[OPENBLAS] = open_backend("openblas", &options, ANPE_NUMBER_FLOAT);
    backends[ONEDNN] = open_backend("onednn", NULL, ANPE_NUMBER_FLOAT);
    backends[BFLOAT16] = open_backend("onednn", NULL, ANPE_NUMBER_BFLOAT16);
    backends[EMULATED] = open_backend("onednn", (const int[]){1}, ANPE_NUMBER_BFLOAT16);
    return !backends[OPENBLAS].ops;
}

static int stop(void)
{
    for (int i = 0, k = 0; i < N_BACKENDS; i++)
        if (backends[i].ops)
            plugin_of[k++]->destroy((void *)(uintptr_t)backends[i].self);
    ctx = anpe_ctx_free(ctx);
    return 0;
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"outputs and gradients equal loops", test_against_loops},
        {"oneDNN: the same", test_onednn},
        {"oneDNN in bfloat16: the same, to its rounding", test_onednn_bfloat16},
        {"bfloat16 is used", test_bfloat16_is_used},
        {"weights change", test_weights_change},
        {"what is not finite stays so", test_nan_stays},
        {"threads", test_threads},
        {"both ways are taken", test_both_ways},
        {"a sample does not depend on its batch", test_batch_independent},
    };
    return test_run(argc, argv, "convolution", COUNT(tests), tests, start, stop);
}
