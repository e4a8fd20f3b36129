/* See distribution.h. */
#include <config.h>
#include "stat/distribution.h"
#include <float.h>
#include <math.h>

/* P(a, x) = x^a e^-x / Gamma(a + 1) sum_k x^k / ((a + 1) ... (a + k)). */
static double gamma_p_series(double a, double x)
{
    double term = 1, sum = 1;
    for (int k = 1; k < 100000 && term > sum * DBL_EPSILON; k++) {
        term *= x / (a + k);
        sum += term;
    }
    return sum * exp(a * log(x) - x - lgamma(a + 1));
}

/* Q(a, x) = x^a e^-x / Gamma(a) / (x + 1 - a - 1 (1 - a) / (x + 3 - a - ...)), evaluated from the
 * front by the modified method of Lentz. */
static double gamma_q_fraction(double a, double x)
{
    double b = x + 1 - a, d = 1 / b, c = 1 / DBL_MIN, h = d;
    for (int k = 1; k < 100000; k++) {
        const double n = k * (a - k);
        b += 2;
        d = b + n * d;
        c = b + n / c;
        d = 1 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
        c = fabs(c) < DBL_MIN ? DBL_MIN : c;
        h *= d * c;
        if (fabs(d * c - 1) < 4 * DBL_EPSILON)
            break;
    }
    return h * exp(a * log(x) - x - lgamma(a));
}

double anpe_gamma_q(double a, double x)
{
    if (!(a > 0) || !(x >= 0))
        return NAN;
    if (x == 0)
        return 1;
    if (isinf(x))
        return 0;
    return x < a + 1 ? 1 - gamma_p_series(a, x) : gamma_q_fraction(a, x);
}

double anpe_chi2_survival(double chi2, double freedom)
{
    return anpe_gamma_q(0.5 * freedom, 0.5 * chi2);
}

/* Q(t) = 2 sum_k (-1)^(k-1) exp(-2 k^2 t^2), t = d (sqrt n + 0.12 + 0.11 / sqrt n) (Stephens 1970);
 * below t = 0.3 it is 1 to 1e-5 and the alternating series is of no use. */
double anpe_kolmogorov_survival(int64_t n, double d)
{
    const double root = sqrt((double)n), t = d * (root + 0.12 + 0.11 / root);
    double sum = 0;
    if (n < 1 || !(d >= 0))
        return NAN;
    if (t < 0.3)
        return 1;
    for (int k = 1; k <= 20; k++)
        sum += (k % 2 ? 2 : -2) * exp(-2.0 * k * k * t * t);
    return fmin(fmax(sum, 0), 1);
}

double anpe_uniform_distance(int64_t n, const double *sorted)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++) {
        most = fmax(most, sorted[i] - (double)i / (double)n);
        most = fmax(most, (double)(i + 1) / (double)n - sorted[i]);
    }
    return most;
}

int64_t anpe_binomial_quantile(int64_t n, double p, double q)
{
    const double count = (double)n;
    double sum = 0;
    if (p <= 0)
        return 0;
    if (p >= 1)
        return n;
    for (int64_t k = 0; k < n; k++) {
        const double x = (double)k;
        sum += exp(lgamma(count + 1) - lgamma(x + 1) - lgamma(count - x + 1) + x * log(p) +
                   (count - x) * log1p(-p));
        if (sum >= q)
            return k;
    }
    return n;
}

double anpe_kolmogorov_quantile(int64_t n, double q)
{
    double lo = 0, hi = 1;
    for (int k = 0; k < 60; k++) {
        const double d = 0.5 * (lo + hi);
        if (anpe_kolmogorov_survival(n, d) > 1 - q)
            lo = d;
        else
            hi = d;
    }
    return hi;
}

void anpe_distribution_at(int64_t n, const double *sorted, int64_t m, const double *limit,
                          double *fraction)
{
    int64_t below = 0;
    for (int64_t k = 0; k < m; k++) {
        while (below < n && sorted[below] <= limit[k])
            below++;
        fraction[k] = (double)below / (double)n;
    }
}
