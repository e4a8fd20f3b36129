/* One instruction set's product of packed rows with a panel of draws; see sampler.h, which
 * includes this once for each set with
 *   PRODUCT        name of the function        PRODUCT_TARGET  its attribute
 *   PRODUCT_BYTES  width of a vector register  PRODUCT_PARTS   registers of a row at a time
 * 6 rows times PRODUCT_PARTS are the accumulators: as many as the registers hold. */
#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#define VECTOR      JOIN(PRODUCT, _vector)
#define MASK        JOIN(PRODUCT, _mask)
#define SOME_ROWS   JOIN(PRODUCT, _some_rows)
typedef real VECTOR __attribute__((vector_size(PRODUCT_BYTES), may_alias));
typedef __typeof__((VECTOR){0} <= (VECTOR){0}) MASK;

/* Always inlined with a constant n_rows, so that the accumulators are registers. */
static inline __attribute__((always_inline)) void SOME_ROWS(int n_rows, int64_t n_in, const real *w,
                                                            const real *x, const real *bias,
                                                            int relu, real *y)
{
    const int64_t lanes = PRODUCT_BYTES / (int64_t)sizeof(real), width = lanes * PRODUCT_PARTS;
    const VECTOR zero = {0};
    for (int64_t first = 0; first < LANES; first += width) {
        VECTOR sum[MAX_ROWS][PRODUCT_PARTS];
#pragma GCC unroll 6
        for (int r = 0; r < n_rows; r++)
#pragma GCC unroll 2
            for (int p = 0; p < PRODUCT_PARTS; p++)
                sum[r][p] = zero + bias[r];
        for (int64_t k = 0; k < n_in; k++) {
            const VECTOR *v = (const VECTOR *)(const void *)(x + k * LANES + first);
#pragma GCC unroll 6
            for (int r = 0; r < n_rows; r++)
#pragma GCC unroll 2
                for (int p = 0; p < PRODUCT_PARTS; p++)
                    sum[r][p] += v[p] * w[k * n_rows + r];
        }
#pragma GCC unroll 6
        for (int r = 0; r < n_rows; r++)
#pragma GCC unroll 2
            for (int p = 0; p < PRODUCT_PARTS; p++) {
                if (relu) /* clears what is <= 0; a NaN stays and is seen */
                    sum[r][p] = (VECTOR)((MASK)sum[r][p] & ~(sum[r][p] <= zero));
                ((VECTOR *)(void *)(y + r * LANES + first))[p] = sum[r][p];
            }
    }
}

PRODUCT_TARGET static void PRODUCT(int64_t n_rows, int64_t n_in, const real *w, const real *x,
                                   const real *bias, int relu, real *y)
{
    for (; n_rows >= MAX_ROWS; n_rows -= MAX_ROWS) {
        SOME_ROWS(MAX_ROWS, n_in, w, x, bias, relu, y);
        w += MAX_ROWS * n_in;
        bias += MAX_ROWS;
        y += MAX_ROWS * LANES;
    }
    switch (n_rows) {
    case 5:
        SOME_ROWS(5, n_in, w, x, bias, relu, y);
        break;
    case 4:
        SOME_ROWS(4, n_in, w, x, bias, relu, y);
        break;
    case 3:
        SOME_ROWS(3, n_in, w, x, bias, relu, y);
        break;
    case 2:
        SOME_ROWS(2, n_in, w, x, bias, relu, y);
        break;
    case 1:
        SOME_ROWS(1, n_in, w, x, bias, relu, y);
        break;
    default:
        break;
    }
}
#undef JOIN_
#undef JOIN
#undef VECTOR
#undef MASK
#undef SOME_ROWS
#undef PRODUCT
#undef PRODUCT_TARGET
#undef PRODUCT_BYTES
#undef PRODUCT_PARTS
