/* Spectra: bad pixels, Doppler shift, line-spread function, continuum rules, resampling. */
#define _GNU_SOURCE
#include "data_support.h"
#include "spectrum/grid.h"
#include "file/hdf5_file.h"
#include "spectrum/spectrum.h"

#include <math.h>

/* ---- bad pixels -------------------------------------------------------------------------- */

static void test_check(void)
{
    anpe_spectrum s;
    WORKS(anpe_spectrum_new(ctx, 8, &s));
    for (int i = 0; i < 8; i++) {
        s.flux[i] = 1;
        s.sigma[i] = 0.5f;
    }
    s.flux[0] = NAN;
    s.flux[1] = INFINITY;
    s.sigma[2] = NAN;
    s.sigma[3] = INFINITY;
    s.sigma[4] = 0;
    s.sigma[5] = -1;
    s.mask[6] = 4; /* any value but 0 is bad, and becomes 1 */
    CU_ASSERT_EQUAL(anpe_spectrum_check(&s), 1);
    for (int i = 0; i < 8; i++)
        CU_ASSERT_EQUAL(s.mask[i], i < 7);
    CU_ASSERT_EQUAL(anpe_spectrum_snr(&s), 2);
    anpe_spectrum_clear(&s);
    CU_ASSERT_PTR_NULL(s.flux);
    FAILS(anpe_spectrum_new(ctx, 0, &s), ANPE_EINVAL, "0 pixels");
    FAILS(anpe_spectrum_new(ctx, INT64_MAX, &s), ANPE_EINVAL, "pixels");
}

static void test_inpaint(void)
{
    static const uint8_t mask[3][6] = {{0, 1, 1, 0, 1, 0}, {1, 1, 0, 1, 0, 1}, {1, 1, 1, 1, 1, 1}};
    static const float want[3][6] = {{1, 1, 1, 4, 4, 6}, {3, 3, 3, 3, 5, 5}, {1, 2, 3, 4, 5, 6}};
    static const int64_t good[3] = {3, 2, 0};
    anpe_spectrum s;
    WORKS(anpe_spectrum_new(ctx, 6, &s));
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < 6; i++) {
            s.flux[i] = (float)(i + 1);
            s.sigma[i] = (float)(10 * (i + 1));
            s.mask[i] = mask[c][i];
        }
        CU_ASSERT_EQUAL(anpe_spectrum_inpaint(1, &s), good[c]);
        for (int i = 0; i < 6; i++)
            CU_ASSERT(s.flux[i] == want[c][i] && s.sigma[i] == 10 * want[c][i] &&
                      s.mask[i] == mask[c][i]);
    }
    anpe_spectrum_clear(&s);
}

/* <gradient, inpainted flux> = <pulled back gradient, flux>, for inpainting is linear. */
static void test_inpaint_pull_back(void)
{
    static const uint8_t mask[3][6] = {{0, 1, 1, 0, 1, 0}, {1, 1, 0, 1, 0, 1}, {1, 1, 1, 1, 1, 1}};
    anpe_spectrum s;
    WORKS(anpe_spectrum_new(ctx, 6, &s));
    for (int c = 0; c < 2; c++) {
        float gradient[6], flux[6], painted = 0, pulled = 0;
        for (int i = 0; i < 6; i++) { /* small integers: exact */
            flux[i] = s.flux[i] = (float)(1 << i);
            s.mask[i] = mask[c][i];
            gradient[i] = (float)(3 * i - 7);
        }
        anpe_spectrum_inpaint(1, &s);
        for (int i = 0; i < 6; i++)
            painted += gradient[i] * s.flux[i];
        anpe_spectrum_inpaint_pull_back(1, 6, mask[c], gradient);
        for (int i = 0; i < 6; i++) {
            pulled += gradient[i] * flux[i];
            CU_ASSERT(!mask[c][i] || gradient[i] == 0);
        }
        CU_ASSERT_EQUAL(painted, pulled);
    }
    float untouched[6] = {1, 2, 3, 4, 5, 6};
    anpe_spectrum_inpaint_pull_back(1, 6, mask[2], untouched);
    CU_ASSERT_EQUAL(untouched[5], 6);
    anpe_spectrum_clear(&s);
}

/* ---- projector: Gaussian lines in ln(lambda), of which all is known exactly -------------- */

enum { N_LINES = 7 };
static const double line_at[N_LINES] = {9.6215, 9.6233, 9.62336, 9.6260, 9.6271, 9.6290, 9.6301};
static const double line_depth[N_LINES] = {0.5, 0.3, 0.6, 0.1, 0.8, 0.4, 0.2};

static double lines(double x, double width)
{
    double f = 1;
    for (int k = 0; k < N_LINES; k++)
        f -= line_depth[k] * exp(-0.5 * pow((x - line_at[k]) / width, 2));
    return f;
}

/* The mean over [a, b] in ln(lambda) of the lines after a Gaussian of `lsf`. */
static double lines_in_pixel(double a, double b, double width, double lsf)
{
    double total = hypot(width, lsf), f = 1;
    for (int k = 0; k < N_LINES; k++) {
        double area = line_depth[k] * width * sqrt(2 * acos(-1.));
        f -= area / (b - a) * 0.5 *
             (erf((b - line_at[k]) / total / sqrt(2.)) - erf((a - line_at[k]) / total / sqrt(2.)));
    }
    return f;
}

enum { N_IN = 12000, N_OUT = 1500 };
typedef struct setting {
    double in[N_IN], out[N_OUT], resolution[N_OUT];
    float flux[N_IN], got[N_OUT], other[N_OUT];
    anpe_instrument_info ins;
    anpe_projector_setup setup;
    int64_t segment[4];
} setting;

/* Instrument: step 7e-6 in ln(lambda), resolution 22500; simulator: step 1e-6, sharp. */
static setting *make_setting(int linear_input)
{
    setting *t = calloc(1, sizeof *t);
    for (int i = 0; i < N_IN; i++) {
        double x = 9.6200 + 1e-6 * i;
        t->in[i] = linear_input ? exp(9.62) + (exp(9.632) - exp(9.62)) * i / N_IN : exp(x);
    }
    for (int i = 0; i < N_OUT; i++) {
        t->out[i] = exp(9.6207 + 7e-6 * i);
        t->resolution[i] = 22500;
    }
    t->segment[1] = 500;
    t->segment[2] = N_OUT;
    t->ins = (anpe_instrument_info){.channels = 1,
                                    .n_pixels = N_OUT,
                                    .wavelength = t->out,
                                    .resolution = t->resolution,
                                    .n_segments = 2,
                                    .segment = t->segment};
    t->setup = (anpe_projector_setup){N_IN, t->in, INFINITY, &t->ins, 0, 100};
    return t;
}

static void project(setting *t, double rv, float *out)
{
    anpe_projector *p;
    WORKS(anpe_projector_new(ctx, &t->setup, &p));
    size_t bytes = anpe_projector_scratch(p);
    void *scratch_memory = anpe_alloc(ctx, bytes ? bytes : 1);
    memset(scratch_memory, 0xff, bytes); /* NaN: nothing may be read before it is written */
    anpe_projector_apply(p, rv, t->flux, out, scratch_memory);
    anpe_free(scratch_memory);
    anpe_projector_free(p);
}

/* The derivative with respect to rv against differences over 6 h in all, good to h^6. */
static double worst_slope(setting *t, double rv, double h)
{
    static const double weight[] = {3. / 4, -3. / 20, 1. / 60};
    static double want[N_OUT];
    anpe_projector *p;
    double most = 0, off = 0;
    memset(want, 0, sizeof want);
    for (int k = 0; k < 3; k++)
        for (int side = -1; side <= 1; side += 2) {
            project(t, rv + side * (k + 1) * h, t->other);
            for (int i = 0; i < N_OUT; i++)
                want[i] += side * weight[k] / h * (double)t->other[i];
        }
    WORKS(anpe_projector_new(ctx, &t->setup, &p));
    size_t bytes = anpe_projector_scratch(p);
    void *scratch_memory = anpe_alloc(ctx, bytes ? bytes : 1);
    memset(scratch_memory, 0xff, bytes);
    anpe_projector_slope(p, rv, t->flux, t->got, scratch_memory);
    for (int i = 0; i < N_OUT; i++) {
        const int edge = i < 12 || i >= N_OUT - 12 || abs(i - 500) < 12; /* of the sinc's reach */
        most = fmax(most, fabs(want[i]));
        off = fmax(off, edge ? 0 : fabs((double)t->got[i] - want[i]));
    }
    anpe_free(scratch_memory);
    anpe_projector_free(p);
    return off / most;
}

/* A projection from a fine grid, and shifts on the instrument's own pixels, spaced evenly and not.
 * The flux, rounded to 6e-8 of 1, is divided by h = 0.1 pixels; the steepest slope is 0.15 a pixel:
 * 4e-6 of it, and more where it is a sum of 60 products, as of the projection. What the sinc
 * interpolates has a kink at whole pixels: the shifts end between -4 and 4 pixels in a half, so
 * that the differences meet none. */
static void test_projector_slope(void)
{
    const double pixel = 7e-6 * ANPE_C_KMS, width = 6 * 7e-6 / 2.354820045;
    const double rv[] = {0.5 * pixel, -0.5 * pixel, 1.5 * pixel, -3.5 * pixel};
    for (size_t k = 0; k < sizeof rv / sizeof rv[0]; k++)
        for (int kind = 0; kind < 3; kind++) {
            setting *t = make_setting(0);
            const int on_grid = kind > 0;
            for (int i = 0; i < N_OUT && kind == 2; i++) /* evenly in wavelength */
                t->out[i] = exp(9.6207) * (1 + 7e-6 * i);
            t->setup.on_grid = on_grid;
            t->setup.n_in = on_grid ? N_OUT : N_IN;
            t->setup.wavelength_in = on_grid ? t->out : t->in;
            for (int64_t i = 0; i < t->setup.n_in; i++)
                t->flux[i] = (float)lines(log(t->setup.wavelength_in[i]), width);
            const double off = worst_slope(t, rv[k], 0.1 * pixel);
            CU_ASSERT(off < (on_grid ? 1e-5 : 3e-5));
            free(t);
        }
}

static double worst(const setting *t, double rv, double lsf, double width)
{
    double most = 0, s = atanh(rv / ANPE_C_KMS);
    for (int i = 0; i < N_OUT; i++) {
        double low, high;
        int from = i < 500 ? 0 : 500, n = i < 500 ? 500 : N_OUT - 500;
        anpe_grid_pixel(n, t->out + from, i - from, &low, &high);
        double want = lines_in_pixel(log(low) - s, log(high) - s, width, lsf);
        most = fmax(most, fabs((double)t->got[i] - want));
    }
    return most;
}

/* Against the closed form. The simulator's cubics at a step of a tenth of the line's width are good
 * to 0.023 (1/10)^4 3 = 7e-6, single precision to 1e-6. */
static void test_projector_exact(void)
{
    static const double rv[] = {0, 0.1, -3.7, 42, 99.9};
    const double width = 1.0e-5, lsf = 1 / (22500 * 2.354820045);
    for (int linear = 0; linear < 2; linear++)
        for (size_t k = 0; k < sizeof rv / sizeof rv[0]; k++) {
            setting *t = make_setting(linear);
            for (int i = 0; i < N_IN; i++)
                t->flux[i] = (float)lines(log(t->in[i]), width);
            project(t, rv[k], t->got);
            CU_ASSERT(worst(t, rv[k], lsf, width) < 1e-5);
            /* Half of the blur is in the simulator already. */
            t->setup.resolution_in = 22500 * sqrt(2.);
            project(t, rv[k], t->got);
            CU_ASSERT(worst(t, rv[k], lsf / sqrt(2.), width) < 1e-5);
            CU_ASSERT(worst(t, rv[k], lsf, width) > 1e-3); /* the test can tell */
            /* Narrower than two steps and than one: integrated, not sampled. */
            t->setup.resolution_in = INFINITY;
            for (int narrow = 1; narrow <= 2; narrow++) {
                for (int i = 0; i < N_OUT; i++)
                    t->resolution[i] = narrow == 1 ? 2.5e5 : 1e6;
                project(t, rv[k], t->got);
                CU_ASSERT(worst(t, rv[k], 1 / (t->resolution[0] * 2.354820045), width) < 1e-5);
            }
            /* No line-spread function: the pixel only. */
            t->ins.resolution = NULL;
            project(t, rv[k], t->got);
            CU_ASSERT(worst(t, rv[k], 0, width) < 1e-5);
            free(t);
        }
}

static void test_projector_linear(void)
{
    setting *t = make_setting(1);
    float *sum = calloc(N_OUT, sizeof *sum);
    for (int i = 0; i < N_IN; i++)
        t->flux[i] = sinf((float)i * 0.01f);
    project(t, 12.3, t->got);
    for (int i = 0; i < N_IN; i++)
        t->flux[i] = cosf((float)i * 0.003f);
    project(t, 12.3, t->other);
    for (int i = 0; i < N_IN; i++)
        t->flux[i] = 2 * sinf((float)i * 0.01f) - 3 * cosf((float)i * 0.003f);
    project(t, 12.3, sum);
    for (int i = 0; i < N_OUT; i++) /* rounding of about 60 products below 5 */
        CU_ASSERT(fabsf(sum[i] - (2 * t->got[i] - 3 * t->other[i])) < 60 * 5 * 1.2e-7f);
    free(sum);
    free(t);
}

/* A velocity of 20 pixels moves the spectrum by 20 pixels, to the red; a constant stays. */
static void test_projector_shift(void)
{
    setting *t = make_setting(0);
    const double rv = ANPE_C_KMS * tanh(20 * 7e-6);
    for (int i = 0; i < N_IN; i++)
        t->flux[i] = (float)lines(log(t->in[i]), 1.5e-5);
    project(t, 0, t->got);
    project(t, rv, t->other);
    for (int i = 20; i < N_OUT; i++)
        if (i % 500 > 20 || i > 600) /* the pixels beside a segment's end */
            CU_ASSERT(fabsf(t->other[i] - t->got[i - 20]) < 2e-6f);
    for (int i = 0; i < N_IN; i++)
        t->flux[i] = 3;
    project(t, -77, t->got);
    for (int i = 0; i < N_OUT; i++)
        CU_ASSERT(fabsf(t->got[i] - 3) < 3e-6f);
    free(t);
}

/* The flux of an isolated line, summed over pixels, is the flux that went in. */
static void test_projector_conserves(void)
{
    setting *t = make_setting(1);
    double out = 0, in = 0, low, high;
    for (int i = 0; i < N_IN; i++) {
        t->flux[i] = expf(-0.5f * powf((float)((log(t->in[i]) - 9.6285) / 2e-5), 2));
        anpe_grid_pixel(N_IN, t->in, i, &low, &high);
        in += (double)t->flux[i] * (high - low);
    }
    project(t, 0, t->got);
    for (int i = 500; i < N_OUT; i++) {
        anpe_grid_pixel(N_OUT - 500, t->out + 500, i - 500, &low, &high);
        out += (double)t->got[i] * (high - low);
    }
    /* The response belongs to the output pixel, so e^u over the blur's width is not weighted
     * back: relative 2e-5 squared; the rest is single precision. */
    CU_ASSERT(fabs(out / in - 1) < 1e-6);
    free(t);
}

/* Same pixels: v > 0 moves lines to the red by sqrt((1 + v/c)/(1 - v/c)), to the accuracy that the
 * source states for lines of that many pixels FWHM; the deepest blend here is 0.9 deep. */
static void test_on_grid(void)
{
    static const double fwhm[] = {2.5, 3, 3.5, 5}, bound[] = {5e-3, 8e-4, 1.3e-4, 1.3e-4};
    static const double rv[] = {-5, 1.0493, 4.7};
    for (int c = 0; c < 8; c++)
        for (int v = 0; v < 3; v++) {
            setting *t = make_setting(0);
            double width = fwhm[c % 4] / 2.354820045 * 7e-6, beta = rv[v] / ANPE_C_KMS;
            for (int i = 0; i < N_OUT && c >= 4; i++) /* evenly in wavelength, to 1 % in ln */
                t->out[i] = exp(9.6207) * (1 + 7e-6 * i);
            t->setup.n_in = N_OUT;
            t->setup.wavelength_in = t->out;
            t->setup.on_grid = 1;
            for (int i = 0; i < N_OUT; i++)
                t->flux[i] = (float)lines(log(t->out[i]), width);
            project(t, rv[v], t->got);
            for (int i = 8; i < N_OUT - 8; i++) {
                double rest = t->out[i] * sqrt((1 - beta) / (1 + beta));
                if (abs(i - 500) > 8)
                    CU_ASSERT(fabs((double)t->got[i] - lines(log(rest), width)) <
                              0.9 * bound[c % 4]);
            }
            project(t, 0, t->got);
            CU_ASSERT(!memcmp(t->got, t->flux, N_OUT * sizeof *t->flux));
            free(t);
        }
}

/* All pixels of an even grid take the same weights; the same grid, known to half a millionth of a
 * step less evenly, has weights pixel by pixel: what differs is rounding and that half. */
static void test_on_grid_even(void)
{
    setting *t = make_setting(0);
    t->setup.n_in = N_OUT;
    t->setup.wavelength_in = t->out;
    t->setup.on_grid = 1;
    for (int i = 0; i < N_OUT; i++)
        t->flux[i] = (float)lines(log(t->out[i]), 1e-5);
    for (int v = -3; v <= 3; v++) {
        const double rv = 1.7 * v;
        project(t, rv, t->got);
        for (int i = 0; i < N_OUT; i += 3)
            t->out[i] *= 1 + 5e-7 * 7e-6;
        project(t, rv, t->other);
        for (int i = 0; i < N_OUT; i += 3)
            t->out[i] /= 1 + 5e-7 * 7e-6;
        for (int i = 0; i < N_OUT; i++)
            CU_ASSERT(fabsf(t->got[i] - t->other[i]) < 1e-6f);
    }
    free(t);
}

static void test_on_grid_segments(void)
{
    setting *t = make_setting(0);
    t->setup.n_in = N_OUT;
    t->setup.wavelength_in = t->out;
    t->setup.on_grid = 1;
    for (int i = 0; i < N_OUT; i++)
        t->flux[i] = i < 500 ? 1 : 2;
    project(t, 4.9, t->got); /* what is on the other side is not mixed in */
    for (int i = 0; i < N_OUT; i++)
        CU_ASSERT(fabsf(t->got[i] - t->flux[i]) < 1e-6f);
    for (int i = 0; i < N_OUT; i++)
        t->flux[i] = (float)i;
    project(t, 7e-6 * 3 * ANPE_C_KMS, t->got); /* three pixels: edges take the last value */
    CU_ASSERT(t->got[0] == 0 && t->got[2] == 0 && fabsf(t->got[3]) < 1e-3f);
    CU_ASSERT(t->got[500] == 500 && fabsf(t->got[499] - 496) < 1e-3f);
    free(t);
}

static int uncovered_pixels(setting *t, double rv_min, double rv_max, uint8_t *uncovered)
{
    anpe_projector *p;
    int n = 0;
    WORKS(anpe_projector_new(ctx, &t->setup, &p));
    anpe_projector_uncovered(p, rv_min, rv_max, uncovered);
    anpe_projector_free(p);
    for (int i = 0; i < N_OUT; i++)
        n += uncovered[i];
    return n;
}

/* Whether it covers all pixels at rv, and all but those that it says it does not. */
static void check_covers(setting *t, double rv, int all)
{
    anpe_projector *p;
    uint8_t none[N_OUT] = {0}, bad[N_OUT];
    WORKS(anpe_projector_new(ctx, &t->setup, &p));
    anpe_projector_uncovered(p, rv, rv, bad);
    CU_ASSERT_EQUAL(anpe_projector_covers(p, rv, none), all);
    CU_ASSERT_EQUAL(anpe_projector_covers(p, rv, bad), 1);
    anpe_projector_free(p);
}

/* On the instrument's pixels: the ends of each segment, as far as the velocities reach. What is
 * left is the flux that a wider simulator would give. */
static void test_uncovered_ends(void)
{
    const double pixel = 7e-6 * ANPE_C_KMS, width = 7e-5;
    uint8_t bad[N_OUT];
    setting *t = make_setting(0);
    t->setup.n_in = N_OUT;
    t->setup.wavelength_in = t->out;
    t->setup.on_grid = 1;
    CU_ASSERT_EQUAL(uncovered_pixels(t, 0, 0, bad), 0);
    check_covers(t, 0, 1);
    check_covers(t, 2.5 * pixel, 0);
    CU_ASSERT_EQUAL(uncovered_pixels(t, 0, 2.5 * pixel, bad), 6);
    CU_ASSERT(bad[0] && bad[2] && !bad[3] && !bad[499] && bad[500] && bad[502] && !bad[N_OUT - 1]);
    CU_ASSERT_EQUAL(uncovered_pixels(t, -9.5 * pixel, 2.5 * pixel, bad), 2 * (3 + 10));
    CU_ASSERT(bad[490] && !bad[489] && bad[499] && bad[N_OUT - 10] && !bad[N_OUT - 11]);
    for (int i = 0; i < N_OUT; i++)
        t->flux[i] = (float)lines(log(t->out[i]), width);
    for (int end = 0; end < 2; end++) {
        const double rv = end ? -9.5 * pixel : 2.5 * pixel, s = atanh(rv / ANPE_C_KMS);
        project(t, rv, t->got);
        for (int i = 0; i < N_OUT; i++)
            CU_ASSERT(bad[i] || fabs((double)t->got[i] - lines(log(t->out[i]) - s, width)) < 1e-3);
    }
    free(t);
}

/* A simulator that ends where the pixels' centres do, and one with a gap: pixels that see past it
 * are uncovered, the others have the whole one's flux. */
static void check_partial(setting *t, const setting *whole, int from, int to)
{
    const double rv = 6, reach = 2e-5 + 6 * 1.9e-5 + 1e-5;
    uint8_t bad[N_OUT];
    float want[N_OUT];
    const int n = uncovered_pixels(t, -rv, rv, bad);
    CU_ASSERT(n > 0 && n < 200);
    for (int i = 0; i < N_OUT; i++) {
        const double x = log(t->out[i]);
        const int near = x > log(whole->in[from]) - reach && x < log(whole->in[to]) + reach;
        CU_ASSERT(!bad[i] || near);
    }
    for (int sign = -1; sign <= 1; sign++) {
        setting *all = make_setting(0);
        memcpy(all->flux, whole->flux, sizeof all->flux);
        project(all, sign * rv, want);
        free(all);
        project(t, sign * rv, t->got);
        for (int i = 0; i < N_OUT; i++)
            CU_ASSERT(bad[i] || fabsf(t->got[i] - want[i]) < 2e-3f);
    }
}

static void test_uncovered_projection(void)
{
    const int start = 679, gap = 3000, size = 600;
    uint8_t bad[N_OUT];
    setting *whole = make_setting(0), *t = make_setting(0);
    for (int i = 0; i < N_IN; i++)
        whole->flux[i] = (float)lines(log(whole->in[i]), 7e-5);
    CU_ASSERT_EQUAL(uncovered_pixels(whole, -6, 6, bad), 0);
    check_covers(whole, 6, 1);
    t->setup.max_rv = 6;
    t->setup.n_in = N_IN - start;
    t->setup.wavelength_in = whole->in + start;
    memcpy(t->flux, whole->flux + start, (size_t)(N_IN - start) * sizeof *t->flux);
    check_partial(t, whole, 0, start);
    CU_ASSERT(uncovered_pixels(t, -6, 6, bad) > 5 && bad[0]);
    memcpy(t->in, whole->in, sizeof t->in);
    memcpy(t->flux, whole->flux, sizeof t->flux);
    memmove(t->in + gap, t->in + gap + size, (size_t)(N_IN - gap - size) * sizeof *t->in);
    memmove(t->flux + gap, t->flux + gap + size, (size_t)(N_IN - gap - size) * sizeof *t->flux);
    t->setup.n_in = N_IN - size;
    t->setup.wavelength_in = t->in;
    check_partial(t, whole, gap, gap + size);
    CU_ASSERT(uncovered_pixels(t, 0, 0, bad) > 80); /* 600e-6 / 7e-6 are 86 */
    free(t);
    free(whole);
}

static void test_projector_refuses(void)
{
    setting *t = make_setting(0);
    anpe_projector *p;
    t->setup.max_rv = 500;
    FAILS(anpe_projector_new(ctx, &t->setup, &p), ANPE_EINVAL, "the simulator covers");
    t->setup.max_rv = -1;
    FAILS(anpe_projector_new(ctx, &t->setup, &p), ANPE_EINVAL, "radial velocities");
    t->setup.max_rv = 10;
    t->setup.on_grid = 1;
    FAILS(anpe_projector_new(ctx, &t->setup, &p), ANPE_EINVAL, "has 12000 pixels, the instrument");
    t->setup.n_in = N_OUT;
    FAILS(anpe_projector_new(ctx, &t->setup, &p), ANPE_EINVAL, "wavelengths differ");
    t->setup.on_grid = 0;
    t->setup.n_in = N_IN;
    t->in[7] = t->in[6];
    FAILS(anpe_projector_new(ctx, &t->setup, &p), ANPE_EINVAL, "do not ascend at pixel 7");
    t->setup.wavelength_in = NULL;
    FAILS(anpe_projector_new(ctx, &t->setup, &p), ANPE_EINVAL, "the simulator has none");
    t->ins.wavelength = NULL;
    FAILS(anpe_projector_new(ctx, &t->setup, &p), ANPE_EINVAL, "gives 12000 values");
    t->setup.n_in = N_OUT;
    WORKS(anpe_projector_new(ctx, &t->setup, &p));
    for (int i = 0; i < N_OUT; i++)
        t->flux[i] = (float)i;
    anpe_projector_apply(p, 0, t->flux, t->got, NULL);
    CU_ASSERT(!memcmp(t->flux, t->got, sizeof t->got));
    anpe_projector_free(p);
    free(t);
}

/* ---- continuum --------------------------------------------------------------------------- */

static double noise(uint32_t *state) /* uniform in (-1, 1) */
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(int32_t)*state / 2147483648.;
}

static void test_chebyshev_recovers(void)
{
    const int64_t segment[3] = {0, 300, 700};
    anpe_spectrum s;
    uint32_t state = 1;
    uint8_t continuum[700];
    WORKS(anpe_spectrum_new(ctx, 700, &s));
    for (int i = 0; i < 700; i++) {
        int k = i < 300 ? i : i - 300, n = i < 300 ? 300 : 400;
        double x = 2. * k / (n - 1) - 1;
        continuum[i] = i % 3 != 0;
        s.flux[i] = (float)(50 + 3 * x - 2 * x * x + x * x * x * x);
        s.sigma[i] = (float)(1 + 0.5 * noise(&state));
        if (!continuum[i])
            s.flux[i] *= 0.3f; /* a line, not fitted, still divided */
        if (i % 7 == 0) {
            s.mask[i] = 1;
            s.flux[i] = NAN;
        }
    }
    float sigma = s.sigma[1], flux = s.flux[1];
    WORKS(anpe_continuum_chebyshev(ctx, 4, 2, segment, continuum, &s));
    for (int i = 0; i < 700; i++)
        if (i % 7)
            CU_ASSERT(fabsf(s.flux[i] - (continuum[i] ? 1 : 0.3f)) < 5e-7f);
    CU_ASSERT(fabsf(s.sigma[1] - sigma / flux) < 1e-8f);
    anpe_spectrum_clear(&s);
}

/* The coefficients' normal equations in long double and monomials, solved by Gauss-Jordan with
 * pivoting: another basis, another method. */
static void reference_fit(const anpe_spectrum *s, long double c[5])
{
    long double a[5][6] = {{0}};
    for (int64_t i = 0; i < s->n_pixels; i++) {
        long double x = 2.0L * i / (s->n_pixels - 1) - 1, w = 1 / powl(s->sigma[i], 2);
        for (int j = 0; j < 5; j++) {
            for (int k = 0; k < 5; k++)
                a[j][k] += w * powl(x, j + k);
            a[j][5] += w * powl(x, j) * s->flux[i];
        }
    }
    for (int p = 0; p < 5; p++) {
        int best = p;
        for (int r = p; r < 5; r++)
            best = fabsl(a[r][p]) > fabsl(a[best][p]) ? r : best;
        for (int k = 0; k < 6; k++) {
            long double swap = a[p][k];
            a[p][k] = a[best][k];
            a[best][k] = swap;
        }
        for (int r = 0; r < 5; r++) {
            long double f = a[r][p] / a[p][p];
            for (int k = p; r != p && k < 6; k++)
                a[r][k] -= f * a[p][k];
        }
    }
    for (int p = 0; p < 5; p++)
        c[p] = a[p][5] / a[p][p];
}

static void test_chebyshev_least_squares(void)
{
    enum { N = 2920 };
    const int64_t segment[2] = {0, N};
    anpe_spectrum s;
    uint32_t state = 7;
    long double c[5];
    float *flux = calloc(N, sizeof *flux);
    WORKS(anpe_spectrum_new(ctx, N, &s));
    for (int i = 0; i < N; i++) {
        s.flux[i] = flux[i] = (float)(1000 + 300 * noise(&state));
        s.sigma[i] = (float)(10 + 9 * noise(&state));
    }
    reference_fit(&s, c);
    WORKS(anpe_continuum_chebyshev(ctx, 4, 1, segment, NULL, &s));
    for (int i = 0; i < N; i++) {
        long double x = 2.0L * i / (N - 1) - 1, want = 0;
        for (int k = 4; k >= 0; k--)
            want = want * x + c[k];
        CU_ASSERT(fabsl(s.flux[i] * want / flux[i] - 1) < 2e-7L); /* one rounding to float */
    }
    free(flux);
    anpe_spectrum_clear(&s);
}

static void test_chebyshev_bad(void)
{
    const int64_t segment[3] = {0, 50, 100}, wrong[2] = {0, 101};
    anpe_spectrum s;
    WORKS(anpe_spectrum_new(ctx, 100, &s));
    for (int i = 0; i < 100; i++) {
        s.flux[i] = i < 50 ? 2 : -2; /* a negative continuum is no continuum */
        s.sigma[i] = 1;
    }
    WORKS(anpe_continuum_chebyshev(ctx, 2, 2, segment, NULL, &s));
    for (int i = 0; i < 100; i++)
        CU_ASSERT(s.mask[i] == (i >= 50) && (i >= 50 || fabsf(s.flux[i] - 1) < 1e-6f));
    memset(s.mask, 0, 100);
    memset(s.mask, 1, 45); /* five pixels for three coefficients */
    WORKS(anpe_continuum_chebyshev(ctx, 2, 1, segment, NULL, &s));
    for (int i = 0; i < 50; i++)
        CU_ASSERT_EQUAL(s.mask[i], 1);
    FAILS(anpe_continuum_chebyshev(ctx, 99, 1, segment, NULL, &s), ANPE_EINVAL, "degree 99");
    FAILS(anpe_continuum_chebyshev(ctx, 4, 1, wrong, NULL, &s), ANPE_EINVAL, "[0, 101) of 100");
    anpe_spectrum_clear(&s);
}

/* Against the sum written out; bad pixels have no say. */
static void test_smooth(void)
{
    enum { N = 1200 };
    const int64_t segment[3] = {0, 500, N};
    const double width = 30;
    double wavelength[N];
    float flux[N];
    anpe_spectrum s;
    uint32_t state = 3;
    WORKS(anpe_spectrum_new(ctx, N, &s));
    for (int i = 0; i < N; i++) {
        wavelength[i] = 4000 * exp(2.3e-4 * i);
        s.flux[i] = flux[i] = (float)(10 + 2 * sin(wavelength[i] / 70) + noise(&state));
        s.sigma[i] = (float)(1 + 0.8 * noise(&state));
        s.mask[i] = i % 11 == 0 || (i > 700 && i < 760);
        if (s.mask[i])
            s.flux[i] = NAN;
    }
    anpe_spectrum before = s;
    before.sigma = calloc(N, sizeof(float));
    memcpy(before.sigma, s.sigma, N * sizeof(float));
    WORKS(anpe_continuum_smooth(ctx, width, wavelength, 2, segment, &s));
    for (int i = 0; i < N; i++) {
        double sum = 0, norm = 0;
        for (int j = i < 500 ? 0 : 500; j < (i < 500 ? 500 : N); j++) {
            double w = exp(-0.5 * pow((wavelength[i] - wavelength[j]) / width, 2)) /
                       pow((double)before.sigma[j], 2);
            if (j % 11 && !(j > 700 && j < 760)) {
                sum += w * (double)flux[j];
                norm += w;
            }
        }
        if (i % 11 && !(i > 700 && i < 760))
            /* 5 widths hold all but 6e-7; interpolation as the source says */
            CU_ASSERT(fabs((double)s.flux[i] * sum / norm / (double)flux[i] - 1) < 2e-5);
    }
    FAILS(anpe_continuum_smooth(ctx, 0.01, wavelength, 2, segment, &s), ANPE_EINVAL,
          "at least a pixel");
    free(before.sigma);
    anpe_spectrum_clear(&s);
}

/* ---- resampling -------------------------------------------------------------------------- */

static void test_resample(void)
{
    enum { IN = 1000, OUT = 90 };
    double in[IN], out[OUT], low, high, flux_in = 0, flux_out = 0;
    float flux[IN], sigma[IN];
    uint8_t mask[IN] = {0};
    anpe_spectrum s;
    uint32_t state = 5;
    WORKS(anpe_spectrum_new(ctx, OUT, &s));
    for (int i = 0; i < IN; i++) {
        in[i] = 5000 + 0.5 * i + 1e-4 * i * i;
        flux[i] = (float)(i > 300 && i < 700 ? 2 + noise(&state) : 0);
        sigma[i] = 0.1f;
    }
    for (int i = 0; i < IN; i++) {
        anpe_grid_pixel(IN, in, i, &low, &high);
        flux_in += (double)flux[i] * (high - low);
    }
    for (int i = 0; i < OUT; i++)
        out[i] = 5100 + 4.1 * i;
    WORKS(anpe_resample_spectrum(ctx, IN, in, flux, sigma, mask, OUT, out, &s));
    for (int i = 0; i < OUT; i++) {
        anpe_grid_pixel(OUT, out, i, &low, &high);
        flux_out += (double)s.flux[i] * (high - low);
        CU_ASSERT_EQUAL(s.mask[i], 0);
        /* about 7 independent pixels each */
        CU_ASSERT(s.sigma[i] > 0.1f / sqrtf(9.5f) && s.sigma[i] < 0.1f / sqrtf(5.5f));
    }
    CU_ASSERT(fabs(flux_out / flux_in - 1) < 1e-6); /* single precision */
    /* The same grid: nothing changes. */
    anpe_spectrum same;
    WORKS(anpe_spectrum_new(ctx, IN, &same));
    WORKS(anpe_resample_spectrum(ctx, IN, in, flux, sigma, mask, IN, in, &same));
    for (int i = 0; i < IN; i++)
        CU_ASSERT(fabsf(same.flux[i] - flux[i]) < 1e-6f && fabsf(same.sigma[i] - 0.1f) < 1e-7f);
    anpe_spectrum_clear(&same);
    anpe_spectrum_clear(&s);
}

static void test_resample_bad(void)
{
    double in[12], out[6];
    float flux[12], sigma[12];
    uint8_t mask[12] = {0};
    anpe_spectrum s;
    WORKS(anpe_spectrum_new(ctx, 6, &s));
    for (int i = 0; i < 12; i++) {
        in[i] = 100 + i;
        flux[i] = 1;
        sigma[i] = 1;
    }
    for (int i = 0; i < 6; i++)
        out[i] = 100.5 + 3 * i; /* from 99 on, three input pixels each: 115.5 is outside */
    flux[0] = flux[1] = NAN;    /* a sixth of pixel 0 is left */
    mask[4] = 1;                /* one of three: good */
    sigma[6] = 0;               /* two of three: bad */
    mask[7] = 1;
    WORKS(anpe_resample_spectrum(ctx, 12, in, flux, sigma, mask, 6, out, &s));
    static const uint8_t want[6] = {1, 0, 1, 0, 1, 1};
    for (int i = 0; i < 6; i++)
        CU_ASSERT(s.mask[i] == want[i] && isfinite(s.flux[i]) && isfinite(s.sigma[i]));
    CU_ASSERT_EQUAL(s.flux[1], 1);
    /* A gap in the input stays a gap. */
    for (int i = 6; i < 12; i++)
        in[i] = 103 + i;
    WORKS(anpe_resample_spectrum(ctx, 12, in, flux, sigma, NULL, 6, out, &s));
    CU_ASSERT(s.mask[2] == 1 && s.mask[1] == 0 && s.mask[4] == 0);
    in[5] = in[4];
    FAILS(anpe_resample_spectrum(ctx, 12, in, flux, sigma, NULL, 6, out, &s), ANPE_EINVAL,
          "input: wavelengths do not ascend at pixel 5");
    anpe_spectrum_clear(&s);
}

/* Vacuum and air wavelengths of lines as the SDSS and NIST tables list them, rounded to 0.001 and
 * 0.002 Angstrom between dispersion formulas. */
static void test_air(void)
{
    static const double pair[][2] = {{4861.325, 4862.683}, {5006.843, 5008.240},
                                     {6562.801, 6564.614}, {5889.950, 5891.583},
                                     {8542.09, 8544.44},   {5000, 5001.395}};
    for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++)
        CU_ASSERT(fabs(anpe_air_to_vacuum(pair[i][0]) - pair[i][1]) < 0.004);
    /* The formula itself, the other way round. */
    double v = anpe_air_to_vacuum(5000), s2 = 1e8 / v / v;
    double n = 1 + 8.34254e-5 + 2.406147e-2 / (130 - s2) + 1.5998e-4 / (38.9 - s2);
    CU_ASSERT(fabs(v / n - 5000) < 1e-9);
    CU_ASSERT_EQUAL(anpe_air_to_vacuum(1500), 1500);
}

/* ---- noise library ----------------------------------------------------------------------- */

static void write_library(const char *path, const float *sigma, int64_t rows, int64_t pixels,
                          int64_t mask_pixels)
{
    anpe_h5 *f;
    const int64_t shape[2] = {rows, pixels}, mask_shape[2] = {rows, mask_pixels};
    const uint8_t mask[8] = {0, 1, 0, 0, 0, 0, 0, 0};
    WORKS(anpe_h5_create(ctx, path, &f));
    WORKS(anpe_h5_write(ctx, f, "sigma", ANPE_H5_FLOAT, 2, shape, sigma));
    if (mask_pixels)
        WORKS(anpe_h5_write(ctx, f, "mask", ANPE_H5_UINT8, 2, mask_shape, mask));
    WORKS(anpe_h5_close(ctx, f));
}

static void test_noise_library(void)
{
    float sigma[6] = {0.1f, 0.2f, 0.3f, NAN, 0.5f, -1};
    anpe_noise_library library;
    const char *path = in_scratch("noise.h5");
    write_library(path, sigma, 2, 3, 3);
    WORKS(anpe_noise_library_read(ctx, path, &library));
    CU_ASSERT(library.n_rows == 2 && library.n_pixels == 3 && library.sigma[2] == 0.3f);
    static const uint8_t want[6] = {0, 1, 0, 1, 0, 1};
    CU_ASSERT(!memcmp(library.mask, want, 6));
    anpe_noise_library_free(&library);
    CU_ASSERT_PTR_NULL(library.sigma);
    write_library(path, sigma, 2, 3, 0);
    WORKS(anpe_noise_library_read(ctx, path, &library));
    CU_ASSERT(library.mask[1] == 0 && library.mask[3] == 1);
    anpe_noise_library_free(&library);
    write_library(path, sigma, 2, 3, 2);
    FAILS(anpe_noise_library_read(ctx, path, &library), ANPE_EFORMAT, "shape of 'sigma', (2, 3)");
    sigma[4] = 0;
    write_library(path, sigma, 2, 3, 0);
    FAILS(anpe_noise_library_read(ctx, path, &library), ANPE_EFORMAT, "row 1 of the noise library");
    FAILS(anpe_noise_library_read(ctx, in_scratch("no.h5"), &library), ANPE_EIO, "No such file");
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"bad pixels", test_check},
        {"inpainting", test_inpaint},
        {"gradient through inpainting", test_inpaint_pull_back},
        {"projection against the closed form", test_projector_exact},
        {"projection is linear", test_projector_linear},
        {"projection commutes with a shift", test_projector_shift},
        {"derivative with respect to the velocity", test_projector_slope},
        {"a shift on an even grid", test_on_grid_even},
        {"projection conserves flux", test_projector_conserves},
        {"shift on the instrument's grid", test_on_grid},
        {"segments and edges on that grid", test_on_grid_segments},
        {"ends that a shift uncovers", test_uncovered_ends},
        {"ends and gaps of a simulator", test_uncovered_projection},
        {"projections that cannot be", test_projector_refuses},
        {"Chebyshev recovers a polynomial", test_chebyshev_recovers},
        {"Chebyshev is the least-squares fit", test_chebyshev_least_squares},
        {"Chebyshev on hopeless segments", test_chebyshev_bad},
        {"smoothed continuum", test_smooth},
        {"resampling", test_resample},
        {"resampling bad pixels", test_resample_bad},
        {"air to vacuum", test_air},
        {"noise library", test_noise_library},
    };
    return run_suite(argc, argv, "spectrum", COUNT(tests), tests);
}
