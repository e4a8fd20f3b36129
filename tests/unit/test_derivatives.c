/* Derivatives that simulators give, against central differences of their formulas in double. */
#include <config.h>
#include "emulator_support.h"
#include "kind/simulator.h"

enum { MOST_PIXELS = 7214, MOST_LABELS = 5 };

/* An emulator by its formula, in double, from the file that the plugin reads. */
typedef struct formula {
    const char *file;
    void (*eval)(const struct formula *f, const double *theta, double *flux);
    int64_t n_labels, n_pixels;
    const anpe_label *labels;
    int activation; /* dense, components: as in their list of names */
    int rounded;    /* the plugin's weights are floats */
    int n_arrays;
    double *array[8];
} formula;

static void read_formula(formula *f, int n, const char *const *keys)
{
    int64_t count;
    f->n_arrays = n;
    for (int i = 0; i < n; i++) {
        f->array[i] = read_whole(f->file, keys[i], &count);
        for (int64_t k = 0; k < count && f->rounded; k++)
            f->array[i][k] = (double)(float)f->array[i][k];
    }
}

static double scaled(const formula *f, const double *theta, int64_t k)
{
    const anpe_label *l = &f->labels[k];
    return (theta[k] - l->min) / (l->max - l->min) - 0.5;
}

/* Components are a layer more, and neither the last has an activation nor what gives their
 * coefficients. */
static void eval_dense(const formula *f, const double *theta, double *flux)
{
    static const int widths[2][5] = {{2, 7, 5, 37}, {2, 7, 5, 6, 37}};
    const int n = f->n_arrays / 2, *width = widths[n - 3];
    double x[37] = {scaled(f, theta, 0), scaled(f, theta, 1)}, y[37] = {0};
    for (int layer = 0; layer < n; layer++) {
        const double *w = f->array[2 * layer], *b = f->array[2 * layer + 1];
        for (int o = 0; o < width[layer + 1]; o++) {
            y[o] = b[o];
            for (int k = 0; k < width[layer]; k++)
                y[o] += w[o * width[layer] + k] * x[k];
            if (layer < 2)
                y[o] = f->activation == 2 ? sigmoid(y[o])
                       : y[o] > 0         ? y[o]
                       : f->activation    ? 0
                                          : 0.01 * y[o];
        }
        memcpy(x, y, sizeof x);
    }
    memcpy(flux, y, sizeof y);
}

/* array: w0 (P, H, L), b0 (P, H), w1 (P, H), b1 (P) and, with a sigmoid output, scale and offset */
static void eval_per_pixel(const formula *f, const double *theta, double *flux)
{
    int rank;
    int64_t shape[4];
    double *w = NULL;
    WORKS(anpe_array_read(ctx, f->file, "b0", &w, &rank, shape));
    free(w);
    const int64_t H = shape[1], L = f->n_labels;
    for (int64_t i = 0; i < f->n_pixels; i++) {
        double sum = f->array[3][i];
        for (int64_t j = i * H; j < (i + 1) * H; j++) {
            double a = f->array[1][j];
            for (int64_t k = 0; k < L; k++)
                a += f->array[0][j * L + k] * scaled(f, theta, k);
            sum += f->array[2][j] * sigmoid(a);
        }
        flux[i] = f->n_arrays < 5 ? sum : f->array[4][0] * sigmoid(sum) + f->array[4][1];
    }
}

/* teff, logg and teff^2 logg, as test_cannon_layouts writes them */
static void eval_cannon(const formula *f, const double *theta, double *flux)
{
    static const double c[3][4] = {{1, 10, 0.5, 4}, {2, 20, 0.25, 5}, {3, 30, 0.125, 6}};
    const double a = (theta[0] - 5000) / 100, g = (theta[1] - 2) / 2;
    for (int64_t i = 0; i < f->n_pixels; i++)
        flux[i] = c[i][0] + c[i][1] * a + c[i][2] * g + c[i][3] * a * a * g;
}

/* Derivative with respect to label k by differences at h and h / 2, their h^2 taken out. */
static void differentiate(const formula *f, const double *theta, int64_t k, double *slope)
{
    static double up[MOST_PIXELS], down[MOST_PIXELS];
    const double range = f->labels[k].max - f->labels[k].min;
    double at[MOST_LABELS];
    memset(slope, 0, (size_t)f->n_pixels * sizeof *slope);
    for (int half = 0; half < 2; half++) {
        const double h = range * (half ? 2.5e-4 : 5e-4);
        memcpy(at, theta, (size_t)f->n_labels * sizeof *at);
        at[k] = theta[k] + h;
        f->eval(f, at, up);
        at[k] = theta[k] - h;
        f->eval(f, at, down);
        for (int64_t i = 0; i < f->n_pixels; i++)
            slope[i] += (half ? 4.0 : -1.0) / 3 * (up[i] - down[i]) / (2 * h);
    }
}

/* The plugin's derivatives at a few places, relative to the largest in the spectrum. */
static void check_derivatives(const char *what, double tolerance, const emulated *m, formula *f)
{
    enum { PLACES = 4 };
    const int64_t P = f->n_pixels = m->info.n_pixels, L = f->n_labels = m->info.n_labels;
    const size_t size = m->ops->scratch_size(m->s.c.self, 1);
    float *got = malloc((size_t)((1 + L) * P) * sizeof *got);
    float *flux = malloc((size_t)P * sizeof *flux);
    double *slope = malloc((size_t)P * sizeof *slope), worst = 0;
    void *room = anpe_alloc(ctx, size);
    f->labels = m->info.labels;
    CU_ASSERT_FATAL(anpe_simulator_has_derivatives(&m->s.c));
    for (int place = 0; place < PLACES; place++) {
        double theta[MOST_LABELS];
        for (int64_t k = 0; k < L; k++) {
            const anpe_label *l = &m->info.labels[k];
            theta[k] =
                l->min + fmod(0.31 + 0.27 * place + 0.618 * (double)k, 1) * (l->max - l->min);
        }
        memset(room, 0xff, size);
        const long before = n_allocations;
        WORKS(m->ops->derivatives(m->s.c.self, ctx, theta, got, room));
        CU_ASSERT(n_allocations == before);
        WORKS(subject_simulate(&m->s, 1, theta, flux));
        for (int64_t i = 0; i < P; i++)
            CU_ASSERT_DOUBLE_EQUAL(got[i], flux[i], 1e-6 * fmax(fabs((double)flux[i]), 1));
        for (int64_t k = 0; k < L; k++) {
            double most = 0, off = 0;
            differentiate(f, theta, k, slope);
            for (int64_t i = 0; i < P; i++) {
                most = fmax(most, fabs(slope[i]));
                off = fmax(off, fabs((double)got[(1 + k) * P + i] - slope[i]));
            }
            worst = fmax(worst, off / most);
        }
    }
    printf("\n    %s: %.2g ", what, worst);
    CU_ASSERT(worst < tolerance);
    for (int i = 0; i < f->n_arrays; i++)
        free(f->array[i]);
    anpe_free(room);
    free(got);
    free(flux);
    free(slope);
}

static void test_derivatives_dense(void)
{
    static const char *const names[] = {"leaky_relu", "relu", "sigmoid"};
    static const char *const keys[] = {"w_array_0", "b_array_0", "w_array_1",
                                       "b_array_1", "w_array_2", "b_array_2"};
    for (int a = 0; a < 3; a++) {
        const char *path = make_published("p.h5", N_DENSE, dense);
        formula f = {.file = path, .eval = eval_dense, .activation = a};
        emulated m;
        anpe_import_request r = small_request(path);
        r.activation = names[a];
        read_formula(&f, 6, keys);
        open_emulator(&r, NULL, &m);
        check_derivatives(names[a], 1e-6, &m, &f);
        subject_clear(&m.s);
    }
}

/* The last product in double, and in float, which a mean far above the rest allows. */
static void test_derivatives_components(void)
{
    static const char *const names[] = {"leaky_relu", "relu", "sigmoid"};
    const char *keys[N_COMPONENTS];
    for (int i = 0; i < N_COMPONENTS; i++)
        keys[i] = components[i].key;
    for (int a = 0; a < 3; a++)
        for (int lift = 0; lift <= 100; lift += 100) {
            const char *path = make_components("c.h5", N_COMPONENTS, components, lift, names[a], 0);
            formula f = {.file = path, .eval = eval_dense, .activation = a};
            emulated m;
            read_formula(&f, N_COMPONENTS, keys);
            WORKS(open_components(path, &m));
            check_derivatives(names[a], 1e-6, &m, &f);
            subject_clear(&m.s);
        }
}

static const char *const per_pixel_keys[] = {"w0", "b0", "w1", "b1", "output_affine"};

static void test_derivatives_per_pixel(void)
{
    emulated m;
    anpe_import_request r = small_request(make_published("p.h5", N_PER_PIXEL, per_pixel));
    formula f = {.file = r.out, .eval = eval_per_pixel, .rounded = 1};
    open_emulator(&r, NULL, &m);
    read_formula(&f, 5, per_pixel_keys);
    check_derivatives("small", 1e-6, &m, &f);
    subject_clear(&m.s);
    const char *survey = shared_file("data/emulators/apogee_5label_perpixel.npz");
    const char *optical = shared_file("data/emulators/optical_mgb_3label_hecto.h5");
    if (!survey || !optical) {
        printf(" partly skipped: no data/emulators ");
        return;
    }
    r = (anpe_import_request){.model = "payne",
                              .file = survey,
                              .out = in_scratch("e.h5"),
                              .labels = FIVE,
                              .grid = "apogee"};
    f = (formula){.file = r.out, .eval = eval_per_pixel, .rounded = 1};
    open_emulator(&r, NULL, &m);
    read_formula(&f, 4, per_pixel_keys);
    check_derivatives("apogee_5label_perpixel", 1e-6, &m, &f);
    subject_clear(&m.s);
    r = (anpe_import_request){.model = "payne",
                              .file = optical,
                              .out = in_scratch("e.h5"),
                              .labels = "log_teff,logg,fe_h"};
    f = (formula){.file = r.out, .eval = eval_per_pixel, .rounded = 1};
    open_emulator(&r, NULL, &m);
    read_formula(&f, 5, per_pixel_keys);
    /* weights up to 18, rounded to float, in sums that cancel: see test_thepayne */
    check_derivatives("optical_mgb_3label_hecto", 5e-6, &m, &f);
    subject_clear(&m.s);
}

static void test_derivatives_cannon(void)
{
    static const char files[] = "1 2 3\n10 20 30\n0.5 0.25 0.125\n4 5 6\n";
    char c[512], pivots[512], scales[512];
    formula f = {.eval = eval_cannon};
    emulated m;
    snprintf(c, sizeof c, "%s", in_scratch("c.txt"));
    snprintf(pivots, sizeof pivots, "%s", in_scratch("pivots.txt"));
    snprintf(scales, sizeof scales, "%s", in_scratch("scales.txt"));
    write_bytes(pivots, "5000 2\n", 7);
    write_bytes(scales, "100 2\n", 6);
    write_bytes(c, files, sizeof files - 1);
    open_emulator(&(anpe_import_request){.model = "cannon",
                                         .file = c,
                                         .pivots = pivots,
                                         .scale = scales,
                                         .labels = "teff,logg",
                                         .terms = "teff logg teff^2*logg",
                                         .range = "4000:6000,0:5",
                                         .out = in_scratch("small.h5")},
                  NULL, &m);
    check_derivatives("cannon", 1e-6, &m, &f);
    subject_clear(&m.s);
}

/* At an end of a label's range the derivative is that from inside, also of a range that is narrower
 * than the file's; beyond it is refused as by simulate. A plugin that was built before there were
 * derivatives has none, whatever lies behind its operations. */
static void test_derivatives_edge(void)
{
    emulated m;
    anpe_import_request r = small_request(make_published("p.h5", N_PER_PIXEL, per_pixel));
    const double edge[] = {0.5, 0.5}, outside[] = {1.25, 0.5};
    float whole[3 * 37], narrow[3 * 37];
    open_emulator(&r, NULL, &m);
    void *room = anpe_alloc(ctx, m.ops->scratch_size(m.s.c.self, 1));
    FAILS(m.ops->derivatives(m.s.c.self, ctx, outside, whole, room), ANPE_EINVAL,
          "payne: label teff outside [0, 1]: 1.25");
    WORKS(m.ops->derivatives(m.s.c.self, ctx, edge, whole, room));
    subject_clear(&m.s);
    r.range = "0.25:0.5,0.125:0.75";
    open_emulator(&r, NULL, &m);
    WORKS(m.ops->derivatives(m.s.c.self, ctx, edge, narrow, room));
    CU_ASSERT(!memcmp(whole, narrow, sizeof whole));
    for (int i = 37; i < 3 * 37; i++)
        CU_ASSERT(narrow[i] != 0);
    anpe_simulator_ops older = *m.ops;
    anpe_component c = m.s.c;
    older.size = offsetof(anpe_simulator_ops, derivatives);
    c.ops = &older;
    CU_ASSERT(!anpe_simulator_has_derivatives(&c));
    anpe_free(room);
    subject_clear(&m.s);
}

static const CU_TestInfo tests[] = {
    {"derivatives, dense", test_derivatives_dense},
    {"derivatives, components", test_derivatives_components},
    {"derivatives, per pixel", test_derivatives_per_pixel},
    {"derivatives, cannon", test_derivatives_cannon},
    {"derivatives at an edge", test_derivatives_edge},
};

int main(int argc, char **argv)
{
    return run_suite(argc, argv, "derivatives", COUNT(tests), tests);
}
