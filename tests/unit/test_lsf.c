/* The projection as what it is, a matrix: its transpose, batches, and the properties of a
 * line-spread function, Gaussian and tabulated. */
#include <config.h>
#include "data_support.h"
#include "spectrum/grid.h"
#include "spectrum/projector.h"

#include <math.h>

enum { N_IN = 6000, N_OUT = 700, MOST = 21 };
static const double START = 9.62, STEP = 1e-6, PIXEL = 7e-6;

typedef struct bench {
    double in[N_IN], out[N_OUT], resolution[N_OUT];
    int64_t segment[3];
    anpe_instrument_info ins;
    anpe_projector_setup setup;
    anpe_projector *p;
    void *scratch;
} bench;

/* How the simulator's pixels lie. */
enum { EVEN, LINEAR, SAME, SAME_UNEVEN, KINDS };

static bench *make_bench(int kind, double resolution)
{
    bench *b = calloc(1, sizeof *b);
    for (int i = 0; i < N_IN; i++)
        b->in[i] = kind == LINEAR ? exp(START) * (1 + STEP * i) : exp(START + STEP * i);
    for (int i = 0; i < N_OUT; i++) {
        b->out[i] = exp(START + 4e-4) *
                    (kind == SAME_UNEVEN ? 1 + PIXEL * i + 1e-6 * sin(i) : exp(PIXEL * i));
        b->resolution[i] = resolution;
    }
    b->segment[1] = 300;
    b->segment[2] = N_OUT;
    b->ins = (anpe_instrument_info){.channels = 1,
                                    .n_pixels = N_OUT,
                                    .wavelength = b->out,
                                    .resolution = b->resolution,
                                    .n_segments = 2,
                                    .segment = b->segment};
    const int on_grid = kind >= SAME;
    b->setup = (anpe_projector_setup){
        on_grid ? N_OUT : N_IN, on_grid ? b->out : b->in, INFINITY, &b->ins, on_grid, 100};
    return b;
}

static void open_bench(bench *b)
{
    WORKS(anpe_projector_new(ctx, &b->setup, &b->p));
    const size_t bytes = anpe_projector_scratch(b->p);
    b->scratch = anpe_alloc(ctx, bytes ? bytes : 1);
    memset(b->scratch, 0xff, bytes); /* NaN: nothing may be read before it is written */
}

static void close_bench(bench *b)
{
    b->p = anpe_projector_free(b->p);
    anpe_free(b->scratch);
    b->scratch = NULL;
}

static bench *free_bench(bench *b)
{
    close_bench(b);
    free(b);
    return NULL;
}

static void fill_random(int64_t n, float *x, uint64_t seed)
{
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        x[i] = (float)(seed >> 40) * 0x1p-23f - 1;
    }
}

/* <y, A f> = <A^T y, f>. Each side is a sum of 700 or 6000 terms in double of numbers that are off
 * by at most some 100 roundings of 6e-8 each, of sums of absolute values; the scale is theirs. */
static void check_transpose(int kind, double rv)
{
    bench *b = make_bench(kind, 22500);
    const int64_t n = b->setup.n_in;
    float *f = malloc(2 * N_IN * sizeof *f), *x = malloc(2 * N_IN * sizeof *x);
    float *af = malloc(2 * N_OUT * sizeof *af), *y = malloc(2 * N_OUT * sizeof *y);
    const double velocity[2] = {rv, -0.3 * rv};
    open_bench(b);
    fill_random(2 * n, f, 1);
    fill_random(2 * N_OUT, y, 2);
    anpe_projector_apply(b->p, 2, velocity, f, af, b->scratch);
    anpe_projector_transpose(b->p, 2, velocity, y, x, b->scratch);
    for (int k = 0; k < 2; k++) {
        double left = 0, right = 0, scale = 0;
        for (int64_t i = k * N_OUT; i < (k + 1) * N_OUT; i++) {
            left += (double)y[i] * (double)af[i];
            scale += fabs((double)y[i] * (double)af[i]);
        }
        for (int64_t i = k * n; i < (k + 1) * n; i++)
            right += (double)x[i] * (double)f[i];
        CU_ASSERT(scale > 1);
        NEAR(right, left, 1e-6 * scale);
    }
    free(f), free(x), free(af), free(y);
    free_bench(b);
}

static void test_transpose(void)
{
    static const double rv[] = {0, 0.9, -37, 99, 2.0985};
    for (int kind = 0; kind < KINDS; kind++)
        for (int v = 0; v < COUNT(rv); v++)
            check_transpose(kind, rv[v]);
}

/* Element by element, at the ends and at segments' ends too: column j of the matrix from a unit
 * spectrum, row i from a unit cotangent. */
static void test_transpose_elements(void)
{
    static const int rows[] = {0, 1, 299, 300, 301, 450, N_OUT - 1};
    float *unit = calloc(N_IN, sizeof *unit), *column = malloc(N_OUT * sizeof *column);
    float *row = malloc(COUNT(rows) * N_IN * sizeof *row), *e = calloc(N_OUT, sizeof *e);
    for (int kind = 0; kind < KINDS; kind++) {
        bench *b = make_bench(kind, 60000);
        const double rv = 13.7;
        double most = 0;
        open_bench(b);
        for (int r = 0; r < COUNT(rows); r++) {
            e[rows[r]] = 1;
            anpe_projector_transpose(b->p, 1, &rv, e, row + r * N_IN, b->scratch);
            e[rows[r]] = 0;
        }
        for (int64_t j = 0; j < b->setup.n_in; j++) {
            unit[j] = 1;
            anpe_projector_apply(b->p, 1, &rv, unit, column, b->scratch);
            unit[j] = 0;
            for (int r = 0; r < COUNT(rows); r++) {
                CU_ASSERT(fabsf(column[rows[r]] - row[r * N_IN + j]) < 1e-6f);
                most = fmax(most, fabs((double)row[r * N_IN + j]));
            }
        }
        CU_ASSERT(most > 0.03); /* there is something to compare */
        free_bench(b);
    }
    free(unit), free(column), free(row), free(e);
}

/* What a star's spectrum becomes does not depend on who is in the batch. */
static void test_batch(void)
{
    float *f = malloc(MOST * N_IN * sizeof *f), *one = malloc(N_OUT * sizeof *one);
    float *all = malloc(MOST * N_OUT * sizeof *all);
    double rv[MOST];
    for (int k = 0; k < MOST; k++)
        rv[k] = k % 5 ? 8.3 * (k - 10) : 0;
    for (int kind = 0; kind < KINDS; kind++) {
        bench *b = make_bench(kind, 22500);
        open_bench(b);
        fill_random(MOST * b->setup.n_in, f, 3);
        for (int n = 1; n <= MOST; n += n < 14 ? 1 : 7) {
            memset(all, 0xff, MOST * N_OUT * sizeof *all);
            anpe_projector_apply(b->p, n, rv, f, all, b->scratch);
            for (int k = 0; k < n; k++) {
                anpe_projector_apply(b->p, 1, rv + k, f + k * b->setup.n_in, one, b->scratch);
                CU_ASSERT(!memcmp(one, all + k * N_OUT, N_OUT * sizeof *one));
            }
        }
        free_bench(b);
    }
    free(f), free(one), free(all);
}

/* At infinite resolution a flux that is a straight line in wavelength comes back as it is in the
 * middle of each pixel; float rounds 1000 to 6e-5. */
static void test_identity(void)
{
    float *f = malloc(N_IN * sizeof *f), *got = malloc(N_OUT * sizeof *got);
    for (int kind = EVEN; kind <= LINEAR; kind++)
        for (int without = 0; without < 2; without++) {
            bench *b = make_bench(kind, INFINITY);
            b->ins.resolution = without ? NULL : b->resolution;
            open_bench(b);
            for (int i = 0; i < N_IN; i++)
                f[i] = (float)(1000 * (b->in[i] / exp(START) - 1) / 6e-3);
            anpe_projector_apply(b->p, 1, NULL, f, got, b->scratch);
            for (int i = 0; i < N_OUT; i++) {
                double low, high;
                const int from = i < 300 ? 0 : 300;
                anpe_grid_pixel(from ? N_OUT - 300 : 300, b->out + from, i - from, &low, &high);
                const double want = 1000 * ((low + high) / 2 / exp(START) - 1) / 6e-3;
                CU_ASSERT(fabs((double)got[i] - want) < 3e-4);
            }
            free_bench(b);
        }
    free(f), free(got);
}

/* Lines of this sigma in ln(lambda), one of them on the segments' border. */
static void draw_lines(const double *wavelength, double width, float *f)
{
    static const double at[] = {9.6212, 9.62249, 9.6228, 9.62281, 9.6244};
    for (int i = 0; i < N_IN; i++) {
        double v = 1;
        for (int k = 0; k < COUNT(at); k++)
            v -= 0.15 * (k + 1) * exp(-0.5 * pow((log(wavelength[i]) - at[k]) / width, 2));
        f[i] = (float)v;
    }
}

static double largest_difference(const float *a, const float *b)
{
    double most = 0;
    for (int i = 0; i < N_OUT; i++)
        most = fmax(most, fabs((double)a[i] - (double)b[i]));
    return most;
}

/* A Gaussian of R1 on the simulator's own grid and one of R2 after it are one of
 * R^-2 = R1^-2 + R2^-2. The first step's pixels are a box of the grid's step h: it adds h^2 / 24 of
 * the second derivative, at most 0.75 / width^2. */
static void test_compose(void)
{
    const double width = 8e-6, r1 = 40000, r2 = 30000, r = 1 / hypot(1 / r1, 1 / r2);
    float *f = malloc(N_IN * sizeof *f), *fine = malloc(N_IN * sizeof *fine);
    float *got = malloc(N_OUT * sizeof *got), *want = malloc(N_OUT * sizeof *want);
    double *blur = malloc(N_IN * sizeof *blur);
    bench *b = make_bench(EVEN, r);
    open_bench(b);
    draw_lines(b->in, width, f);
    anpe_projector_apply(b->p, 1, NULL, f, want, b->scratch);
    close_bench(b);
    for (int i = 0; i < N_IN; i++)
        blur[i] = r1;
    const anpe_instrument_info own = b->ins;
    b->ins = (anpe_instrument_info){
        .channels = 1, .n_pixels = N_IN, .wavelength = b->in, .resolution = blur};
    b->setup.max_rv = 0;
    open_bench(b);
    anpe_projector_apply(b->p, 1, NULL, f, fine, b->scratch);
    close_bench(b);
    b->ins = own;
    for (int i = 0; i < N_OUT; i++)
        b->resolution[i] = r2;
    open_bench(b);
    anpe_projector_apply(b->p, 1, NULL, fine, got, b->scratch);
    CU_ASSERT(largest_difference(got, want) < 0.75 * STEP * STEP / (width * width) / 24 + 1e-6);
    anpe_projector_apply(b->p, 1, NULL, f, got, b->scratch);
    CU_ASSERT(largest_difference(got, want) > 0.02); /* one alone is another */
    free_bench(b);
    free(f), free(fine), free(got), free(want), free(blur);
}

/* ---- tables ------------------------------------------------------------------------------ */

enum { POINTS = 241 };
typedef struct table {
    double wavelength[2], offset[POINTS], kernel[2 * POINTS];
    anpe_lsf_table t;
} table;

/* Gaussians of these resolutions at the instrument's first and last wavelength, in steps of a
 * twentieth of the narrower's sigma. */
static void make_table(table *t, const bench *b, double r1, double r2)
{
    const double sigma[2] = {1 / (r1 * 2.354820045), 1 / (r2 * 2.354820045)};
    const double step = fmin(sigma[0], sigma[1]) / 20;
    *t = (table){.wavelength = {b->out[0], b->out[N_OUT - 1]}};
    for (int i = 0; i < POINTS; i++) {
        const double x = step * (i - POINTS / 2);
        t->offset[i] = ANPE_C_KMS * tanh(x);
        for (int k = 0; k < 2; k++)
            t->kernel[k * POINTS + i] = 17 * (k + 1) * exp(-0.5 * pow(x / sigma[k], 2));
    }
    t->t = (anpe_lsf_table){2, POINTS, t->wavelength, t->offset, t->kernel};
}

/* A table of a Gaussian is that Gaussian: straight lines over a twentieth of sigma add a sixth of
 * that squared to the variance, 4e-4 of it, and depth 0.75 changes by less than that. */
static void test_table_gaussian(void)
{
    float *f = malloc(N_IN * sizeof *f), *got = malloc(N_OUT * sizeof *got);
    float *want = malloc(N_OUT * sizeof *want);
    table t;
    for (int kind = EVEN; kind <= LINEAR; kind++)
        for (int narrow = 0; narrow < 2; narrow++) { /* wider than two steps, and not */
            const double r = narrow ? 3e5 : 22500, rv = 4.2;
            bench *b = make_bench(kind, r);
            draw_lines(b->in, 8e-6, f);
            open_bench(b);
            anpe_projector_apply(b->p, 1, &rv, f, want, b->scratch);
            close_bench(b);
            make_table(&t, b, r, r);
            b->ins.lsf = &t.t;
            open_bench(b);
            anpe_projector_apply(b->p, 1, &rv, f, got, b->scratch);
            CU_ASSERT(largest_difference(got, want) < 3e-4);
            close_bench(b);
            make_table(&t, b, r / 1.1, r / 1.1);
            open_bench(b);
            anpe_projector_apply(b->p, 1, &rv, f, got, b->scratch);
            CU_ASSERT(largest_difference(got, want) > (narrow ? 1e-3 : 1e-2));
            free_bench(b);
        }
    free(f), free(got), free(want);
}

/* Sum and centre (km/s) of an emission line at x = 9.6212 + 2.1e-3, away from segments' ends. */
static void line_moments(bench *b, double *sum, double *centre)
{
    const double at = START + 4e-4 + PIXEL * 500;
    float *f = malloc(N_IN * sizeof *f), *got = malloc(N_OUT * sizeof *got);
    open_bench(b);
    for (int i = 0; i < N_IN; i++)
        f[i] = (float)exp(-0.5 * pow((log(b->in[i]) - at) / 1e-5, 2));
    anpe_projector_apply(b->p, 1, NULL, f, got, b->scratch);
    *sum = *centre = 0;
    for (int i = 300; i < N_OUT; i++) {
        *sum += (double)got[i];
        *centre += (double)got[i] * (log(b->out[i]) - at);
    }
    *centre *= ANPE_C_KMS / *sum;
    close_bench(b);
    free(f), free(got);
}

/* A lopsided table keeps the flux and moves the line by its own centre: a triangle from -5 over 0
 * to 20 km/s has it at 5. Halfway to a second kernel without that tail it is halfway. */
static void test_table_moments(void)
{
    const double offset[] = {-5, 0, 20}, at[] = {exp(START), exp(START + 5e-3)};
    double kernel[] = {0, 3, 0, 0, 3, 0}, sum, centre, plain, none;
    anpe_lsf_table t = {1, 3, at, offset, kernel};
    bench *b = make_bench(EVEN, INFINITY);
    line_moments(b, &plain, &none);
    NEAR(none, 0, 0.002);
    b->ins.lsf = &t;
    line_moments(b, &sum, &centre);
    NEAR(sum / plain, 1, 2e-5); /* the weight e^u over 25 km/s */
    NEAR(centre, 5, 0.01);
    /* at 9.6239 of 9.62 .. 9.625: 0.78 of the second, a narrow one at -2 */
    const double offsets[] = {-5, -2.5, -2, -1.5, 0, 20};
    double kernels[] = {0, 1.5, 1.8, 2.1, 3, 0, 0, 0, 3, 0, 0, 0};
    t = (anpe_lsf_table){2, 6, at, offsets, kernels};
    line_moments(b, &sum, &centre);
    /* the shares change along the line, by the distance of the centres of 1500 km/s */
    NEAR(sum / plain, 1 - 7 / (5e-3 * ANPE_C_KMS), 1e-4);
    NEAR(centre, 0.22 * 5 - 0.78 * 2, 0.1);
    free_bench(b);
}

static void test_table_refusals(void)
{
    table t;
    bench *b = make_bench(EVEN, 22500);
    make_table(&t, b, 22500, 22500);
    b->ins.lsf = &t.t;
    t.kernel[POINTS + 3] = -1;
    FAILS(anpe_projector_new(ctx, &b->setup, &b->p), ANPE_EINVAL, "value 4 at");
    t.kernel[POINTS + 3] = NAN;
    FAILS(anpe_projector_new(ctx, &b->setup, &b->p), ANPE_EINVAL, "expected 0 or more");
    memset(t.kernel, 0, sizeof t.kernel);
    FAILS(anpe_projector_new(ctx, &b->setup, &b->p), ANPE_EINVAL, "has an integral of 0");
    t.offset[5] = t.offset[4];
    FAILS(anpe_projector_new(ctx, &b->setup, &b->p), ANPE_EINVAL, "offset 6 is");
    t.wavelength[1] = t.wavelength[0];
    FAILS(anpe_projector_new(ctx, &b->setup, &b->p), ANPE_EINVAL, "wavelength 2 is");
    t.t.n_points = 2;
    FAILS(anpe_projector_new(ctx, &b->setup, &b->p), ANPE_EINVAL, "2 kernels of 2 points");
    free_bench(b);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"the transpose", test_transpose},
        {"the transpose, element by element", test_transpose_elements},
        {"a batch is each alone", test_batch},
        {"the identity at infinite resolution", test_identity},
        {"two Gaussians compose", test_compose},
        {"a table of a Gaussian", test_table_gaussian},
        {"flux and centre of a table", test_table_moments},
        {"tables that are none", test_table_refusals},
    };
    return run_suite(argc, argv, "lsf", COUNT(tests), tests);
}
