/* Mixtures, convergence of chains, the ensemble sampler, and the ladder: proposals that are good,
 * shifted, too narrow or without a mode, against targets with known moments and evidence. */
#include <config.h>
#include "base_support.h"
#include "base/random.h"
#include "stat/convergence.h"
#include "stat/ladder.h"
#include "stat/mixture.h"
#include <math.h>

enum { MOST = 30 };

static anpe_rng stream(int64_t i)
{
    return anpe_rng_make(1, ANPE_FOR_EXACT, i, 0);
}

/* ---- mixtures ---------------------------------------------------------------------------- */

static anpe_mixture *two_modes(void)
{
    anpe_mixture *m;
    double y[400][2], weight[400];
    static double resp[400 * 4];
    anpe_rng rng = stream(1);
    WORKS(anpe_mixture_new(ctx, 2, 4, &m));
    for (int i = 0; i < 400; i++) {
        const int second = i % 4 == 0;
        y[i][0] = 0.1 * anpe_normal(&rng) + (second ? 3 : -1);
        y[i][1] = 0.2 * anpe_normal(&rng) + 0.9 * y[i][0];
        weight[i] = second ? 2 : 1; /* 2 : 3 */
    }
    anpe_mixture_fit(m, 400, &y[0][0], weight, 2, 1, &rng, resp);
    return m;
}

static void test_mixture_fit(void)
{
    anpe_mixture *m = two_modes();
    CU_ASSERT_EQUAL_FATAL(m->n, 2);
    const int upper = m->mean[0] < m->mean[2];
    CU_ASSERT_DOUBLE_EQUAL(m->share[upper], 0.4, 1e-3);
    CU_ASSERT_DOUBLE_EQUAL(m->mean[2 * upper], 3, 4 * 0.01);
    CU_ASSERT_DOUBLE_EQUAL(m->mean[2 * !upper], -1, 4 * 0.1 / sqrt(300));
    CU_ASSERT_DOUBLE_EQUAL(m->mean[2 * upper + 1], 2.7, 4 * 0.022);
    /* the scale of a t that fits Gaussian points is a little below their sd */
    CU_ASSERT(m->cholesky[4 * upper] > 0.07 && m->cholesky[4 * upper] < 0.11);
    CU_ASSERT_PTR_NULL(anpe_mixture_free(m));
}

/* Midpoints of a fine grid; what lies outside of t with 6 degrees of freedom beyond 60 scale
 * lengths is 1e-8. */
static void test_mixture_density(void)
{
    anpe_mixture *m = two_modes();
    double sum = 0, high = 0;
    int64_t n_high = 0;
    anpe_rng rng = stream(2);
    for (int i = 0; i < 1200; i++)
        for (int j = 0; j < 1600; j++) {
            const double y[2] = {-5 + 0.01 * (i + 0.5), -8 + 0.01 * (j + 0.5)};
            const double p = exp(anpe_mixture_log_density(m, y));
            sum += 1e-4 * p;
            high += y[1] > 2.7 ? 1e-4 * p : 0;
        }
    CU_ASSERT_DOUBLE_EQUAL(sum, 1, 1e-3);
    for (int i = 0; i < 20000; i++) {
        double y[2];
        anpe_mixture_draw(m, &rng, y);
        n_high += y[1] > 2.7;
    }
    CU_ASSERT_DOUBLE_EQUAL((double)n_high / 20000, high, 4 * sqrt(0.2 * 0.8 / 20000));
    anpe_mixture_free(m);
}

/* Points that coincide, or too few of them, make no component that cannot be drawn from. */
static void test_mixture_degenerate(void)
{
    double y[30][3], weight[30], resp[30 * 4], at[3];
    anpe_mixture *m;
    anpe_rng rng = stream(3);
    WORKS(anpe_mixture_new(ctx, 3, 4, &m));
    for (int i = 0; i < 30; i++) {
        y[i][0] = y[i][1] = y[i][2] = i < 28 ? 1 : 5;
        weight[i] = i < 29;
    }
    anpe_mixture_fit(m, 30, &y[0][0], weight, 4, 1.1, &rng, resp);
    anpe_mixture_draw(m, &rng, at);
    CU_ASSERT(m->n >= 1 && isfinite(at[0] + at[1] + at[2]));
    CU_ASSERT(isfinite(anpe_mixture_log_density(m, y[29])));
    anpe_mixture_free(m);
}

/* ---- chains ------------------------------------------------------------------------------ */

static void test_convergence(void)
{
    enum { CHAINS = 4, N = 2000, ALL = CHAINS * N };
    static double x[ALL], z[ALL];
    static anpe_ranked order[ALL];
    anpe_rng rng = stream(4);
    for (int i = 0; i < ALL; i++)
        x[i] = 1 / anpe_normal(&rng); /* no moments: ranks do not mind */
    CU_ASSERT(anpe_rank_rhat(CHAINS, N, x, z, order) < 1.01);
    for (int i = 0; i < N; i++)
        x[i] = 3 / anpe_normal(&rng); /* one chain is wider: only the folded one sees it */
    CU_ASSERT(anpe_rank_rhat(CHAINS, N, x, z, order) > 1.03);
    for (int i = 0; i < ALL; i++)
        x[i] = anpe_normal(&rng) + (i < N ? 0.5 : 0);
    CU_ASSERT(anpe_rank_rhat(CHAINS, N, x, z, order) > 1.02);
    for (int i = 0; i < ALL; i++)
        x[i] = anpe_normal(&rng) + 1e-3 * (i % N); /* all drift alike: the halves differ */
    CU_ASSERT(anpe_rank_rhat(CHAINS, N, x, z, order) > 1.1);
    for (int i = 0; i < ALL; i++)
        x[i] = 7;
    CU_ASSERT(anpe_rank_rhat(CHAINS, N, x, z, order) == INFINITY);
    CU_ASSERT(anpe_autocorrelation_time(N, CHAINS, x) == INFINITY);
    /* AR(1) with 0.8: (1 + 0.8) / (1 - 0.8) = 9; estimated from 8000 / 9 effective values */
    for (int i = 0; i < ALL; i++)
        x[i] = anpe_normal(&rng) * (i < CHAINS ? 1 : 0.6) + (i < CHAINS ? 0 : 0.8 * x[i - CHAINS]);
    CU_ASSERT_DOUBLE_EQUAL(anpe_autocorrelation_time(N, CHAINS, x), 9, 1.5);
}

/* ---- targets ----------------------------------------------------------------------------- */

/* A Gaussian around 0, or two; beyond `edge` in the first coordinate nothing. The proposal is a
 * Gaussian or two. */
typedef struct problem {
    int64_t d;
    double sd, edge, second; /* second: place of a second mode of half the mass, 0: none */
    double q_mean, q_sd, q_second, q_share; /* q_share of the proposal is at q_second */
    double log_z;
    int64_t n_evaluations;
    int fails;
} problem;

static double gauss(const problem *p, const double *y, double mean, double sd)
{
    double sum = 0;
    for (int64_t i = 0; i < p->d; i++) {
        const double z = (y[i] - mean) / sd;
        sum -= 0.5 * z * z + log(sd) + 0.5 * log(2 * M_PI);
    }
    return sum;
}

static double log_sum(double a, double b)
{
    return fmax(a, b) + log1p(exp(-fabs(a - b)));
}

static anpe_status target(void *user, anpe_ctx *c, int64_t n, const double *y, double *out)
{
    problem *p = user;
    if (p->fails)
        return ANPE_FAIL(c, ANPE_ENUMERIC, "the simulator says no");
    p->n_evaluations += n;
    for (int64_t k = 0; k < n; k++, y += p->d) {
        out[k] = gauss(p, y, 0, p->sd);
        if (p->second != 0)
            out[k] = log_sum(out[k] + log(0.5), gauss(p, y, p->second, p->sd) + log(0.5));
        out[k] = y[0] > p->edge ? -INFINITY : out[k] + p->log_z;
    }
    return ANPE_OK;
}

static anpe_status log_q(void *user, anpe_ctx *c, int64_t n, const double *y, double *out)
{
    const problem *p = user;
    (void)c;
    for (int64_t k = 0; k < n; k++, y += p->d) {
        out[k] = gauss(p, y, p->q_mean, p->q_sd);
        if (p->q_share > 0)
            out[k] = log_sum(out[k] + log(1 - p->q_share),
                             gauss(p, y, p->q_second, p->q_sd) + log(p->q_share));
    }
    return ANPE_OK;
}

static anpe_status draw(void *user, anpe_ctx *c, anpe_rng *rng, int64_t n, double *y, double *out)
{
    const problem *p = user;
    for (int64_t k = 0; k < n; k++) {
        const double mean = anpe_uniform(rng) < p->q_share ? p->q_second : p->q_mean;
        for (int64_t i = 0; i < p->d; i++)
            y[k * p->d + i] = mean + p->q_sd * anpe_normal(rng);
    }
    return log_q(user, c, n, y, out);
}

static anpe_ladder *ladder;

static anpe_ladder_result climb(problem *p, int64_t seed, const anpe_ladder_options *options)
{
    const anpe_ladder_problem asked = {p->d, p, draw, log_q, target, NULL};
    anpe_ladder_result r;
    anpe_rng rng = stream(seed);
    anpe_ladder_free(ladder);
    p->n_evaluations = 0;
    WORKS(anpe_ladder_new(ctx, p->d, options, &ladder));
    WORKS(anpe_ladder_climb(ladder, ctx, &asked, &rng, &r));
    CU_ASSERT_EQUAL(r.n_evaluations, p->n_evaluations);
    CU_ASSERT(r.n_evaluations <= options->max_evaluations);
    return r;
}

/* Every coordinate's mean and sd within 5 of what the effective size allows. */
static void expect_moments(const problem *p, const anpe_ladder_result *r, double mean, double sd)
{
    for (int64_t i = 0; i < p->d; i++) {
        double m, s;
        anpe_weighted_moments(r->n, r->y + i, p->d, r->log_weight, &m, &s);
        CU_ASSERT(fabs(m - mean) < 5 * sd / sqrt(r->ess));
        CU_ASSERT(fabs(s / sd - 1) < 5 / sqrt(2 * r->ess) + 0.02);
    }
}

static void expect_evidence(const anpe_ladder_result *r, double log_z)
{
    CU_ASSERT(fabs(r->log_evidence - log_z) < 4 * r->log_evidence_err + 1e-9);
    CU_ASSERT(r->log_evidence_err < 0.2);
}

static void test_good_proposal(void)
{
    const anpe_ladder_options options = anpe_ladder_defaults();
    problem p = {.d = 6, .sd = 0.01, .edge = INFINITY, .q_sd = 0.0125, .log_z = 4000};
    int64_t evaluations = 0;
    for (int64_t seed = 10; seed < 30; seed++) {
        const anpe_ladder_result r = climb(&p, seed, &options);
        CU_ASSERT(r.exact && r.rung <= ANPE_RUNG_MORE && r.ess >= 500 && r.khat < 0.7);
        CU_ASSERT(r.reason[0] == 0 && isnan(r.rhat));
        /* E w^2 per coordinate for s = 1.25, as in the test of Gaussian weights */
        CU_ASSERT_DOUBLE_EQUAL(r.efficiency, pow(sqrt(2 * 1.5625 - 1) / 1.5625, 6), 0.12);
        expect_moments(&p, &r, 0, 0.01);
        expect_evidence(&r, 4000);
        evaluations += r.n_evaluations;
    }
    CU_ASSERT(evaluations / 20 < 2500 + 1000); /* for the draws, for the evidence */
}

/* What the flow may have done wrong; the ladder must notice, and come to the right answer. */
static void test_poor_proposals(void)
{
    static const struct {
        problem p;
        const char *what;
    } poor[] = {
        {{.d = 6, .sd = 0.01, .edge = INFINITY, .q_mean = 0.04, .q_sd = 0.01}, "shifted by 4 sd"},
        {{.d = 10, .sd = 0.01, .edge = INFINITY, .q_mean = 0.1, .q_sd = 0.01}, "by 10"},
        {{.d = 6, .sd = 0.01, .edge = INFINITY, .q_sd = 0.004}, "too narrow"},
        {{.d = 6, .sd = 0.01, .edge = INFINITY, .q_sd = 0.1}, "too wide"},
        {{.d = 20, .sd = 0.01, .edge = INFINITY, .q_sd = 0.02}, "20 labels"},
    };
    const anpe_ladder_options options = anpe_ladder_defaults();
    for (size_t k = 0; k < sizeof poor / sizeof *poor; k++) {
        problem p = poor[k].p;
        const anpe_ladder_result r = climb(&p, 40, &options);
        if (!r.exact || r.rung < ANPE_RUNG_DEFENSIVE)
            printf("\n  %s: %s %s\n", poor[k].what, anpe_rung_names[r.rung], r.reason);
        CU_ASSERT(r.exact && r.rung >= ANPE_RUNG_DEFENSIVE);
        CU_ASSERT(r.proposal_khat > 0.7 || r.proposal_efficiency < 0.03);
        expect_moments(&p, &r, 0, 0.01);
        expect_evidence(&r, 0);
    }
}

/* Two modes 40 sd apart, the proposal with 1 % of its mass at the second. */
static void test_two_modes(void)
{
    const anpe_ladder_options options = anpe_ladder_defaults();
    problem p = {.d = 4,
                 .sd = 0.05,
                 .edge = INFINITY,
                 .second = 1,
                 .q_sd = 0.08,
                 .q_second = 1,
                 .q_share = 0.01};
    for (int64_t seed = 50; seed < 55; seed++) {
        const anpe_ladder_result r = climb(&p, seed, &options);
        CU_ASSERT(r.exact);
        expect_moments(&p, &r, 0.5, sqrt(0.25 + 0.0025));
        expect_evidence(&r, 0);
    }
}

/* Half of the target is cut off, beside the middle of the proposal. */
static void test_edge(void)
{
    const anpe_ladder_options options = anpe_ladder_defaults();
    problem p = {.d = 5, .sd = 0.01, .edge = 0, .q_sd = 0.013};
    const anpe_ladder_result r = climb(&p, 60, &options);
    double m, s;
    CU_ASSERT(r.exact);
    anpe_weighted_moments(r.n, r.y, p.d, r.log_weight, &m, &s);
    CU_ASSERT_DOUBLE_EQUAL(m, -0.01 * sqrt(2 / M_PI), 5 * 0.006 / sqrt(r.ess));
    CU_ASSERT_DOUBLE_EQUAL(s, 0.01 * sqrt(1 - 2 / M_PI), 5 * 0.006 / sqrt(r.ess));
    expect_evidence(&r, log(0.5));
    for (int64_t k = 0; k < r.n; k++)
        CU_ASSERT(r.y[k * p.d] <= 0 || r.log_weight[k] == -INFINITY);
}

/* A handful of draws where the target is not zero, perhaps fewer than coordinates: walkers that
 * start at them would never leave the plane through them. It ends without an error, and what it
 * takes for exact is. */
static void test_few_hits(void)
{
    anpe_ladder_options options = anpe_ladder_defaults();
    if (test_is_short())
        options.max_evaluations = 5000;
    problem p = {.d = 8,
                 .sd = 0.3,
                 .edge = -0.5,
                 .q_sd = 0.01,
                 .q_second = -1,
                 .q_share = 0.003,
                 .log_z = -1.2}; /* any */
    for (int64_t seed = 100; seed < 103; seed++) {
        const anpe_ladder_result r = climb(&p, seed, &options);
        double m, s;
        if (!r.exact) {
            CU_ASSERT(strlen(r.reason) > 0);
            continue;
        }
        for (int64_t i = 1; i < p.d; i++) {
            anpe_weighted_moments(r.n, r.y + i, p.d, r.log_weight, &m, &s);
            CU_ASSERT(fabs(m) < 5 * p.sd / sqrt(r.ess));
            CU_ASSERT(fabs(s / p.sd - 1) < 5 / sqrt(2 * r.ess) + 0.02);
        }
    }
}

/* With a limit too low for anything, or nothing to find, it says so. */
static void test_not_exact(void)
{
    anpe_ladder_options options = {500, 3000, ANPE_RUNG_MCMC};
    problem p = {.d = 10, .sd = 0.01, .edge = INFINITY, .q_mean = 0.1, .q_sd = 0.01};
    anpe_ladder_result r = climb(&p, 70, &options);
    CU_ASSERT(!r.exact && strlen(r.reason) > 0 && r.n > 0);
    options = (anpe_ladder_options){500, 20000, ANPE_RUNG_PROPOSAL};
    r = climb(&p, 70, &options);
    CU_ASSERT(!r.exact && r.rung == ANPE_RUNG_PROPOSAL);
    options.last = ANPE_RUNG_MCMC;
    p.edge = -1e9;
    r = climb(&p, 71, &options);
    CU_ASSERT(!r.exact && r.ess == 0 && r.n_evaluations < 20000);
    CU_ASSERT_STRING_EQUAL(r.reason, "proposal: the posterior is zero at every draw");
    p.fails = 1;
    const anpe_ladder_problem asked = {p.d, &p, draw, log_q, target, NULL};
    anpe_rng rng = stream(1);
    SAYS(anpe_ladder_climb(ladder, ctx, &asked, &rng, &r), ANPE_ENUMERIC, "the simulator says no");
}

/* Walkers that start off the target and too close together find it; with a limit it ends in time.
 */
static void test_mcmc(void)
{
    enum { D = 5 };
    const anpe_ensemble_setup setup = {D, 16, 4, 25000};
    problem p = {.d = D, .sd = 0.01, .edge = INFINITY};
    anpe_ensemble *e;
    anpe_ensemble_result r;
    anpe_rng rng = stream(80);
    WORKS(anpe_ensemble_new(ctx, &setup, &e));
    for (int i = 0; i < 16 * 4 * D; i++)
        anpe_ensemble_start(e)[i] = 0.05 + 0.002 * anpe_normal(&rng); /* 5 sd off, too narrow */
    WORKS(anpe_ensemble_run(e, ctx, target, &p, &rng, 1.01, 2000, 500000, &r));
    CU_ASSERT(r.rhat <= 1.01 && r.ess >= 2000 && r.accepted > 0.15 && r.accepted < 0.7);
    CU_ASSERT_EQUAL(r.n_evaluations, p.n_evaluations);
    for (int i = 0; i < D; i++) {
        double m = 0, s = 0;
        for (int64_t k = 0; k < r.n; k++)
            m += r.y[k * D + i] / (double)r.n;
        for (int64_t k = 0; k < r.n; k++)
            s += (r.y[k * D + i] - m) * (r.y[k * D + i] - m) / (double)r.n;
        CU_ASSERT(fabs(m) < 5 * 0.01 / sqrt(r.ess));
        CU_ASSERT(fabs(sqrt(s) / 0.01 - 1) < 5 / sqrt(2 * r.ess));
    }
    WORKS(anpe_ensemble_run(e, ctx, target, &p, &rng, 1.01, 2000, 1000, &r));
    CU_ASSERT(r.n_evaluations <= 1000 && r.ess < 2000);
    p.edge = -1;
    SAYS(anpe_ensemble_run(e, ctx, target, &p, &rng, 1.01, 2000, 1000, &r), ANPE_ENUMERIC,
         "mcmc: the posterior is zero at every starting point");
    anpe_ensemble_free(e);
}

static void test_repeats(void)
{
    const anpe_ladder_options options = anpe_ladder_defaults();
    problem p = {.d = 4, .sd = 0.01, .edge = INFINITY, .q_mean = 0.1, .q_sd = 0.01};
    const anpe_ladder_result a = climb(&p, 90, &options);
    double *y = malloc((size_t)(a.n * p.d) * sizeof *y);
    CU_ASSERT_FATAL(y != NULL);
    memcpy(y, a.y, (size_t)(a.n * p.d) * sizeof *y);
    const anpe_ladder_result b = climb(&p, 90, &options);
    CU_ASSERT(a.n == b.n && a.ess == b.ess && a.log_evidence == b.log_evidence);
    CU_ASSERT(memcmp(y, b.y, (size_t)(a.n * p.d) * sizeof *y) == 0);
    free(y);
}

static void test_end(void)
{
    ladder = anpe_ladder_free(ladder);
    CU_ASSERT_PTR_NULL(ladder);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"mixture fit", test_mixture_fit},
        {"mixture density and draws", test_mixture_density},
        {"degenerate points", test_mixture_degenerate},
        {"R-hat and autocorrelation", test_convergence},
        {"ensemble sampler", test_mcmc},
        {"a good proposal", test_good_proposal},
        {"poor proposals", test_poor_proposals},
        {"two modes", test_two_modes},
        {"a hard edge", test_edge},
        {"few draws where there is anything", test_few_hits},
        {"what cannot be made exact", test_not_exact},
        {"the same again", test_repeats},
        {"memory", test_end},
    };
    return run_suite(argc, argv, "ladder", COUNT(tests), tests);
}
