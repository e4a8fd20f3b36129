/* Samples with zeros between them: see kernel/padded.h. */
#include <config.h>
#include <string.h>
#include "kernel/padded.h"
#include "kernel/product.h"

typedef REAL(anpe_padded) padded;

/* Whether row q is data; *run = how many rows from q on are alike. */
static int padded_run(const padded *p, int64_t q, int64_t *row, int64_t *run)
{
    const int64_t s = q / p->period, r = q % p->period - p->shift;
    *row = s * p->length + r;
    *run = r < 0 ? -r : r < p->length ? p->length - r : p->period - p->shift - r;
    return s < p->batch && r >= 0 && r < p->length;
}

ANPE_CLONES
static void copy_positive(int64_t n, const real *x, const real *mask, real *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = mask[i] > 0 ? x[i] : 0;
}

const real *REAL(anpe_padded_rows)(const padded *p, int64_t q, int64_t n, real *tile)
{
    int64_t row, run;
    if (padded_run(p, q, &row, &run) && run >= n && !p->mask)
        return p->x + row * p->width;
    real *to = tile;
    while (n > 0) {
        const int data = padded_run(p, q, &row, &run);
        const int64_t m = run < n ? run : n, w = p->width;
        if (!data)
            memset(to, 0, (size_t)(m * w) * sizeof(real));
        else if (p->mask)
            copy_positive(m * w, p->x + row * w, p->mask + row * w, to);
        else
            memcpy(to, p->x + row * w, (size_t)(m * w) * sizeof(real));
        to += m * w, q += m, n -= m;
    }
    return tile;
}

/* n rows of width `width` (the first w of which are data) to rows of a panel. */
ANPE_CLONES
static void pack_rows(int64_t n, int64_t width, int64_t w, const real *x, const real *mask,
                      real *to)
{
    for (int64_t i = 0; i < n; i++, to += ANPE_PRODUCT_WIDTH, x += width) {
        if (mask) {
            for (int64_t j = 0; j < w; j++)
                to[j] = mask[j] > 0 ? x[j] : 0;
            mask += width;
        } else {
            for (int64_t j = 0; j < w; j++)
                to[j] = x[j];
        }
        for (int64_t j = w; j < ANPE_PRODUCT_WIDTH; j++)
            to[j] = 0;
    }
}

void REAL(anpe_padded_pack)(const padded *p, int64_t q, int64_t n, real *packed)
{
    const int64_t width = p->width;
    int64_t row, run;
    for (int64_t i = 0; i < n; i += run) {
        const int data = padded_run(p, q + i, &row, &run);
        run = run < n - i ? run : n - i;
        for (int64_t j0 = 0; j0 < width; j0 += ANPE_PRODUCT_WIDTH) {
            const int64_t left = width - j0,
                          w = left < ANPE_PRODUCT_WIDTH ? left : ANPE_PRODUCT_WIDTH;
            real *to = packed + j0 * n + i * ANPE_PRODUCT_WIDTH;
            if (data)
                pack_rows(run, width, w, p->x + row * width + j0,
                          p->mask ? p->mask + row * width + j0 : NULL, to);
            else
                memset(to, 0, (size_t)(run * ANPE_PRODUCT_WIDTH) * sizeof(real));
        }
    }
}

ANPE_CLONES
static void add_column_sums(int64_t rows, int64_t n, const real *packed, real *db)
{
    for (int64_t j0 = 0; j0 < n; j0 += ANPE_PRODUCT_WIDTH) {
        real sum[ANPE_PRODUCT_WIDTH] = {0};
        for (int64_t i = 0; i < rows; i++, packed += ANPE_PRODUCT_WIDTH)
            for (int64_t j = 0; j < ANPE_PRODUCT_WIDTH; j++)
                sum[j] += packed[j];
        for (int64_t j = 0; j < ANPE_PRODUCT_WIDTH && j0 + j < n; j++)
            db[j0 + j] += sum[j];
    }
}

void REAL(anpe_packed_add_sums)(int64_t rows, int64_t width, const real *packed, real *sum)
{
    add_column_sums(rows, width, packed, sum);
}
