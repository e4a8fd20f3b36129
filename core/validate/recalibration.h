/* validate/recalibration.h -- intervals that hold what they state, learned from mocks or from
 * repeated observations of the same stars.
 *
 * One temperature t per label: the corrected interval is median + t (p16 - median), and alike for
 * p84, on the label's real line (model/labels.h), so that it stays inside the prior. From mocks, t
 * is the conformal quantile (Lei et al. 2018; Romano et al. 2019) of |truth - median| / (p84 -
 * median, or median - p16 on the other side): among n + 1 exchangeable spectra the interval then
 * holds the truth with probability at least 0.6827. From repeats, t^2 is the scatter of the medians
 * about their star's mean, in units of the stated half width squared; it knows of noise, not of
 * what visits have in common. */
#ifndef ANPE_CORE_RECALIBRATION_H
#define ANPE_CORE_RECALIBRATION_H
#include "model/labels.h"

/* An interval on the real line. */
typedef struct anpe_credible {
    double median, p16, p84;
} anpe_credible;
anpe_credible anpe_interval_on_line(const anpe_label_map *m, int64_t label, double median,
                                    double p16, double p84);
/* Temperature that puts n truths (on the line) inside as often as stated; scratch (n). NAN: n = 0.
 */
double anpe_temperature_of_truths(int64_t n, const anpe_credible *interval, const double *truth,
                                  double *scratch);
/* Fraction of truths inside the intervals at temperature t. */
double anpe_temperature_cover(int64_t n, const anpe_credible *interval, const double *truth,
                              double t);
/* star (n): which intervals belong together, equal numbers adjacent. *freedom: spectra less stars,
 * NAN without two of one star. */
double anpe_temperature_of_repeats(int64_t n, const anpe_credible *interval, const int64_t *star,
                                   int64_t *freedom);
/* p16 or p84 in physical units, moved by the temperature about the median. */
double anpe_temperature_apply(const anpe_label_map *m, int64_t label, double t, double median,
                              double quantile);
#endif
