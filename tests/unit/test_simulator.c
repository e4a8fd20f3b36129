/* Simulators payne, cannon and array on published emulators and on small ones made here. */
#define _GNU_SOURCE
#include "data/hdf5_file.h"
#include "npe/import.h"
#include "plugin_support.h"
#include <math.h>

typedef struct emulated {
    subject s;
    anpe_simulator_info info;
    const anpe_simulator_ops *ops;
} emulated;

static anpe_status simulator_new(const char *text, emulated *m)
{
    const anpe_simulator_setup setup = {.size = sizeof setup};
    const anpe_status status = subject_new(ANPE_SIMULATOR, &setup, text, &m->s);
    if (status)
        return status;
    m->ops = m->s.c.ops;
    m->ops->info(m->s.c.self, &m->info);
    return ANPE_OK;
}

/* Imports and opens; more: further options of the plugin. */
static void open_emulator(const anpe_import_request *r, const char *more, emulated *m)
{
    anpe_emulator e;
    char text[1200];
    WORKS(anpe_import(ctx, r, &e));
    anpe_emulator_clear(&e);
    snprintf(text, sizeof text, "plugin = \"%s\"; file = \"%s\"; %s", r->model, r->out,
             more ? more : "");
    WORKS(simulator_new(text, m));
}

static double *read_golden(const char *name, int64_t n)
{
    anpe_h5 *f = NULL;
    double *v = malloc((size_t)n * sizeof *v);
    WORKS(anpe_h5_open(ctx, shared_file("golden/emulators.h5"), &f));
    WORKS(anpe_h5_read(ctx, f, name, ANPE_H5_DOUBLE, n, v));
    WORKS(anpe_h5_close(ctx, f));
    return v;
}

/* Five spectra of one published emulator against its formula in double, by independent code.
 * 1e-6 relative to each flux value is the requirement; half a unit of float is 6e-8. */
static void check_golden(const char *name, const anpe_import_request *r)
{
    emulated m;
    char key[96];
    double worst = 0;
    open_emulator(r, NULL, &m);
    const int64_t D = m.info.n_labels, P = m.info.n_pixels;
    snprintf(key, sizeof key, "%s/labels", name);
    double *labels = read_golden(key, 5 * D);
    snprintf(key, sizeof key, "%s/flux", name);
    double *flux = read_golden(key, 5 * P);
    float *got = calloc((size_t)(5 * P), sizeof *got);
    WORKS(m.ops->simulate(m.s.c.self, ctx, 5, labels, got));
    for (int64_t i = 0; i < 5 * P; i++)
        worst = fmax(worst, fabs(got[i] / flux[i] - 1));
    printf("\n    %s: %.2g ", name, worst);
    CU_ASSERT(worst < 1e-6);
    free(labels);
    free(flux);
    free(got);
    subject_clear(&m.s);
}

static int golden_missing(void)
{
    if (shared_file("golden/emulators.h5"))
        return 0;
    printf(" skipped: no golden/emulators.h5 ");
    return 1;
}

#define FIVE "teff,logg,fe_h,mg_fe,vmacro"

static void test_golden_per_pixel(void)
{
    static const char *const names[] = {"apogee_5label_perpixel", "apogee_dwarfs_5label_perpixel"};
    if (golden_missing())
        return;
    for (int i = 0; i < 2; i++) {
        char file[64];
        snprintf(file, sizeof file, "data/emulators/%s.npz", names[i]);
        check_golden(names[i], &(anpe_import_request){.model = "payne",
                                                      .file = shared_file(file),
                                                      .out = in_scratch("e.h5"),
                                                      .labels = FIVE,
                                                      .grid = "apogee"});
    }
}

static void test_golden_dense(void)
{
    if (golden_missing())
        return;
    check_golden(
        "gaia_xp_3label_dense",
        &(anpe_import_request){.model = "payne",
                               .file = shared_file("data/emulators/gaia_xp_3label_dense.npz"),
                               .out = in_scratch("e.h5"),
                               .labels = "teff,logg,fe_h",
                               .absolute = 1});
    check_golden("dense_25label",
                 &(anpe_import_request){.model = "payne",
                                        .file = shared_file("golden/dense_25label.npz"),
                                        .out = in_scratch("e.h5"),
                                        .grid = "apogee"});
}

static const CU_TestInfo tests[] = {
    {"golden, per pixel", test_golden_per_pixel},
    {"golden, dense", test_golden_dense},
};

int main(void)
{
    return run_suite("simulator", (int)(sizeof tests / sizeof tests[0]), tests);
}
