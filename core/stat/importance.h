/* stat/importance.h -- importance weights: Pareto smoothing, effective size, evidence, statistics.
 *
 * Vehtari, Simpson, Gelman, Yao & Gabry (2024), "Pareto smoothed importance sampling": the largest
 * weights are replaced by the expected order statistics of a generalised Pareto distribution that
 * was fitted to them; its shape k-hat says how far the weights can be trusted (<= 0.7). The fit is
 * that of Zhang & Stephens (2009), whose k has the opposite sign. Nothing here allocates. */
#ifndef ANPE_CORE_IMPORTANCE_H
#define ANPE_CORE_IMPORTANCE_H
#include "stat/order.h"

typedef struct anpe_weights_summary {
    double khat; /* shape of the tail; inf: too few weights to tell; -inf: no tail at all */
    double ess;  /* 1 / sum of squared normalised weights */
    double log_evidence, log_evidence_err; /* log of the mean raw weight, and its sd */
} anpe_weights_summary;

/* log_weight (n): in log(target / proposal), -inf allowed; out smoothed and normalised (the sum of
 * exp is 1). All -inf: ess 0, evidence -inf, and log_weight stays as it is. scratch (n). */
anpe_weights_summary anpe_weights_smooth(int64_t n, double *log_weight, anpe_ranked *scratch);
/* log_weight (n), not all -inf, so that the sum of exp is 1; returns the log of what it was. */
double anpe_log_normalise(int64_t n, double *log_weight);
/* log(e^a + e^b) */
double anpe_log_add(double a, double b);
/* k-hat that n draws can be trusted up to: min(1 - 1 / log10 n, 0.7). */
double anpe_khat_limit(int64_t n);
/* Effective size of weights exp(power * log_weight). */
double anpe_weights_ess(int64_t n, const double *log_weight, double power);

/* Generalised Pareto distribution with location 0, F(x) = 1 - (1 + k x / sigma)^(-1/k), fitted to
 * the values of x (n >= 5), ascending, none below 0 and the last above 0. */
void anpe_pareto_fit(int64_t n, const anpe_ranked *x, double *k, double *sigma);

/* Mean, sd, and quantiles (linear between the middles of the steps of the distribution function) of
 * value[i * stride] under normalised log weights. p: n_q probabilities -> q. */
void anpe_weighted_moments(int64_t n, const double *value, int64_t stride, const double *log_weight,
                           double *mean, double *sd);
void anpe_weighted_quantiles(int64_t n, const double *value, int64_t stride,
                             const double *log_weight, int n_q, const double *p, double *q,
                             anpe_ranked *scratch);
/* m rows of equal weight by systematic resampling, u in (0, 1): row[j] in [0, n), ascending. */
void anpe_weighted_resample(int64_t n, const double *log_weight, double u, int64_t m, int64_t *row);
#endif
