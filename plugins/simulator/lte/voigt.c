/* The Voigt function H(a, v) = Re w(v + i a), many values at once, added to an opacity.
 *
 * |v| < 5.5 and a < 5.5: rational series of Weideman 1994, SIAM J. Numer. Anal. 31, 1497; beyond:
 * the four-pole approximation of Humlicek 1982, JQSRT 27, 437, region II. Relative error below 2e-4
 * where H > 1e-6 H(0, 0), see the test. */
#include <config.h>
#include "lte.h"
#include <math.h>
#include <string.h>

#define FAR 5.5F

enum { LANES = 16, PIECE = 256 /* points; a multiple of LANES */ };
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

/* In pieces: v + i dv of a float loses the places that the wing of a strong line needs. */
static void add_wing_pieces(float strength, float a, double centre, double dv, int64_t first,
                            int64_t end, float *out)
{
    for (int64_t at = first; at < end; at += PIECE)
        add_wing(strength, a, (float)(((double)at - centre) * dv), (float)dv,
                 end - at < PIECE ? end - at : PIECE, out + at);
}

void anpe_lte_voigt_add(const anpe_lte_voigt *voigt, float strength, float a, double centre,
                        double dv, double reach, int64_t n, float *out)
{
    const double core = a < FAR ? fmin((double)FAR / dv, reach) : 0;
    const int64_t edge[4] = {clip(ceil(centre - reach), 0, n), clip(ceil(centre - core), 0, n),
                             clip(floor(centre + core) + 1, 0, n),
                             clip(floor(centre + reach) + 1, 0, n)};
    if (edge[0] == edge[3])
        return;
    add_wing_pieces(strength, a, centre, dv, edge[0], edge[1], out);
    add_core(voigt, strength, a, (float)(((double)edge[1] - centre) * dv), (float)dv,
             (int)(edge[2] - edge[1]), out + edge[1]);
    add_wing_pieces(strength, a, centre, dv, edge[2], edge[3], out);
}

/* ---- several of one centre and width ----------------------------------------------------- */

typedef struct piece {
    float h[PIECE], slope[PIECE]; /* H(a, v), dH/da */
} piece;

/* dH/da = 2 (v Im w + a Re w) - 2 / sqrt(pi), of w' = -2 z w + 2 i / sqrt(pi), z = v + i a */
CLONES
static void core_piece(const anpe_lte_voigt *voigt, float a, float v, float dv, int n,
                       piece *restrict out)
{
    const wide lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const float *c = voigt->coefficient, dr = voigt->scale + a, nr = voigt->scale - a;
    for (int i = 0; i < n; i += LANES) {
        const wide x = v + ((float)i + lane) * dv;
        const wide norm = 1 / (dr * dr + x * x);
        const wide zr = (nr * dr - x * x) * norm, zi = x * ((dr + nr) * norm);
        wide pr = zr * c[ANPE_LTE_VOIGT_TERMS - 1] + c[ANPE_LTE_VOIGT_TERMS - 2];
        wide pi = zi * c[ANPE_LTE_VOIGT_TERMS - 1];
        for (int k = ANPE_LTE_VOIGT_TERMS - 3; k >= 0; k--) {
            const wide r = pr * zr - pi * zi + c[k];
            pi = pr * zi + pi * zr;
            pr = r;
        }
        const wide sr = dr * norm, si = x * norm, qr = sr * sr - si * si, qi = 2 * sr * si;
        const wide wr = 2 * (pr * qr - pi * qi) + sr * 0.56418958F,
                   wi = 2 * (pr * qi + pi * qr) + si * 0.56418958F;
        const wide slope = 2 * (x * wi + a * wr) - 1.12837917F;
        memcpy(out->h + i, &wr, sizeof wr);
        memcpy(out->slope + i, &slope, sizeof slope);
    }
}

/* The function of add_wing and its derivative in t: with w = N / D, (N' D - N D') / D^2 is
 * (0.75 p + u (2.25 q - 3 p + u (3 q - 3 p - u q))) / D^2, p = 1.410474, q = 0.5641896. */
CLONES
static void wing_piece(float a, float v, float dv, int n, piece *restrict out)
{
    static const float c0 = 1.0578555F, c1 = -2.9619954F, c2 = -2.5388532F, c3 = -0.5641896F;
    for (int i = 0; i < n; i++) {
        const float x = v + (float)i * dv;
        const float ur = a * a - x * x, ui = -2 * a * x;
        const float br = 1.410474F + 0.5641896F * ur, bi = 0.5641896F * ui;
        const float nr = a * br + x * bi, ni = a * bi - x * br;
        const float dr = 0.75F + 3 * ur + ur * ur - ui * ui, di = ui * (3 + 2 * ur);
        const float norm = 1 / (dr * dr + di * di);
        const float gr = c2 + ur * c3, gi = ui * c3;
        const float fr = c1 + ur * gr - ui * gi, fi = ur * gi + ui * gr;
        const float er = c0 + ur * fr - ui * fi, ei = ur * fi + ui * fr;
        const float sr = dr * norm, si = -di * norm; /* 1 / D */
        out->h[i] = (nr * dr + ni * di) * norm;
        out->slope[i] = er * (sr * sr - si * si) - 2 * ei * sr * si;
    }
}

CLONES
static void add_piece(float strength, float slope, const float *restrict h,
                      const float *restrict slopes, int n, float *restrict out)
{
    for (int i = 0; i < n; i++)
        out[i] += strength * h[i] + slope * slopes[i];
}

static void share_points(const anpe_lte_voigt *voigt, int is_core, float mean, double centre,
                         double dv, int64_t first, int64_t end, int rows,
                         const anpe_lte_profile *profile, int64_t n)
{
    piece buffer;
    for (int64_t at = first; at < end; at += PIECE) {
        const int length = end - at < PIECE ? (int)(end - at) : PIECE;
        const float v = (float)(((double)at - centre) * dv);
        if (is_core)
            core_piece(voigt, mean, v, (float)dv, length, &buffer);
        else
            wing_piece(mean, v, (float)dv, length, &buffer);
        for (int r = 0; r < rows; r++) {
            const anpe_lte_profile *p = &profile[r];
            const int64_t from = clip(ceil(centre - p->reach), 0, n),
                          to = clip(floor(centre + p->reach) + 1, 0, n);
            const int64_t low = from > at ? from : at, high = to < at + length ? to : at + length;
            if (low < high && p->reach > 0)
                add_piece(p->strength, p->strength * (p->a - mean), buffer.h + (low - at),
                          buffer.slope + (low - at), (int)(high - low), p->out + low);
        }
    }
}

void anpe_lte_voigt_share(const anpe_lte_voigt *voigt, int rows, const anpe_lte_profile *profile,
                          double centre, double dv, int64_t n)
{
    double reach = 0;
    float sum = 0;
    for (int r = 0; r < rows; r++) {
        reach = fmax(reach, profile[r].reach);
        sum += profile[r].a;
    }
    const float mean = sum / (float)rows;
    const double core = mean < FAR ? fmin((double)FAR / dv, reach) : 0;
    const int64_t edge[4] = {clip(ceil(centre - reach), 0, n), clip(ceil(centre - core), 0, n),
                             clip(floor(centre + core) + 1, 0, n),
                             clip(floor(centre + reach) + 1, 0, n)};
    for (int k = 0; k < 3; k++)
        share_points(voigt, k == 1, mean, centre, dv, edge[k], edge[k + 1], rows, profile, n);
}
