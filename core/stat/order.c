/* Heapsort: glibc's qsort allocates for more than 1 KiB, and this runs for every spectrum. */
#include "stat/order.h"

/* v[i] sinks to its place in the heap v[0..n): no element is less than its children. */
static void sink(int64_t i, int64_t n, double *v)
{
    const double x = v[i];
    for (int64_t child; (child = 2 * i + 1) < n; i = child) {
        child += child + 1 < n && v[child + 1] > v[child];
        if (!(v[child] > x))
            break;
        v[i] = v[child];
    }
    v[i] = x;
}

void anpe_sort(int64_t n, double *values)
{
    for (int64_t i = n / 2; i-- > 0;)
        sink(i, n, values);
    for (int64_t last = n; last-- > 1;) {
        const double largest = values[0];
        values[0] = values[last];
        values[last] = largest;
        sink(0, last, values);
    }
}

double anpe_quantile_sorted(int64_t n, const double *sorted, double q)
{
    const double at = q * (double)(n - 1);
    const int64_t i = (int64_t)at;
    return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

static int before(const anpe_ranked *a, const anpe_ranked *b)
{
    return a->value < b->value || (a->value == b->value && a->at < b->at);
}

static void sink_ranked(int64_t i, int64_t n, anpe_ranked *r)
{
    const anpe_ranked x = r[i];
    for (int64_t child; (child = 2 * i + 1) < n; i = child) {
        child += child + 1 < n && before(&r[child], &r[child + 1]);
        if (!before(&x, &r[child]))
            break;
        r[i] = r[child];
    }
    r[i] = x;
}

void anpe_sort_ranked(int64_t n, anpe_ranked *r)
{
    for (int64_t i = n / 2; i-- > 0;)
        sink_ranked(i, n, r);
    for (int64_t last = n; last-- > 1;) {
        const anpe_ranked largest = r[0];
        r[0] = r[last];
        r[last] = largest;
        sink_ranked(0, last, r);
    }
}
