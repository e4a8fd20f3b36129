/* The projector on Gaussian lines in ln(lambda), of which all is known exactly. */
#include <config.h>
#include "data_support.h"
#include "spectrum/grid.h"
#include "spectrum/projector.h"

#include <math.h>

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
    anpe_projector_apply(p, 1, &rv, t->flux, out, scratch_memory);
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

/* Where the simulator has another window far away, all is as without it: the gap costs no accuracy.
 */
static void test_far_windows(void)
{
    enum { FAR = 1000 };
    const double width = 1.0e-5, lsf = 1 / (22500 * 2.354820045);
    setting *t = make_setting(0);
    for (int i = 0; i < N_IN; i++) {
        const double x = i < FAR ? 9.1 + 1.1e-6 * i : 9.62 + 1.1e-6 * (i - FAR);
        t->in[i] = exp(x);
        t->flux[i] = (float)lines(x, width);
    }
    project(t, 42, t->got);
    CU_ASSERT(worst(t, 42, lsf, width) < 1e-5);
    free(t);
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
    anpe_projector_apply(p, 1, NULL, t->flux, t->got, NULL);
    CU_ASSERT(!memcmp(t->flux, t->got, sizeof t->got));
    anpe_projector_free(p);
    free(t);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"projection against the closed form", test_projector_exact},
        {"a window far away", test_far_windows},
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
    };
    return run_suite(argc, argv, "projector", COUNT(tests), tests);
}
