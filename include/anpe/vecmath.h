/* anpe/vecmath.h -- exp, log, tanh and the logistic function in float, written so that a loop over
 * them vectorises: no branches, no tables, no calls. Relative error below 2e-7.
 *
 * NaN gives NaN. anpe_expf overflows to infinity above 88.72 and gives 0 below -86.9, near
 * the smallest normal number; anpe_logf gives -infinity at 0, NaN below, and the logarithm of the
 * smallest normal number for those that are not. For double use libm.
 *
 * exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln 2 / 2, with a polynomial for exp(r);
 * tanh: an odd polynomial below 0.625, 1 - 2 / (exp(2 |x|) + 1) above. The coefficients
 * interpolate (exp(r) - 1 - r) / r^2 and (tanh(x) / x - 1) / x^2 at Chebyshev nodes.
 *
 * log(x) = n ln 2 + log(1 + f), 1 + f = 2^-n x between the roots of 1/2 and of 2; the polynomial
 * interpolates (log(1 + f) - f + f^2 / 2) / f^3.
 */
#ifndef ANPE_VECMATH_H
#define ANPE_VECMATH_H
#include <stdint.h>
#include <string.h>

static inline float anpe_expf(float x)
{
    const float shift = 12582912.0f; /* 1.5 2^23: adding it rounds to an integer */
    const float y = x < -86.9f ? -86.9f : x > 88.8f ? 88.8f : x;
    const float z = y * 1.44269504f + shift, n = z - shift;
    const float r = (y - n * 0.693359375f) + n * 2.12194440e-4f; /* ln 2 in two parts */
    float p = 1.392625083e-3f;
    p = p * r + 8.363232884e-3f;
    p = p * r + 4.166655421e-2f;
    p = p * r + 0.1666657667f;
    p = p * r + 0.5f;
    p = (p * r) * r + r + 1.0f;
    /* 2^(n-1) from the low bits of z, then 2, since 2^128 is no float. NaN makes some power of 2
     * here and stays NaN in the product. */
    uint32_t bits;
    memcpy(&bits, &z, sizeof bits);
    bits = ((bits + 126u) & 0xffu) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    const float e = p * scale * 2.0f;
    return x < -86.9f ? 0.0f : x > 88.72283f ? __builtin_inff() : e;
}

static inline float anpe_logf(float x)
{
    const float least = 1.17549435e-38f, y = x > least ? x : least;
    uint32_t bits;
    memcpy(&bits, &y, sizeof bits);
    bits -= 0x3f3504f3u; /* of the root of 1/2: its multiples by 2^n have the exponent's bits n */
    const float n = (float)((int32_t)bits >> 23);
    bits = (bits & 0x7fffffu) + 0x3f3504f3u;
    float m;
    memcpy(&m, &bits, sizeof m);
    const float f = m - 1.0f, z = f * f;
    float p = 6.971611473e-2f;
    p = p * f - 0.1147973385f;
    p = p * f + 0.1168541992f;
    p = p * f - 0.1242568733f;
    p = p * f + 0.1424905765f;
    p = p * f - 0.1666780232f;
    p = p * f + 0.2000071575f;
    p = p * f - 0.2499999696f;
    p = p * f + 0.3333333118f;
    const float small = f * z * p - n * 2.12194440e-4f - 0.5f * z; /* ln 2 in two parts */
    const float value = f + small + n * 0.693359375f;
    const float inside = x < __builtin_inff() ? value : x; /* infinity and NaN stay */
    return x > 0.0f ? inside : x == 0.0f ? -__builtin_inff() : x < 0.0f ? __builtin_nanf("") : x;
}

static inline float anpe_sigmoidf(float x)
{
    return 1.0f / (1.0f + anpe_expf(-x));
}

static inline float anpe_tanhf(float x)
{
    const float a = x < 0.0f ? -x : x;
    const float big = 1.0f - 2.0f / (anpe_expf(2.0f * a) + 1.0f);
    const float u = x * x;
    float p = 2.292744813e-3f;
    p = p * u - 8.343945513e-3f;
    p = p * u + 2.176891865e-2f;
    p = p * u - 5.395925958e-2f;
    p = p * u + 0.1333330356f;
    p = p * u - 0.3333333317f;
    const float small = x + x * (u * p);
    return a < 0.625f ? small : x < 0.0f ? -big : big;
}
#endif
