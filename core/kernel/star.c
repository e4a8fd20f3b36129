/* Loops over the pixels of one spectrum: see kernel/star.h. In float only. */
#include <config.h>
#include "kernel/real.h"
#include "kernel/star.h"
#include <string.h>

#ifndef ANPE_REAL_DOUBLE
/* In PARTS sums side by side, for the vectoriser. */
enum { PARTS = 16 };

static double total(const double *part)
{
    double sum = 0;
    for (int k = 0; k < PARTS; k++)
        sum += part[k];
    return sum;
}

ANPE_CLONES
static double dot(int64_t n, const float *x, const float *y)
{
    double part[PARTS] = {0};
    int64_t i = 0;
    for (; i + PARTS <= n; i += PARTS)
        for (int k = 0; k < PARTS; k++)
            part[k] += (double)x[i + k] * (double)y[i + k];
    for (int k = 0; i < n; i++, k++)
        part[k] += (double)x[i] * (double)y[i];
    return total(part);
}

/* A tile of pairs of rows at a time: each row that is read serves several sums. */
enum { LEFT = 2, RIGHT = 4, HALF = PARTS / 2 };
typedef float half_float __attribute__((vector_size(HALF * sizeof(float)), aligned(4), may_alias));
typedef double half __attribute__((vector_size(HALF * sizeof(double))));

#define HALF_AT(x) __builtin_convertvector(*(const half_float *)(x), half)

/* part (LEFT, RIGHT, PARTS): as dot has them, of the whole vectors in [0, n) */
ANPE_CLONES
static void dot_tile(int64_t n, const float *const *left, const float *const *right, double *part)
{
    half sum[LEFT][RIGHT][2];
    memset(sum, 0, sizeof sum);
    for (int64_t k = 0; k + PARTS <= n; k += PARTS) {
        half l[LEFT][2];
#pragma GCC unroll 2
        for (int a = 0; a < LEFT; a++) {
            l[a][0] = HALF_AT(left[a] + k);
            l[a][1] = HALF_AT(left[a] + k + HALF);
        }
#pragma GCC unroll 4
        for (int b = 0; b < RIGHT; b++) {
            const half r0 = HALF_AT(right[b] + k), r1 = HALF_AT(right[b] + k + HALF);
#pragma GCC unroll 2
            for (int a = 0; a < LEFT; a++) {
                sum[a][b][0] += l[a][0] * r0;
                sum[a][b][1] += l[a][1] * r1;
            }
        }
    }
    memcpy(part, sum, sizeof sum);
}

#ifdef ANPE_HAVE_TARGET_CLONES
/* The same where a vector has four doubles and there are 16 of them, which hold a quarter of the
 * sums: four times over pixels that stay in the first cache meanwhile. [from, to): whole vectors */
enum { QUARTER = PARTS / 4, NEAR = 512 };
typedef float quarter_float
    __attribute__((vector_size(QUARTER * sizeof(float)), aligned(4), may_alias));
typedef double quarter
    __attribute__((vector_size(QUARTER * sizeof(double)), aligned(8), may_alias));

#define QUARTER_AT(x) __builtin_convertvector(*(const quarter_float *)(x), quarter)

__attribute__((target("avx2,fma"))) static void dot_quarters(int64_t from, int64_t to,
                                                             const float *const *left,
                                                             const float *const *right,
                                                             double *part)
{
    quarter sum[LEFT][RIGHT];
#pragma GCC unroll 8
    for (int i = 0; i < LEFT * RIGHT; i++)
        sum[i / RIGHT][i % RIGHT] = *(const quarter *)(part + i * PARTS);
    for (int64_t k = from; k < to; k += PARTS) {
        quarter l[LEFT];
#pragma GCC unroll 2
        for (int a = 0; a < LEFT; a++)
            l[a] = QUARTER_AT(left[a] + k);
#pragma GCC unroll 4
        for (int b = 0; b < RIGHT; b++) {
            const quarter r = QUARTER_AT(right[b] + k);
#pragma GCC unroll 2
            for (int a = 0; a < LEFT; a++)
                sum[a][b] += l[a] * r;
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < LEFT * RIGHT; i++)
        *(quarter *)(part + i * PARTS) = sum[i / RIGHT][i % RIGHT];
}

static void dot_tile_avx2(int64_t n, const float *const *left, const float *const *right,
                          double *part)
{
    memset(part, 0, LEFT * RIGHT * PARTS * sizeof *part);
    n = n / PARTS * PARTS;
    for (int64_t from = 0; from < n; from += NEAR)
        for (int q = 0; q < PARTS; q += QUARTER)
            dot_quarters(from + q, from + NEAR < n ? from + NEAR : n, left, right, part + q);
}

static int four_doubles(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           !__builtin_cpu_supports("avx512f");
}
#endif

/* With the vectors that are here. */
static void sum_tile(int64_t n, const float *const *left, const float *const *right, double *part)
{
#ifdef ANPE_HAVE_TARGET_CLONES
    if (four_doubles()) {
        dot_tile_avx2(n, left, right, part);
        return;
    }
#endif
    dot_tile(n, left, right, part);
}

ANPE_CLONES
static void add(int64_t n, float a, const float *restrict x, float *restrict sum)
{
    for (int64_t i = 0; i < n; i++)
        sum[i] += a * x[i];
}

ANPE_CLONES
static int divide(int64_t n, const float *restrict continuum, const uint8_t *restrict mask,
                  float *restrict flux)
{
    int bad = 0;
    for (int64_t i = 0; i < n; i++) {
        const int positive = continuum[i] > 0;
        flux[i] = flux[i] / (positive ? continuum[i] : 1);
        bad |= !positive & !mask[i];
    }
    return bad;
}

ANPE_CLONES
static void divide_slope(int64_t n, const float *restrict continuum,
                         const float *restrict continuum_slope, const float *restrict reduced,
                         float *restrict slope)
{
    for (int64_t i = 0; i < n; i++) {
        const int positive = continuum[i] > 0;
        const float value =
            (slope[i] - reduced[i] * continuum_slope[i]) / (positive ? continuum[i] : 1);
        slope[i] = positive ? value : 0; /* where there is no continuum it has no slope, either */
    }
}

ANPE_CLONES
static void whiten(int64_t n, const float *restrict x, const float *restrict y,
                   const float *restrict w, float *restrict r)
{
    for (int64_t i = 0; i < n; i++)
        r[i] = (x[i] - y[i]) * w[i];
}

ANPE_CLONES
static void filter(int64_t n, int64_t taps, const double *weight, const float *restrict in,
                   float *restrict out)
{
    enum { BLOCK = 32 };
    int64_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        double sum[BLOCK] = {0};
        for (int64_t k = 0; k < taps; k++)
            for (int j = 0; j < BLOCK; j++)
                sum[j] += weight[k] * (double)in[i + k + j];
        for (int j = 0; j < BLOCK; j++)
            out[i + j] = (float)sum[j];
    }
    for (; i < n; i++) {
        double sum = 0;
        for (int64_t k = 0; k < taps; k++)
            sum += weight[k] * (double)in[i + k];
        out[i] = (float)sum;
    }
}

void anpe_star_filter(int64_t n, int64_t taps, const double *weight, const float *in, float *out)
{
    filter(n, taps, weight, in, out);
}

double anpe_star_gather(int64_t n, const int32_t *at, const double *weight, const float *x)
{
    double part[PARTS] = {0};
    for (int64_t k = 0; k < n; k++)
        part[k % PARTS] += weight[k] * (double)x[at[k]];
    return total(part);
}

void anpe_star_add(int64_t n, float a, const float *x, float *sum)
{
    add(n, a, x, sum);
}

double anpe_star_dot(int64_t n, const float *x, const float *y)
{
    return dot(n, x, y);
}

void anpe_star_gram(int64_t m, int64_t n, const float *rows, double *out)
{
    const int64_t rest = n / PARTS * PARTS;
    for (int64_t i = 0; i < m; i += LEFT)
        for (int64_t j = 0; j < i + LEFT && j < m; j += RIGHT) {
            const float *left[LEFT], *right[RIGHT];
            double part[LEFT][RIGHT][PARTS];
            for (int a = 0; a < LEFT; a++) /* beside the last row it once more */
                left[a] = rows + (i + a < m ? i + a : m - 1) * n;
            for (int b = 0; b < RIGHT; b++)
                right[b] = rows + (j + b < m ? j + b : m - 1) * n;
            sum_tile(n, left, right, part[0][0]);
            for (int a = 0; a < LEFT && i + a < m; a++)
                for (int b = 0; b < RIGHT && j + b <= i + a; b++) {
                    for (int64_t k = rest; k < n; k++)
                        part[a][b][k - rest] += (double)left[a][k] * (double)right[b][k];
                    out[(i + a) * m + j + b] = total(part[a][b]);
                }
        }
}

int anpe_star_divide(int64_t n, const float *continuum, const uint8_t *mask, float *flux)
{
    return divide(n, continuum, mask, flux);
}

void anpe_star_divide_slope(int64_t n, const float *continuum, const float *continuum_slope,
                            const float *reduced, float *slope)
{
    divide_slope(n, continuum, continuum_slope, reduced, slope);
}

void anpe_star_whiten(int64_t n, const float *x, const float *y, const float *w, float *r)
{
    whiten(n, x, y, w, r);
}

/* Of EIGHT powers side by side, so that none waits for the one before it. */
enum { EIGHT = 8 };
typedef double eight __attribute__((vector_size(EIGHT * sizeof(double)), aligned(8), may_alias));
#define EIGHT_AT(x) (*(eight *)(uintptr_t)(x))

ANPE_CLONES
void anpe_star_weigh(int64_t n, double first, double ratio, const double *kernel, double *weight)
{
    double start[EIGHT] = {first}, step = ratio;
    for (int k = 1; k < EIGHT; k++)
        start[k] = start[k - 1] * ratio;
    for (int k = 1; k < EIGHT; k *= 2)
        step *= step;
    eight power = EIGHT_AT(start);
    for (int64_t i = 0; i < n; i += EIGHT, power *= step)
        EIGHT_AT(weight + i) = power * EIGHT_AT(kernel + i);
}

ANPE_CLONES
void anpe_star_spread(int64_t rows, int64_t n, const double *x, const double *weight,
                      int64_t stride, double *sum)
{
    for (int64_t r = 0; r < rows; r++, sum += stride)
        for (int64_t i = 0; i < n; i += EIGHT)
            EIGHT_AT(sum + i) += x[r] * EIGHT_AT(weight + i);
}
#endif
