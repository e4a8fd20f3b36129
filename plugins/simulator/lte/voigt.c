/* The Voigt function H(a, v) = Re w(v + i a), many values at once, added to an opacity.
 *
 * |v| + a < 5.5: rational series of Weideman 1994, SIAM J. Numer. Anal. 31, 1497; beyond: the
 * four-pole approximation of Humlicek 1982, JQSRT 27, 437, region II. Relative error below 2e-4
 * where H > 1e-6 H(0, 0), see the test. */
#include <config.h>
#include "lte.h"
#include <math.h>
#include <string.h>

/* Loops that gain from wider vectors have a version for each, chosen at run time. Not with
 * sanitizers, which start after the choice is made. */
#if defined ANPE_HAVE_TARGET_CLONES && !defined ANPE_SANITIZE
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONES
#endif

#define FAR 5.5F

enum { LANES = 16, CHUNK = 64 };
typedef float wide __attribute__((vector_size(LANES * sizeof(float))));

void anpe_lte_voigt_init(anpe_lte_voigt *voigt)
{
    enum { TERMS = ANPE_LTE_VOIGT_TERMS, M = 2 * TERMS };
    const double scale = sqrt(TERMS / sqrt(2.0));
    voigt->scale = (float)scale;
    for (int n = 1; n <= TERMS;
         n++) { /* Fourier coefficients of exp(-t^2)(L^2 + t^2), t = L tan(x / 2) */
        double sum = scale * scale;
        for (int k = 1; k < M; k++) {
            const double t = scale * tan(0.5 * ANPE_LTE_PI * k / M);
            sum += 2 * exp(-t * t) * (scale * scale + t * t) * cos(ANPE_LTE_PI * k * n / M);
        }
        voigt->coefficient[n - 1] = (float)(sum / (2 * M));
    }
}

/* out[i] += strength H(a, v + i dv) */
CLONES
static void add_core(const anpe_lte_voigt *voigt, float strength, float a, float v, float dv, int n,
                     float *restrict out)
{
    const wide lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const float *c = voigt->coefficient, dr = voigt->scale + a, nr = voigt->scale - a;
    for (int i = 0; i < n; i += LANES) {
        const wide x = v + ((float)i + lane) * dv;
        /* d = L - i z = (L + a) - i x;  Z = (L + i z) / d */
        const wide norm = 1 / (dr * dr + x * x);
        const wide zr = (nr * dr - x * x) * norm, zi = x * ((dr + nr) * norm);
        wide pr = zr * c[ANPE_LTE_VOIGT_TERMS - 1] + c[ANPE_LTE_VOIGT_TERMS - 2];
        wide pi = zi * c[ANPE_LTE_VOIGT_TERMS - 1];
        for (int k = ANPE_LTE_VOIGT_TERMS - 3; k >= 0; k--) {
            const wide r = pr * zr - pi * zi + c[k];
            pi = pr * zi + pi * zr;
            pr = r;
        }
        /* 2 p / d^2 + 1 / (sqrt(pi) d), real part */
        const wide sr = dr * norm, si = x * norm; /* 1 / d */
        const wide h =
            strength * (2 * (pr * (sr * sr - si * si) - pi * (2 * sr * si)) + sr * 0.56418958F);
        if (i + LANES <= n) {
            wide sum;
            memcpy(&sum, out + i, sizeof sum);
            sum += h;
            memcpy(out + i, &sum, sizeof sum);
        } else
            for (int k = 0; i + k < n; k++)
                out[i + k] += h[k];
    }
}

/* w = t (1.410474 + u 0.5641896) / (0.75 + u (3 + u)), u = t^2, t = a - i v */
CLONES
static void add_wing(float strength, float a, float v, float dv, int64_t n, float *restrict out)
{
    for (int64_t i = 0; i < n; i++) {
        const float x = v + (float)(int32_t)i * dv;
        const float ur = a * a - x * x, ui = -2 * a * x;
        const float br = 1.410474F + 0.5641896F * ur, bi = 0.5641896F * ui;
        const float nr = a * br + x * bi, ni = a * bi - x * br;
        const float dr = 0.75F + 3 * ur + ur * ur - ui * ui, di = ui * (3 + 2 * ur);
        out[i] += strength * (nr * dr + ni * di) / (dr * dr + di * di);
    }
}

static int64_t clip(double x, int64_t low, int64_t high)
{
    return x <= (double)low ? low : x >= (double)high ? high : (int64_t)x;
}

void anpe_lte_voigt_add(const anpe_lte_voigt *voigt, float strength, float a, double centre,
                        double dv, double reach, int64_t n, float *out)
{
    const double core = a < FAR ? fmin((double)(FAR - a) / dv, reach) : 0;
    const int64_t edge[4] = {clip(ceil(centre - reach), 0, n), clip(ceil(centre - core), 0, n),
                             clip(floor(centre + core) + 1, 0, n),
                             clip(floor(centre + reach) + 1, 0, n)};
    if (edge[0] == edge[3])
        return;
    const float step = (float)dv;
    add_wing(strength, a, (float)(((double)edge[0] - centre) * dv), step, edge[1] - edge[0],
             out + edge[0]);
    add_core(voigt, strength, a, (float)(((double)edge[1] - centre) * dv), step,
             (int)(edge[2] - edge[1]), out + edge[1]);
    add_wing(strength, a, (float)(((double)edge[2] - centre) * dv), step, edge[3] - edge[2],
             out + edge[2]);
}
