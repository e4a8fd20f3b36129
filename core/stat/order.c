/* Heapsort, and Hoare's selection where a few quantiles are asked for: glibc's qsort allocates for
 * more than 1 KiB, and this runs for every spectrum. */
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

/* v[k] := the k-th smallest of v[low..high], the smaller before it, the larger behind. */
static void select_at(int64_t low, int64_t high, int64_t k, double *v)
{
    while (low < high) {
        const double pivot = v[low + (high - low) / 2];
        int64_t i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i <= j) {
                const double swap = v[i];
                v[i++] = v[j];
                v[j--] = swap;
            }
        }
        if (k > j && k < i)
            return;
        if (k <= j)
            high = j;
        else
            low = i;
    }
}

void anpe_select_quantiles(int64_t n, double *values, int n_quantiles, const double *q, double *out)
{
    int64_t from = 0;
    for (int j = 0; j < n_quantiles; j++) {
        const double at = q[j] * (double)(n - 1);
        const int64_t i = (int64_t)at, next = i + 1 < n ? i + 1 : i;
        select_at(from, n - 1, i, values);
        select_at(i, n - 1, next, values);
        out[j] = i + 1 < n ? values[i] + (at - (double)i) * (values[next] - values[i]) : values[i];
        from = i;
    }
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
