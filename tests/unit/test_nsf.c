/* The flow nsf: its spline against the paper's formulas written out, gradients, inverse, density,
 * and that nothing that can be put in makes a NaN or an infinity. */
#include "graph_support.h"
#include "network_support.h"

typedef double real;
#define real_exp  exp
#define real_log  log
#define real_sqrt sqrt
#include "../../plugins/flow/nsf/label.h"
#include "../../plugins/flow/nsf/operations.h"

#define LOG_TWO_PI 1.83787706640934548356

static nsf_shape shape_new(int64_t bins, double bound, double least)
{
    return (nsf_shape){bins, bound, least, least, least, -8, 8, nsf_shift(least)};
}

/* ---- the spline -------------------------------------------------------------------------- */

/* Durkan et al. (2019), equations 4 to 7, with all knots in arrays; nothing shared with spline.h.
 * raw: m, a, K widths, K heights, K - 1 derivatives. */
static double by_the_paper(const nsf_shape *p, const double *raw, double x, double *log_slope)
{
    const int K = (int)p->n_bins;
    const double *part[2] = {raw + 2, raw + 2 + K}, least[2] = {p->min_width, p->min_height};
    double knot[2][NSF_MAX_BINS + 1], derivative[NSF_MAX_BINS + 1];
    for (int side = 0; side < 2; side++) {
        double sum = 0;
        for (int i = 0; i < K; i++)
            sum += exp(part[side][i]);
        knot[side][0] = -p->bound;
        for (int i = 0; i < K; i++)
            knot[side][i + 1] =
                knot[side][i] +
                2 * p->bound * (least[side] + (1 - K * least[side]) * exp(part[side][i]) / sum);
    }
    derivative[0] = derivative[K] = 1;
    for (int i = 1; i < K; i++)
        derivative[i] =
            fmin(p->min_derivative +
                     log(1 + exp(raw[1 + 2 * K + i] + log(exp(1 - p->min_derivative) - 1))),
                 1 / p->min_derivative);
    const double u = (x - raw[0]) * exp(-raw[1]);
    *log_slope = -raw[1];
    if (u <= -p->bound || u >= p->bound)
        return u;
    int k = 0;
    while (k < K - 1 && u >= knot[0][k + 1])
        k++;
    const double w = knot[0][k + 1] - knot[0][k], h = knot[1][k + 1] - knot[1][k], s = h / w;
    const double xi = (u - knot[0][k]) / w, d0 = derivative[k], d1 = derivative[k + 1];
    const double down = s + (d1 + d0 - 2 * s) * xi * (1 - xi);
    *log_slope += log(s * s * (d1 * xi * xi + 2 * s * xi * (1 - xi) + d0 * (1 - xi) * (1 - xi)) /
                      down / down);
    return knot[1][k] + h * (s * xi * xi + d0 * xi * (1 - xi)) / down;
}

static void some_raw(const nsf_shape *p, double size, anpe_rng *rng, double *raw)
{
    for (int64_t i = 0; i < nsf_outputs(p); i++)
        raw[i] = size * anpe_normal(rng);
    raw[1] /= 4;
}

static void test_against_the_paper(void)
{
    double raw[3 * NSF_MAX_BINS + 1];
    for (int i = 0; i < 20000; i++) {
        anpe_rng rng = {.key = {(uint32_t)i, 1}};
        const nsf_shape p = shape_new(2 + anpe_integer(&rng, 12), 0.5 + 5 * anpe_uniform(&rng),
                                      i % 2 ? 1e-3 : 0.05);
        some_raw(&p, 2, &rng, raw);
        const double x = 2 * p.bound * anpe_normal(&rng);
        double slope, reference_slope;
        const double z = nsf_forward(&p, raw, 1, x, &slope);
        CU_ASSERT_DOUBLE_EQUAL(z, by_the_paper(&p, raw, x, &reference_slope),
                               1e-11 * (1 + fabs(z)));
        CU_ASSERT_DOUBLE_EQUAL(slope, reference_slope, 1e-11);
    }
}

/* There and back. A difference of 1e-15 at one end is magnified by the slope, which is at most 1e3
 * squared in a bin, times exp(+-a). */
static void test_inverse(void)
{
    double raw[3 * NSF_MAX_BINS + 1];
    for (int i = 0; i < 20000; i++) {
        anpe_rng rng = {.key = {(uint32_t)i, 2}};
        const nsf_shape p = shape_new(2 + anpe_integer(&rng, 12), 5, 1e-3);
        some_raw(&p, i % 3 ? 1.5 : 5, &rng, raw);
        const double z = 3 * anpe_normal(&rng);
        double back_slope, slope;
        const double x = nsf_inverse(&p, raw, 1, z, &back_slope);
        const double there = nsf_forward(&p, raw, 1, x, &slope);
        CU_ASSERT_DOUBLE_EQUAL(there, z, 1e-14 * exp(fmax(slope, 0)) * (1 + fabs(x)) + 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(slope, back_slope, 1e-5);
    }
}

typedef void panel_fn(const nsf_shape *p, double *raw, double *z, double *log_det);

/* A panel by each set of instructions against one lane after the other: inside the splines and
 * beyond them. */
static void check_panel(panel_fn *panel, uint32_t key)
{
    double raw[3 * NSF_MAX_BINS + 1], all[(3 * NSF_MAX_BINS + 1) * LANES], z[LANES], x[LANES];
    double slope[LANES], log_det[LANES];
    anpe_rng rng = {.key = {key, 7}};
    const nsf_shape p = shape_new(2 + anpe_integer(&rng, 12), 3, 1e-3);
    for (int64_t t = 0; t < LANES; t++) {
        some_raw(&p, 1.5, &rng, raw);
        for (int64_t k = 0; k < nsf_outputs(&p); k++)
            all[k * LANES + t] = raw[k];
        z[t] = 2 * anpe_normal(&rng);
        x[t] = nsf_inverse(&p, raw, 1, z[t], &slope[t]);
    }
    panel(&p, all, z, log_det);
    for (int64_t t = 0; t < LANES; t++) {
        CU_ASSERT_DOUBLE_EQUAL(z[t], x[t], 1e-10 * (1 + fabs(x[t])));
        CU_ASSERT_DOUBLE_EQUAL(log_det[t], slope[t], 1e-9);
    }
}

static void test_panels(void)
{
    for (uint32_t i = 0; i < 2000; i++) {
        check_panel(nsf_inverse_plain, i);
#if defined __x86_64__
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
            check_panel(nsf_inverse_avx2, i);
#endif
        check_panel(nsf_panel_inverse, i); /* the widest that is here */
    }
}

/* log dz/dx by central differences: h^2 times a third derivative, 1e-16 / h of rounding. */
static void test_slope(void)
{
    double raw[3 * NSF_MAX_BINS + 1], none, slope;
    const double h = 1e-6;
    for (int i = 0; i < 5000; i++) {
        anpe_rng rng = {.key = {(uint32_t)i, 3}};
        const nsf_shape p = shape_new(6, 3, 0.02);
        some_raw(&p, 1, &rng, raw);
        const double x = 2 * anpe_normal(&rng);
        const double up = nsf_forward(&p, raw, 1, x + h, &none);
        const double down = nsf_forward(&p, raw, 1, x - h, &none);
        (void)nsf_forward(&p, raw, 1, x, &slope);
        CU_ASSERT(up > down);
        CU_ASSERT_DOUBLE_EQUAL(log((up - down) / (2 * h)), slope, 1e-4);
    }
}

static void test_identity(void)
{
    const nsf_shape p = shape_new(8, 5, 1e-3);
    const double raw[3 * NSF_MAX_BINS + 1] = {0};
    for (double x = -7; x < 7; x += 0.37) { /* raw zeros change nothing */
        double slope;
        CU_ASSERT_DOUBLE_EQUAL(nsf_forward(&p, raw, 1, x, &slope), x, 1e-13);
        CU_ASSERT_DOUBLE_EQUAL(slope, 0, 1e-13);
    }
}

/* ---- gradients of the operations --------------------------------------------------------- */

static anpe_node build_step(anpe_graph *g, const anpe_node *in)
{
    const nsf_shape p = shape_new(3, 2, 0.01); /* all inside */
    return nsf_step(g, in[0], in[1], &p);
}

static anpe_node build_tails(anpe_graph *g, const anpe_node *in)
{
    const nsf_shape p = shape_new(4, 0.4, 0.1); /* some outside */
    return nsf_step(g, in[0], in[1], &p);
}

static anpe_node build_clamped(anpe_graph *g, const anpe_node *in)
{
    nsf_shape p = shape_new(2, 1, 0.2);
    p.lo = -0.3;
    p.hi = 0.3;
    return nsf_step(g, in[0], in[1], &p);
}

static anpe_node build_normal(anpe_graph *g, const anpe_node *in)
{
    return nsf_normal(g, nsf_saturate(g, in[0]));
}

static void test_gradients(void)
{
    static const anpe_test_case cases[] = {
        {"step", build_step, 2, {1, 1}, {1, 1}, {3, 30}, 0},
        {"tails", build_tails, 2, {1, 1}, {1, 1}, {4, 52}, 0},
        {"clamped", build_clamped, 2, {1, 1}, {1, 1}, {5, 35}, 0},
        {"normal", build_normal, 1, {1, 0}, {1, 0}, {5, 0}, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const double error = anpe_test_gradient_error(&cases[i], 1);
        const double wrong = anpe_test_gradient_error(&cases[i], 1.01);
        if (!(error >= 0 && error < 1e-7 && wrong > 4e-3))
            printf("\n    %s: error %g, with a backward 1 %% wrong %g\n", cases[i].name, error,
                   wrong);
        CU_ASSERT(error >= 0 && error < 1e-7);
        CU_ASSERT(wrong > 4e-3);
    }
}

/* ---- the whole flow ---------------------------------------------------------------------- */

typedef struct nsf_case {
    int64_t labels, context, blocks, hidden, bins;
    double scale; /* weights are multiplied by this */
} nsf_case;

static const nsf_case cases[] = {{1, 3, 1, 4, 4, 1.5},
                                 {1, 2, 3, 8, 8, 2},
                                 {2, 3, 2, 16, 8, 1.5},
                                 {5, 4, 3, 9, 5, 1.3},
                                 {12, 6, 4, 32, 8, 1.2}};
#define N_CASES (sizeof cases / sizeof cases[0])

/* As network_support.h makes a maf. g: sizes only. */
static void open_flow(const nsf_case *c, uint32_t seed, flow *f)
{
    char config[256];
    const fixture_shape shape = {BATCH, 0, 0, c->labels, c->context, seed};
    snprintf(config, sizeof config,
             "flow = { plugin = \"nsf\"; num_blocks = %d; hidden = %d; bins = %d; };",
             (int)c->blocks, (int)c->hidden, (int)c->bins);
    *f = (flow){.g = {.labels = c->labels, .cond = c->context}};
    WORKS(fixture_build(ctx, config, &shape, &f->exact));
    WORKS(fixture_run_in(ctx, &f->exact, ANPE_DOUBLE));
    WORKS(fixture_build(ctx, config, &shape, &f->single));
    WORKS(fixture_run_in(ctx, &f->single, ANPE_FLOAT));
    scale_weights(f, c->scale, seed);
    WORKS(fixture_sampler(ctx, &f->single));
}

static void some_context(int64_t n, uint32_t seed, double *context)
{
    anpe_rng rng = {.key = {seed, 79}};
    for (int64_t i = 0; i < n; i++)
        context[i] = (double)(float)anpe_normal(&rng);
}

static const double *raw_of(const flow *f, const char *format, int64_t block)
{
    char name[64];
    snprintf(name, sizeof name, format, (int)block);
    const anpe_parameter *p = anpe_parameters_find(f->exact.parameters, name);
    CU_ASSERT_FATAL(p != NULL);
    return (const double *)f->exact.parameters->raw + p->offset;
}

/* The outputs (quantity, label) of one MADE by plain loops; a unit j has degree j mod (D - 1). */
static void plain_made(const flow *f, const nsf_case *c, int64_t block, const double *x,
                       const double *context, double *out)
{
    const int64_t D = c->labels, H = c->hidden, F = c->context, m = D > 1 ? D - 1 : 1;
    const double *w0 = raw_of(f, "flow.blocks.%d.l0.weight", block);
    const double *b0 = raw_of(f, "flow.blocks.%d.l0.bias", block);
    const double *w1 = raw_of(f, "flow.blocks.%d.l1.weight", block);
    const double *b1 = raw_of(f, "flow.blocks.%d.l1.bias", block);
    const double *w2 = raw_of(f, "flow.blocks.%d.l2.weight", block);
    const double *b2 = raw_of(f, "flow.blocks.%d.l2.bias", block);
    const double *cw = raw_of(f, "flow.blocks.%d.cond.weight", block);
    const double *ew = raw_of(f, "flow.blocks.%d.direct.weight", block);
    double h[64], g[64];
    for (int64_t j = 0; j < H; j++) {
        h[j] = b0[j];
        for (int64_t i = 0; i < F; i++)
            h[j] += cw[j * F + i] * context[i];
        for (int64_t d = 0; d < D && d <= j % m; d++)
            h[j] += w0[j * D + d] * x[d];
        h[j] = fmax(h[j], 0);
    }
    for (int64_t j = 0; j < H; j++) {
        g[j] = b1[j];
        for (int64_t i = 0; i < H; i++)
            g[j] += i % m <= j % m ? w1[j * H + i] * h[i] : 0;
        g[j] = fmax(g[j], 0);
    }
    for (int64_t o = 0; o < (3 * c->bins + 1) * D; o++) {
        out[o] = b2[o];
        for (int64_t i = 0; i < F; i++)
            out[o] += ew[o * F + i] * context[i];
        for (int64_t j = 0; j < H; j++)
            out[o] += j % m < o % D ? w2[o * H + j] * g[j] : 0;
    }
}

static double plain_log_prob(const flow *f, const nsf_case *c, const double *label,
                             const double *context)
{
    enum { MOST = 12 };
    const nsf_shape p = shape_new(c->bins, 5, 1e-3);
    double x[MOST], y[MOST], out[MOST * 40], raw[40], sum = 0, slope;
    memcpy(x, label, (size_t)c->labels * sizeof *x);
    for (int64_t b = 0; b < c->blocks; b++) {
        const double *order = raw_of(f, "flow.permutation.%d", b);
        for (int64_t d = 0; d < c->labels; d++)
            y[d] = x[(int64_t)order[d]];
        plain_made(f, c, b, y, context, out);
        for (int64_t d = 0; d < c->labels; d++) {
            for (int64_t q = 0; q < 3 * c->bins + 1; q++)
                raw[q] = out[q * c->labels + d];
            x[d] = by_the_paper(&p, raw, y[d], &slope);
            sum += slope;
        }
    }
    for (int64_t d = 0; d < c->labels; d++)
        sum -= x[d] * x[d] / 2 + LOG_TWO_PI / 2;
    return sum;
}

/* The graph in double against plain loops; the draws' log q, in float, against the graph: 1e-3 is
 * what sums of 64 products and slopes of some tens make of 2^-24. */
static void test_log_prob(void)
{
    enum { N = 200 };
    static double labels[N * 12], log_prob[N], exact[N], context[8];
    for (size_t i = 0; i < N_CASES; i++) {
        const nsf_case *c = &cases[i];
        flow f;
        double plain = 0, single = 0;
        open_flow(c, (uint32_t)i + 1, &f);
        some_context(c->context, (uint32_t)i, context);
        flow_draw(&f, N, context, (uint32_t)i, labels, log_prob);
        flow_log_prob(&f, N, labels, context, exact);
        for (int64_t j = 0; j < N; j++) {
            const double p = plain_log_prob(&f, c, labels + j * c->labels, context);
            plain = fmax(plain, fabs(p - exact[j]) / (1 + fabs(p)));
            single = fmax(single, fabs(log_prob[j] - exact[j]));
        }
        printf("\n    D = %d: plain loops %.1e, draws in float %.1e", (int)c->labels, plain,
               single);
        CU_ASSERT(plain < 1e-10);
        CU_ASSERT(single < 1e-3);
        flow_clear(&f);
    }
}

/* z -> labels by the sampler in double; log q against the determinant of the numerical Jacobian,
 * that is, the product of the diagonal of its triangular form by elimination. */
static made_sampler *double_sampler(const flow *f, const nsf_case *c, const nsf_shape *p)
{
    made_weights w[4];
    const made_shape shape = {c->labels,      c->context,     c->blocks, c->hidden,
                              nsf_outputs(p), nsf_outputs(p), 1};
    for (int64_t b = 0; b < c->blocks; b++)
        w[b] = (made_weights){.permutation = raw_of(f, "flow.permutation.%d", b),
                              .w0 = raw_of(f, "flow.blocks.%d.l0.weight", b),
                              .b0 = raw_of(f, "flow.blocks.%d.l0.bias", b),
                              .w1 = raw_of(f, "flow.blocks.%d.l1.weight", b),
                              .b1 = raw_of(f, "flow.blocks.%d.l1.bias", b),
                              .w2 = raw_of(f, "flow.blocks.%d.l2.weight", b),
                              .b2 = raw_of(f, "flow.blocks.%d.l2.bias", b),
                              .context = raw_of(f, "flow.blocks.%d.cond.weight", b),
                              .direct = raw_of(f, "flow.blocks.%d.direct.weight", b)};
    return made_sampler_new(&shape, w);
}

static void check_jacobian(flow *f, const nsf_case *c, uint32_t seed)
{
    enum { MOST = 5 };
    const int64_t D = c->labels;
    const nsf_shape p = shape_new(c->bins, 5, 1e-3);
    const made_flow label = {nsf_label, &p};
    const double h = 1e-6;
    double z[MOST], u[MOST] = {0}, y[MOST], up[MOST], down[MOST], jacobian[MOST * MOST];
    double context[8], log_prob, exact, base = -0.5 * (double)D * LOG_TWO_PI;
    anpe_rng rng = {.key = {seed, 5}};
    made_sampler *s = double_sampler(f, c, &p);
    void *scratch = s ? anpe_alloc(ctx, made_scratch_size(&s->shape)) : NULL;
    CU_ASSERT_FATAL(s != NULL && scratch != NULL);
    some_context(c->context, seed, context);
    for (int64_t d = 0; d < D; d++) {
        z[d] = anpe_normal(&rng);
        base -= z[d] * z[d] / 2;
    }
    made_sample(s, &label, context, 1, z, u, y, &log_prob, scratch);
    for (int64_t d = 0; d < D; d++) {
        const double keep = z[d];
        z[d] = keep + h;
        made_sample(s, &label, context, 1, z, u, up, NULL, scratch);
        z[d] = keep - h;
        made_sample(s, &label, context, 1, z, u, down, NULL, scratch);
        z[d] = keep;
        for (int64_t i = 0; i < D; i++)
            jacobian[i * D + d] = (up[i] - down[i]) / (2 * h);
    }
    flow_log_prob(f, 1, y, context, &exact);
    CU_ASSERT_DOUBLE_EQUAL(log_prob, exact, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(log_prob, base - log_determinant(D, jacobian), 1e-3);
    anpe_free(scratch);
    made_sampler_free(s);
}

static void test_jacobian(void)
{
    for (size_t i = 0; i < N_CASES; i++) {
        flow f;
        if (cases[i].labels > 5)
            continue;
        open_flow(&cases[i], 10 + (uint32_t)i, &f);
        for (uint32_t j = 0; j < 10; j++)
            check_jacobian(&f, &cases[i], j);
        flow_clear(&f);
    }
}

/* Midpoint rule on [-12, 12]: beyond it there is less than 1e-4; the density has kinks. */
static void test_integral(void)
{
    enum { FINE = 600, LINE = 20000 };
    const nsf_case two = {2, 3, 2, 16, 6, 1.2}, one = {1, 3, 2, 8, 8, 1.5};
    static double points[2 * LINE], density[LINE];
    double context[4], sum = 0;
    const double edge = 12;
    flow f;
    open_flow(&one, 21, &f);
    some_context(3, 21, context);
    for (int i = 0; i < LINE; i++)
        points[i] = -edge + (i + 0.5) * 2 * edge / LINE;
    flow_log_prob(&f, LINE, points, context, density);
    for (int i = 0; i < LINE; i++)
        sum += exp(density[i]) * 2 * edge / LINE;
    flow_clear(&f);
    CU_ASSERT_DOUBLE_EQUAL(sum, 1, 1e-4);
    printf("\n    1-D integral %.6f", sum);

    open_flow(&two, 22, &f);
    sum = 0;
    for (int i = 0; i < FINE; i++) {
        for (int j = 0; j < FINE; j++) {
            points[2 * j] = -edge + (i + 0.5) * 2 * edge / FINE;
            points[2 * j + 1] = -edge + (j + 0.5) * 2 * edge / FINE;
        }
        flow_log_prob(&f, FINE, points, context, density);
        for (int j = 0; j < FINE; j++)
            sum += exp(density[j]) * 4 * edge * edge / FINE / FINE;
    }
    flow_clear(&f);
    CU_ASSERT_DOUBLE_EQUAL(sum, 1, 2e-3);
    printf("\n    2-D integral %.6f", sum);
}

/* The first label of a block sees the context through E, which starts at 0 and was moved. */
static void test_context_counts(void)
{
    const double label[] = {0.3}, here[] = {1, 2, -1}, there[] = {0, -1, 1};
    double a, b;
    flow f;
    open_flow(&cases[0], 40, &f);
    flow_log_prob(&f, 1, label, here, &a);
    flow_log_prob(&f, 1, label, there, &b);
    CU_ASSERT(fabs(a - b) > 1e-3);
    flow_clear(&f);
}

static void test_draws_alone(void)
{
    enum { N = 100, D = 5 };
    static float z[N * D], u[N * D], all[N * D], one[D], log_prob[N], alone;
    const float context[4] = {0.5f, -1, 2, 0.1f};
    flow f;
    open_flow(&cases[3], 4, &f);
    anpe_rng rng = {.key = {6, 83}};
    anpe_normals(&rng, N * D, z);
    WORKS(fixture_sample(ctx, &f.single, context, N, z, u, all, log_prob));
    for (int i = 0; i < N; i++) {
        WORKS(fixture_sample(ctx, &f.single, context, 1, z + i * D, u, one, &alone));
        CU_ASSERT(memcmp(one, all + i * D, sizeof one) == 0);
        CU_ASSERT(alone == log_prob[i]);
    }
    flow_clear(&f);
}

/* ---- finite everywhere ------------------------------------------------------------------- */

/* Sizes from 1e-3 to `most`, evenly in the logarithm, either sign. */
static float wild(anpe_rng *rng, double most)
{
    const double v = exp(log(1e-3) + anpe_uniform(rng) * log(most / 1e-3));
    return (float)(anpe_uniform(rng) < 0.5 ? v : -v);
}

/* The operation in float, forward and backward: 10^7 labels. Random numbers are the slow part, so
 * that each set of parameters meets 1000 labels, in another order each. */
static void test_finite_operation(void)
{
    enum { D = 1000, K = 8, SETS = 10000, N = (3 * K + 1) * D };
    static float x[D], raw[N], out[D + 1], g[D + 1], gx[D], graw[N], pool[100003];
    const nsf_shape p = shape_new(K, 5, 1e-3);
    anpe_call c = {.batch = 1, .n_inputs = 2, .in_width = {D, N}, .out_width = D + 1};
    anpe_rng rng = {.key = {1, 6}};
    int64_t bad = 0;
    c.in[0] = x, c.in[1] = raw, c.out = out, c.grad_out = g, c.attributes = &p;
    c.grad_in[0] = gx, c.grad_in[1] = graw;
    for (int i = 0; i < 100003; i++)
        pool[i] = wild(&rng, i % 3 ? 30 : 1e30);
    for (int i = 0; i <= D; i++)
        g[i] = 1;
    for (int64_t s = 0; s < SETS; s++) {
        const int64_t at = anpe_integer(&rng, 100003);
        for (int64_t i = 0; i < N; i++)
            raw[i] = pool[(at + i) % 100003];
        for (int64_t i = 0; i < D; i++)
            x[i] = pool[(at * 7 + 3 * i) % 100003];
        nsf_step_forward_f(&c);
        for (int64_t i = 0; i <= D; i++)
            bad += !isfinite(out[i]);
        if (s % 100)
            continue;
        memset(gx, 0, sizeof gx);
        memset(graw, 0, sizeof graw);
        nsf_step_backward_f(&c);
        for (int64_t i = 0; i < N; i++)
            bad += !isfinite(graw[i]) || (i < D && !isfinite(gx[i]));
    }
    CU_ASSERT(bad == 0);
}

/* The whole network: labels up to 1e30, contexts up to 1e4, weights a hundred times too large. */
static void test_finite_flow(void)
{
    enum { N = 100000, D = 5, F = 4 };
    const nsf_case c = {D, F, 5, 32, 8, 100};
    double labels[BATCH * D], contexts[BATCH * F], log_prob[BATCH];
    static float z[D * 64], u[D * 64], y[D * 64], lp[64];
    anpe_rng rng = {.key = {2, 7}};
    int64_t bad = 0;
    flow f;
    open_flow(&c, 7, &f);
    for (int i = 0; i < N; i += BATCH) {
        for (int j = 0; j < BATCH * D; j++)
            labels[j] = (double)wild(&rng, j % 2 ? 5 : 1e30);
        for (int j = 0; j < BATCH * F; j++)
            contexts[j] = (double)wild(&rng, j % 3 ? 5 : 1e4);
        fixture_log_prob(&f.single, BATCH, labels, contexts, log_prob);
        for (int j = 0; j < BATCH; j++)
            bad += !isfinite(log_prob[j]);
        float context[F];
        for (int j = 0; j < F; j++)
            context[j] = (float)contexts[j];
        anpe_normals(&rng, D * 64, z);
        WORKS(fixture_sample(ctx, &f.single, context, 64, z, u, y, lp));
        for (int j = 0; j < 64 * D; j++)
            bad += !isfinite(y[j]) || !isfinite(lp[j / D]);
    }
    CU_ASSERT(bad == 0);
    flow_clear(&f);
}

/* A NaN must be seen, not become a number. */
static void test_nan_is_seen(void)
{
    const nsf_case *c = &cases[2];
    const double labels[] = {NAN, 0}, context[] = {0, NAN, 0}, fine[] = {0, 0, 0};
    double log_prob;
    flow f;
    open_flow(c, 8, &f);
    fixture_log_prob(&f.single, 1, labels, fine, &log_prob);
    CU_ASSERT(isnan(log_prob));
    fixture_log_prob(&f.single, 1, fine, context, &log_prob);
    CU_ASSERT(isnan(log_prob));
    flow_clear(&f);
}

static void test_options(void)
{
    flow_refuses("nsf", "bins = 20; min_width = 0.1;",
                 "20 bins of at least 0.1 are more than the whole");
    flow_refuses("nsf", "bins = 1;", "bins");
    flow_refuses("nsf", "bound = 0.0;", "bound");
    flow_refuses("nsf", "clamp = [ 1.0, -1.0 ];", "clamp must ascend");
    flow_refuses("nsf", "n_bins = 3;", "did you mean");
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"the spline as the paper has it", test_against_the_paper},
        {"forward of the inverse", test_inverse},
        {"panels by all instructions", test_panels},
        {"slope against differences", test_slope},
        {"zeros are the identity", test_identity},
        {"gradients", test_gradients},
        {"log q: plain loops, graph, draws", test_log_prob},
        {"log determinant against a numerical Jacobian", test_jacobian},
        {"the density integrates to 1", test_integral},
        {"where the context enters", test_context_counts},
        {"a draw does not depend on its neighbours", test_draws_alone},
        {"finite: the operation", test_finite_operation},
        {"finite: the flow", test_finite_flow},
        {"a NaN is seen", test_nan_is_seen},
        {"options", test_options},
    };
    return run_suite(argc, argv, "flow nsf", COUNT(tests), tests);
}
