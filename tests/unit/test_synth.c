/* One spectrum, and what it is made of, by a simulator that knows and by one that does not. */
#include <config.h>
#include "base_support.h"
#include "prepare/synth.h"
#include "spectrum/broaden.h"
#include <math.h>

static const char config[] =
    "simulator = { plugin = \"lines\"; lambda_min = 15880.0; lambda_max = 15910.0; step = 2.0;\n"
    "    free = [\"teff\", \"logg\", \"fe_h\", \"vmicro\"]; vmacro = 0.0; };\n";
#define STAR "teff=5000", "logg=2.5", "fe_h=0", "vmicro=1.5"

static anpe_status open_with(anpe_synth_request *r, int n, const char *const *sets, anpe_synth *s)
{
    const char *path = in_scratch("lines.cfg");
    write_bytes(path, config, strlen(config));
    r->source = path;
    r->n_sets = n;
    r->sets = sets;
    return anpe_synth_open(ctx, r, s);
}

static void make(anpe_synth_request *r, int n, const char *const *sets, anpe_synth *s)
{
    CU_ASSERT_FATAL(open_with(r, n, sets, s) == ANPE_OK);
    CU_ASSERT_FATAL(anpe_synth_run(ctx, s) == ANPE_OK);
}

/* Mean depth and largest. */
static double depth_of(const anpe_synth *s, double *most)
{
    double sum = 0;
    *most = 0;
    for (int64_t i = 0; i < s->n; i++) {
        sum += 1 - (double)s->flux[i];
        *most = fmax(*most, 1 - (double)s->flux[i]);
    }
    return sum / (double)s->n;
}

/* The bytes of the simulator; a velocity moves wavelengths alone; broadening keeps the area of the
 * lines, which are well inside the window, and is the core's. */
static void test_spectrum(void)
{
    static const char *const star[] = {STAR, "rv=50", "vsini=15"};
    anpe_synth_request sharp = {0}, moved = {0}, turned = {0}, blurred = {.resolution = 11000};
    anpe_synth a, b, c, d;
    make(&sharp, 4, star, &a);
    make(&moved, 5, star, &b);
    make(&turned, 6, star, &c);
    make(&blurred, 4, star, &d);
    float *direct = malloc((size_t)a.n * sizeof *direct);
    const anpe_simulator_ops *ops = a.task->simulator.ops;
    CU_ASSERT(ops->simulate(a.task->simulator.self, ctx, 1, a.theta, direct, a.scratch) == ANPE_OK);
    CU_ASSERT(!memcmp(direct, a.flux, (size_t)a.n * sizeof *direct));
    CU_ASSERT(!memcmp(b.flux, a.flux, (size_t)a.n * sizeof *direct));
    const double beta = 50 / ANPE_C_KMS;
    for (int64_t i = 0; i < a.n; i++)
        CU_ASSERT_DOUBLE_EQUAL(b.wavelength[i] / a.wavelength[i], sqrt((1 + beta) / (1 - beta)),
                               1e-15);
    anpe_broaden *core;
    const double kms[] = {15, 0};
    CU_ASSERT_FATAL(anpe_broaden_new(ctx, a.n, a.wavelength, kms, &core) == ANPE_OK);
    void *room = anpe_alloc(ctx, anpe_broaden_scratch(core) + 64);
    anpe_broaden_apply(core, kms, NULL, a.flux, direct, room);
    CU_ASSERT(!memcmp(direct, c.flux, (size_t)a.n * sizeof *direct));
    double most[4], mean[4];
    mean[0] = depth_of(&a, &most[0]);
    mean[2] = depth_of(&c, &most[2]);
    mean[3] = depth_of(&d, &most[3]);
    CU_ASSERT(mean[0] > 0.01 && most[0] > 0.2);
    CU_ASSERT_DOUBLE_EQUAL(mean[2], mean[0], 0.02 * mean[0]); /* lines' wings leave the window */
    CU_ASSERT_DOUBLE_EQUAL(mean[3], mean[0], 0.02 * mean[0]);
    CU_ASSERT(most[3] < 0.9 * most[0]);
    CU_ASSERT(d.mask[0] == 1 && d.mask[d.n / 2] == 0 && a.mask[0] == 0); /* beyond the window */
    CU_ASSERT(!a.continuum && !a.sigma); /* this simulator has none; no instrument */
    anpe_free(room);
    anpe_broaden_free(core);
    free(direct);
    anpe_synth_close(&a);
    anpe_synth_close(&b);
    anpe_synth_close(&c);
    anpe_synth_close(&d);
}

/* The strongest lines, deepest first, each as deep as the spectrum of the finest pixels is there
 * or less, as others are beside it. */
static void test_lines(void)
{
    enum { ROOM = 40 };
    static const char *const star[] = {STAR, "simulator.step=0.2", "simulator.fine=0.2"};
    anpe_synth_request r = {0};
    anpe_simulator_line line[ROOM], few[2];
    double low = 0, high = 0;
    int64_t n, n_few;
    anpe_synth s;
    make(&r, 6, star, &s);
    CU_ASSERT(anpe_synth_window(ctx, &s, &low, &high) == ANPE_OK);
    CU_ASSERT(low == s.wavelength[0] && high == s.wavelength[s.n - 1]);
    CU_ASSERT(anpe_synth_lines(ctx, &s, low, high, ROOM, line, &n) == ANPE_OK);
    CU_ASSERT_FATAL(n > 5 && n < ROOM);
    for (int64_t i = 0; i < n; i++) {
        double least = 1;
        for (int64_t k = 0; k < s.n; k++)
            if (fabs(s.wavelength[k] / line[i].wavelength - 1) < 1e-6)
                least = fmin(least, (double)s.flux[k]);
        CU_ASSERT(line[i].depth < 1 - least + 2e-3);
        CU_ASSERT(i > 0 || line[i].depth > 1 - least - 0.05);
        CU_ASSERT(i == 0 || line[i].depth <= line[i - 1].depth);
    }
    CU_ASSERT(anpe_synth_lines(ctx, &s, low, high, 2, few, &n_few) == ANPE_OK);
    CU_ASSERT(n_few == 2 && !memcmp(few, line, sizeof few));
    low = 15000;
    high = 15100;
    CU_ASSERT(anpe_synth_window(ctx, &s, &low, &high) == ANPE_ECONFIG);
    anpe_synth_close(&s);
}

/* A plugin that was built before: it says so, and its spectrum is what it was. */
static void test_older(void)
{
    static const char *const star[] = {STAR};
    anpe_synth_request r = {0};
    anpe_simulator_line line;
    const char *const *names;
    int64_t n;
    int n_sources;
    anpe_synth s;
    CU_ASSERT_FATAL(open_with(&r, 4, star, &s) == ANPE_OK);
    anpe_simulator_ops older = *(const anpe_simulator_ops *)s.task->simulator.ops;
    older.size = offsetof(anpe_simulator_ops, continuum);
    s.task->simulator.ops = &older;
    CU_ASSERT(anpe_synth_lines(ctx, &s, 15880, 15910, 1, &line, &n) == ANPE_EUNSUPPORTED);
    CU_ASSERT_STRING_EQUAL(anpe_error(ctx),
                           "simulator 'lines' does not say which lines its spectra have");
    CU_ASSERT(anpe_synth_sources(ctx, &s, &n_sources, &names) == ANPE_EUNSUPPORTED);
    CU_ASSERT(anpe_synth_run(ctx, &s) == ANPE_OK);
    CU_ASSERT(s.n > 0 && !s.continuum);
    anpe_synth_close(&s);
}

/* Spectra that are not normalised need no continuum pixels, which 256 spectra are simulated for. */
static void test_continuum_pixels(void)
{
    static const char more[] =
        "simulator = { plugin = \"lines\"; free = [\"teff\"]; step = 30.0; };\n"
        "prior = ({ plugin = \"independent\"; labels = (\n"
        "    { name = \"teff\"; type = \"uniform\"; min = 4000.0; max = 6500.0; }); });\n"
        "instrument = { plugin = \"apogee\"; };\n"
        "noise = { plugin = \"gaussian\"; sigma = 0.01; };\n";
    static const char *const star[] = {"teff=5000"};
    const char *path = in_scratch("apogee.cfg");
    anpe_settings *settings;
    anpe_task *whole;
    write_bytes(path, more, strlen(more));
    for (int observed = 0; observed < 2; observed++) {
        const anpe_synth_request r = {path, 1, star, !observed, observed, 0, 1};
        anpe_synth s;
        CU_ASSERT_FATAL(anpe_synth_open(ctx, &r, &s) == ANPE_OK);
        CU_ASSERT(s.task->instrument.info.needs_continuum && !s.task->continuum);
        CU_ASSERT(anpe_synth_run(ctx, &s) == ANPE_OK);
        CU_ASSERT(s.n == 7214 && !s.sigma == !observed);
        anpe_synth_close(&s);
    }
    CU_ASSERT_FATAL(anpe_settings_read(ctx, path, 0, NULL, &settings) == ANPE_OK);
    CU_ASSERT_FATAL(anpe_task_new(ctx, settings, ANPE_TASK_ALL, NULL, &whole) == ANPE_OK);
    CU_ASSERT(whole->continuum != NULL);
    anpe_task_free(whole);
    anpe_settings_free(settings);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {{"a spectrum", test_spectrum},
                                        {"its lines", test_lines},
                                        {"a simulator that says nothing", test_older},
                                        {"no continuum pixels", test_continuum_pixels}};
    return run_suite(argc, argv, "synth", COUNT(tests), tests);
}
