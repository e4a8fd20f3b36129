/* validate/recovery.h -- how well known labels came back: what mock spectra are for. */
#ifndef ANPE_CORE_RECOVERY_H
#define ANPE_CORE_RECOVERY_H
#include "base/context.h"

typedef struct anpe_recovery {
    int64_t n;      /* spectra */
    double r2;      /* 1 - sum (median - truth)^2 / sum (truth - mean truth)^2 */
    double bias;    /* median of (posterior median - truth) */
    double scatter; /* 1.4826 x median absolute deviation of it */
    double cover68; /* fraction of truths inside [p16, p84] */
    double pull;    /* sd of (mean - truth) / sd */
} anpe_recovery;

/* One label: arrays of n. scratch (n). */
anpe_recovery anpe_recovery_of(int64_t n, const double *truth, const double *median,
                               const double *mean, const double *sd, const double *p16,
                               const double *p84, double *scratch);
#endif
