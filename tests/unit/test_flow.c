/* The flow maf by its properties: the draws invert the density, the density is one. */
#include "network_support.h"

#define LOG_TWO_PI 1.83787706640934548356

static const flow_case cases[] = {
    /* labels context blocks hidden n_mog direct scale */
    {1, 3, 1, 4, 1, 0, 1.5},   {1, 3, 3, 8, 3, 1, 1.5},   {2, 2, 1, 8, 1, 0, 2},
    {2, 3, 4, 16, 4, 1, 1.5},  {3, 1, 2, 7, 2, 0, 2},     {5, 4, 3, 3, 1, 1, 1.5},
    {6, 24, 4, 32, 1, 0, 1.5}, {26, 17, 5, 64, 8, 1, 1.2}};
#define N_CASES (sizeof cases / sizeof cases[0])

static void some_context(int64_t n, uint32_t seed, double *context)
{
    anpe_rng rng = {.key = {seed, 79}};
    for (int64_t i = 0; i < n; i++) /* floats, so that both precisions see the same */
        context[i] = (double)(float)anpe_normal(&rng);
}

/* In float a network is the exact one with weights changed by about sqrt(n) 2^-24 for sums of n
 * terms (golden_check.c explains): 4 times the largest change of log q over 6 such changes. */
static double float_bound(flow *f, int64_t n, const double *labels, const double *context,
                          const double *exact)
{
    anpe_parameters *p = f->exact.parameters;
    const double longest = fmax((double)f->g.hidden, (double)f->g.cond);
    const double gamma = sqrt(fmax(longest, 3.0 * (double)f->g.n_mog)) * 0x1p-24;
    double *keep = malloc((size_t)p->size * sizeof *keep),
           *other = malloc((size_t)n * sizeof *other);
    double most = 0;
    CU_ASSERT_FATAL(keep != NULL && other != NULL);
    memcpy(keep, p->raw, (size_t)p->size * sizeof *keep);
    for (uint32_t probe = 0; probe < 6; probe++) {
        anpe_rng rng = {.key = {probe, 80}};
        for (int64_t i = 0; i < p->n; i++)
            for (int64_t j = 0; j < p->table[i].size && p->table[i].transform != ANPE_BUFFER; j++) {
                const int64_t k = p->table[i].offset + j;
                ((double *)p->raw)[k] = keep[k] * (1 + (anpe_uniform(&rng) < 0.5 ? gamma : -gamma));
            }
        anpe_parameters_prepare(p);
        flow_log_prob(f, n, labels, context, other);
        for (int64_t i = 0; i < n; i++)
            most = fmax(most, fabs(other[i] - exact[i]) + gamma * fabs(exact[i]));
    }
    memcpy(p->raw, keep, (size_t)p->size * sizeof *keep);
    anpe_parameters_prepare(p);
    free(keep);
    free(other);
    return 4 * most;
}

/* log q that comes with the draws is what the network says of them. */
static void test_log_prob_of_draws(void)
{
    enum { N = 300 };
    static double labels[N * 26], log_prob[N], exact[N], context[32];
    for (size_t i = 0; i < N_CASES; i++) {
        flow f;
        flow_new(&cases[i], (uint32_t)i + 1, &f);
        some_context(cases[i].context, (uint32_t)i, context);
        flow_draw(&f, N, context, (uint32_t)i, labels, log_prob);
        flow_log_prob(&f, N, labels, context, exact);
        const double bound = float_bound(&f, N, labels, context, exact);
        double most = 0;
        for (int64_t j = 0; j < N; j++)
            most = fmax(most, isnan(log_prob[j]) ? INFINITY : fabs(log_prob[j] - exact[j]));
        printf("\n    D = %d, n_mog = %d: difference %.1e, bound %.1e", (int)cases[i].labels,
               (int)cases[i].n_mog, most, bound);
        CU_ASSERT(most <= bound);
        CU_ASSERT(bound < 2e-2); /* or it would say nothing */
        flow_clear(&f);
    }
}

/* log |det dz/dy| from the network against the determinant of a numerical dy/dz of the sampler in
 * double. Central differences with h = 1e-5: error h^2 times a third derivative, plus 1e-16 / h. */
static void check_jacobian(flow *f, const double *context, anpe_rng *rng)
{
    enum { D_MAX = 8 };
    const int64_t D = f->g.labels;
    const double h = 1e-5;
    double z[D_MAX], u[D_MAX], y[D_MAX], up[D_MAX], down[D_MAX], jacobian[D_MAX * D_MAX];
    double log_prob, base = -0.5 * (double)D * LOG_TWO_PI;
    for (int64_t d = 0; d < D; d++) {
        z[d] = anpe_normal(rng);
        u[d] = 0.5;
        base -= z[d] * z[d] / 2;
    }
    WORKS(golden_draw_double(ctx, &f->g, &f->exact, context, 1, z, u, y));
    for (int64_t d = 0; d < D; d++) {
        const double keep = z[d];
        z[d] = keep + h;
        WORKS(golden_draw_double(ctx, &f->g, &f->exact, context, 1, z, u, up));
        z[d] = keep - h;
        WORKS(golden_draw_double(ctx, &f->g, &f->exact, context, 1, z, u, down));
        z[d] = keep;
        for (int64_t i = 0; i < D; i++)
            jacobian[i * D + d] = (up[i] - down[i]) / (2 * h);
    }
    flow_log_prob(f, 1, y, context, &log_prob);
    CU_ASSERT_DOUBLE_EQUAL(log_prob, base - log_determinant(D, jacobian), 1e-6);
}

static void test_jacobian(void)
{
    double context[32];
    for (size_t i = 0; i < N_CASES; i++) {
        flow f;
        flow_case c = cases[i];
        if (c.labels > 8)
            continue;
        c.n_mog = 1; /* with more, a draw is no smooth function of z alone */
        anpe_rng rng = {.key = {(uint32_t)i, 81}};
        flow_new(&c, 10 + (uint32_t)i, &f);
        some_context(c.context, (uint32_t)i, context);
        for (int j = 0; j < 10; j++)
            check_jacobian(&f, context, &rng);
        flow_clear(&f);
    }
}

/* From z to labels by the sampler in double and back by plain loops: the same z in one of the
 * components. Rounding of 1e-16 grows by the factors exp(+-a) of every block. */
static void test_there_and_back(void)
{
    enum { N = 40, MAX = N * 26 };
    static double z[MAX], u[MAX], y[MAX], k[MAX], back[MAX], middle[MAX], miss[MAX],
        contexts[N * 24];
    for (size_t i = 0; i < N_CASES; i++) {
        const flow_case *c = &cases[i];
        const int64_t n = N * c->labels;
        flow f;
        anpe_rng rng = {.key = {(uint32_t)i, 82}};
        flow_new(c, 60 + (uint32_t)i, &f);
        some_context(c->context, (uint32_t)i, contexts);
        for (int64_t j = 0; j < N * c->context; j++)
            contexts[j] = contexts[j % c->context];
        for (int64_t j = 0; j < n; j++) {
            z[j] = anpe_normal(&rng);
            u[j] = anpe_uniform(&rng);
            miss[j] = INFINITY;
        }
        WORKS(golden_draw_double(ctx, &f.g, &f.exact, contexts, N, z, u, y));
        for (int64_t m = 0; m < c->n_mog; m++) {
            for (int64_t j = 0; j < n; j++)
                k[j] = (double)m;
            WORKS(golden_uniforms(ctx, &f.g, &f.exact, contexts, N, y, k, back, middle));
            for (int64_t j = 0; j < n; j++)
                miss[j] = fmin(miss[j], fabs(back[j] - z[j]));
        }
        for (int64_t j = 0; j < n; j++)
            CU_ASSERT(miss[j] < 1e-11);
        flow_clear(&f);
    }
}

/* A draw is the same whatever is drawn beside it, and log_prob may be left out. */
static void test_draws_alone(void)
{
    enum { N = 200, D = 5, F = 4 };
    const flow_case c = {D, F, 3, 17, 3, 1, 1.5};
    static float z[N * D], u[N * D], all[N * D], one[D], log_prob[N], alone;
    float context[F] = {0.5f, -1, 2, 0.1f};
    flow f;
    flow_new(&c, 4, &f);
    anpe_rng rng = {.key = {6, 83}};
    anpe_normals(&rng, N * D, z);
    for (int i = 0; i < N * D; i++)
        u[i] = (float)anpe_uniform(&rng);
    WORKS(fixture_sample(ctx, &f.single, context, N, z, u, all, log_prob));
    for (int i = 0; i < N; i++) {
        WORKS(fixture_sample(ctx, &f.single, context, 1, z + i * D, u + i * D, one,
                             i % 2 ? &alone : NULL));
        CU_ASSERT(memcmp(one, all + i * D, sizeof one) == 0);
        CU_ASSERT(i % 2 == 0 || alone == log_prob[i]);
    }
    WORKS(fixture_sample(ctx, &f.single, context, 0, z, u, all, NULL));
    flow_clear(&f);
}

/* ---- the density ------------------------------------------------------------------------- */

/* Midpoint rule on n x n cells over [-edge, edge]^2; density (n, n). The density is continuous with
 * kinks, so the error is of order cell^2. */
static double integrate(flow *f, int64_t n, double edge, const double *context, double *density)
{
    const double cell = 2 * edge / (double)n;
    double *points = malloc((size_t)(2 * n) * sizeof *points), sum = 0;
    CU_ASSERT_FATAL(points != NULL);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++) {
            points[2 * j] = -edge + ((double)i + 0.5) * cell;
            points[2 * j + 1] = -edge + ((double)j + 0.5) * cell;
        }
        flow_log_prob(f, n, points, context, density + i * n);
        for (int64_t j = 0; j < n; j++)
            sum += density[i * n + j] = exp(density[i * n + j]) * cell * cell;
    }
    free(points);
    return sum;
}

/* The density integrates to 1, and draws fall into 40 x 40 bins as it says: chi2 of the counts
 * within 5 standard deviations, sqrt(2 dof), of its mean. */
static void check_density(const flow_case *c, uint32_t seed)
{
    enum { FINE = 400, BINS = 40, DRAWS = 30000, PER = FINE / BINS };
    static double density[FINE * FINE], labels[2 * DRAWS], log_prob[DRAWS], context[8];
    static double expected[BINS * BINS + 1];
    static int64_t count[BINS * BINS + 1];
    const double edge = 20;
    flow f;
    flow_new(c, seed, &f);
    some_context(c->context, seed, context);
    const double total = integrate(&f, FINE, edge, context, density);
    CU_ASSERT_DOUBLE_EQUAL(
        total, 1, 1e-3); /* the part beyond the edge and cell^2 = 1e-2 times a small factor */

    memset(count, 0, sizeof count);
    memset(expected, 0, sizeof expected);
    for (int i = 0; i < FINE; i++)
        for (int j = 0; j < FINE; j++)
            expected[i / PER * BINS + j / PER] += DRAWS * density[i * FINE + j];
    flow_draw(&f, DRAWS, context, seed, labels, log_prob);
    for (int64_t i = 0; i < DRAWS; i++) {
        const double a = (labels[2 * i] + edge) / (2 * edge) * BINS;
        const double b = (labels[2 * i + 1] + edge) / (2 * edge) * BINS;
        const int in = a >= 0 && a < BINS && b >= 0 && b < BINS;
        count[in ? (int)a * BINS + (int)b : BINS * BINS]++;
    }
    double chi2 = 0, rest = 0;
    int64_t dof = 0, rest_count = count[BINS * BINS];
    expected[BINS * BINS] = 0;
    for (int i = 0; i < BINS * BINS; i++) {
        const double d = (double)count[i] - expected[i];
        if (expected[i] < 20) { /* too few for the chi2 distribution: together */
            rest += expected[i];
            rest_count += count[i];
            continue;
        }
        chi2 += d * d / expected[i];
        dof++;
    }
    printf("\n    n_mog = %d: integral %.6f, chi2 %.1f for %d bins", (int)c->n_mog, total, chi2,
           (int)dof);
    CU_ASSERT(dof >= 10);
    CU_ASSERT(fabs(chi2 - (double)dof) < 5 * sqrt(2 * (double)dof));
    CU_ASSERT(fabs((double)rest_count - rest) < 5 * sqrt(rest + 1) + 1e-3 * DRAWS);
    flow_clear(&f);
}

static void test_density(void)
{
    static const flow_case two[] = {
        {2, 2, 1, 8, 1, 0, 1.5}, {2, 3, 3, 12, 1, 1, 1.5}, {2, 3, 2, 12, 4, 1, 1.5}};
    for (size_t i = 0; i < sizeof two / sizeof two[0]; i++)
        check_density(&two[i], 20 + (uint32_t)i);
}

/* One label: the same by distribution function, sup |F_n - F| < 1.95 / sqrt(n) (p = 1e-3). */
static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void test_one_label(void)
{
    enum { FINE = 8000, DRAWS = 20000 };
    const flow_case c = {1, 3, 3, 8, 3, 1, 2.5};
    static double grid[FINE], density[FINE], labels[DRAWS], log_prob[DRAWS], context[3];
    const double edge = 20, cell = 2 * edge / FINE;
    double sum = 0, most = 0;
    flow f;
    flow_new(&c, 30, &f);
    some_context(3, 30, context);
    for (int i = 0; i < FINE; i++)
        grid[i] = -edge + (i + 0.5) * cell;
    flow_log_prob(&f, FINE, grid, context, density);
    flow_draw(&f, DRAWS, context, 30, labels, log_prob);
    qsort(labels, DRAWS, sizeof *labels, ascending);
    for (int i = 0, n = 0; i < FINE; i++) {
        sum += exp(density[i]) * cell;
        while (n < DRAWS && labels[n] < grid[i] + cell / 2)
            n++;
        most = fmax(most, fabs((double)n / DRAWS - sum));
    }
    CU_ASSERT_DOUBLE_EQUAL(sum, 1, 1e-5);
    CU_ASSERT(most < 1.95 / sqrt(DRAWS));
    flow_clear(&f);
}

/* The first label of a block sees the context only through `direct`; so does a single label. */
static void test_context_counts(void)
{
    const double label[] = {0.3}, one[] = {1, 2, -1}, other[] = {0, -1, 1};
    for (int direct = 0; direct < 2; direct++) {
        const flow_case c = {1, 3, 2, 4, 2, direct, 1.5};
        double a, b;
        flow f;
        flow_new(&c, 40, &f);
        flow_log_prob(&f, 1, label, one, &a);
        flow_log_prob(&f, 1, label, other, &b);
        CU_ASSERT((fabs(a - b) > 1e-3) == direct);
        flow_clear(&f);
    }
}

/* ---- permutations and options ------------------------------------------------------------ */

static const float *permutation(flow *f, int block)
{
    char name[32];
    snprintf(name, sizeof name, "flow.permutation.%d", block);
    const anpe_parameter *p = anpe_parameters_find(f->single.parameters, name);
    return (const float *)f->single.parameters->raw + p->offset;
}

static void test_permutations(void)
{
    enum { D = 12 };
    const flow_case c = {D, 2, 3, 16, 1, 1, 1};
    flow a, b, other;
    flow_new(&c, 50, &a);
    flow_new(&c, 50, &b);
    flow_new(&c, 51, &other);
    for (int i = 0; i < 3; i++) {
        int seen[D] = {0};
        CU_ASSERT(memcmp(permutation(&a, i), permutation(&b, i), D * sizeof(float)) == 0);
        for (int d = 0; d < D; d++)
            seen[(int)permutation(&a, i)[d]]++;
        for (int d = 0; d < D; d++)
            CU_ASSERT(seen[d] == 1);
    }
    CU_ASSERT(memcmp(permutation(&a, 0), permutation(&other, 0), D * sizeof(float)) != 0);
    for (int d = 0; d < D; d++) /* the second block takes the labels the other way round */
        CU_ASSERT(permutation(&a, 1)[d] == (float)(D - 1 - d));

    float *damaged = (float *)a.single.parameters->raw +
                     anpe_parameters_find(a.single.parameters, "flow.permutation.2")->offset;
    damaged[1] = damaged[0];
    CU_ASSERT(fixture_sampler(ctx, &a.single) == ANPE_EFORMAT);
    CU_ASSERT_PTR_NOT_NULL(strstr(anpe_error(ctx), "permutation.2 has label"));
    damaged[1] = 1e9f;
    CU_ASSERT(fixture_sampler(ctx, &a.single) == ANPE_EFORMAT);
    CU_ASSERT_PTR_NOT_NULL(strstr(anpe_error(ctx), "not a label"));
    flow_clear(&a);
    flow_clear(&b);
    flow_clear(&other);
}

static void test_options(void)
{
    flow_refuses("maf", "clamp = [ 1.0 ];", "clamp must have two numbers");
    flow_refuses("maf", "clamp = [ 1.0, -1.0 ];", "clamp must ascend: 1, -1");
    flow_refuses("maf", "clamp = [ 1.0, 2.0, 3.0 ];", "it has 3");
    flow_refuses("maf", "hiden = 3;", "did you mean 'hidden'");
    flow_refuses("maf", "hidden = 0;", "hidden");
    flow_refuses("maf", "num_blocks = 0;", "num_blocks");
    flow_refuses("maf", "n_mog = 2.5;", "n_mog");
    fixture f;
    const fixture_shape shape = {1, 0, 0, 3, 2, 1};
    WORKS(fixture_build(ctx, "flow = { plugin = \"maf\"; clamp = []; };", &shape, &f));
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"log q of draws equals the network's", test_log_prob_of_draws},
        {"log determinant against a numerical Jacobian", test_jacobian},
        {"there and back", test_there_and_back},
        {"a draw does not depend on its neighbours", test_draws_alone},
        {"the density integrates to 1 and draws follow it", test_density},
        {"one label", test_one_label},
        {"where the context enters", test_context_counts},
        {"permutations", test_permutations},
        {"options", test_options},
    };
    return run_suite(argc, argv, "flow maf", COUNT(tests), tests);
}
