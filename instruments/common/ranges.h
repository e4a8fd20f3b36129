/* ranges.h -- pairs of wavelengths in a configuration: windows, and ranges that are never used. */
#ifndef ANPE_RANGES_H
#define ANPE_RANGES_H
#include <anpe/plugin.h>

/* Whether the values of option `name` are pairs that ascend. Errors: ANPE_ECONFIG. */
anpe_status ranges_check(anpe_ctx *ctx, const char *name, const anpe_reals *r);
/* Whether w is in one of them, ends included. */
int ranges_hold(const anpe_reals *r, double w);
#endif
