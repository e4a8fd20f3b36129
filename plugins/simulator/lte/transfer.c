/* Radiative transfer in plane-parallel layers.
 *
 * Optical depth: tau = integral of kappa dm, kappa in each interval the cubic in ln m through the
 * four layers around it: exact for a constant kappa, of fourth order else, and linear in kappa, so
 * that one set of weights serves every wavelength. Above the first layer kappa is constant.
 *
 * Flux: with a source function S that is linear in tau between layers (and so goes on below the
 * last one), integration by parts of F = 2 pi int S E_2 dtau (Mihalas 1978, eq. 2-39) leaves F = 2
 * pi [ S_0 / 2 + sum_i (S_i+1 - S_i) / (tau_i+1 - tau_i) (E_4(tau_i) - E_4(tau_i+1)) ], exact for
 * such an S. Likewise I(mu) = S_0 + mu sum_i slope_i (exp(-tau_i / mu) - exp(-tau_i+1 / mu)).
 *
 * Mean intensity, for scattering: Feautrier's method (Mihalas 1978, section 6-3). */
#include <config.h>
#include "lte.h"
#include <math.h>
#include <string.h>

enum { CHUNK = 128, ANGLES = 4 };
#define DEEP 40.0 /* nothing from below this optical depth is seen */

/* E_4: series for x < 1 (Abramowitz & Stegun 5.1.12), else exp(-x) / (x + 3) times a polynomial in
 * (x - 1) / (x + 3) fitted to 5e-10. */
double anpe_lte_e4(double x)
{
    static const double series[13] = {
        1.0 / 3,          -1.0 / 2,      1.0 / 2,         0,
        -1.0 / 24,        1.0 / 240,     -1.0 / 2160,     1.0 / 20160,
        -1.0 / 201600,    1.0 / 2177280, -1.0 / 25401600, 1.0 / 319334400,
        -1.0 / 4311014400};
    static const double fit[13] = {0.935768425112582,  -0.0919367615227674, 0.200273036126663,
                                   -0.148873496831586, 0.216767824085016,   -0.293479852716579,
                                   0.440535416769347,  -0.606380656971506,  0.712624444238111,
                                   -0.643532033297769, 0.409561080473285,   -0.160896385237577,
                                   0.0295688244521037};
    double y = 0;
    if (x >= 1) {
        const double s = (x - 1) / (x + 3);
        for (int i = 12; i >= 0; i--)
            y = y * s + fit[i];
        return exp(-x) * y / (x + 3);
    }
    if (x <= 0)
        return 1.0 / 3;
    for (int i = 12; i >= 0; i--)
        y = y * x + series[i];
    /* psi(4) = 11/6 - Euler's constant */
    return y + x * x * x / 6 * (log(x) - 1.2561176684318005);
}

/* Taylor's series of E_4 in pieces, to 3e-9: E_n' = -E_n-1, n E_n+1 = exp(-x) - x E_n. */
static void set_e4(double (*e4)[8])
{
    enum { LAST = ANPE_LTE_E4_PIECES - 1 };
    memset(e4, 0, ANPE_LTE_E4_PIECES * sizeof *e4);
    e4[0][1] = 1.0 / 3, e4[0][2] = -0.5, e4[0][3] = 0.5; /* below 2^-12 */
    for (int i = 1; i < LAST; i++) {
        const double x = ldexp(1 + ((i - 1) % 8 + 0.5) / 8, (i - 1) / 8 - 12), d = exp(-x);
        const double y4 = anpe_lte_e4(x), y3 = (d - 3 * y4) / x, y2 = (d - 2 * y3) / x,
                     y1 = (d - y2) / x;
        const double c[7] = {x, y4, -y3, y2 / 2, -y1 / 6, d / x / 24, -d / x * (1 + 1 / x) / 120};
        memcpy(e4[i], c, sizeof c);
    }
}

/* The piece: the exponent and the first three bits behind the point of x >= 0. */
static inline double look_up_e4(const double (*e4)[8], double x)
{
    int64_t i;
    memcpy(&i, &x, sizeof i);
    i = (i >> 49) - ((1023 - 12) * 8 - 1);
    i = i < 0 ? 0 : i > ANPE_LTE_E4_PIECES - 1 ? ANPE_LTE_E4_PIECES - 1 : i;
    const double *c = e4[i], t = x - c[0];
    return c[1] + t * (c[2] + t * (c[3] + t * (c[4] + t * (c[5] + t * c[6]))));
}

void anpe_lte_depth_set(anpe_lte_depth *d, int n, const double *x, const double *reference)
{
    /* Gauss and Legendre's nodes and weights on (0, 1) */
    static const double node[4] = {0.0694318442029737, 0.3300094782075719, 0.6699905217924281,
                                   0.9305681557970263};
    static const double weight[4] = {0.1739274225687269, 0.3260725774312731, 0.3260725774312731,
                                     0.1739274225687269};
    double u[ANPE_LTE_LAYERS];
    *d = (anpe_lte_depth){.n = n, .first = x[0] / reference[0]};
    set_e4(d->e4);
    for (int i = 0; i < n; i++)
        u[i] = log(x[i]);
    for (int i = 0; i + 1 < n; i++) {
        const double h = u[i + 1] - u[i];
        const int low = i > 0 ? i - 1 : 0, high = i + 2 < n ? i + 2 : n - 1;
        double w[4] = {0};
        for (int g = 0; g < 4; g++) {
            const double at = u[i] + node[g] * h, dm = weight[g] * h * exp(at);
            for (int k = low; k <= high; k++) {
                double lagrange = 1;
                for (int j = low; j <= high; j++)
                    lagrange *= j == k ? 1 : (at - u[j]) / (u[k] - u[j]);
                w[k - i + 1] += lagrange * dm;
            }
        }
        for (int k = low; k <= high; k++)
            d->w[i][k - i + 1] = (float)(w[k - i + 1] / reference[k]);
        d->least[i] = (float)(0.25 * h * x[i] / reference[i]);
    }
}

/* The next optical depths: tau[j] += step of interval i. A cubic that overshoots never makes a step
 * smaller than a quarter of what the upper end alone would give. */
static inline void advance(const anpe_lte_depth *d, int i, int64_t m, int64_t stride,
                           const float *opacity, double *tau)
{
    const float *w = d->w[i], *b = opacity + i * stride, *c = b + stride;
    const float *a = i > 0 ? b - stride : b, *e = i + 2 < d->n ? c + stride : c;
    for (int64_t j = 0; j < m; j++) {
        const float step = w[0] * a[j] + w[1] * b[j] + w[2] * c[j] + w[3] * e[j],
                    least = d->least[i] * b[j];
        tau[j] += (double)(step > least ? step : least);
    }
}

CLONES
static void flux_chunk(const anpe_lte_depth *d, int64_t m, int64_t stride, const float *opacity,
                       const float *source, double *flux)
{
    double tau[CHUNK], before[CHUNK], e4[CHUNK];
    for (int64_t j = 0; j < m; j++) {
        tau[j] = d->first * (double)opacity[j];
        e4[j] = look_up_e4(d->e4, tau[j]);
        flux[j] = (double)source[j] / 2;
    }
    for (int i = 0; i + 1 < d->n; i++) {
        const float *s = source + i * stride;
        const double below = i + 2 < d->n; /* the last interval's line goes on below */
        double least = tau[0];
        memcpy(before, tau, (size_t)m * sizeof *before);
        for (int64_t j = 1; j < m; j++)
            least = before[j] < least ? before[j] : least;
        if (least > DEEP)
            break;
        advance(d, i, m, stride, opacity, tau);
        for (int64_t j = 0; j < m; j++) {
            const double next = look_up_e4(d->e4, tau[j]),
                         rise = (double)s[j + stride] - (double)s[j];
            const double gradient = rise / (tau[j] - before[j]);
            flux[j] += gradient * (e4[j] - below * next);
            e4[j] = next;
        }
    }
}

void anpe_lte_flux(const anpe_lte_depth *d, int64_t m, int64_t stride, const float *opacity,
                   const float *source, double *flux)
{
    for (int64_t j = 0; j < m; j += CHUNK) {
        const int64_t n = m - j < CHUNK ? m - j : CHUNK;
        flux_chunk(d, n, stride, opacity + j, source + j, flux + j);
        for (int64_t k = j; k < j + n; k++)
            flux[k] *= 2 * ANPE_LTE_PI;
    }
}

void anpe_lte_intensity(const anpe_lte_depth *d, double mu, int64_t m, int64_t stride,
                        const float *opacity, const float *source, double *intensity)
{
    for (int64_t j = 0; j < m; j++) {
        double tau = d->first * (double)opacity[j], sum = (double)source[j];
        for (int i = 0; i + 1 < d->n && tau / mu < DEEP; i++) {
            const double before = tau;
            advance(d, i, 1, stride, opacity + j, &tau);
            const double rise =
                (double)source[(i + 1) * stride + j] - (double)source[i * stride + j];
            const double last = i + 2 < d->n ? exp(-tau / mu) : 0;
            sum += mu * rise / (tau - before) * (exp(-before / mu) - last);
        }
        intensity[j] = sum;
    }
}

void anpe_lte_optical_depth(const anpe_lte_depth *d, const float *opacity, double *tau)
{
    tau[0] = d->first * (double)opacity[0];
    for (int i = 0; i + 1 < d->n; i++) {
        tau[i + 1] = tau[i];
        advance(d, i, 1, 1, opacity, &tau[i + 1]);
    }
}

/* u = (I+ + I-) / 2 along mu: mu^2 u'' = u - s, nothing falls in at the top, diffusion at the
 * bottom. */
static void feautrier(int n, const double *tau, const double *s, double mu, double *u)
{
    double c[ANPE_LTE_LAYERS], d[ANPE_LTE_LAYERS];
    /* top: u - mu u' + (h/2)(u - s)/mu = 0 by Taylor's series to second order */
    const double h = (tau[1] - tau[0]) / mu, first = 1 + 2 / h + 2 / (h * h);
    c[0] = 2 / (h * h) / first;
    d[0] = s[0] / first;
    for (int i = 1; i + 1 < n; i++) {
        const double a = (tau[i] - tau[i - 1]) / mu, b = (tau[i + 1] - tau[i]) / mu,
                     mean = 0.5 * (a + b);
        const double lower = 1 / (a * mean), upper = 1 / (b * mean),
                     diagonal = 1 + lower + upper - lower * c[i - 1];
        c[i] = upper / diagonal;
        d[i] = (s[i] + lower * d[i - 1]) / diagonal;
    }
    u[n - 1] = s[n - 1];
    for (int i = n - 2; i >= 0; i--)
        u[i] = d[i] + c[i] * u[i + 1];
}

void anpe_lte_mean_intensity(int n, const double *tau, const double *b, const double *albedo,
                             double *j)
{
    /* Gauss and Legendre's nodes and weights on (0, 1) */
    static const double mu[ANGLES] = {0.0694318442029737, 0.3300094782075719, 0.6699905217924281,
                                      0.9305681557970263};
    static const double weight[ANGLES] = {0.1739274225687269, 0.3260725774312731,
                                          0.3260725774312731, 0.1739274225687269};
    double s[ANPE_LTE_LAYERS], u[ANPE_LTE_LAYERS];
    memcpy(j, b, (size_t)n * sizeof *j);
    for (int iteration = 0; iteration < 60; iteration++) {
        double sum[ANPE_LTE_LAYERS] = {0}, change = 0;
        for (int i = 0; i < n; i++)
            s[i] = (1 - albedo[i]) * b[i] + albedo[i] * j[i];
        for (int a = 0; a < ANGLES; a++) {
            feautrier(n, tau, s, mu[a], u);
            for (int i = 0; i < n; i++)
                sum[i] += weight[a] * u[i];
        }
        for (int i = 0; i < n; i++) {
            change = fmax(change, albedo[i] * fabs(sum[i] - j[i]) / sum[i]);
            j[i] = sum[i];
        }
        if (change < 1e-5)
            break;
    }
}

double anpe_lte_planck(double wavelength, double t)
{
    const double cm = wavelength * 1e-8, hc = ANPE_LTE_PLANCK * ANPE_LTE_LIGHT;
    /* per Angstrom */
    return 2 * hc * ANPE_LTE_LIGHT / (cm * cm * cm * cm * cm) /
           expm1(hc / (cm * ANPE_LTE_BOLTZMANN * t)) * 1e-8;
}
