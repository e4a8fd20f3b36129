/* Normals in a box, Newton steps in it, and the ladder's rung that is made of them: targets with
 * known moments, evidence and weights of modes, proposals that are poor. */
#include <config.h>
#include "base_support.h"
#include "base/linear.h"
#include "base/random.h"
#include "stat/ladder.h"
#include "stat/truncated.h"
#include <math.h>

static anpe_rng stream(int64_t i)
{
    return anpe_rng_make(3, ANPE_FOR_EXACT, i, 0);
}

/* ---- normals in a box -------------------------------------------------------------------- */

/* sd 1, 0.5, 2 with correlations. */
static const double covariance[9] = {1, 0.4, -1.2, 0.4, 0.25, -0.3, -1.2, -0.3, 4};

static anpe_truncated *in_box(const double *mean, const double *low, const double *high)
{
    anpe_truncated *m;
    WORKS(anpe_truncated_new(ctx, 3, 4, &m));
    anpe_truncated_clear(m, low, high);
    anpe_truncated_add(m, mean, covariance, 1, 3);
    anpe_truncated_add(m, mean, covariance, 2, 1);
    anpe_truncated_normalise(m);
    return m;
}

/* The normal's own density. */
static double whole_log_density(const double *mean, double scale, const double *x)
{
    double l[9], z[3], sum = -1.5 * log(2 * M_PI);
    memcpy(l, covariance, sizeof l);
    (void)anpe_cholesky(3, l, 3, 0);
    for (int i = 0; i < 3; i++) {
        z[i] = x[i] - mean[i];
        sum -= log(l[i * 3 + i] * scale);
    }
    anpe_cholesky_forward(3, l, 3, z);
    return sum - 0.5 * (z[0] * z[0] + z[1] * z[1] + z[2] * z[2]) / (scale * scale);
}

/* Ten times 0.1 is less than 1 in double: a component without a share is not drawn for the rest. */
static void test_empty_share(void)
{
    const double here[3] = {0}, away[3] = {900, 900, 900}, low[3] = {-1000, -1000, -1000},
                 high[3] = {1000, 1000, 1000};
    anpe_rng last = {.buf = {~0u, ~0u, ~0u, ~0u}, .left = 4}; /* the highest number that there is */
    double x[3];
    anpe_truncated *m;
    WORKS(anpe_truncated_new(ctx, 3, 12, &m));
    anpe_truncated_clear(m, low, high);
    for (int k = 0; k < 12; k++)
        anpe_truncated_add(m, k < 10 ? here : away, covariance, 1, k < 10 ? 0.1 : 0);
    anpe_truncated_draw(m, &last, x);
    CU_ASSERT(x[0] < 100 && x[1] < 100 && x[2] < 100);
    anpe_truncated_free(m);
}

static void test_no_sides(void)
{
    const double mean[3] = {1, -2, 3}, low[3] = {-INFINITY, -INFINITY, -INFINITY},
                 high[3] = {INFINITY, INFINITY, INFINITY};
    enum { N = 20000 };
    anpe_truncated *m = in_box(mean, low, high);
    anpe_rng rng = stream(1);
    double x[3], sum[3] = {0}, product[9] = {0};
    for (int k = 0; k < N; k++) {
        anpe_truncated_draw(m, &rng, x);
        for (int i = 0; i < 3; i++) {
            sum[i] += (x[i] - mean[i]) / N;
            for (int j = 0; j < 3; j++)
                product[i * 3 + j] += (x[i] - mean[i]) * (x[j] - mean[j]) / N;
        }
        const double one = whole_log_density(mean, 1, x), two = whole_log_density(mean, 2, x);
        const double expected = log(0.75 * exp(one) + 0.25 * exp(two));
        CU_ASSERT_DOUBLE_EQUAL(anpe_truncated_log_density(m, x), expected, 1e-9);
    }
    for (int i = 0; i < 3; i++) /* covariance (0.75 + 0.25 4) = 1.75 times; 5 errors of the mean */
        CU_ASSERT(fabs(sum[i]) < 5 * sqrt(1.75 * covariance[i * 4] / N));
    for (int i = 0; i < 9; i++)
        CU_ASSERT_DOUBLE_EQUAL(product[i], 1.75 * covariance[i], 0.05 * 1.75 * 4);
    CU_ASSERT_PTR_NULL(anpe_truncated_free(m));
}

/* Draws stay inside, and their density is that of the draws: the mean of f / q is the integral of
 * f, here of a function that is 0 on the sides; and the integral of q over the box is 1. */
static void test_box(void)
{
    static const struct {
        double mean[3], low[3], high[3];
    } box[] = {
        {{0, 0, 0}, {-0.5, -1, -1}, {0.7, INFINITY, 3}},
        {{-6, 0.5, 0}, {0, 0, -4}, {2, 1, 4}}, /* 6 sd outside */
        {{50, -30, 0}, {0, 0, -4}, {2, 1, 4}}, /* 48 and 62 sd, far from each other */
        {{0, 0, 0}, {-1e-3, -1e-3, -1e-3}, {1e-3, 1e-3, 2e-3}}, /* nothing but box */
    };
    enum { N = 20000 };
    for (size_t b = 0; b < sizeof box / sizeof *box; b++) {
        anpe_truncated *m = in_box(box[b].mean, box[b].low, box[b].high);
        anpe_rng rng = stream(2);
        double x[3], sum = 0, square = 0, uniform = 0, mass2 = 0;
        for (int k = 0; k < N; k++) {
            anpe_truncated_draw(m, &rng, x);
            double f = 1, u[3];
            for (int i = 0; i < 3; i++) {
                CU_ASSERT(x[i] >= box[b].low[i] && x[i] <= box[b].high[i]);
                const double high = fmin(box[b].high[i], 3);
                u[i] = (x[i] - box[b].low[i]) / (high - box[b].low[i]);
                f *= u[i] < 1 ? 6 * u[i] * (1 - u[i]) / (high - box[b].low[i]) : 0;
            }
            const double q = anpe_truncated_log_density(m, x);
            CU_ASSERT(isfinite(q));
            sum += f / exp(q) / N;
            square += pow(f / exp(q), 2) / N;
        }
        const double error = sqrt((square - sum * sum) / N);
        if (b == 0 || b == 3) /* in the others all draws are in a corner and none where f is */
            CU_ASSERT(fabs(sum - 1) < 5 * error && error < 0.1);
        /* uniform points: the density integrates to 1, where it is no spike */
        double volume = 1;
        for (int i = 0; i < 3; i++)
            volume *= fmin(box[b].high[i], 12) - box[b].low[i];
        for (int k = 0; k < 10 * N; k++) {
            for (int i = 0; i < 3; i++)
                x[i] =
                    box[b].low[i] + anpe_uniform(&rng) * (fmin(box[b].high[i], 12) - box[b].low[i]);
            const double q = volume * exp(anpe_truncated_log_density(m, x));
            uniform += q / (10 * N);
            mass2 += q * q / (10 * N);
        }
        const double spread = sqrt((mass2 - uniform * uniform) / (10 * N));
        if (b != 2)
            CU_ASSERT(fabs(uniform - 1) < 5 * spread + 1e-9 && spread < 0.1);
        anpe_truncated_free(m);
    }
}

/* One coordinate, its mean 100 sd outside: an exponential distribution of rate 100. */
static void test_far_out(void)
{
    const double mean = -100, one = 1, low = 0, high = 5;
    enum { N = 20000 };
    anpe_truncated *m;
    anpe_rng rng = stream(4);
    double x, sum = 0;
    WORKS(anpe_truncated_new(ctx, 1, 1, &m));
    anpe_truncated_clear(m, &low, &high);
    anpe_truncated_add(m, &mean, &one, 1, 1);
    anpe_truncated_normalise(m);
    for (int k = 0; k < N; k++) {
        anpe_truncated_draw(m, &rng, &x);
        sum += x / N;
        CU_ASSERT_DOUBLE_EQUAL(anpe_truncated_log_density(m, &x), log(100) - 100 * x, 1e-9 * 500);
    }
    CU_ASSERT_DOUBLE_EQUAL(sum, 0.01, 5 * 0.01 / sqrt(N));
    /* Phi(-100): log of phi(100) / 100, less a term of 1e-4 */
    CU_ASSERT_DOUBLE_EQUAL(anpe_truncated_log_mass(m, 0, &rng, 1, &x),
                           -5000 - 0.5 * log(2 * M_PI) - log(100), 2e-4);
    anpe_truncated_free(m);
}

/* ---- Newton steps ------------------------------------------------------------------------ */

typedef struct hill {
    int64_t d;
    double curved; /* (x_0, x_1 - curved x_0^2) is what is normal */
    double corner; /* x_1 - corner |x_0| */
    double top[8];
    double sd[8];
    double jacobian[8][8]; /* of the last expansion */
    int n_expansions, n_probes;
} hill;

/* f = - |r|^2 / 2 and r (d) */
static double height(const hill *p, const double *x, double *r)
{
    double f = 0;
    for (int64_t i = 0; i < p->d; i++) {
        const double bend = i == 1 ? p->curved * x[0] * x[0] + p->corner * fabs(x[0]) : 0;
        r[i] = (x[i] - p->top[i] - bend) / p->sd[i];
        f -= 0.5 * r[i] * r[i];
    }
    return f;
}

static void slope_of(const hill *p, const double *r, double *gradient)
{
    for (int64_t i = 0; i < p->d; i++) {
        gradient[i] = 0;
        for (int64_t k = 0; k < p->d; k++)
            gradient[i] -= p->jacobian[k][i] * r[k];
    }
}

/* With Gauss-Newton's matrix. */
static anpe_status expand_hill(void *user, anpe_ctx *c, const double *x, const double *step,
                               double *f, double *gradient, double *h)
{
    hill *p = user;
    double r[8];
    (void)c;
    p->n_expansions++;
    *f = height(p, x, r);
    memset(p->jacobian, 0, sizeof p->jacobian);
    for (int64_t i = 0; i < p->d; i++) {
        CU_ASSERT(step[i] > 0);
        p->jacobian[i][i] = 1 / p->sd[i];
        if (i == 1)
            p->jacobian[1][0] = -(2 * p->curved * x[0] + copysign(p->corner, x[0])) / p->sd[1];
    }
    slope_of(p, r, gradient);
    for (int64_t i = 0; i < p->d; i++)
        for (int64_t j = 0; j < p->d; j++) {
            h[i * p->d + j] = 0;
            for (int64_t k = 0; k < p->d; k++)
                h[i * p->d + j] += p->jacobian[k][i] * p->jacobian[k][j];
        }
    return ANPE_OK;
}

static anpe_status probe_hill(void *user, anpe_ctx *c, const double *x, const double *step,
                              double *f, double *gradient)
{
    hill *p = user;
    double r[8];
    (void)c;
    (void)step;
    p->n_probes++;
    *f = height(p, x, r);
    slope_of(p, r, gradient);
    return ANPE_OK;
}

static void climb_hill(hill *p, const double *low, const double *high, const double *start,
                       anpe_optimum *o)
{
    const anpe_newton_problem problem = {low, high, p, expand_hill, probe_hill};
    const double scale[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    anpe_newton *w;
    WORKS(anpe_newton_new(ctx, p->d, &w));
    WORKS(anpe_optimum_new(ctx, p->d, o));
    p->n_expansions = p->n_probes = 0;
    WORKS(anpe_newton_run(w, ctx, &problem, start, scale, 60, o));
    CU_ASSERT_EQUAL(o->n_expansions, p->n_expansions);
    CU_ASSERT_EQUAL(o->n_probes, p->n_probes);
    CU_ASSERT(o->converged);
    CU_ASSERT_PTR_NULL(anpe_newton_free(w));
}

static void test_valley(void)
{
    const double low[2] = {-5, -5}, high[2] = {5, 30}, start[2] = {-1, 3};
    hill p = {.d = 2, .curved = 1, .top = {1, 0}, .sd = {0.1, 0.05}};
    anpe_optimum o;
    climb_hill(&p, low, high, start, &o);            /* as Rosenbrock's: at (1, 1) */
    CU_ASSERT_DOUBLE_EQUAL(o.mean[0], 1, 0.1 * 0.3); /* a gain of 0.02 is 0.2 sd */
    CU_ASSERT_DOUBLE_EQUAL(o.mean[1] - o.mean[0] * o.mean[0], 0, 0.05);
    CU_ASSERT_DOUBLE_EQUAL(o.covariance[0], 0.01, 0.001);
    CU_ASSERT_DOUBLE_EQUAL(o.log_det, 2 * log(0.1 * 0.05), 0.01);
    anpe_optimum_clear(&o);
}

/* The top lies outside: the best of the box is on its side, the normal's mean at the top. */
static void test_side(void)
{
    const double low[3] = {0, -1, -1}, high[3] = {1, 1, 0.5}, start[3] = {0.9, 0.9, -0.9};
    hill p = {.d = 3, .top = {-2, 0.3, 4}, .sd = {1, 0.1, 1}};
    anpe_optimum o;
    climb_hill(&p, low, high, start, &o);
    CU_ASSERT(o.x[0] == 0 && o.x[2] == 0.5);
    CU_ASSERT_DOUBLE_EQUAL(o.x[1], 0.3, 0.04);
    CU_ASSERT_DOUBLE_EQUAL(o.mean[0], -2, 1.1); /* it is given the width of the box, 1, too */
    CU_ASSERT(o.mean[0] < -0.9 && o.mean[2] > 2);
    CU_ASSERT(p.n_expansions <= 4);
    anpe_optimum_clear(&o);
}

/* A gentle bend, from 10 sd away: one matrix does for most of the way, and a start at the top needs
 * no other. What is returned is a matrix of where it is, whether the way was allowed to end. */
static void test_held_matrix(void)
{
    const double low[6] = {-9, -9, -9, -9, -9, -9}, high[6] = {9, 9, 9, 9, 9, 9};
    const double start[6] = {1, -1, 1, 1, 1, 1}, scale[6] = {1, 1, 1, 1, 1, 1};
    hill p = {.d = 6, .curved = 0.5, .sd = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1}};
    const anpe_newton_problem problem = {low, high, &p, expand_hill, probe_hill};
    anpe_newton *w;
    anpe_optimum o;
    climb_hill(&p, low, high, start, &o);
    CU_ASSERT(o.n_expansions <= 3 && o.n_probes >= 2);
    for (int i = 0; i < 6; i++)
        CU_ASSERT_DOUBLE_EQUAL(o.mean[i], 0, 0.02);
    anpe_optimum_clear(&o);
    climb_hill(&p, low, high, p.top, &o);
    CU_ASSERT(o.n_expansions == 1 && o.n_probes == 0);
    anpe_optimum_clear(&o);
    WORKS(anpe_newton_new(ctx, 6, &w));
    WORKS(anpe_optimum_new(ctx, 6, &o));
    for (int most = 1; most < 3; most++) {
        WORKS(anpe_newton_run(w, ctx, &problem, start, scale, most, &o));
        CU_ASSERT_EQUAL(o.n_expansions, most);
        /* H_01 = J_11 J_10 */
        CU_ASSERT_DOUBLE_EQUAL(o.h[1], -o.x[0] / 0.01, 1e-9);
    }
    CU_ASSERT_PTR_NULL(anpe_newton_free(w));
    anpe_optimum_clear(&o);
}

/* At a corner the slope is never 0: where steps gain nothing, that is the top. */
static void test_corner(void)
{
    const double low[2] = {-5, -5}, high[2] = {5, 0}, start[2] = {1, -1};
    hill p = {.d = 2, .corner = 1, .top = {0, 1}, .sd = {0.5, 1}};
    anpe_optimum o;
    climb_hill(&p, low, high, start, &o);
    CU_ASSERT(o.f > -0.5 - 0.2);
    CU_ASSERT(o.n_expansions <= 5);
    anpe_optimum_clear(&o);
}

/* ---- the rung ---------------------------------------------------------------------------- */

/* In the box [0, 1]^D a normal, or two, or bent ones; y is logit x. */
typedef struct task {
    int64_t d;
    double sd, middle;     /* of the first mode */
    double second, share;  /* middle and mass of a second one, 0: none */
    double bend;           /* x_1 - bend (x_0 - middle)^2 is what is normal */
    double q_middle, q_sd; /* the proposal, normal in y; of half of it */
    double q_second;       /* place of the other half */
    int blind;             /* to the second mode: expansions see the first alone */
    double low[8], high[8];
    int64_t n_evaluations;
} task;

static double logistic(double y)
{
    return 1 / (1 + exp(-y));
}

static double from_y(void *user, const double *y, double *x)
{
    const task *p = user;
    double log_jacobian = 0;
    for (int64_t i = 0; i < p->d; i++) {
        x[i] = logistic(y[i]);
        log_jacobian -= log1p(exp(-y[i])) + log1p(exp(y[i]));
    }
    return log_jacobian;
}

static void to_y(void *user, const double *x, double *y)
{
    for (int64_t i = 0; i < ((const task *)user)->d; i++)
        y[i] = log(x[i]) - log1p(-x[i]);
}

static double mode(const task *p, const double *x, double middle)
{
    double sum = 0;
    for (int64_t i = 0; i < p->d; i++) {
        const double bend = i == 1 ? p->bend * pow(x[0] - middle, 2) : 0;
        sum -= 0.5 * pow((x[i] - middle - bend) / p->sd, 2) + log(p->sd) + 0.5 * log(2 * M_PI);
    }
    return sum;
}

static double log_density(const task *p, const double *x)
{
    if (p->share == 0)
        return mode(p, x, p->middle);
    return anpe_log_add(log1p(-p->share) + mode(p, x, p->middle),
                        log(p->share) + mode(p, x, p->second));
}

static anpe_status target(void *user, anpe_ctx *c, int64_t n, const double *y, double *out)
{
    task *p = user;
    double x[8];
    (void)c;
    p->n_evaluations += n;
    for (int64_t k = 0; k < n; k++) {
        const double log_jacobian = from_y(user, y + k * p->d, x);
        out[k] = log_density(p, x) + log_jacobian;
    }
    return ANPE_OK;
}

/* About the nearer mode. */
static anpe_status expand(void *user, anpe_ctx *c, const double *x, const double *step, double *f,
                          double *gradient, double *h)
{
    task *p = user;
    const int far = p->share > 0 && mode(p, x, p->second) > mode(p, x, p->middle);
    hill one = {.d = p->d, .curved = p->bend};
    double moved[8];
    const double middle = far ? p->second : p->middle;
    p->n_evaluations += p->d + 1;
    if (far && p->blind) {
        *f = -INFINITY;
        return ANPE_OK;
    }
    for (int64_t i = 0; i < p->d; i++) {
        one.sd[i] = p->sd;
        moved[i] = x[i] - middle;
    }
    anpe_status status = expand_hill(&one, c, moved, step, f, gradient, h);
    *f = log_density(p, x);
    return status;
}

/* With the right gradient. */
static anpe_status probe(void *user, anpe_ctx *c, const double *x, const double *step, double *f,
                         double *gradient)
{
    task *p = user;
    double h[64];
    p->n_evaluations -= p->d;
    return expand(user, c, x, step, f, gradient, h);
}

static double q_part(const task *p, const double *y, double middle)
{
    double sum = 0;
    for (int64_t i = 0; i < p->d; i++)
        sum -= 0.5 * pow((y[i] - middle) / p->q_sd, 2) + log(p->q_sd) + 0.5 * log(2 * M_PI);
    return sum;
}

static anpe_status log_q(void *user, anpe_ctx *c, int64_t n, const double *y, double *out)
{
    const task *p = user;
    (void)c;
    for (int64_t k = 0; k < n; k++, y += p->d)
        out[k] = log(0.5) + anpe_log_add(q_part(p, y, p->q_middle), q_part(p, y, p->q_second));
    return ANPE_OK;
}

static anpe_status draw(void *user, anpe_ctx *c, anpe_rng *rng, int64_t n, double *y, double *out)
{
    const task *p = user;
    for (int64_t k = 0; k < n; k++) {
        const double middle = anpe_uniform(rng) < 0.5 ? p->q_middle : p->q_second;
        for (int64_t i = 0; i < p->d; i++)
            y[k * p->d + i] = middle + p->q_sd * anpe_normal(rng);
    }
    return log_q(user, c, n, y, out);
}

static anpe_ladder *ladder;

static anpe_ladder_result climb(task *p, int64_t seed, double ess)
{
    const anpe_ladder_options options = {ess, 100000, ANPE_RUNG_MCMC};
    const anpe_ladder_box box = {p->low, p->high, from_y, to_y, expand, probe};
    const anpe_ladder_problem asked = {p->d, p, draw, log_q, target, &box};
    anpe_ladder_result r;
    anpe_rng rng = stream(seed);
    for (int i = 0; i < 8; i++)
        p->high[i] = 1;
    p->n_evaluations = 0;
    ladder = anpe_ladder_free(ladder);
    WORKS(anpe_ladder_new(ctx, p->d, &options, &ladder));
    WORKS(anpe_ladder_climb(ladder, ctx, &asked, &rng, &r));
    CU_ASSERT_EQUAL(r.n_evaluations, p->n_evaluations);
    return r;
}

/* Weighted mean of coordinate i, and mass beyond `middle` in it. */
static double moment(const anpe_ladder_result *r, int64_t d, int64_t i, double middle,
                     double *beyond)
{
    double sum = 0, x[8];
    task p = {.d = d};
    *beyond = 0;
    for (int64_t k = 0; k < r->n; k++) {
        (void)from_y(&p, r->y + k * d, x);
        sum += exp(r->log_weight[k]) * x[i];
        *beyond += x[i] > middle ? exp(r->log_weight[k]) : 0;
    }
    return sum;
}

/* Proposals that are 10 sd off, or 50 times too wide. */
static void test_poor_proposals(void)
{
    static const task poor[] = {
        {.d = 6, .sd = 0.002, .middle = 0.4, .q_middle = -0.325, .q_second = -0.325, .q_sd = 0.01},
        {.d = 6, .sd = 0.002, .middle = 0.4, .q_middle = -0.4, .q_second = -0.4, .q_sd = 0.4},
        {.d = 6, .sd = 0.002, .middle = 0.4, .q_middle = -0.4, .q_second = 1, .q_sd = 0.002},
    };
    for (size_t k = 0; k < sizeof poor / sizeof *poor; k++) {
        task p = poor[k];
        double beyond;
        const anpe_ladder_result r = climb(&p, 10 + (int64_t)k, 500);
        CU_ASSERT(r.exact && r.rung == ANPE_RUNG_NEWTON && r.ess >= 500);
        CU_ASSERT(r.n_evaluations < 900);
        CU_ASSERT_DOUBLE_EQUAL(moment(&r, 6, 2, 0, &beyond), 0.4, 5 * 0.002 / sqrt(r.ess));
        CU_ASSERT(fabs(r.log_evidence) < 4 * r.log_evidence_err && r.log_evidence_err < 0.1);
    }
}

/* The mode is on a side of the box, or beyond one. */
static void test_lean(void)
{
    static const double middle[] = {0, 0.002, -0.006, -0.04};
    for (size_t k = 0; k < sizeof middle / sizeof *middle; k++) {
        task p = {
            .d = 5, .sd = 0.002, .middle = middle[k], .q_middle = -6, .q_second = -6, .q_sd = 1};
        const anpe_ladder_result r = climb(&p, 20 + (int64_t)k, 500);
        const double a = -middle[k] / 0.002, mass = 0.5 * erfc(a * M_SQRT1_2);
        const double mean = middle[k] + 0.002 * exp(-0.5 * a * a) / sqrt(2 * M_PI) / mass;
        double beyond;
        CU_ASSERT(r.exact && r.rung == ANPE_RUNG_NEWTON && r.n_evaluations < 1000);
        CU_ASSERT(fabs(r.log_evidence - 5 * log(mass)) < 4 * r.log_evidence_err);
        for (int64_t i = 0; i < 5; i++)
            CU_ASSERT_DOUBLE_EQUAL(moment(&r, 5, i, 0, &beyond), mean,
                                   5 * (mean + 0.002 * (a < 0)) / sqrt(r.ess));
    }
}

/* Two modes 50 sd apart: the weights are right to a tenth, whether Newton steps find both or are
 * blind to the second. */
static void test_two_modes(void)
{
    for (int blind = 0; blind < 2; blind++)
        for (int64_t seed = 30; seed < 34; seed++) {
            task p = {.d = 4,
                      .sd = 0.01,
                      .middle = 0.3,
                      .second = 0.8,
                      .share = seed % 2 ? 0.5 : 0.25,
                      .q_middle = -0.84,
                      .q_second = 1.38,
                      .q_sd = 0.15,
                      .blind = blind};
            double beyond;
            const anpe_ladder_result r = climb(&p, seed, 5000);
            (void)moment(&r, 4, 0, 0.55, &beyond);
            CU_ASSERT(r.exact);
            CU_ASSERT(blind || (r.rung == ANPE_RUNG_NEWTON && r.n_evaluations < 7000));
            /* 4 errors of a fraction are 4 to 7 % */
            CU_ASSERT(fabs(beyond - p.share) < 4 * sqrt(p.share * (1 - p.share) / r.ess));
            CU_ASSERT(fabs(beyond / p.share - 1) < 0.1);
            printf("\n  %s: %lld evaluations, rung %s, mass %.3f of %.2f", blind ? "blind" : "both",
                   (long long)r.n_evaluations, anpe_rung_names[r.rung], beyond, p.share);
        }
}

/* A banana is no normal distribution: later rungs do it, or it is said that they did not. */
static void test_bent(void)
{
    task p = {.d = 3, .sd = 0.03, .middle = 0.5, .bend = 60, .q_sd = 0.5};
    double beyond;
    const anpe_ladder_result r = climb(&p, 40, 500);
    CU_ASSERT(r.exact);
    /* mean of x_1: middle + bend sd^2 */
    CU_ASSERT_DOUBLE_EQUAL(moment(&r, 3, 1, 0, &beyond), 0.5 + 60 * 0.0009,
                           5 * sqrt(0.0009 + 2 * pow(60 * 0.0009, 2)) / sqrt(r.ess));
    CU_ASSERT_DOUBLE_EQUAL(r.log_evidence, 0, 4 * r.log_evidence_err);
}

/* Nothing anywhere. */
static void test_nothing(void)
{
    task p = {.d = 3, .sd = 1e-200, .middle = 0.5, .q_sd = 0.5};
    const anpe_ladder_result r = climb(&p, 41, 500);
    CU_ASSERT(!r.exact && r.ess <= 1 && r.reason[0]);
}

static void test_end(void)
{
    ladder = anpe_ladder_free(ladder);
    CU_ASSERT_PTR_NULL(ladder);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"a component without a share", test_empty_share},
        {"normals without a side near", test_no_sides},
        {"normals in a box", test_box},
        {"far outside", test_far_out},
        {"a curved valley", test_valley},
        {"a top outside of the box", test_side},
        {"a matrix that is held", test_held_matrix},
        {"a corner", test_corner},
        {"poor proposals", test_poor_proposals},
        {"posteriors that lean on a side", test_lean},
        {"two modes", test_two_modes},
        {"a banana", test_bent},
        {"a posterior of zero", test_nothing},
        {"end", test_end},
    };
    return run_suite(argc, argv, "newton", COUNT(tests), tests);
}
