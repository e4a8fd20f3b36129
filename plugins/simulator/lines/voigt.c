/* The Voigt function H(a, v) = Re w(v + i a) and its sum into an opacity.
 *
 * Near the centre: Weideman (1994), SIAM J. Numer. Anal. 31, 1497, a rational series of
 * ANPE_VOIGT_TERMS terms. Where |v| > FAR: two-point Gauss-Hermite quadrature of the defining
 * integral (the far region of Humlicek 1982), relative error below 2.5 / FAR^4 = 1.2e-4. */
#include <config.h>
#include "lines.h"
#include <math.h>
#include <string.h>

#define FAR   12.0
#define PI    3.14159265358979323846
#define CHUNK 256 /* a multiple of LANES */

void anpe_voigt_init(anpe_voigt *voigt)
{
    enum { N = ANPE_VOIGT_TERMS, M = 2 * N };
    const double scale = sqrt(N / sqrt(2.0));
    voigt->scale = scale;
    for (int n = 1; n <= N;
         n++) { /* Fourier coefficients of exp(-t^2)(L^2 + t^2), t = L tan(x/2) */
        double sum = scale * scale;
        for (int k = 1; k < M; k++) {
            const double t = scale * tan(0.5 * PI * k / M);
            sum += 2 * exp(-t * t) * (scale * scale + t * t) * cos(PI * k * n / M);
        }
        voigt->coefficient[n - 1] = sum / (2 * M);
    }
}

/* Sixteen arguments at once: the series is one long dependent chain, so that a compiler's own
 * vectors over its terms would gain nothing. */
enum { LANES = 16 };
typedef double wide __attribute__((vector_size(LANES * sizeof(double))));

/* out[i] = H(a, (first + i) step - centre), with room for n rounded up to LANES. */
ANPE_LINES_CLONES
static void near_centre(const anpe_voigt *voigt, double a, double centre, double step,
                        int64_t first, int n, double *restrict out)
{
    const wide lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const double *c = voigt->coefficient, dr = voigt->scale + a, nr = voigt->scale - a;
    for (int i = 0; i < n; i += LANES) {
        const wide v = ((double)(first + i) + lane) * step - centre;
        /* d = L - i z = (L + a) - i v;  Z = (L + i z) / d */
        const wide norm = 1 / (dr * dr + v * v);
        const wide zr = (nr * dr - v * v) * norm, zi = v * ((dr + nr) * norm);
        wide pr = zr * c[ANPE_VOIGT_TERMS - 1] + c[ANPE_VOIGT_TERMS - 2];
        wide pi = zi * c[ANPE_VOIGT_TERMS - 1];
        for (int k = ANPE_VOIGT_TERMS - 3; k >= 0; k--) {
            const wide r = pr * zr - pi * zi + c[k];
            pi = pr * zi + pi * zr;
            pr = r;
        }
        /* 2 p / d^2 + 1 / (sqrt(pi) d), real part */
        const wide sr = dr * norm, si = v * norm; /* 1 / d */
        const wide h =
            2 * (pr * (sr * sr - si * si) - pi * (2 * sr * si)) + sr * 0.5641895835477563;
        memcpy(out + i, &h, sizeof h);
    }
}

void anpe_voigt_fill(const anpe_voigt *voigt, double a, double centre, double step, int64_t first,
                     int64_t n, float *out)
{
    double buffer[CHUNK];
    for (int64_t i = 0; i < n; i += CHUNK) {
        const int m = n - i < CHUNK ? (int)(n - i) : CHUNK;
        near_centre(voigt, a, centre, step, first + i, m, buffer);
        for (int j = 0; j < m; j++)
            out[i + j] = (float)buffer[j];
    }
}

/* Wing of a metal line: S = v^2 + a^2 + 1/2, H = (a / sqrt(pi)) S / (S^2 - 2 v^2). */
ANPE_LINES_CLONES
static void add_wing(float strength, float a, float offset, float step, float cut, int64_t n,
                     float *restrict eta)
{
    const float scale = strength * a * 0.56418958f, y = a * a + 0.5f;
    for (int64_t i = 0; i < n; i++) {
        const float v = offset + (float)(int32_t)i * step, x = v * v, s = x + y;
        const float h = scale * s / (s * s - 2 * x) - cut;
        eta[i] += h > 0 ? h : 0;
    }
}

/* The same for hydrogen: times (1 + (v/b)^2)^(-1/4), so that the profile falls as v^-5/2. */
ANPE_LINES_CLONES
static void add_stark_wing(float strength, float a, float offset, float step, float inv_b2,
                           float cut, int64_t n, float *restrict eta)
{
    const float scale = strength * a * 0.56418958f, y = a * a + 0.5f;
    for (int64_t i = 0; i < n; i++) {
        const float v = offset + (float)(int32_t)i * step, x = v * v, s = x + y;
        const float steep = sqrtf(sqrtf(1 + x * inv_b2));
        const float h = scale * s / ((s * s - 2 * x) * steep) - cut;
        eta[i] += h > 0 ? h : 0;
    }
}

static void add_core(const anpe_voigt *voigt, const anpe_lines_profile *p, double centre,
                     double step, double inv_b2, double cut, int64_t first, int64_t n, float *eta)
{
    double h[CHUNK];
    for (int64_t i = 0; i < n; i += CHUNK) {
        const int m = n - i < CHUNK ? (int)(n - i) : CHUNK;
        near_centre(voigt, p->a, centre * step, step, first + i, m, h);
        for (int j = 0; j < m; j++) {
            const double v = ((double)(first + i + j) - centre) * step;
            const double steep = inv_b2 > 0 ? sqrt(sqrt(1 + v * v * inv_b2)) : 1;
            const double x = p->strength * h[j] / steep - cut;
            eta[i + j] += (float)(x > 0 ? x : 0);
        }
    }
}

static int64_t clip(double x, int64_t low, int64_t high)
{
    return x <= (double)low ? low : x >= (double)high ? high : (int64_t)x;
}

void anpe_voigt_add(const anpe_voigt *voigt, const anpe_lines_profile *p, double centre,
                    double step, int stark, double cut, int64_t first, int64_t n, float *eta)
{
    const int64_t end = first + n;
    /* beyond `reach` the profile is below cut: the wing is a / (sqrt(pi) v^2), or less */
    const double wing = sqrt(p->strength * p->a * 0.5642 / cut) + FAR;
    const double reach = p->strength < cut ? 0 : wing / step;
    const double core = fmin(FAR / step, reach), b = fmax(p->a, 1),
                 inv_b2 = stark ? 1 / (b * b) : 0;
    const int64_t edge[4] = {
        clip(ceil(centre - reach), first, end), clip(ceil(centre - core), first, end),
        clip(floor(centre + core) + 1, first, end), clip(floor(centre + reach) + 1, first, end)};
    add_core(voigt, p, centre, step, inv_b2, cut, edge[1], edge[2] - edge[1],
             eta + (edge[1] - first));
    for (int side = 0; side < 4; side += 2) {
        const int64_t begin = edge[side], count = edge[side + 1] - begin;
        const float offset = (float)(((double)begin - centre) * step);
        const float s = (float)p->strength, a = (float)p->a, h = (float)step, c = (float)cut;
        if (stark)
            add_stark_wing(s, a, offset, h, (float)inv_b2, c, count, eta + (begin - first));
        else
            add_wing(s, a, offset, h, c, count, eta + (begin - first));
    }
}
