/* Products of posteriors against closed forms: normal likelihoods of two labels under a uniform and
 * under a normal prior, with labels of the members' own. */
#include <config.h>
#include "data_support.h"
#include "base/random.h"
#include "posterior/product.h"
#include "posterior/summary.h"

#include <math.h>

enum { MOST = 4, WIDTH = 3 };
static const double LOG_2PI = 1.8378770664093453;

/* A normal posterior of some labels, cut off at nothing: the box is far away. */
typedef struct normal {
    int64_t n;
    double mean[WIDTH], sd[WIDTH], correlation; /* of the first two */
    int draws;                                  /* how often it was asked */
} normal;

static anpe_status draw(void *user, anpe_ctx *c, anpe_rng *rng, int64_t n, double *theta)
{
    normal *m = user;
    (void)c;
    m->draws++;
    for (int64_t i = 0; i < n; i++) {
        float z[4] = {0};
        anpe_normals(rng, m->n, z);
        for (int64_t d = 0; d < m->n; d++) {
            double x = (double)z[d];
            if (d == 1)
                x = m->correlation * (double)z[0] +
                    sqrt(1 - m->correlation * m->correlation) * (double)z[1];
            theta[i * m->n + d] = m->mean[d] + m->sd[d] * x;
        }
    }
    return ANPE_OK;
}

static double log_normal(double x, double mean, double sd)
{
    const double t = (x - mean) / sd;
    return -0.5 * (t * t + LOG_2PI) - log(sd);
}

static anpe_status log_q(void *user, anpe_ctx *c, int64_t n, const double *theta, double *out)
{
    const normal *m = user;
    (void)c;
    for (int64_t i = 0; i < n; i++) {
        const double *t = theta + i * m->n, r = m->correlation;
        out[i] = log_normal(t[0], m->mean[0], m->sd[0]);
        if (m->n > 1)
            out[i] += log_normal(t[1], m->mean[1] + r * m->sd[1] * (t[0] - m->mean[0]) / m->sd[0],
                                 m->sd[1] * sqrt(1 - r * r));
        if (m->n > 2)
            out[i] += log_normal(t[2], m->mean[2], m->sd[2]);
    }
    return ANPE_OK;
}

static const double prior_sd = 3;
static double flat(void *user, const double *shared)
{
    (void)shared;
    return -*(const double *)user;
}
static double bell(void *user, const double *shared)
{
    (void)user;
    return log_normal(shared[0], 0, prior_sd);
}

static anpe_label labels[6];
static const char *const names[] = {"a", "b", "rv1", "rv2", "rv3", "rv4"};
static void make_labels(double half)
{
    for (int i = 0; i < 6; i++) {
        memset(&labels[i], 0, sizeof labels[i]);
        snprintf(labels[i].name, sizeof labels[i].name, "%s", names[i]);
        labels[i].min = -half;
        labels[i].max = half;
    }
}

static anpe_product *product;
static anpe_product_result result;
static double mean[6], sd[6];

static void run(const anpe_product_problem *p, uint32_t seed)
{
    anpe_rng rng = anpe_rng_make(seed, ANPE_FOR_EXACT, 0, 0);
    WORKS(anpe_product_run(product, ctx, p, &rng, &result));
    CU_ASSERT_EQUAL(result.ladder.exact, 1);
    for (int64_t d = 0; d < p->n_labels; d++)
        anpe_weighted_moments(result.n, result.theta + d, p->n_labels, result.log_weight, &mean[d],
                              &sd[d]);
}

/* At least 500 effective draws: a mean is good to sd / 22, an sd to 1 / 32 of itself; the bounds
 * are 4.5 of these. */
static void check(int d, double want_mean, double want_sd)
{
    NEAR(mean[d], want_mean, 0.2 * want_sd);
    NEAR(sd[d], want_sd, 0.14 * want_sd);
}

/* Under a uniform prior of log density -v: precisions add. The members' data are independent, so
 * the joint posterior is the one in closed form. */
static void test_uniform(void)
{
    const double half = 1000, v = log(2 * half);
    normal m[MOST] = {{1, {1}, {2}, 0, 0}, {1, {3}, {1}, 0, 0}, {1, {2}, {0.5}, 0, 0}};
    static const int64_t place[] = {0};
    anpe_product_member given[MOST];
    double user = v;
    make_labels(half);
    for (int k = 0; k < 3; k++)
        given[k] = (anpe_product_member){&m[k], 1, place, draw, log_q};
    for (int n = 1; n <= 3; n++) {
        anpe_product_problem p = {1, 1, labels, n, given, &user, flat};
        double precision = 0, sum = 0, evidence = 0;
        for (int k = 0; k < n; k++) {
            precision += 1 / (m[k].sd[0] * m[k].sd[0]);
            sum += m[k].mean[0] / (m[k].sd[0] * m[k].sd[0]);
        }
        run(&p, 1);
        check(0, sum / precision, 1 / sqrt(precision));
        for (int k = 0; k < n; k++)
            evidence += log_normal(sum / precision, m[k].mean[0], m[k].sd[0]);
        evidence += (n - 1) * v + 0.5 * (LOG_2PI - log(precision));
        NEAR(result.log_together, evidence, 0.2);
    }
}

/* A prior that matters is counted once: of data x_k with sd s each posterior has precision
 * 1/3^2 + 1/s^2, all together 1/3^2 + sum 1/s^2. Counted as often as there are members it would
 * have the mean 12/11 and not 4/3. */
static void test_prior_once(void)
{
    const double s = 3, x[MOST] = {1, 2, 3, 2};
    static const int64_t place[] = {0};
    normal m[MOST];
    anpe_product_member given[MOST];
    const double both = 1 / (prior_sd * prior_sd) + 1 / (s * s);
    make_labels(INFINITY);
    for (int k = 0; k < MOST; k++) {
        m[k] = (normal){1, {x[k] / (s * s) / both}, {1 / sqrt(both)}, 0, 0};
        given[k] = (anpe_product_member){&m[k], 1, place, draw, log_q};
    }
    anpe_product_problem p = {1, 1, labels, MOST, given, NULL, bell};
    run(&p, 2);
    const double precision = 1 / (prior_sd * prior_sd) + MOST / (s * s);
    check(0, 8 / (s * s) / precision, 1 / sqrt(precision));
}

/* Own labels, correlated with a shared one: integrated over, whatever their values. The likelihood
 * of b in member k alone, its rv integrated over, is its marginal. */
static void test_own(void)
{
    const double half = 400;
    double user = 2 * log(2 * half);
    static const int64_t place[2][3] = {{0, 2, 1}, {0, 3, 1}};
    /* (a, rv, b): rv of the two is 60 sd apart, which says nothing of the star */
    normal m[2] = {{3, {1, 100, 5}, {1, 2, 4}, 0.9, 0}, {3, {2, -20, 7}, {1, 1, 2}, -0.8, 0}};
    anpe_product_member given[2];
    make_labels(half);
    for (int k = 0; k < 2; k++)
        given[k] = (anpe_product_member){&m[k], 3, place[k], draw, log_q};
    anpe_product_problem p = {4, 2, labels, 2, given, &user, flat};
    run(&p, 3);
    check(0, 1.5, 1 / sqrt(2));
    check(1, (5 / 16. + 7 / 4.) / (1 / 16. + 1 / 4.), 1 / sqrt(1 / 16. + 1 / 4.));
    /* a of the product, then rv given a */
    check(2, 100 + 0.9 * 2 * 0.5, sqrt(4 * (1 - 0.81) + 4 * 0.81 / 2));
    check(3, -20 - 0.8 * -0.5, sqrt(1 - 0.64 + 0.64 / 2));
    CU_ASSERT(m[0].draws > 1 && m[1].draws > 1); /* both are proposals */
}

/* Posteriors that exclude each other: the evidence says so, where the prior is narrower than the
 * distance is rare; two that agree are likelier of one star. */
static void test_together(void)
{
    const double half = 50;
    double user = log(2 * half);
    static const int64_t place[] = {0};
    normal m[2] = {{1, {0}, {1}, 0, 0}, {1, {0}, {1}, 0, 0}};
    anpe_product_member given[2];
    make_labels(half);
    for (int k = 0; k < 2; k++)
        given[k] = (anpe_product_member){&m[k], 1, place, draw, log_q};
    anpe_product_problem p = {1, 1, labels, 2, given, &user, flat};
    run(&p, 4);
    NEAR(result.log_together, user + log_normal(0, 0, sqrt(2)), 0.2);
    m[1].mean[0] = 8;
    run(&p, 5);
    NEAR(result.log_together, user + log_normal(8, 0, sqrt(2)), 0.2);
    CU_ASSERT(result.log_together < -10);
    check(0, 4, 1 / sqrt(2));
}

static void test_refusals(void)
{
    anpe_product_problem p = {1, 1, labels, 0, NULL, NULL, bell};
    anpe_rng rng = anpe_rng_make(1, ANPE_FOR_EXACT, 0, 0);
    FAILS(anpe_product_run(product, ctx, &p, &rng, &result), ANPE_EINVAL, "0 spectra of one star");
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"a uniform prior", test_uniform},
        {"the prior is counted once", test_prior_once},
        {"labels of the members' own", test_own},
        {"one star or several", test_together},
        {"refusals", test_refusals},
    };
    const anpe_ladder_options options = anpe_ladder_defaults();
    anpe_ctx *own = anpe_ctx_new();
    if (!own || anpe_product_new(own, &options, &product))
        return 1;
    const int code = run_suite(argc, argv, "products of posteriors", COUNT(tests), tests);
    anpe_product_free(product);
    anpe_ctx_free(own);
    return code;
}
