/* posterior/summary.h -- draws of a label in a few numbers. */
#ifndef ANPE_CORE_SUMMARY_H
#define ANPE_CORE_SUMMARY_H
#include "stat/importance.h"
#include <anpe/plugin.h>

typedef struct anpe_label_summary {
    double median, mean, sd, p16, p84;
    double p16_cal, p84_cal; /* recalibrated; of a validated model */
} anpe_label_summary;
/* All NAN: of a star without a posterior. */
extern const anpe_label_summary anpe_no_summary;

/* Of n draws of one label, which are put in another order; sd NAN for one draw. */
anpe_label_summary anpe_infer_label_summary(int64_t n, double *draw);
/* Of n weighted draws, value (n) `stride` apart, log weights normalised. scratch (n). */
anpe_label_summary anpe_infer_weighted_summary(int64_t n, const double *value, int64_t stride,
                                               const double *log_weight, anpe_ranked *scratch);
/* Weight of the draws within a tenth of their sd of a bound of the label, the larger of the two
 * sides: about 0.1 where the posterior falls off exponentially from the bound, as it does when the
 * star lies beyond; 0.05 for half a normal density; 0.03 for a flat one; 0 away from bounds.
 * value (n) `stride` apart; log_weight (n), NULL: equal weights. */
double anpe_edge_mass(int64_t n, const double *value, int64_t stride, const double *log_weight,
                      double sd, const anpe_label *label);
#endif
