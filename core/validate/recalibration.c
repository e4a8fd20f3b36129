/* Temperatures of posterior intervals; definitions in the header. */
#include <config.h>
#include "validate/recalibration.h"
#include "stat/normal.h"
#include "stat/order.h"
#include <math.h>

anpe_credible anpe_interval_on_line(const anpe_label_map *m, int64_t label, double median,
                                    double p16, double p84)
{
    return (anpe_credible){anpe_label_map_line(m, label, median),
                           anpe_label_map_line(m, label, p16), anpe_label_map_line(m, label, p84)};
}

/* Distance from the median in half widths of the side that the truth is on. */
static double deviation(const anpe_credible *i, double truth)
{
    const double d = truth - i->median, half = d > 0 ? i->p84 - i->median : i->median - i->p16;
    return d == 0 ? 0 : fabs(d) / half;
}

double anpe_temperature_of_truths(int64_t n, const anpe_credible *interval, const double *truth,
                                  double *scratch)
{
    const int64_t k = (int64_t)ceil(ANPE_COVER68 * (double)(n + 1));
    if (n < 1)
        return NAN;
    for (int64_t i = 0; i < n; i++)
        scratch[i] = deviation(&interval[i], truth[i]);
    anpe_sort(n, scratch);
    return scratch[(k > n ? n : k) - 1];
}

double anpe_temperature_cover(int64_t n, const anpe_credible *interval, const double *truth,
                              double t)
{
    int64_t inside = 0;
    for (int64_t i = 0; i < n; i++)
        inside += deviation(&interval[i], truth[i]) <= t;
    return n ? (double)inside / (double)n : NAN;
}

double anpe_temperature_of_repeats(int64_t n, const anpe_credible *interval, const int64_t *star,
                                   int64_t *freedom)
{
    double square = 0;
    *freedom = 0;
    for (int64_t first = 0, last; first < n; first = last) {
        double mean = 0, weight = 0;
        for (last = first; last < n && star[last] == star[first]; last++) {
            const double sd = 0.5 * (interval[last].p84 - interval[last].p16);
            mean += interval[last].median / (sd * sd);
            weight += 1 / (sd * sd);
        }
        for (int64_t i = first; i < last; i++) {
            const double sd = 0.5 * (interval[i].p84 - interval[i].p16);
            const double d = (interval[i].median - mean / weight) / sd;
            square += d * d;
        }
        *freedom += last - first - 1;
    }
    return *freedom > 0 ? sqrt(square / (double)*freedom) : NAN;
}

double anpe_temperature_apply(const anpe_label_map *m, int64_t label, double t, double median,
                              double quantile)
{
    const double centre = anpe_label_map_line(m, label, median);
    return anpe_label_map_from_line(
        m, label, centre + t * (anpe_label_map_line(m, label, quantile) - centre));
}
