/* One block of 16 pixels of a per-pixel network: see per_pixel.h. Included by simd.h, once per
 * instruction set. */
typedef float SIMD_NAME(vf) __attribute__((vector_size(SIMD_BYTES), aligned(4), may_alias));
typedef int32_t SIMD_NAME(vi) __attribute__((vector_size(SIMD_BYTES)));

/* (1 - e) / (1 + e) with e = exp(-x), that is tanh(x/2). Beyond |x| = 20 it is 1 in float. The
 * exponential: e = 2^n exp(r), |r| <= ln(2)/2, and the Taylor series to r^6/6! (error 1.2e-7 e,
 * which tanh halves at least). <anpe/vecmath.h> leaves vectors to the
 * compiler and would not do here, see simd.h. */
SIMD_TARGET static inline void SIMD_NAME(half_tanh)(SIMD_NAME(vf) * x)
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
    e = (vf)((SIMD_NAME(vi))e + exponent);
    *x = (1.0f - e) / (1.0f + e);
}

/* s (n, L) -> flux: 16 values of each of n rows, `stride` apart */
SIMD_TARGET static void SIMD_NAME(per_pixel_block)(const per_pixel *p, const float *block,
                                                   int64_t n, const float *s, int64_t stride,
                                                   float *flux)
{
    typedef SIMD_NAME(vf) vf;
    enum { LANES = SIMD_BYTES / 4 };
    for (int64_t row = 0; row < n; row++)
        for (int lane = 0; lane < PER_PIXEL_BLOCK; lane += LANES) {
            const float *w = block + lane, *labels = s + row * p->n_labels;
            vf sum = {0};
            for (int64_t j = 0; j < p->n_hidden; j++) {
                vf a = *(const vf *)w;
                w += PER_PIXEL_BLOCK;
                for (int64_t k = 0; k < p->n_labels; k++, w += PER_PIXEL_BLOCK)
                    a += *(const vf *)w * labels[k];
                SIMD_NAME(half_tanh)(&a);
                sum += *(const vf *)w * a;
                w += PER_PIXEL_BLOCK;
            }
            sum += *(const vf *)w;
            if (p->sigmoid_output) {
                SIMD_NAME(half_tanh)(&sum);
                sum = sum * (0.5f * p->scale) + (0.5f * p->scale + p->offset);
            }
            *(vf *)(flux + row * stride + lane) = sum;
        }
}
