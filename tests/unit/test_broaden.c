/* Rotation and macroturbulence: closed profiles, and the properties of an average over velocities.
 */
#include <config.h>
#include "base/random.h"
#include "data_support.h"
#include "spectrum/broaden.h"
#include <math.h>

enum { N = 2000 };
static const double STEP = 2; /* km/s */
static double wave[N];
static float in[N], out[N], other[N];
static void *room;
static anpe_broaden *b;

static void set_up(void)
{
    const double most[] = {300, 40};
    for (int i = 0; i < N; i++)
        wave[i] = 5000 * exp((double)i * STEP / ANPE_C_KMS);
    WORKS(anpe_broaden_new(ctx, N, wave, most, &b));
    room = malloc(anpe_broaden_scratch(b));
}

static void tear_down(void)
{
    free(room);
    b = anpe_broaden_free(b);
}

/* A Gaussian absorption line of this standard deviation, in steps. */
static void line(double centre, double width)
{
    for (int i = 0; i < N; i++)
        in[i] = (float)(1 - 0.8 * exp(-0.5 * pow(((double)i - centre) / width, 2)));
}

static void apply(double vsini, double vmacro, float *to)
{
    const double kms[] = {vsini, vmacro};
    anpe_broaden_apply(b, kms, NULL, in, to, room);
}

static double rotation(double x)
{
    const double e = 0.6, pi = acos(-1), u = 1 - x * x;
    return u > 0 ? (2 * (1 - e) * sqrt(u) + 0.5 * pi * e * u) / (pi * (1 - e / 3)) : 0;
}

static double macroturbulence(double x)
{
    const double pi = acos(-1);
    return (exp(-x * x) - sqrt(pi) * fabs(x) * erfc(fabs(x))) / (0.5 * sqrt(pi));
}

/* A line seen at each pixel through Gray's closed profile: the integral over the disc's velocities,
 * by midpoints of its own. */
static void compare(double (*profile)(double), double reach, double kms)
{
    const int n = 4000;
    for (int i = 900; i <= 1100; i++) {
        double sum = 0;
        for (int q = 0; q < n; q++) {
            const double x = reach * (2 * (q + 0.5) / n - 1);
            const double u = ((double)(i - 1000) - x * kms / STEP) / 3;
            sum += profile(x) * 0.8 * exp(-0.5 * u * u);
        }
        CU_ASSERT_DOUBLE_EQUAL(1 - (double)out[i], sum * 2 * reach / n, 1e-5);
    }
}

static void test_profiles(void)
{
    set_up();
    line(1000, 3);
    apply(100, 0, out);
    compare(rotation, 1, 100);
    apply(0, 20, out);
    compare(macroturbulence, 5, 20);
    apply(9.3, 0, out);
    compare(rotation, 1, 9.3);
    apply(0, 2.2, out);
    compare(macroturbulence, 5, 2.2);
    tear_down();
}

static double sum_of(const float *v)
{
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += 1 - (double)v[i];
    return sum;
}

static void test_properties(void)
{
    set_up();
    line(700.3, 3);
    apply(0, 0, out);
    CU_ASSERT(!memcmp(in, out, sizeof out)); /* no velocity changes no bit */
    for (int k = 0; k < 5; k++) {
        const double v[] = {0.3, 1, 7.7, 60, 300}, z[] = {0, 0.4, 3, 11, 40};
        line(700.3, 3);
        apply(v[k], z[k], out);
        /* sums of 700 floats near 1 in each of 2000 pixels */
        CU_ASSERT_DOUBLE_EQUAL(sum_of(out), sum_of(in), 2e-3);
        line(900.3, 3);
        apply(v[k], z[k], other); /* 200 steps on: the same, 200 steps on */
        float worst = 0;
        for (int i = 400; i < 1200; i++)
            worst = fmaxf(worst, fabsf(other[i + 200] - out[i]));
        CU_ASSERT(worst < 1e-5f);
        for (int i = 0; i < N; i++)
            in[i] = 1;
        apply(v[k], z[k], other);
        for (int i = 0; i < N; i++)
            CU_ASSERT_DOUBLE_EQUAL(other[i], 1, 1e-5); /* ends included */
    }
    tear_down();
}

/* K is linear and symmetric: <y, K x> = <K y, x>, away from the ends. */
static void test_linear(void)
{
    anpe_rng rng = {.key = {3, 4}};
    static float x[N], y[N], kx[N], ky[N], sum[N];
    const double kms[] = {83, 9};
    double left = 0, right = 0;
    set_up();
    for (int i = 400; i < N - 400; i++) {
        x[i] = (float)anpe_normal(&rng);
        y[i] = (float)anpe_normal(&rng);
        sum[i] = 2 * x[i] - y[i];
    }
    anpe_broaden_apply(b, kms, NULL, x, kx, room);
    anpe_broaden_apply(b, kms, NULL, y, ky, room);
    anpe_broaden_apply(b, kms, NULL, sum, out, room);
    for (int i = 0; i < N; i++) {
        left += (double)y[i] * (double)kx[i];
        right += (double)ky[i] * (double)x[i];
        CU_ASSERT_DOUBLE_EQUAL(out[i], 2 * kx[i] - ky[i], 1e-5);
    }
    CU_ASSERT_DOUBLE_EQUAL(left, right, 1e-3);
    CU_ASSERT(fabs(left) > 0.1);
    tear_down();
}

static void test_slopes(void)
{
    set_up();
    line(1000, 4);
    for (int k = 0; k < ANPE_N_BROADENINGS; k++) {
        const anpe_broadening which = (anpe_broadening)k;
        double kms[] = {31.4, 6.2}, largest = 0;
        const double h = 0.05;
        static float low[N], high[N];
        anpe_broaden_apply(b, kms, &which, in, out, room);
        kms[k] += h;
        anpe_broaden_apply(b, kms, NULL, in, high, room);
        kms[k] -= 2 * h;
        anpe_broaden_apply(b, kms, NULL, in, low, room);
        for (int i = 0; i < N; i++) {
            const double slope = ((double)high[i] - (double)low[i]) / (2 * h);
            /* rounding of two floats near 1 over 0.1, and the third derivative */
            CU_ASSERT_DOUBLE_EQUAL(out[i], slope, 2e-5);
            largest = fmax(largest, fabs(slope));
        }
        CU_ASSERT(largest > 1e-3);
    }
    tear_down();
}

static void test_refuses(void)
{
    const double most[] = {300, 40};
    anpe_broaden *none = NULL;
    for (int i = 0; i < N; i++)
        wave[i] = 5000 + 0.1 * i;
    CU_ASSERT(!anpe_broaden_takes(N, wave));
    FAILS(anpe_broaden_new(ctx, N, wave, most, &none), ANPE_EINVAL, "uniform in ln(wavelength)");
    CU_ASSERT_PTR_NULL(none);
}

int main(int argc, char **argv)
{
    const CU_TestInfo tests[] = {{"closed profiles", test_profiles},
                                 {"properties", test_properties},
                                 {"linear and symmetric", test_linear},
                                 {"slopes", test_slopes},
                                 {"refuses", test_refuses}};
    return run_suite(argc, argv, "broadening", COUNT(tests), tests);
}
