/* The normal quantile is Acklam's rational approximation with one step of Halley's method on erfc,
 * which brings it to a few units in the last place. Where Phi(x) leaves the range of doubles its
 * log is Mills' ratio as an asymptotic series: at 30 the next term is 1e-12 of the log's own. */
#include <config.h>
#include "stat/normal.h"
#include <math.h>

double anpe_normal_quantile(double u)
{
    static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,
                               -2.759285104469687e+02, 1.383577518672690e+02,
                               -3.066479806614716e+01, 2.506628277459239e+00};
    static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02,
                               -1.556989798598866e+02, 6.680131188771972e+01,
                               -1.328068155288572e+01};
    static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01,
                               -2.400758277161838e+00, -2.549732539343734e+00,
                               4.374664141464968e+00,  2.938163982698783e+00};
    static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                               3.754408661907416e+00};
    const double tail = u < 0.5 ? u : 1 - u; /* solve in the lower half, keep the sign */
    double x;
    if (tail < 0.02425) {
        const double q = sqrt(-2 * log(tail));
        x = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
            ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
    } else {
        const double q = tail - 0.5, r = q * q;
        x = (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
            (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
    }
    const double e = 0.5 * erfc(-x * M_SQRT1_2) - tail;
    const double s = e * sqrt(2 * M_PI) * exp(0.5 * x * x);
    x -= s / (1 + 0.5 * x * s);
    return u < 0.5 ? x : -x;
}

double anpe_normal_log_cdf(double x)
{
    static const double far_out = 30;
    if (x > 0)
        return log1p(-0.5 * erfc(x * M_SQRT1_2));
    if (x > -far_out)
        return log(0.5 * erfc(-x * M_SQRT1_2));
    if (!isfinite(x))
        return x;
    const double r = 1 / (x * x);
    return -0.5 * x * x - ANPE_LOG_ROOT_2PI - log(-x) +
           log1p(-r * (1 - 3 * r * (1 - 5 * r * (1 - 7 * r))));
}

double anpe_normal_log_quantile(double log_u)
{
    if (log_u > -400) /* Phi(-28) */
        return anpe_normal_quantile(exp(log_u));
    if (!isfinite(log_u))
        return log_u;
    double x = -sqrt(-2 * log_u);
    for (int i = 0; i < 4; i++) { /* Newton's method on the log, which is nearly a parabola */
        const double value = anpe_normal_log_cdf(x);
        x -= (value - log_u) * exp(value + 0.5 * x * x + ANPE_LOG_ROOT_2PI);
    }
    return x;
}
