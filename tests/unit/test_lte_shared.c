/* Simulator `lte`: what is passed over, and what spectra of one atmosphere share, against each line
 * and each spectrum by itself. */
#include <config.h>

#include <math.h>
#include "plugin_support.h"
#include "lte.h"

enum { LAYERS = 40, POINTS = 1500, NODES = 5, ROWS = 5, LINES = 3000 };

typedef struct spectrum {
    anpe_lte_state state[LAYERS];
    float doppler[2 * LAYERS], amount[2 * LAYERS], continuum[NODES * LAYERS];
    float opacity[LAYERS * POINTS];
    anpe_lte_line_work w;
} spectrum;

typedef struct scene {
    anpe_lte_lines lines;
    anpe_lte_voigt voigt;
    anpe_lte_points points;
    spectrum row[ROWS];
    const anpe_lte_line_work *w[ROWS];
} scene;

/* Lines of Fe I and Ti II from weak to as strong as there are, half of them beside the points. */
static void make_lines(anpe_lte_lines *l)
{
    const anpe_lte_list_options o = {.low = 0, .high = 1e9, .unsoeld = 2.5};
    const int z[2][5] = {{26}, {22}}, mass[5] = {0};
    anpe_rng rng = anpe_rng_make(1, ANPE_FOR_INIT, 0, 0);
    int species[2];
    for (int i = 0; i < 2; i++)
        species[i] = anpe_lte_species_add(ctx, l, z[i], mass, i);
    for (int i = 0; i < LINES; i++) {
        const anpe_lte_line line = {.wavelength = 6000 + 60 * (anpe_uniform(&rng) - 0.5),
                                    .excitation = 8 * anpe_uniform(&rng),
                                    .log_gf = -12 + 13 * anpe_uniform(&rng),
                                    .radiative = 1e8,
                                    .stark = pow(10, -6 + 2 * anpe_uniform(&rng)),
                                    .power = i % 3 ? 0 : 0.42,
                                    .waals = -7.5};
        WORKS(anpe_lte_line_add(ctx, &o, species[i % 2], &line, l));
    }
    WORKS(anpe_lte_lines_sort(ctx, l));
}

/* Rows that differ in their abundances of iron, titanium and magnesium, which gives electrons. */
static void scene_new(scene *s)
{
    double t[LAYERS], p[LAYERS], vmicro[LAYERS], abundance[ANPE_LTE_ELEMENTS];
    memset(s, 0, sizeof *s);
    make_lines(&s->lines);
    anpe_lte_voigt_init(&s->voigt);
    anpe_lte_points_set(&s->points, log(6000) - 0.5 * POINTS * 2.5e-6, 2.5e-6, POINTS);
    CU_ASSERT_FATAL(s->points.n_nodes == NODES);
    for (int j = 0; j < LAYERS; j++) {
        const double tau = pow(10, -5 + 0.16 * j);
        t[j] = 5200 * pow(0.75 * (tau + 0.667), 0.25);
        p[j] = 1e5 * pow(tau, 0.55);
        vmicro[j] = 1.3;
    }
    for (int r = 0; r < ROWS; r++) {
        spectrum *x = &s->row[r];
        for (int z = 1; z <= ANPE_LTE_ELEMENTS; z++)
            abundance[z - 1] =
                anpe_lte_elements[z - 1].abundance +
                (z == 26 || z == 22 || z == 12 ? 0.15 * (r - 2) * (z == 22 ? -2 : 1) : 0);
        WORKS(anpe_lte_state_solve(ctx, LAYERS, t, p, abundance, x->state));
        for (int i = 0; i < NODES; i++)
            for (int j = 0; j < LAYERS; j++)
                x->continuum[i * LAYERS + j] =
                    (float)(1e-3 * (1 + 0.02 * i) * pow(p[j] / 1e5, 0.9));
        x->w = (anpe_lte_line_work){.inverse_doppler = x->doppler,
                                    .amount = x->amount,
                                    .continuum = x->continuum,
                                    .stride = POINTS,
                                    .opacity = x->opacity};
        anpe_lte_line_work_set(&s->lines, LAYERS, x->state, vmicro, 89, &x->w);
        s->w[r] = &x->w;
    }
}

static float *add(scene *s, const anpe_lte_bounds *bounds, int rows, int64_t *used)
{
    float *sum = malloc((size_t)rows * sizeof s->row[0].opacity);
    for (int r = 0; r < rows; r++)
        memset(s->row[r].opacity, 0, sizeof s->row[r].opacity);
    *used = anpe_lte_line_opacity(&s->lines, &s->voigt, &s->points, 1e-4, bounds, rows, s->w);
    for (int r = 0; r < rows; r++)
        memcpy(sum + r * LAYERS * POINTS, s->row[r].opacity, sizeof s->row[r].opacity);
    return sum;
}

/* Nothing is lost of the opacity, bit for bit, and most lines of which nothing is left go. */
static void test_bounds(void)
{
    static scene s;
    anpe_lte_bounds bounds;
    int64_t all, kept;
    scene_new(&s);
    const size_t n = anpe_lte_bounds_floats(&s.points, 2);
    float *room = malloc(n * sizeof *room);
    for (size_t i = 0; i < n; i++)
        room[i] = NAN;
    anpe_lte_bounds_set(&s.points, 1e-4, ROWS, s.w, 2, room, &bounds);
    float *exact = add(&s, NULL, ROWS, &all), *quick = add(&s, &bounds, ROWS, &kept);
    CU_ASSERT(memcmp(exact, quick, ROWS * sizeof s.row[0].opacity) == 0);

    CU_ASSERT(all > LINES / 3); /* of these are many outside */
    CU_ASSERT(kept < all * 4 / 5);
    CU_ASSERT(kept > LINES / 20);
    free(exact);
    free(quick);
    free(room);
    anpe_lte_lines_free(&s.lines);
}

/* Opacities of several at once and of each alone. Errors: 1e-5 of the line where dampings differ,
 * and float's of the Voigt function, which is 1e-6 of the line's centre wherever it is. */
static void test_shared(void)
{
    static scene s;
    int64_t used, alone;
    double worst = 0, strongest = 0;
    scene_new(&s);
    float *all = add(&s, NULL, ROWS, &used);
    for (int r = 0; r < ROWS; r++) {
        const anpe_lte_line_work *const first = s.w[0];
        const float *many = all + r * LAYERS * POINTS, *one = s.row[r].opacity;
        s.w[0] = &s.row[r].w;
        memset(s.row[r].opacity, 0, sizeof s.row[r].opacity);
        alone = anpe_lte_line_opacity(&s.lines, &s.voigt, &s.points, 1e-4, NULL, 1, s.w);
        s.w[0] = first;
        CU_ASSERT(alone <= used);
        for (int j = 0; j < LAYERS; j++) {
            double peak = 0;
            for (int i = j * POINTS; i < (j + 1) * POINTS; i++)
                peak = fmax(peak, (double)one[i]);
            strongest = fmax(strongest, peak / (double)s.row[r].continuum[j]);
            for (int i = j * POINTS; i < (j + 1) * POINTS; i++)
                worst = fmax(worst, fabs((double)many[i] - (double)one[i]) /
                                        (1e-5 * (double)one[i] + 1e-6 * peak));
        }
    }
    CU_ASSERT(strongest > 1000);
    CU_ASSERT_DOUBLE_EQUAL(worst, 0, 1);
    free(all);
    anpe_lte_lines_free(&s.lines);
}

/* Dampings that differ by a third of a hundredth: Voigt's function and what it is taken for. */
static void test_profiles(void)
{
    enum { N = 1200 };
    anpe_lte_voigt voigt;
    anpe_lte_voigt_init(&voigt);
    for (double a = 1e-4; a < 30; a *= 3) {
        float sum[3][N] = {{0}}, one[N];
        anpe_lte_profile p[3];
        for (int r = 0; r < 3; r++)
            p[r] = (anpe_lte_profile){2, (float)(a + (r - 1) * 0.0015 * fmin(1 + a, 600 * a)),
                                      r == 2 ? 200 : 1e9, sum[r]};
        anpe_lte_voigt_share(&voigt, 3, p, 500.3, 0.07, N);
        for (int r = 0; r < 3; r++) {
            memset(one, 0, sizeof one);
            anpe_lte_voigt_add(&voigt, 2, p[r].a, 500.3, 0.07, p[r].reach, N, one);
            for (int i = 0; i < N; i++) /* float's error, and that of the second order */
                CU_ASSERT_DOUBLE_EQUAL(sum[r][i], one[i], 3e-6 + 1e-5 * (double)one[i]);
        }
    }
}

static const CU_TestInfo tests[] = {{"lines that are passed over", test_bounds},
                                    {"opacities of several", test_shared},
                                    {"profiles of several", test_profiles}};

int main(int argc, char **argv)
{
    return run_suite(argc, argv, "lte: shared", COUNT(tests), tests);
}
