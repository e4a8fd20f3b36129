/* Pairs of wavelengths in a configuration. */
#include "ranges.h"

anpe_status ranges_check(anpe_ctx *ctx, const char *name, const anpe_reals *r)
{
    if (r->n % 2)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s has %lld values; expected pairs of first and last",
                         name, (long long)r->n);
    for (int64_t k = 0; k < r->n; k += 2)
        if (!(r->v[k] < r->v[k + 1]))
            return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: %g to %g; expected ascending wavelengths",
                             name, r->v[k], r->v[k + 1]);
    return ANPE_OK;
}

int ranges_hold(const anpe_reals *r, double w)
{
    for (int64_t k = 0; k < r->n; k += 2)
        if (w >= r->v[k] && w <= r->v[k + 1])
            return 1;
    return 0;
}
