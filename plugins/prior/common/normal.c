/* The normal CDF in logarithms; see normal.h. */
#include "normal.h"
#include <math.h>

static const double root_half = 0.707106781186547524, log_2 = 0.693147180559945309;

/* erfc down to x = -12; below it the asymptotic series Phi(x) = phi(x)/|x| (1 - 1/x^2 + 3/x^4 -
 * 15/x^6 + ...), whose first left-out term is 3 10^-14 there (Abramowitz & Stegun 26.2.12). */
double normal_log_cdf(double x)
{
    if (x > 5)
        return log1p(-0.5 * erfc(x * root_half));
    if (x > -12)
        return log(0.5 * erfc(-x * root_half));
    if (isinf(x))
        return -INFINITY;
    const double y = 1 / (x * x);
    double series = 0;
    for (int k = 19; k >= 1; k -= 2)
        series = -y * k * (1 + series);
    return -0.5 * x * x - NORMAL_LOG_ROOT_2PI - log(-x) + log1p(series);
}

/* Newton on the concave log Phi from below: -sqrt(-2 log p) is left of the root because Phi(x) <=
 * exp(-x^2/2), and each step stays left of it, so that it cannot diverge. The upper half is the
 * lower one mirrored. */
double normal_log_quantile(double log_p)
{
    if (log_p >= 0)
        return INFINITY;
    if (log_p > -log_2)
        return -normal_log_quantile(log(-expm1(log_p)));
    double x = -sqrt(-2 * log_p);
    for (int i = 0; i < 50; i++) {
        const double f = normal_log_cdf(x);
        const double slope = exp(-0.5 * x * x - NORMAL_LOG_ROOT_2PI - f);
        const double step = (log_p - f) / slope;
        x += step;
        if (!(fabs(step) > 1e-14 * (1 + fabs(x))))
            break;
    }
    return x;
}

normal_cut normal_cut_new(double a, double b)
{
    normal_cut c = {.a = a, .b = b, .mirror = a > 0};
    c.log_lo = normal_log_cdf(c.mirror ? -b : a);
    c.log_hi = normal_log_cdf(c.mirror ? -a : b);
    c.log_mass = c.log_hi + log(-expm1(c.log_lo - c.log_hi));
    return c;
}

/* The logarithm of Phi(lo) + v (Phi(hi) - Phi(lo)) stays exact where Phi underflows. */
double normal_cut_quantile(const normal_cut *c, double u)
{
    const double v = c->mirror ? 1 - u : u;
    const double x = normal_log_quantile(c->log_hi + log(v + (1 - v) * exp(c->log_lo - c->log_hi)));
    const double y = c->mirror ? -x : x;
    return y < c->a ? c->a : y > c->b ? c->b : y;
}
