/* Stark profiles of hydrogen from a fit: fit/stark.py has its equations and makes its table.
 *
 * The fit is of Stark's profile alone, S(alpha), alpha >= 0; Doppler's profile of width w (in
 * alpha) is folded in for one layer at a time:
 *   alpha > 8 w: three points of Gauss and Hermite;
 *   else: x < 0.03 w counts as one point at 0, trapezoids in ln x behind, to 14 w.
 * Since the alphas asked for are multiples of w, the kernel is the same for all lines and layers.
 */
#include "lte.h"
#include <math.h>
#include <string.h>

#define INNER      0.03
#define OUTER      14.0
#define INNER_STEP 0.18
#define FIRST      (-1.3) /* log10 of the first alpha over w: flat before it */
enum { STEPS = ANPE_LTE_STARK_STEPS, NEAR = ANPE_LTE_STARK_NEAR };

void anpe_lte_doppler_init(anpe_lte_doppler *s)
{
    const double h = log(OUTER / INNER) / STEPS;
    for (int i = 0; i < NEAR; i++) {
        const double alpha = pow(10, FIRST + ANPE_LTE_STARK_STEP * i);
        s->centre[i] = exp(-alpha * alpha) / sqrt(ANPE_LTE_PI);
        for (int k = 0; k <= STEPS; k++) {
            const double x = INNER * exp(h * k), end = k == 0 || k == STEPS ? 0.5 : 1;
            const double below = alpha - x, above = alpha + x;
            s->kernel[i][k] =
                end * h * x * (exp(-below * below) + exp(-above * above)) / sqrt(ANPE_LTE_PI);
        }
    }
}

/* T_i(x), i < n */
static void chebyshev(double x, int n, double *t)
{
    t[0] = 1;
    t[1] = x;
    for (int i = 2; i < n; i++)
        t[i] = 2 * x * t[i - 1] - t[i - 2];
}

/* log10 of the density of Inglis & Teller where the line merges with its neighbours, or 17. */
static double densest(int upper)
{
    return fmin(17, floor(2 * (23.26 - 7.5 * log10(upper))) / 2);
}

typedef struct profile {
    double k, a, root_a, d[ANPE_LTE_STARK_ORDER];
} profile;

/* The profile of line i at this density and temperature, held at the ends of the fit. */
static void profile_of(int i, double ne, double t, profile *p)
{
    const double top = densest(anpe_lte_stark_lines[i].upper);
    const double x = fmin(fmax(log10(ne), 10), top),
                 y = log10(fmin(fmax(t, 2500), 20000) / 7071.0678);
    double u[ANPE_LTE_STARK_DEGREE + 1], v[3];
    chebyshev(2 * (x - 10) / (top - 10) - 1, ANPE_LTE_STARK_DEGREE + 1, u);
    chebyshev(y / log10(2 * sqrt(2)), 3, v);
    p->k = anpe_lte_stark_lines[i].k;
    p->a = pow(exp(p->k) * 2.396280, 2.0 / 3); /* 2.39628: Euler's B(1/2, 3/4) */
    p->root_a = sqrt(p->a);
    for (int o = 0; o < ANPE_LTE_STARK_ORDER; o++) {
        const float *c = anpe_lte_stark_fit[i][o];
        p->d[o] = 0;
        for (int m = 0; m <= ANPE_LTE_STARK_DEGREE; m++)
            for (int n = 0; n < 3 && m + n <= ANPE_LTE_STARK_DEGREE; n++)
                p->d[o] += (double)*c++ * u[m] * v[n];
    }
}

static double ln_stark(const profile *p, double x)
{
    const double root = sqrt(x), u = root / (root + p->root_a), y = 2 * u - 1;
    double b1 = 0, b2 = 0;
    for (int o = ANPE_LTE_STARK_ORDER - 1; o > 0; o--) { /* Clenshaw's sum */
        const double b = 2 * y * b1 - b2 + p->d[o];
        b2 = b1;
        b1 = b;
    }
    return p->k - 1.25 * log(x * x + p->a * p->a) + (1 - u) * (y * b1 - b2 + p->d[0]);
}

/* Integral of S from -x to x: flat to a / 1000, trapezoids in ln x behind. */
static double inside(const profile *p, double x)
{
    const double flat = 1e-3 * p->a;
    if (x <= flat)
        return 2 * x * exp(ln_stark(p, x));
    const double length = log(x / flat);
    const int n = (int)ceil(length / INNER_STEP);
    double sum = 2 * flat * exp(ln_stark(p, flat));
    for (int k = 0; k <= n; k++) {
        const double at = flat * exp(length * k / n), end = k == 0 || k == n ? 0.5 : 1;
        sum += end * 2 * at * length / n * exp(ln_stark(p, at));
    }
    return sum;
}

/* What the profile s lacks of an area of 1 is put into its core, of width w and a: at low density,
 * between the temperatures of the table, the fit knows the core by little but its area. */
static void complete(double first, double w, double a, double *s)
{
    enum { LAST = ANPE_LTE_STARK_ALPHAS - 1 };
    const double h = ANPE_LTE_STARK_STEP * ANPE_LTE_LN10, width = sqrt(w * w + 0.25 * a * a);
    double area = 2 * first * s[0] * (1 - h / 2), alpha[LAST + 1];
    for (int i = 0; i <= LAST; i++) {
        alpha[i] = first * exp(h * i);
        area += 2 * h * alpha[i] * s[i];
    }
    area += 2 * alpha[LAST] * s[LAST] * (2.0 / 3 - h / 2); /* alpha^-5/2 behind */
    for (int i = 0; i <= LAST; i++) {
        const double x = alpha[i] / width;
        s[i] = fmax(s[i] + (1 - area) * exp(-x * x) / (sqrt(ANPE_LTE_PI) * width), 0.5 * s[i]);
    }
}

double anpe_lte_stark_column(const anpe_lte_doppler *s, int line, double ne, double t, double w,
                             double *ln_s)
{
    profile p;
    double f[STEPS + 1];
    const double h = log(OUTER / INNER) / STEPS, aside = w * sqrt(1.5);
    profile_of(line, ne, t, &p);
    const double centre = inside(&p, INNER * w) / w;
    for (int k = 0; k <= STEPS; k++)
        f[k] = exp(ln_stark(&p, INNER * w * exp(h * k)));
    for (int i = 0; i < ANPE_LTE_STARK_ALPHAS; i++) {
        const double alpha = w * pow(10, FIRST + ANPE_LTE_STARK_STEP * i);
        double sum = 0;
        if (i < NEAR) {
            sum = centre * s->centre[i];
            for (int k = 0; k <= STEPS; k++)
                sum += s->kernel[i][k] * f[k];
        } else {
            sum = 2.0 / 3 * exp(ln_stark(&p, alpha)) +
                  (exp(ln_stark(&p, alpha - aside)) + exp(ln_stark(&p, alpha + aside))) / 6;
        }
        ln_s[i] = sum;
    }
    complete(w * pow(10, FIRST), w, p.a, ln_s);
    for (int i = 0; i < ANPE_LTE_STARK_ALPHAS; i++)
        ln_s[i] = log(ln_s[i]);
    return log10(w) + FIRST;
}
