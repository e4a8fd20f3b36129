/* What `anpe infer` writes beside the catalogue, for a small model of the APOGEE configuration:
 * every number is computed again from the files, and nothing depends on the number of threads. */
#include <config.h>
#include "base_support.h"
#include "file/hdf5_file.h"
#include "infer/infer.h"
#include "posterior/session.h"
#include "prepare/simulate.h"
#include "train/train.h"
#include <math.h>

enum { MOCKS = 3, STARS = MOCKS + 1, DRAWS = 150, D = 7 };

static char model_file[256], mocks[256];

/* A model after a few steps, three mocks and a file that is not there. */
static anpe_status make_inputs(void)
{
    const char *const sets[] = {test_is_short() ? "train.steps=1" : "train.steps=10",
                                "train.epochs=2", "train.rate=0.005"};
    const char *root = getenv("ANPE_SRCDIR");
    char config[1024];
    anpe_settings *settings = NULL;
    anpe_train_result trained;
    snprintf(model_file, sizeof model_file, "%s", in_scratch("infer_model.h5"));
    snprintf(mocks, sizeof mocks, "%s", in_scratch("infer_mocks.h5"));
    snprintf(config, sizeof config, "%s/tests/cli/small.cfg", root ? root : ".");
    const anpe_train_request train = {.output = model_file, .threads = 1};
    const anpe_simulate_request simulate = {
        .source = config, .n = MOCKS, .observed = 1, .seed = 5, .threads = 1, .output = mocks};
    anpe_status status;
    ANPE_TRY(anpe_settings_read(ctx, config, 3, sets, &settings));
    ANPE_TRY(anpe_train(ctx, settings, &train, &trained));
    ANPE_TRY(anpe_simulate(ctx, &simulate));
out:
    anpe_settings_free(settings);
    return status;
}

static void infer(const char *prefix, int threads, anpe_infer_result *result)
{
    static char missing[256], output[4][256];
    const char *files[] = {mocks, missing};
    snprintf(missing, sizeof missing, "%s", in_scratch("missing.h5"));
    static const char *const ends[] = {"catalogue.csv", "draws.h5", "predict.h5", "explain.h5"};
    for (int k = 0; k < 4; k++) {
        char name[64];
        snprintf(name, sizeof name, "%s_%s", prefix, ends[k]);
        snprintf(output[k], sizeof output[k], "%s", in_scratch(name));
    }
    const anpe_infer_request q = {.model = model_file,
                                  .n_files = 2,
                                  .files = files,
                                  .output = output[0],
                                  .posterior = output[1],
                                  .predict = output[2],
                                  .explain = output[3],
                                  .n_draws = DRAWS,
                                  .seed = 3,
                                  .threads = threads};
    WORKS(anpe_infer_files(ctx, &q, result));
}

/* A whole dataset as doubles; n is what it must hold. */
static double *dataset(anpe_h5 *f, const char *name, int64_t n)
{
    double *v = malloc((size_t)n * sizeof *v);
    CU_ASSERT_FATAL(v != NULL);
    WORKS(anpe_h5_read(ctx, f, name, ANPE_H5_DOUBLE, n, v));
    return v;
}

static double chi2_of(int64_t n, const double *flux, const double *sigma, const double *mask,
                      const double *model)
{
    double sum = 0;
    for (int64_t p = 0; p < n; p++)
        if (mask[p] == 0)
            sum += (flux[p] - model[p]) * (flux[p] - model[p]) / (sigma[p] * sigma[p]);
    return sum;
}

static void test_predictions(void)
{
    static const char *const kinds[] = {"median", "mean", "best"};
    anpe_infer_result r;
    anpe_h5 *f = NULL;
    int rank;
    int64_t shape[8], n_labels = 0;
    char **labels = NULL;
    infer("one", 1, &r);
    CU_ASSERT_EQUAL_FATAL(r.n_stars, STARS);
    CU_ASSERT_EQUAL(r.n_failed, 1);
    WORKS(anpe_h5_open(ctx, in_scratch("one_predict.h5"), &f));
    WORKS(anpe_h5_shape(ctx, f, "flux", &rank, shape));
    CU_ASSERT_EQUAL_FATAL(rank, 2);
    CU_ASSERT_EQUAL_FATAL(shape[0], STARS);
    const int64_t n = shape[1];
    double *flux = dataset(f, "flux", STARS * n), *sigma = dataset(f, "sigma", STARS * n);
    double *mask = dataset(f, "mask", STARS * n), *good = dataset(f, "n_good", STARS);
    for (int k = 0; k < 3; k++) {
        char name[32];
        double *model = dataset(f, kinds[k], STARS * n);
        snprintf(name, sizeof name, "chi2_%s", kinds[k]);
        double *chi2 = dataset(f, name, STARS);
        snprintf(name, sizeof name, "theta_%s", kinds[k]);
        double *theta = dataset(f, name, STARS * D);
        for (int64_t i = 0; i < MOCKS; i++) {
            const double again =
                chi2_of(n, flux + i * n, sigma + i * n, mask + i * n, model + i * n);
            /* the core adds the same float residuals up in another order */
            CU_ASSERT_DOUBLE_EQUAL(chi2[i], again, 1e-5 * again);
            CU_ASSERT(k != 0 || chi2[i] == r.star[i].chi2);
            CU_ASSERT_EQUAL((int64_t)good[i], r.star[i].n_good);
            for (int d = 0; d < D && k < 2; d++)
                CU_ASSERT_EQUAL(theta[i * D + d],
                                k ? r.star[i].label[d].mean : r.star[i].label[d].median);
        }
        CU_ASSERT(isnan(chi2[MOCKS]) && isnan(model[MOCKS * n]) && isnan(theta[MOCKS * D]));
        free(model), free(chi2), free(theta);
    }
    CU_ASSERT(isnan(flux[MOCKS * n]) && mask[MOCKS * n] == 1 && good[MOCKS] == 0);
    WORKS(anpe_h5_get_texts(ctx, f, "theta_best", "labels", &n_labels, &labels));
    CU_ASSERT_EQUAL_FATAL(n_labels, D);
    CU_ASSERT_STRING_EQUAL(labels[D - 1], "rv");
    CU_ASSERT(anpe_h5_has(f, "wavelength") && anpe_h5_has(f, "segment") && anpe_h5_has(f, "id"));
    anpe_h5_texts_free(n_labels, labels);
    free(flux), free(sigma), free(mask), free(good);
    WORKS(anpe_h5_close(ctx, f));
    anpe_infer_result_clear(&r);
}

/* best: one of the first 100 draws, and none of them fits better. */
static void test_best_draw(void)
{
    anpe_model *model = NULL;
    anpe_session *session = NULL;
    anpe_h5 *f = NULL, *draws = NULL;
    WORKS(anpe_model_open(ctx, model_file, &model));
    WORKS(anpe_session_new(ctx, model, DRAWS, &session));
    WORKS(anpe_h5_open(ctx, in_scratch("one_predict.h5"), &f));
    WORKS(anpe_h5_open(ctx, in_scratch("one_draws.h5"), &draws));
    const int64_t n = session->spectrum.n_pixels;
    double *theta = dataset(draws, "samples", STARS * DRAWS * D);
    double *best = dataset(f, "theta_best", STARS * D), *lowest = dataset(f, "chi2_best", STARS);
    double *flux = dataset(f, "flux", STARS * n), *sigma = dataset(f, "sigma", STARS * n);
    double *mask = dataset(f, "mask", STARS * n);
    for (int64_t i = 0; i < MOCKS; i++) {
        int found = 0;
        for (int64_t p = 0; p < n; p++) {
            session->spectrum.flux[p] = (float)flux[i * n + p];
            session->spectrum.sigma[p] = (float)sigma[i * n + p];
            session->spectrum.mask[p] = mask[i * n + p] != 0;
        }
        for (int64_t k = 0; k < 100; k++) {
            const double *t = theta + (i * DRAWS + k) * D;
            double chi2;
            int64_t n_good;
            WORKS(anpe_session_chi2(session, ctx, t, &session->spectrum, &chi2, &n_good));
            CU_ASSERT(chi2 >= lowest[i]);
            found |= chi2 == lowest[i] && !memcmp(t, best + i * D, D * sizeof *t);
        }
        CU_ASSERT(found);
    }
    free(theta), free(best), free(lowest), free(flux), free(sigma), free(mask);
    WORKS(anpe_h5_close(ctx, f));
    WORKS(anpe_h5_close(ctx, draws));
    anpe_session_free(session);
    anpe_model_close(model);
}

static void test_gradients(void)
{
    anpe_h5 *f = NULL;
    int rank;
    int64_t shape[8];
    WORKS(anpe_h5_open(ctx, in_scratch("one_explain.h5"), &f));
    WORKS(anpe_h5_shape(ctx, f, "gradient", &rank, shape));
    CU_ASSERT_FATAL(rank == 3 && shape[0] == STARS && shape[1] == D);
    const int64_t n = shape[2];
    double *gradient = dataset(f, "gradient", STARS * D * n), *mask = dataset(f, "mask", STARS * n);
    double *error = dataset(f, "error", STARS * D);
    for (int64_t k = 0; k < STARS * D; k++) {
        double square = 0;
        for (int64_t p = 0; p < n; p++) {
            const double g = gradient[k * n + p];
            square += g * g;
            CU_ASSERT(mask[k / D * n + p] == 0 || k / D == MOCKS || g == 0);
        }
        CU_ASSERT(k / D == MOCKS ? isnan(square) && isnan(error[k])
                                 : square > 0 && error[k] > 0 && error[k] < sqrt(square));
    }
    free(gradient), free(mask), free(error);
    WORKS(anpe_h5_close(ctx, f));
}

/* The mocks and a missing file against a catalogue of effective temperatures, by identifier. */
static anpe_status compare(const char *catalogue, const char *columns, const char *id,
                           anpe_infer_result *result)
{
    static char output[256];
    const char *files[] = {mocks};
    snprintf(output, sizeof output, "%s", in_scratch("compared.csv"));
    const anpe_infer_request q = {.model = model_file,
                                  .n_files = 1,
                                  .files = files,
                                  .output = output,
                                  .compare = catalogue,
                                  .compare_columns = columns,
                                  .compare_id = id,
                                  .n_draws = DRAWS,
                                  .seed = 3,
                                  .threads = 1};
    return anpe_infer_files(ctx, &q, result);
}

static void write_catalogue(const char *path, const char *const *teff, int n)
{
    FILE *f = fopen(path, "w");
    CU_ASSERT_FATAL(f != NULL);
    fprintf(f, "NAME,TEMP\n");
    for (int i = n - 1; i >= 0; i--) /* in another order than the stars */
        fprintf(f, "infer_mocks.h5[%d],%s\n", i, teff[i]);
    fclose(f);
}

/* chi2 of star i as it was reduced, read from the predictions, at these labels. */
static double chi2_at(int64_t i, const double *theta)
{
    anpe_model *model = NULL;
    anpe_session *session = NULL;
    anpe_h5 *f = NULL;
    double chi2;
    int64_t n_good;
    WORKS(anpe_model_open(ctx, model_file, &model));
    WORKS(anpe_session_new(ctx, model, 1, &session));
    anpe_spectrum *s = &session->spectrum;
    WORKS(anpe_h5_open(ctx, in_scratch("one_predict.h5"), &f));
    WORKS(anpe_h5_read_rows(ctx, f, "flux", ANPE_H5_FLOAT, i, 1, s->n_pixels, s->flux));
    WORKS(anpe_h5_read_rows(ctx, f, "sigma", ANPE_H5_FLOAT, i, 1, s->n_pixels, s->sigma));
    WORKS(anpe_h5_read_rows(ctx, f, "mask", ANPE_H5_UINT8, i, 1, s->n_pixels, s->mask));
    WORKS(anpe_session_chi2(session, ctx, theta, s, &chi2, &n_good));
    WORKS(anpe_h5_close(ctx, f));
    anpe_session_free(session);
    anpe_model_close(model);
    return chi2;
}

/* The same by the public functions, from the spectrum as the mock has it. */
static void check_public(double wanted, const double *theta)
{
    anpe_model *model = NULL;
    anpe_session *session = NULL;
    anpe_h5 *f = NULL;
    const double *wavelength;
    double draw[D], chi2;
    int64_t n_good;
    WORKS(anpe_model_open(ctx, model_file, &model));
    WORKS(anpe_session_new(ctx, model, 1, &session));
    const size_t n = (size_t)anpe_model_pixels(model, &wavelength);
    float *flux = malloc(n * sizeof *flux), *sigma = malloc(n * sizeof *sigma);
    uint8_t *mask = malloc(n);
    CU_ASSERT_FATAL(flux && sigma && mask);
    FAILS(anpe_predict(session, ctx, flux, NULL, NULL, theta), ANPE_EINVAL, "no spectrum has been");
    WORKS(anpe_h5_open(ctx, mocks, &f));
    WORKS(anpe_h5_read_rows(ctx, f, "flux", ANPE_H5_FLOAT, 0, 1, (int64_t)n, flux));
    WORKS(anpe_h5_read_rows(ctx, f, "sigma", ANPE_H5_FLOAT, 0, 1, (int64_t)n, sigma));
    WORKS(anpe_h5_read_rows(ctx, f, "mask", ANPE_H5_UINT8, 0, 1, (int64_t)n, mask));
    WORKS(anpe_h5_close(ctx, f));
    WORKS(anpe_infer(session, ctx, 1, draw, NULL, flux, sigma, mask, 1, 0));
    WORKS(anpe_predict(session, ctx, flux, &chi2, &n_good, theta));
    CU_ASSERT_EQUAL(chi2, wanted);
    CU_ASSERT(n_good > 0 && isfinite(flux[n / 2]));
    free(flux), free(sigma), free(mask);
    anpe_session_free(session);
    anpe_model_close(model);
}

static char warning[400];

static void keep_warning(void *user, anpe_level level, const char *line)
{
    (void)user;
    if (level == ANPE_WARNING)
        snprintf(warning, sizeof warning, "%s", line);
}

static void test_comparison(void)
{
    static const char *const teff[] = {"5200", "99999", ""};
    char path[256];
    double theta[D];
    anpe_infer_result r;
    snprintf(path, sizeof path, "%s", in_scratch("labels.csv"));
    write_catalogue(path, teff, MOCKS);
    WORKS(compare(path, "teff=TEMP", "NAME", &r));
    CU_ASSERT(r.comparison.n == 1 && r.comparison.n_outside == 1);
    CU_ASSERT(r.comparison.n_incomplete == 1 && r.comparison.n_unmatched == 0);
    CU_ASSERT_STRING_EQUAL(r.star[0].comparison, "compared");
    CU_ASSERT_STRING_EQUAL(r.star[1].comparison, "outside");
    CU_ASSERT_STRING_EQUAL(r.star[2].comparison, "incomplete");
    CU_ASSERT(isnan(r.star[1].chi2_catalogue) && r.comparison.given[0] && !r.comparison.given[1]);
    for (int d = 0; d < D; d++)
        theta[d] = d == 0 ? 5200 : r.star[0].label[d].median;
    CU_ASSERT_EQUAL(r.star[0].chi2_catalogue, chi2_at(0, theta));
    check_public(r.star[0].chi2_catalogue, theta);
    CU_ASSERT_EQUAL(r.comparison.n_better, r.star[0].chi2 < r.star[0].chi2_catalogue);
    anpe_infer_result_clear(&r);
    write_catalogue(path, teff, 1);
    WORKS(compare(path, "teff=TEMP", "NAME", &r));
    CU_ASSERT(r.comparison.n == 1 && r.comparison.n_unmatched == 2);
    anpe_infer_result_clear(&r);
    /* a star that is there twice is compared with neither, and the log has the number */
    FILE *twice = fopen(path, "a");
    CU_ASSERT_FATAL(twice != NULL);
    fputs("infer_mocks.h5[0],5300\ninfer_mocks.h5[1],5300\nother,1\nother,2\nother,3\n", twice);
    fclose(twice);
    warning[0] = '\0';
    anpe_ctx_set_log(ctx, keep_warning, NULL);
    WORKS(compare(path, "teff=TEMP", "NAME", &r));
    anpe_ctx_set_log(ctx, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(warning, "2 stars have more than one row (infer_mocks.h5[0], "));
    CU_ASSERT_STRING_EQUAL(r.star[0].comparison, "unmatched");
    CU_ASSERT_STRING_EQUAL(r.star[1].comparison, "compared");
    anpe_infer_result_clear(&r);
    /* mocks hold their labels under their names, row by row */
    WORKS(compare(mocks, NULL, NULL, &r));
    CU_ASSERT_EQUAL(r.comparison.n, MOCKS);
    for (int64_t i = 0; i < MOCKS; i++)
        CU_ASSERT_EQUAL(r.star[i].chi2_catalogue, chi2_at(i, r.star[i].truth));
    anpe_infer_result_clear(&r);
}

static void test_wrong_catalogue(void)
{
    static const char *const teff[] = {"5200", "5200"};
    char path[256], text[256];
    anpe_infer_result r;
    snprintf(path, sizeof path, "%s", in_scratch("wrong.csv"));
    snprintf(text, sizeof text, "%s", in_scratch("compared.csv"));
    unlink(text);
    write_catalogue(path, teff, 2);
    static const struct {
        const char *columns, *id, *message;
    } wrong[] = {
        {NULL, "NAME", "no column has the name of a label (teff, ...): say which they are with"},
        {"tef=TEMP", "NAME", "the model has no label 'tef'; did you mean 'teff'?"},
        {"teff=TMEP", "NAME", "no column 'TMEP'; did you mean 'TEMP'?"},
        {"teff", "NAME", "compare-columns: 'teff' is not LABEL=COLUMN"},
        {"teff=TEMP,", "NMAE", "no column 'NMAE'; did you mean 'NAME'?"},
        {"teff=NAME", "NAME", "column 'NAME' does not hold numbers"},
        {"teff=TEMP", NULL, "2 rows for 3 spectra; to find them by identifier"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        FAILS(compare(path, wrong[i].columns, wrong[i].id, &r), i == 5 ? ANPE_EFORMAT : ANPE_EINVAL,
              wrong[i].message);
        anpe_infer_result_clear(&r);
    }
    FAILS(compare(in_scratch("none.csv"), NULL, NULL, &r), ANPE_EIO, "none.csv");
    anpe_infer_result_clear(&r);
    FAILS(compare(NULL, "teff=TEMP", NULL, &r), ANPE_EINVAL, "there is no catalogue");
    anpe_infer_result_clear(&r);
    FAILS(compare(text, NULL, NULL, &r), ANPE_EINVAL, "the output would replace an input");
    anpe_infer_result_clear(&r);
    CU_ASSERT(access(text, F_OK) != 0);
}

static void test_threads(void)
{
    static const char *const files[] = {"catalogue.csv", "draws.h5", "predict.h5", "explain.h5"};
    anpe_infer_result r;
    infer("two", 2, &r);
    anpe_infer_result_clear(&r);
    for (int k = 0; k < 4; k++) {
        char name[64];
        size_t n[2];
        snprintf(name, sizeof name, "one_%s", files[k]);
        char *one = read_bytes(in_scratch(name), &n[0]);
        snprintf(name, sizeof name, "two_%s", files[k]);
        char *two = read_bytes(in_scratch(name), &n[1]);
        CU_ASSERT(n[0] == n[1] && n[0] > 0 && !memcmp(one, two, n[0]));
        free(one), free(two);
    }
}

/* The mocks alone, and as the first of four times as many: not a bit differs. A damaged spectrum in
 * between changes nothing either. */
static void test_company(void)
{
    const char *files[] = {mocks, mocks, mocks, mocks, "missing.h5", mocks};
    anpe_infer_result few, many;
    anpe_infer_request q = {.model = model_file,
                            .n_files = 1,
                            .files = files,
                            .output = in_scratch("company.csv"),
                            .n_draws = DRAWS,
                            .seed = 3,
                            .threads = 1};
    WORKS(anpe_infer_files(ctx, &q, &few));
    q.n_files = 6;
    WORKS(anpe_infer_files(ctx, &q, &many));
    CU_ASSERT_FATAL(few.n_stars == MOCKS && many.n_stars == 5 * MOCKS + 1);
    for (int i = 0; i < MOCKS; i++)
        CU_ASSERT_EQUAL(memcmp(few.star[i].label, many.star[i].label, D * sizeof *few.star->label),
                        0);
    anpe_infer_result_clear(&few);
    anpe_infer_result_clear(&many);
}

static void test_inputs(void)
{
    setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
    WORKS(make_inputs());
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"a model and mocks", test_inputs}, {"predictions", test_predictions},
        {"best draw", test_best_draw},      {"gradients", test_gradients},
        {"threads", test_threads},          {"company", test_company},
        {"comparison", test_comparison},    {"wrong catalogue", test_wrong_catalogue},
    };
    return run_suite(argc, argv, "infer", COUNT(tests), tests);
}
