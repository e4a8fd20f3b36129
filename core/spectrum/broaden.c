/* A star's broadening as one kernel on a grid uniform in ln(lambda), run by run where it has gaps.
 */
#include "spectrum/broaden.h"
#include "kernel/banded.h"

#include <math.h>
#include <string.h>

enum { TAPS = 8 };
static const double PI = 3.14159265358979323846;
static const double MACRO_REACH = 3.5; /* 3e-7 of the profile lies beyond */
static const double LIMB = 0.6;

const anpe_label anpe_broaden_label[ANPE_N_BROADENINGS] = {{"vsini", "km/s", 0, 500},
                                                           {"vmacro", "km/s", 0, 100}};

/* Points and weights of a profile: at x velocities in units of its own. */
typedef struct profile {
    int64_t n;
    double *x, *w; /* (n) */
    double sum;    /* of w, but for rounding 1 */
} profile;

struct anpe_broaden {
    int64_t n, n_runs;
    int64_t *run; /* (n_runs + 1) first pixel of each run without a gap, then n */
    double step;  /* km/s of a grid step */
    double most[ANPE_N_BROADENINGS];
    double polynomial[TAPS][TAPS]; /* Lagrange's, by powers of the distance from their middle */
    profile profile[ANPE_N_BROADENINGS];
    int64_t half[ANPE_N_BROADENINGS]; /* grid steps that a kernel can reach to either side */
};

/* The pixel behind the run that starts at `first`: before the first step of more than 1.5 of the
 * one before it. *step: of ln(lambda), 0 where the run is not uniform. */
static int64_t run_end(int64_t n, const double *wavelength, int64_t first, double *step)
{
    int64_t end = first + 1;
    double before = INFINITY;
    for (; end < n; end++) {
        const double h = log(wavelength[end] / wavelength[end - 1]);
        if (h > 1.5 * before)
            break;
        before = h;
    }
    const double x0 = log(wavelength[first]);
    *step = end - first < TAPS ? 0 : (log(wavelength[end - 1]) - x0) / (double)(end - 1 - first);
    for (int64_t i = first; i < end; i++) /* single precision is off by half a percent of a step */
        if (fabs(log(wavelength[i]) - x0 - (double)(i - first) * *step) > 0.01 * *step)
            *step = 0;
    return end;
}

/* Runs of the grid, `first` of each into run unless NULL; 0 where one is not uniform or has another
 * step than the first. */
static int64_t find_runs(int64_t n, const double *wavelength, int64_t *run, double *step)
{
    int64_t count = 0;
    for (int64_t first = 0; first < n; count++) {
        double h;
        if (run)
            run[count] = first;
        first = run_end(n, wavelength, first, &h);
        if (count == 0)
            *step = h;
        if (!(h > 0) || fabs(h - *step) > 1e-3 * *step)
            return 0;
    }
    if (run)
        run[count] = n;
    return count;
}

int anpe_broaden_takes(int64_t n, const double *wavelength)
{
    double step;
    return find_runs(n, wavelength, NULL, &step) > 0;
}

/* x = sin(a), a uniform: dx = cos(a) da takes the root's infinite slope away. */
static double rotation(double t, double *x)
{
    const double a = PI * (t - 0.5), c = cos(a);
    *x = sin(a);
    return (2 * (1 - LIMB) * c + 0.5 * PI * LIMB * c * c) * c;
}

static double macroturbulence(double t, double *x)
{
    *x = MACRO_REACH * (2 * t - 1);
    return exp(-*x * *x) - sqrt(PI) * fabs(*x) * erfc(fabs(*x));
}

/* Midpoints, at least 8 in a grid step at the largest velocity. */
static anpe_status make_profile(anpe_ctx *ctx, double (*value)(double t, double *x), double steps,
                                profile *p)
{
    double sum = 0;
    p->n = 64 + (int64_t)(16 * steps);
    p->x = anpe_alloc(ctx, (size_t)p->n * sizeof *p->x);
    p->w = anpe_alloc(ctx, (size_t)p->n * sizeof *p->w);
    if (!p->x || !p->w)
        return ANPE_ENOMEM;
    for (int64_t q = 0; q < p->n; q++)
        sum += p->w[q] = value(((double)q + 0.5) / (double)p->n, &p->x[q]);
    for (int64_t q = 0; q < p->n; q++)
        p->sum += p->w[q] /= sum;
    return ANPE_OK;
}

/* l_j(u) = prod_{m != j} (u - u_m) / (u_j - u_m), u_m = m - (TAPS - 1) / 2 */
static void set_polynomials(double polynomial[TAPS][TAPS])
{
    for (int j = 0; j < TAPS; j++) {
        double *c = polynomial[j];
        memset(c, 0, TAPS * sizeof *c);
        c[0] = 1;
        for (int m = 0; m < TAPS; m++) {
            const double at = m - 0.5 * (TAPS - 1);
            for (int p = TAPS - 1; p >= 0 && m != j; p--)
                c[p] = ((p > 0 ? c[p - 1] : 0) - at * c[p]) / (j - m);
        }
    }
}

anpe_status anpe_broaden_new(anpe_ctx *ctx, int64_t n, const double *wavelength,
                             const double most[ANPE_N_BROADENINGS], anpe_broaden **out)
{
    static double (*const values[])(double, double *) = {rotation, macroturbulence};
    static const double reach[] = {1, 3.5};
    double step;
    const int64_t n_runs = find_runs(n, wavelength, NULL, &step);
    *out = NULL;
    if (n_runs == 0)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "rotation and macroturbulence need a grid uniform in ln(wavelength)");
    anpe_broaden *b = anpe_alloc(ctx, sizeof *b);
    if (!b)
        return ANPE_ENOMEM;
    b->n = n;
    b->n_runs = n_runs;
    b->run = anpe_alloc(ctx, (size_t)(n_runs + 1) * sizeof *b->run);
    b->step = ANPE_C_KMS * step;
    set_polynomials(b->polynomial);
    anpe_status status = b->run ? ANPE_OK : ANPE_ENOMEM;
    if (b->run)
        find_runs(n, wavelength, b->run, &step);
    for (int k = 0; k < ANPE_N_BROADENINGS && !status; k++) {
        const double steps = reach[k] * most[k] / b->step;
        b->most[k] = most[k];
        b->half[k] = (int64_t)ceil(steps) + TAPS / 2;
        status = make_profile(ctx, values[k], steps, &b->profile[k]);
    }
    if (status)
        b = anpe_broaden_free(b);
    *out = b;
    return status;
}

anpe_broaden *anpe_broaden_free(anpe_broaden *b)
{
    if (!b)
        return NULL;
    for (int k = 0; k < ANPE_N_BROADENINGS; k++) {
        anpe_free(b->profile[k].x);
        anpe_free(b->profile[k].w);
    }
    anpe_free(b->run);
    anpe_free(b);
    return NULL;
}

/* ---- kernels ----------------------------------------------------------------------------- */

static int64_t kernel_size(const anpe_broaden *b, int k)
{
    return 2 * b->half[k] + 1;
}

static int64_t both_size(const anpe_broaden *b)
{
    return 2 * (b->half[0] + b->half[1]) + 1;
}

size_t anpe_broaden_scratch(const anpe_broaden *b)
{
    const int64_t kernels = kernel_size(b, 0) + kernel_size(b, 1) + both_size(b);
    return (size_t)kernels * sizeof(double) +
           (size_t)(both_size(b) + b->n + both_size(b)) * sizeof(float);
}

/* Where the weights of both kernels stand: behind all that is in double. */
static float *weights_of(const anpe_broaden *b, void *scratch)
{
    return (float *)((double *)scratch + both_size(b) + kernel_size(b, 0) + kernel_size(b, 1));
}

/* What the points of one cell give to the TAPS steps around it: their weights' moments about its
 * middle, times Lagrange's polynomials there or their derivatives; to (TAPS). */
static void add_cell(const anpe_broaden *b, const double *moment, int slope, double *to)
{
    for (int j = 0; j < TAPS; j++) {
        const double *c = b->polynomial[j];
        double sum = 0;
        for (int p = slope; p < TAPS; p++)
            sum += slope ? p * c[p] * moment[p - 1] : c[p] * moment[p];
        to[j] += sum;
    }
}

/* weight (kernel_size): what the flux `half` steps before to half steps behind gives. A profile's
 * points ascend, so that those of a cell follow each other. */
static void make_kernel(const anpe_broaden *b, int k, double kms, int slope, double *weight)
{
    const profile *p = &b->profile[k];
    const double scale = fmin(fabs(kms), b->most[k]) / b->step;
    double *middle = weight + b->half[k] - (TAPS / 2 - 1);
    memset(weight, 0, (size_t)kernel_size(b, k) * sizeof *weight);
    if (scale == 0 && !slope) { /* all points are at 0 */
        weight[b->half[k]] = p->sum;
        return;
    }
    for (int64_t q = 0; q < p->n;) {
        const double cell = floor(scale * p->x[q]);
        double moment[TAPS] = {0};
        for (double u; q < p->n && (u = scale * p->x[q] - cell) < 1; q++) {
            double w = p->w[q] * (slope ? p->x[q] / b->step : 1);
            u -= 0.5;
            for (int i = 0; i < TAPS; i++) {
                moment[i] += w;
                w *= u;
            }
        }
        add_cell(b, moment, slope, middle + (int64_t)cell);
    }
}

/* What lies beyond the ends is the value there. */
static void pad(int64_t n, int64_t margin, const float *in, float *out)
{
    for (int64_t i = 0; i < margin; i++) {
        out[i] = in[0];
        out[margin + n + i] = in[n - 1];
    }
    memcpy(out + margin, in, (size_t)n * sizeof *out);
}

/* The two kernels, one after the other, as the weights of a run. */
void anpe_broaden_set(const anpe_broaden *b, const double kms[ANPE_N_BROADENINGS],
                      const anpe_broadening *slope, void *scratch)
{
    double *kernel[ANPE_N_BROADENINGS], *both = scratch;
    const int64_t size = both_size(b);
    float *weight = weights_of(b, scratch);
    kernel[0] = both + size;
    kernel[1] = kernel[0] + kernel_size(b, 0);
    for (int k = 0; k < ANPE_N_BROADENINGS; k++)
        make_kernel(b, k, kms[k], slope && (int)*slope == k, kernel[k]);
    memset(both, 0, (size_t)size * sizeof *both);
    for (int64_t i = 0; i < kernel_size(b, 0); i++)
        for (int64_t j = 0; kernel[0][i] != 0 && j < kernel_size(b, 1); j++)
            both[i + j] += kernel[0][i] * kernel[1][j];
    for (int64_t i = 0; i < size; i++)
        weight[i] = (float)both[i];
}

void anpe_broaden_run(const anpe_broaden *b, const float *in, float *out, void *scratch)
{
    const int64_t size = both_size(b);
    const float *weight = weights_of(b, scratch);
    float *padded = weights_of(b, scratch) + size;
    int64_t from = 0, to = size;
    while (from < to - 1 && weight[from] == 0)
        from++;
    while (to > from + 1 && weight[to - 1] == 0)
        to--;
    for (int64_t r = 0; r < b->n_runs; r++) {
        const int64_t first = b->run[r], n = b->run[r + 1] - first;
        pad(n, size / 2, in + first, padded);
        anpe_banded_convolve(n, to - from, weight + from, padded + from, out + first);
    }
}

void anpe_broaden_apply(const anpe_broaden *b, const double kms[ANPE_N_BROADENINGS],
                        const anpe_broadening *slope, const float *in, float *out, void *scratch)
{
    anpe_broaden_set(b, kms, slope, scratch);
    anpe_broaden_run(b, in, out, scratch);
}
