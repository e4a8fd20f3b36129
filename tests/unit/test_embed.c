/* The library within a program that has a locale of its own and uses HDF5 itself: the posterior is
 * the same, and what is the program's stays so. */
#include <config.h>
#include "base_support.h"
#include "base/locale.h"
#include "base/workers.h"
#include "file/hdf5_file.h"
#include "train/train.h"
#include <anpe/anpe.h>
#include <hdf5.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <sys/wait.h>

enum { DRAWS = 50, MOST = 8192 * 2 };

static char model_file[256];

static anpe_status make_model(void)
{
    static const char *const sets[] = {"train.steps=2", "train.epochs=1"};
    const char *root = getenv("ANPE_SRCDIR");
    char config[1024];
    anpe_settings *settings = NULL;
    anpe_train_result trained;
    snprintf(model_file, sizeof model_file, "%s", in_scratch("model.h5"));
    snprintf(config, sizeof config, "%s/tests/cli/small.cfg", root ? root : ".");
    const anpe_train_request train = {.output = model_file, .threads = 1};
    anpe_status status;
    ANPE_TRY(anpe_settings_read(ctx, config, 2, sets, &settings));
    ANPE_TRY(anpe_train(ctx, settings, &train, &trained));
out:
    anpe_settings_free(settings);
    return status;
}

/* For whichever test is the first, in the locale that it starts with. */
static void need_model(void)
{
    if (!model_file[0])
        WORKS(make_model());
}

/* Draws for a flat spectrum through the public face alone. */
static void draw(double *theta)
{
    static float flux[MOST], sigma[MOST];
    const double *wavelength;
    anpe_model *model = NULL;
    anpe_session *session = NULL;
    for (int p = 0; p < MOST; p++) {
        flux[p] = 1 + 0.01f * (float)(p % 7);
        sigma[p] = 0.01f;
    }
    WORKS(anpe_model_open(ctx, model_file, &model));
    CU_ASSERT_FATAL(model != NULL);
    CU_ASSERT_FATAL(anpe_model_pixels(model, &wavelength) <= MOST);
    WORKS(anpe_session_new(ctx, model, DRAWS, &session));
    WORKS(anpe_infer(session, ctx, DRAWS, theta, NULL, flux, sigma, NULL, 1, 0));
    anpe_session_free(session);
    anpe_model_close(model);
}

/* ---- locale ------------------------------------------------------------------------------ */

/* A locale with decimal commas for the whole program: one of the system's, else one made here. */
static int set_comma_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "made"};
    char command[512];
    for (int i = 0; i < 4; i++) {
        if (i == 3) {
            snprintf(command, sizeof command,
                     "localedef --no-archive -i de_DE -f UTF-8 %s/made >/dev/null 2>&1", scratch);
            if (system(command))
                return 0;
            setenv("LOCPATH", scratch, 1);
        }
        if (setlocale(LC_ALL, names[i]) && !strcmp(localeconv()->decimal_point, ","))
            return 1;
    }
    return 0;
}

static void end_locale(void)
{
    char command[512];
    setlocale(LC_ALL, "C");
    unsetenv("LOCPATH");
    snprintf(command, sizeof command, "rm -rf %s/made", scratch);
    CU_ASSERT_EQUAL(system(command), 0);
}

static void test_locale_posterior(void)
{
    static double theta[2][DRAWS * 7];
    need_model();
    draw(theta[0]);
    if (!set_comma_locale()) {
        printf("skipped, no locale with decimal commas, and localedef cannot make one ... ");
        return;
    }
    draw(theta[1]); /* before, the model was called damaged */
    CU_ASSERT(!memcmp(theta[0], theta[1], sizeof theta[0]));
    CU_ASSERT_STRING_EQUAL(localeconv()->decimal_point, ",");
    end_locale();
}

enum { THREADS = 3 };
static pthread_barrier_t all;
static char seen[2][32];
static int n_right; /* calls of the log come one at a time */

static void host_log(void *user, anpe_level level, const char *line)
{
    (void)user, (void)level;
    snprintf(seen[0], sizeof seen[0], "%s", line);
    snprintf(seen[1], sizeof seen[1], "%g", 0.5);
    n_right += !strcmp(line, "0.5") && !strcmp(seen[1], "0,5");
    if (!strcmp(line, "again")) { /* a call of the library within one of the host's functions */
        anpe_locale_leave(anpe_locale_enter());
        snprintf(seen[1], sizeof seen[1], "%g", 0.5);
    }
}

static anpe_status log_half(void *user, int64_t item, int worker, anpe_ctx *c)
{
    (void)user, (void)item, (void)worker;
    pthread_barrier_wait(&all); /* so each worker has one item */
    anpe_log(c, ANPE_INFO, "%g", 0.5);
    return ANPE_OK;
}

/* Ours with a point and the host's functions with its comma, in its threads and in those of the
 * workers, whether its locale is the program's or the thread's. */
static void test_locale_of_each(void)
{
    anpe_workers *team;
    if (!set_comma_locale()) {
        printf("skipped, no locale with decimal commas, and localedef cannot make one ... ");
        return;
    }
    anpe_ctx_set_log(ctx, host_log, NULL);
    const locale_t of_thread = duplocale(LC_GLOBAL_LOCALE);
    for (int k = 0; k < 2; k++) {
        const locale_t before = anpe_locale_enter();
        anpe_log(ctx, ANPE_INFO, "again");
        CU_ASSERT_STRING_EQUAL(seen[1], "0,5");
        anpe_log(ctx, ANPE_INFO, "%g", 0.5);
        CU_ASSERT(!strcmp(seen[0], "0.5") && !strcmp(seen[1], "0,5"));
        anpe_locale_leave(before);
        anpe_log(ctx, ANPE_INFO, "%d", 1);
        CU_ASSERT_STRING_EQUAL(seen[1], "0,5");
        CU_ASSERT_STRING_EQUAL(localeconv()->decimal_point, ",");
        uselocale(of_thread);
    }
    uselocale(LC_GLOBAL_LOCALE);
    freelocale(of_thread);
    n_right = 0;
    pthread_barrier_init(&all, NULL, THREADS);
    WORKS(anpe_workers_new(ctx, THREADS, &team));
    const locale_t before = anpe_locale_enter();
    WORKS(anpe_workers_run(team, ctx, THREADS, log_half, NULL));
    anpe_locale_leave(before);
    pthread_barrier_destroy(&all);
    CU_ASSERT_EQUAL(n_right, THREADS);
    anpe_workers_free(team);
    anpe_ctx_set_log(ctx, NULL, NULL);
    end_locale();
}

/* ---- what a model says of its plugins ---------------------------------------------------- */

static void keep_line(void *user, anpe_level level, const char *line)
{
    if (level == ANPE_WARNING)
        snprintf(user, 512, "%s", line);
}

static void test_plugin_versions(void)
{
    int64_t n;
    char **plugins, line[512] = "", wanted[512];
    anpe_h5 *f;
    anpe_model *model;
    need_model();
    anpe_ctx_set_log(ctx, keep_line, line);
    WORKS(anpe_model_open(ctx, model_file, &model));
    anpe_model_close(model);
    CU_ASSERT_STRING_EQUAL(line, ""); /* as trained */
    WORKS(anpe_h5_update(ctx, model_file, &f));
    WORKS(anpe_h5_get_texts(ctx, f, "/", "plugins", &n, &plugins));
    for (int64_t i = 0; i < n; i++)
        if (!strncmp(plugins[i], "flow/", 5))
            memcpy(strchr(plugins[i], ' '), " 9", 3); /* versions have three characters at least */
    WORKS(anpe_h5_put_texts(ctx, f, "/", "plugins", n, (const char *const *)(void *)plugins));
    anpe_h5_texts_free(n, plugins);
    WORKS(anpe_h5_close(ctx, f));
    WORKS(anpe_model_open(ctx, model_file, &model));
    anpe_model_close(model);
    anpe_ctx_set_log(ctx, NULL, NULL);
    snprintf(wanted, sizeof wanted, "%s: was trained with flow/maf 9, this is version ",
             model_file);
    CU_ASSERT(!strncmp(line, wanted, strlen(wanted)));
}

/* ---- HDF5 -------------------------------------------------------------------------------- */

static int n_told;

static herr_t tell(hid_t stack, void *user)
{
    (void)stack;
    n_told += user == &n_told;
    return 0;
}

/* The host program: a model is opened before it uses HDF5, and another file is not found, while a
 * file of its own is open; that it never closes. Its handler hears of its own error alone. */
static int host(const char *model, const char *own)
{
    anpe_ctx *c = anpe_ctx_new();
    anpe_model *m = NULL;
    const hsize_t n = 100;
    int values[100];
    for (int i = 0; i < 100; i++)
        values[i] = i;
    if (!c || anpe_model_open(c, model, &m))
        return 1;
    H5Eset_auto2(H5E_DEFAULT, tell, &n_told);
    const hid_t f = H5Fcreate(own, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(1, &n, NULL);
    const hid_t set =
        H5Dcreate2(f, "x", H5T_NATIVE_INT, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    m = anpe_model_close(m);
    const hid_t same =
        H5Fopen(model, H5F_ACC_RDONLY, H5P_DEFAULT); /* a model that it reads itself */
    if (anpe_model_open(c, model, &m) || H5Lexists(same, "parameters", H5P_DEFAULT) <= 0)
        return 5;
    m = anpe_model_close(m);
    if (!anpe_model_open(c, own, &m) || !anpe_model_open(c, "/nonexistent", &m) || n_told)
        return 2;
    if (H5Dopen2(f, "nothing", H5P_DEFAULT) >= 0 || n_told != 1)
        return 3;
    if (!anpe_model_open(c, "/nonexistent", &m) || H5Eget_num(H5E_DEFAULT) < 1)
        return 4; /* the host's error is still to be read */
    anpe_ctx_free(c);
    return 0;
}

static char program[PATH_MAX]; /* this one's file; /proc/self/exe is another's under valgrind */

static void test_hdf5_of_the_host(void)
{
    char own[256];
    int status, values[100] = {0};
    need_model();
    snprintf(own, sizeof own, "%s", in_scratch("own.h5"));
    const pid_t child = fork();
    if (!child) {
        execl(program, "test_embed", "host", model_file, own, (char *)NULL);
        _exit(99);
    }
    CU_ASSERT_FATAL(child > 0 && waitpid(child, &status, 0) == child);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (status)
        printf("status %d ", WEXITSTATUS(status));
    const hid_t f = H5Fopen(own, H5F_ACC_RDONLY, H5P_DEFAULT);
    CU_ASSERT_FATAL(f >= 0); /* the clean-up at exit wrote it */
    const hid_t set = H5Dopen2(f, "x", H5P_DEFAULT);
    CU_ASSERT(set >= 0 && H5Dread(set, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    CU_ASSERT_EQUAL(values[99], 99);
    H5Dclose(set);
    H5Fclose(f);
}

/* ---- many stars, densities, files -------------------------------------------------------- */

enum { STARS = 3 };

/* Three spectra in memory, the last one without a good pixel. */
static void make_spectra(int64_t p, float *flux, float *sigma)
{
    for (int64_t k = 0; k < STARS * p; k++) {
        flux[k] = 1 + 0.01f * (float)((k * k) % 7);
        sigma[k] = k < 2 * p ? 0.01f : -1;
    }
}

static int column_of(const anpe_stars *s, const char *name)
{
    const anpe_column_info *column;
    const int n = anpe_stars_columns(s, &column);
    for (int k = 0; k < n; k++)
        if (!strcmp(column[k].name, name))
            return k;
    return -1;
}

static void test_stars(void)
{
    static float flux[STARS * MOST], sigma[STARS * MOST];
    static double theta[DRAWS * 7], log_q[DRAWS], density[DRAWS];
    static const char *const ids[STARS] = {"one", "two", "none"};
    const double *wavelength, *draws, *kept;
    anpe_model *model = NULL;
    anpe_session *session = NULL;
    anpe_stars *stars = NULL;
    need_model();
    WORKS(anpe_model_open(ctx, model_file, &model));
    const int64_t p = anpe_model_pixels(model, &wavelength);
    make_spectra(p, flux, sigma);
    anpe_run run = ANPE_RUN_DEFAULT;
    run.model = model_file;
    run.opened = model;
    run.n_spectra = STARS;
    run.flux = flux;
    run.sigma = sigma;
    run.ids = ids;
    run.n_draws = DRAWS;
    run.keep_draws = 1;
    WORKS(anpe_stars_infer(ctx, &run, &stars));
    CU_ASSERT_EQUAL_FATAL(anpe_stars_count(stars), STARS);
    draws = anpe_stars_draws(stars, &kept);
    WORKS(anpe_session_new(ctx, model, DRAWS, &session));
    FAILS(anpe_log_density(session, ctx, 1, density, theta), ANPE_EINVAL, "no spectrum");
    WORKS(anpe_infer(session, ctx, DRAWS, theta, log_q, flux + p, sigma + p, NULL, 1, 1));
    CU_ASSERT(!memcmp(draws + DRAWS * 7, theta, sizeof theta));
    CU_ASSERT(!memcmp(kept + DRAWS, log_q, sizeof log_q));
    CU_ASSERT(isnan(draws[2 * DRAWS * 7]) && isnan(kept[2 * DRAWS]));
    /* coordinates of the flow are floats, found again from the labels */
    WORKS(anpe_log_density(session, ctx, DRAWS, density, theta));
    for (int k = 0; k < DRAWS; k++)
        CU_ASSERT_DOUBLE_EQUAL(density[k], log_q[k], 0.02);
    CU_ASSERT_STRING_EQUAL(anpe_stars_text(stars, 2, column_of(stars, "id")), "none");
    CU_ASSERT(anpe_stars_integer(stars, 2, column_of(stars, "flags")) & 1);
    CU_ASSERT_STRING_EQUAL(anpe_flag_name(0, NULL), "FAILED");
    CU_ASSERT(isnan(anpe_stars_real(stars, 2, column_of(stars, "teff"))));
    CU_ASSERT(anpe_stars_real(stars, 0, column_of(stars, "teff")) > 3999);
    CU_ASSERT(isnan(anpe_stars_real(stars, 0, column_of(stars, "id")))); /* of another type */
    WORKS(anpe_stars_write(ctx, stars, in_scratch("stars.csv")));
    run.size = 8;
    anpe_stars *none;
    FAILS(anpe_stars_infer(ctx, &run, &none), ANPE_EINVAL, "ANPE_RUN_DEFAULT");
    CU_ASSERT_PTR_NULL(none);
    anpe_stars_free(stars);
    anpe_session_free(session);
    anpe_model_close(model);
}

static void test_files_of_spectra(void)
{
    static float flux[MOST], sigma[MOST];
    static uint8_t mask[MOST];
    const double *wavelength;
    anpe_model *model = NULL;
    anpe_spectra *s = NULL;
    anpe_h5 *f;
    char id[80];
    need_model();
    WORKS(anpe_model_open(ctx, model_file, &model));
    const int64_t p = anpe_model_pixels(model, &wavelength), shape[2] = {2, p};
    float *two = calloc((size_t)(2 * p), sizeof *two);
    for (int64_t k = 0; k < 2 * p; k++)
        two[k] = k == p + 5 ? NAN : 1 + (float)(k % 3);
    WORKS(anpe_h5_create(ctx, in_scratch("two.h5"), &f));
    WORKS(anpe_h5_write(ctx, f, "flux", ANPE_H5_FLOAT, 2, shape, two));
    for (int64_t k = 0; k < 2 * p; k++)
        two[k] = 0.5f;
    WORKS(anpe_h5_write(ctx, f, "sigma", ANPE_H5_FLOAT, 2, shape, two));
    WORKS(anpe_h5_close(ctx, f));
    free(two);
    WORKS(anpe_spectra_open(ctx, model, in_scratch("two.h5"), &s));
    CU_ASSERT_EQUAL(anpe_spectra_count(s), 2);
    WORKS(anpe_spectra_read(s, ctx, 1, flux, sigma, mask, id));
    CU_ASSERT(mask[5] == 1 && flux[6] == 1 + (float)((p + 6) % 3) && sigma[6] == 0.5f);
    CU_ASSERT_STRING_EQUAL(id, "two.h5[1]");
    FAILS(anpe_spectra_read(s, ctx, 2, flux, sigma, mask, NULL), ANPE_EINVAL, "it holds 2");
    CU_ASSERT_PTR_NULL(anpe_spectra_close(s));
    FAILS(anpe_spectra_open(ctx, model, in_scratch("no.h5"), &s), ANPE_EIO, "no.h5");
    CU_ASSERT_PTR_NULL(s);
    anpe_model_close(model);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"the same posterior in a locale with decimal commas", test_locale_posterior},
        {"each with the locale that is its own", test_locale_of_each},
        {"another version of a plugin", test_plugin_versions},
        {"HDF5 of the host", test_hdf5_of_the_host},
        {"many stars, and densities", test_stars},
        {"files of spectra", test_files_of_spectra},
    };
    if (argc == 4 && !strcmp(argv[1], "host"))
        return host(argv[2], argv[3]);
    if (!realpath(argv[0], program))
        return 99;
    return run_suite(argc, argv, "embed", COUNT(tests), tests);
}
