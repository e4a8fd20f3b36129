/* One block of 16 pixels of a per-pixel network: see per_pixel.h. Included by simd.h, once per
 * instruction set. */
typedef float SIMD_NAME(vf) __attribute__((vector_size(SIMD_BYTES), aligned(4), may_alias));
typedef int32_t SIMD_NAME(vi) __attribute__((vector_size(SIMD_BYTES)));

/* e = exp(-x), of which (1 - e) / (1 + e) is tanh(x/2). Beyond |x| = 20 that is 1 in float. The
 * exponential: e = 2^n exp(r), |r| <= ln(2)/2, and the Taylor series to r^6/6! (error 1.2e-7 e,
 * which tanh halves at least). <anpe/vecmath.h> leaves vectors to the
 * compiler and would not do here, see simd.h. */
SIMD_TARGET static inline void SIMD_NAME(exp_minus)(SIMD_NAME(vf) * x)
{
    typedef SIMD_NAME(vf) vf;
    const vf zero = {0};
    const float round = 12582912.0f; /* 1.5 2^23: adding it leaves the nearest integer */
    vf t = -*x;
    const SIMD_NAME(vi) above = t > 20.0f, below = t < -20.0f;
    t = (vf)((above & (SIMD_NAME(vi))(zero + 20.0f)) | (~above & (SIMD_NAME(vi))t));
    t = (vf)((below & (SIMD_NAME(vi))(zero - 20.0f)) | (~below & (SIMD_NAME(vi))t));
    const vf shifted = t * 1.44269504f + round;
    const vf n = shifted - round;
    const vf r = t - n * 0.693359375f + n * 2.12194440e-4f; /* ln 2 in two parts */
    vf e = 1.0f / 720 * r + 1.0f / 120;
    e = e * r + 1.0f / 24;
    e = e * r + 1.0f / 6;
    e = e * r + 0.5f;
    e = e * r + 1.0f;
    e = e * r + 1.0f;
    /* the integer is in the low bits of `shifted`: move it to the exponent */
    const SIMD_NAME(vi) exponent = (SIMD_NAME(vi))shifted << 23;
    *x = (vf)((SIMD_NAME(vi))e + exponent);
}

/* tanh(x/2) */
SIMD_TARGET static inline void SIMD_NAME(half_tanh)(SIMD_NAME(vf) * x)
{
    SIMD_NAME(exp_minus)(x);
    *x = (1.0f - *x) / (1.0f + *x);
}

/* The same and its derivative, 2 e / (1 + e)^2: not from the rounded tanh, which is nearly 1. */
SIMD_TARGET static inline void SIMD_NAME(half_tanh_slope)(SIMD_NAME(vf) * x, SIMD_NAME(vf) * slope)
{
    SIMD_NAME(exp_minus)(x);
    const SIMD_NAME(vf) e = *x, inverse = 1.0f / (1.0f + e);
    *slope = 2.0f * e * inverse * inverse;
    *x = (1.0f - e) / (1.0f + e);
}

/* 16 values of each of `rows` rows of s (n, L), which is at most PER_PIXEL_ROWS and known when this
 * is compiled: a weight is loaded once for all of them. */
SIMD_TARGET static inline __attribute__((always_inline)) void
SIMD_NAME(per_pixel_rows)(const int rows, const per_pixel *p, const float *block, const float *s,
                          int64_t stride, float *flux)
{
    typedef SIMD_NAME(vf) vf;
    enum { LANES = SIMD_BYTES / 4 };
    const int64_t L = p->n_labels;
    for (int lane = 0; lane < PER_PIXEL_BLOCK; lane += LANES) {
        const float *w = block + lane;
        vf sum[PER_PIXEL_ROWS] = {{0}};
        for (int64_t j = 0; j < p->n_hidden; j++) {
            vf a[PER_PIXEL_ROWS];
#pragma GCC unroll 4
            for (int r = 0; r < rows; r++)
                a[r] = *(const vf *)w;
            w += PER_PIXEL_BLOCK;
            for (int64_t k = 0; k < L; k++, w += PER_PIXEL_BLOCK)
#pragma GCC unroll 4
                for (int r = 0; r < rows; r++)
                    a[r] += *(const vf *)w * s[r * L + k];
#pragma GCC unroll 4
            for (int r = 0; r < rows; r++)
                SIMD_NAME(half_tanh)(&a[r]);
#pragma GCC unroll 4
            for (int r = 0; r < rows; r++)
                sum[r] += *(const vf *)w * a[r];
            w += PER_PIXEL_BLOCK;
        }
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            sum[r] += *(const vf *)w;
            if (p->sigmoid_output) {
                SIMD_NAME(half_tanh)(&sum[r]);
                sum[r] = sum[r] * (0.5f * p->scale) + (0.5f * p->scale + p->offset);
            }
            *(vf *)(flux + r * stride + lane) = sum[r];
        }
    }
}

/* s (n, L) -> flux: 16 values of each of n rows, `stride` apart */
SIMD_TARGET static void SIMD_NAME(per_pixel_block)(const per_pixel *p, const float *block,
                                                   int64_t n, const float *s, int64_t stride,
                                                   float *flux)
{
    enum { ROWS = PER_PIXEL_ROWS };
    int64_t row = 0;
    for (; row + ROWS <= n; row += ROWS)
        SIMD_NAME(per_pixel_rows)
    (ROWS, p, block, s + row * p->n_labels, stride, flux + row * stride);
    for (; row < n; row++)
        SIMD_NAME(per_pixel_rows)(1, p, block, s + row * p->n_labels, stride, flux + row * stride);
}

typedef float SIMD_NAME(half) __attribute__((vector_size(SIMD_BYTES / 2), aligned(4), may_alias));
typedef double SIMD_NAME(wide) __attribute__((vector_size(SIMD_BYTES)));

/* b0 + sum_k w0_k s_k of a vector of pixels, summed in double. */
SIMD_TARGET static inline void SIMD_NAME(affine)(int64_t L, const float *w, const double *s,
                                                 SIMD_NAME(vf) * out)
{
    typedef SIMD_NAME(half) half;
    typedef SIMD_NAME(wide) wide;
    half *to = (half *)out;
    for (int part = 0; part < 2; part++) {
        const float *from = w + part * SIMD_BYTES / 8;
        wide x = __builtin_convertvector(*(const half *)from, wide);
        for (int64_t k = 0; k < L; k++) {
            from += PER_PIXEL_BLOCK;
            x += __builtin_convertvector(*(const half *)from, wide) * s[k];
        }
        to[part] = __builtin_convertvector(x, half);
    }
}

/* The same for one row, and the derivatives with respect to s (L): 16 values of each, `stride`
 * apart. What goes into the exponential is summed in double: an error there is a relative one of
 * the slope, whose terms cancel more than the flux's. slope (H, 16): scratch. */
SIMD_TARGET static void SIMD_NAME(per_pixel_tangents)(const per_pixel *p, const float *block,
                                                      const double *s, int64_t stride, float *slope,
                                                      float *flux, float *derivative)
{
    typedef SIMD_NAME(vf) vf;
    enum { LANES = SIMD_BYTES / 4 };
    for (int lane = 0; lane < PER_PIXEL_BLOCK; lane += LANES) {
        const int64_t L = p->n_labels, unit = (L + 2) * PER_PIXEL_BLOCK;
        const float *w = block + lane;
        vf sum = *(const vf *)(w + p->n_hidden * unit), outer = {0};
        for (int64_t j = 0; j < p->n_hidden; j++) {
            const float *wj = w + j * unit;
            vf a, rise;
            SIMD_NAME(affine)(L, wj, s, &a);
            SIMD_NAME(half_tanh_slope)(&a, &rise);
            const vf last = *(const vf *)(wj + (1 + L) * PER_PIXEL_BLOCK);
            sum += last * a;
            *(vf *)(slope + j * PER_PIXEL_BLOCK + lane) = last * rise;
        }
        outer += 1.0f;
        if (p->sigmoid_output) {
            SIMD_NAME(half_tanh_slope)(&sum, &outer);
            outer *= 0.5f * p->scale;
            sum = sum * (0.5f * p->scale) + (0.5f * p->scale + p->offset);
        }
        *(vf *)(flux + lane) = sum;
        for (int64_t k = 0; k < L; k++) {
            vf total = {0};
            for (int64_t j = 0; j < p->n_hidden; j++)
                total += *(const vf *)(slope + j * PER_PIXEL_BLOCK + lane) *
                         *(const vf *)(w + j * unit + (1 + k) * PER_PIXEL_BLOCK);
            *(vf *)(derivative + k * stride + lane) = total * outer;
        }
    }
}
