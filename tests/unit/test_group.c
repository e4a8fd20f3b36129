/* Stars of several spectra, against posteriors that are known: two labels with normal priors, two
 * instruments of 10 and of 14 values that are linear in them, Gaussian noise, and a flow for each
 * that was trained for seconds. Whose a spectrum is, what models must have in common, what is left
 * out. */
#include <config.h>
#include "base_support.h"
#include "base/random.h"
#include "file/emulator.h"
#include "file/hdf5_file.h"
#include "infer/group.h"
#include "train/train.h"
#include <math.h>

enum { D = 2, MOST = 14, STARS = 40 };
static const int values[2] = {10, 14};
static const double sigma = 0.3, tau = 0.7; /* of the noise; of the prior */
static double slope[2][MOST][D];            /* x_p = 1 + sum_d slope theta */
static double truth[STARS][D];
static float x[2][STARS][MOST];
static const char *const emulator[2] = {"a.h5", "b.h5"}, *const model[2] = {"ma.h5", "mb.h5"};

/* As in_scratch, of which four names are held at once; here sixteen. */
static const char *at(const char *name)
{
    static char path[16][512];
    static int turn;
    turn = (turn + 1) % 16;
    snprintf(path[turn], sizeof path[turn], "%s", in_scratch(name));
    return path[turn];
}

static void write_emulator(int k)
{
    const int n = values[k];
    anpe_emulator e = {.kind = "cannon", .output = "linear", .normalised = 1};
    double *coefficients = calloc((size_t)((D + 1) * n), sizeof *coefficients);
    double *exponents = calloc((D + 1) * D, sizeof *exponents);
    double *pivot = calloc(D, sizeof *pivot), *scale = calloc(D, sizeof *scale);
    anpe_rng rng = anpe_rng_make(5, ANPE_FOR_MOCKS, k, 0);
    e.n_labels = D;
    e.n_pixels = n;
    e.resolution = 22500;
    e.labels = calloc(D, sizeof *e.labels);
    for (int d = 0; d < D; d++) {
        snprintf(e.labels[d].name, sizeof e.labels[d].name, "l%d", d);
        e.labels[d].min = -INFINITY;
        e.labels[d].max = INFINITY;
        scale[d] = 1;
        exponents[(d + 1) * D + d] = 1;
    }
    for (int p = 0; p < n; p++) {
        coefficients[p] = 1;
        for (int d = 0; d < D; d++)
            coefficients[(d + 1) * n + p] = slope[k][p][d] = 0.15 * anpe_normal(&rng);
    }
    WORKS(anpe_emulator_add(ctx, &e, "coefficients", 2, (int64_t[]){D + 1, n}, coefficients));
    WORKS(anpe_emulator_add(ctx, &e, "exponents", 2, (int64_t[]){D + 1, D}, exponents));
    WORKS(anpe_emulator_add(ctx, &e, "pivots", 1, (int64_t[]){D}, pivot));
    WORKS(anpe_emulator_add(ctx, &e, "scales", 1, (int64_t[]){D}, scale));
    WORKS(anpe_emulator_write(ctx, &e, at(emulator[k])));
    anpe_emulator_clear(&e);
}

static void train(int k, const char *to, double sd, const char *infer, int steps)
{
    char text[2048];
    snprintf(text, sizeof text,
             "simulator: { plugin = \"cannon\"; file = \"%s\"; };"
             "instrument: { plugin = \"array\"; shape = [ %d ]; };"
             "noise: { plugin = \"gaussian\"; sigma = %g; };"
             "network: { context = 16; }; featurizer: { plugin = \"mlp\"; hidden = [ 32 ]; };"
             "flow: { plugin = \"maf\"; num_blocks = 2; hidden = 16; };"
             "train: { batch = 128; steps = %d; epochs = 3; rate = 0.004; n_validation = 64; };"
             "labels: { infer = [ %s ]; };"
             "prior: ({ plugin = \"independent\"; labels: ("
             "{ name = \"l0\"; type = \"normal\"; mean = 0.0; sd = %g; },"
             "{ name = \"l1\"; type = \"normal\"; mean = 0.0; sd = %g; }); });",
             at(emulator[k]), values[k], sigma, steps, infer, tau, sd);
    anpe_settings *settings = NULL;
    anpe_train_result result;
    const anpe_train_request request = {.output = to, .threads = 1};
    WORKS(anpe_settings_parse(ctx, text, "test", 0, NULL, &settings));
    WORKS(anpe_train(ctx, settings, &request, &result));
    anpe_settings_free(settings);
}

/* Spectra of stars first .. first + n - 1 seen by instrument k, with their identifiers. */
static void write_spectra(const char *name, int k, int first, int n)
{
    static float flux[STARS * MOST], error[STARS * MOST];
    static char id[STARS][8];
    const int64_t shape[] = {n, values[k]};
    anpe_h5 *f;
    for (int i = 0; i < n; i++) {
        for (int p = 0; p < values[k]; p++) {
            flux[i * values[k] + p] = x[k][first + i][p];
            error[i * values[k] + p] = (float)sigma;
        }
        snprintf(id[i], sizeof id[i], "S%d", first + i);
    }
    WORKS(anpe_h5_create(ctx, at(name), &f));
    WORKS(anpe_h5_write(ctx, f, "flux", ANPE_H5_FLOAT, 2, shape, flux));
    WORKS(anpe_h5_write(ctx, f, "sigma", ANPE_H5_FLOAT, 2, shape, error));
    WORKS(anpe_h5_write_texts(ctx, f, "id", n, sizeof id[0], id[0]));
    WORKS(anpe_h5_close(ctx, f));
}

static void observe(void)
{
    for (int i = 0; i < STARS; i++) {
        anpe_rng rng = anpe_rng_make(6, ANPE_FOR_MOCKS, i, 0);
        for (int d = 0; d < D; d++)
            truth[i][d] = tau * anpe_normal(&rng);
        for (int k = 0; k < 2; k++)
            for (int p = 0; p < values[k]; p++) {
                double v = 1 + sigma * anpe_normal(&rng);
                for (int d = 0; d < D; d++)
                    v += slope[k][p][d] * truth[i][d];
                x[k][i][p] = (float)v;
            }
    }
}

/* ---- the closed form --------------------------------------------------------------------- */

typedef struct closed_form {
    double mean[D], sd[D];
} closed_form;

/* Of the data of the instruments in `arms` (bits) together, each `times`; the prior counts `priors`
 * times. */
static closed_form solve_times(int star, int arms, int priors, int times)
{
    double a[D][D] = {{0}}, b[D] = {0};
    for (int d = 0; d < D; d++)
        a[d][d] = priors / (tau * tau);
    for (int k = 0; k < 2; k++)
        for (int p = 0; p < values[k] && (arms >> k & 1); p++)
            for (int i = 0; i < D; i++) {
                b[i] += times * ((double)x[k][star][p] - 1) * slope[k][p][i] / (sigma * sigma);
                for (int j = 0; j < D; j++)
                    a[i][j] += times * slope[k][p][i] * slope[k][p][j] / (sigma * sigma);
            }
    const double det = a[0][0] * a[1][1] - a[0][1] * a[1][0];
    return (closed_form){
        {(a[1][1] * b[0] - a[0][1] * b[1]) / det, (a[0][0] * b[1] - a[1][0] * b[0]) / det},
        {sqrt(a[1][1] / det), sqrt(a[0][0] / det)}};
}

static closed_form solve(int star, int arms, int priors)
{
    return solve_times(star, arms, priors, 1);
}

/* Over the stars and labels: rms of (mean - theirs) / sd, and the mean of sd / theirs. */
static void compare(const anpe_infer_result *r, int n, int arms, int priors, double *off,
                    double *width)
{
    *off = *width = 0;
    for (int i = 0; i < n; i++) {
        const closed_form c = solve(atoi(r->star[i].id + 1), arms, priors);
        for (int d = 0; d < D; d++) {
            *off += pow((r->star[i].label[d].mean - c.mean[d]) / c.sd[d], 2) / (n * D);
            *width += r->star[i].label[d].sd / c.sd[d] / (n * D);
        }
    }
    *off = sqrt(*off);
}

/* ---- runs -------------------------------------------------------------------------------- */

static const char *models[3], *files[3];
static anpe_infer_result result;

static anpe_status group(int n_models, const char *table, int n_files, int64_t n_own,
                         const char *const *own)
{
    const anpe_group_request q = {
        .infer = {.model = models[0], .n_files = n_files, .files = files, .seed = 1, .threads = 2},
        .n_models = n_models,
        .models = models,
        .table = table,
        .n_own = n_own,
        .own = own,
        .ladder = anpe_ladder_defaults()};
    anpe_infer_result_clear(&result);
    return anpe_infer_groups(ctx, &q, &result);
}

static void use_models(void)
{
    for (int k = 0; k < 2; k++)
        models[k] = at(model[k]);
}

/* The product is the posterior of all data together. Networks of seconds are off by some per cent;
 * what a prior that counts twice would give is off by more than that, and so is one arm alone. */
static void test_product(void)
{
    double off, width, twice_off, twice_width, one_off, one_width;
    write_spectra("sa.h5", 0, 0, STARS);
    write_spectra("sb.h5", 1, 0, STARS);
    use_models();
    files[0] = at("sa.h5");
    files[1] = at("sb.h5");
    WORKS(group(2, NULL, 2, 0, NULL));
    CU_ASSERT_EQUAL_FATAL(result.n_stars, STARS);
    CU_ASSERT_EQUAL(result.n_labels, D);
    CU_ASSERT_EQUAL(result.n_failed, 0);
    for (int i = 0; i < STARS; i++) {
        CU_ASSERT_EQUAL(result.star[i].n_members, 2);
        CU_ASSERT_EQUAL(result.star[i].n_good, values[0] + values[1]);
        CU_ASSERT(result.star[i].ess >= 500 && !(result.star[i].flags & ANPE_FLAG_NOT_EXACT));
    }
    compare(&result, STARS, 3, 1, &off, &width);
    compare(&result, STARS, 3, 2, &twice_off, &twice_width);
    compare(&result, STARS, 1, 1, &one_off, &one_width);
    printf(
        "\n  product beside the closed form: off %.3f sd, width %.3f; prior twice: %.3f, %.3f; one "
        "arm: %.3f, %.3f\n",
        off, width, twice_off, twice_width, one_off, one_width);
    CU_ASSERT(off < 0.25 && fabs(width - 1) < 0.06);
    CU_ASSERT(twice_width > width + 0.06 && one_width < width - 0.06);
}

/* Some stars have one arm alone; the answer is that arm's, wider, prior and all. */
static void test_missing(void)
{
    double off, width, both, both_width;
    write_spectra("sa.h5", 0, 0, 6);
    write_spectra("sb.h5", 1, 6, 6);
    use_models();
    files[0] = at("sa.h5");
    files[1] = at("sb.h5");
    WORKS(group(2, NULL, 2, 0, NULL));
    CU_ASSERT_EQUAL_FATAL(result.n_stars, 12);
    for (int i = 0; i < 12; i++)
        CU_ASSERT_EQUAL(result.star[i].n_members, 1);
    compare(&result, 6, 1, 1, &off, &width);
    CU_ASSERT(off < 0.25 && fabs(width - 1) < 0.08);
    compare(&result, 6, 3, 1, &both, &both_width);
    CU_ASSERT(both_width > width + 0.06);
    NEAR(result.star[0].log_together, 0, 0.1); /* of itself alone */
}

static const char *write_table(const char *text)
{
    const char *path = at("table.csv");
    write_bytes(path, text, strlen(text));
    return path;
}

/* A table says which spectra are of a star, whatever their identifiers; a spectrum that cannot be
 * used is left out, and a star without any fails with the reason. */
static void test_table(void)
{
    char text[2048], a[256], b[256];
    write_spectra("sa.h5", 0, 0, 3);
    write_spectra("sb.h5", 1, 0, 3);
    use_models();
    snprintf(a, sizeof a, "%s", at("sa.h5"));
    snprintf(b, sizeof b, "%s", at("sb.h5"));
    snprintf(text, sizeof text,
             "group,file,row\nmine,%s,2\nother,%s,1\nmine,%s,2\nother,/nowhere.h5,\nlost,%s,7\n", a,
             a, b, b);
    WORKS(group(2, write_table(text), 0, 0, NULL));
    CU_ASSERT_EQUAL_FATAL(result.n_stars, 3);
    CU_ASSERT_EQUAL(result.n_failed, 1);
    CU_ASSERT_STRING_EQUAL(result.star[0].id, "mine");
    CU_ASSERT_EQUAL(result.star[0].n_members, 2);
    snprintf(text, sizeof text, "%s[2]; %s[2]", a, b);
    CU_ASSERT_STRING_EQUAL(result.star[0].members, text);
    CU_ASSERT_EQUAL(result.star[1].n_members, 1);
    CU_ASSERT_EQUAL(result.star[1].n_left_out, 1);
    CU_ASSERT(result.star[2].failed && strstr(result.star[2].reason, "no spectrum 7"));
    snprintf(text, sizeof text, "group,file,model\nmine,%s,mb.h5\n", b);
    WORKS(group(2, write_table(text), 0, 0, NULL));
    snprintf(text, sizeof text, "group,file,model\nmine,%s,mc.h5\n", b);
    FAILS(group(2, write_table(text), 0, 0, NULL), ANPE_EINVAL,
          "row 1: 'mc.h5' is none of the models given");
    FAILS(group(2, write_table("group,path\nmine,x\n"), 0, 0, NULL), ANPE_EINVAL, "'file'");
    FAILS(group(2, write_table("group,file\n,x\n"), 0, 0, NULL), ANPE_EFORMAT,
          "row 1 has no group");
    models[1] = models[0]; /* both read it */
    snprintf(text, sizeof text, "group,file\nmine,%s\n", a);
    FAILS(group(2, write_table(text), 0, 0, NULL), ANPE_EINVAL, "models 1 and 2 both read it");
}

/* One model, two spectra of a star with it, the same one in two files: data twice, prior once; a
 * third time from a file that was there already counts for nothing. */
static void test_repeats(void)
{
    enum { N = 20 };
    char text[N * 3 * 100], *end = text;
    double width = 0, once = 0;
    use_models();
    write_spectra("sa.h5", 0, 0, N);
    write_spectra("copy.h5", 0, 0, N);
    const char *const file[3] = {at("sa.h5"), at("copy.h5"), at("sa.h5")};
    end += sprintf(end, "group,file,row\n");
    for (int i = 0; i < 3 * N; i++)
        end += sprintf(end, "S%d,%.70s,%d\n", i % N, file[i / N], i % N);
    WORKS(group(1, write_table(text), 0, 0, NULL));
    CU_ASSERT_EQUAL_FATAL(result.n_stars, N);
    for (int i = 0; i < N; i++)
        for (int d = 0; d < D; d++) {
            width += result.star[i].label[d].sd / solve_times(i, 1, 1, 2).sd[d] / (N * D);
            once += result.star[i].label[d].sd / solve(i, 1, 1).sd[d] / (N * D);
        }
    NEAR(width, 1, 0.08);
    CU_ASSERT(once < 0.88);
}

/* What is each spectrum's own is no column, and does not sharpen what is shared by more than the
 * other arm knows of it. */
static void test_own(void)
{
    static const char *const own[] = {"l1"};
    use_models();
    write_spectra("sa.h5", 0, 0, 10);
    write_spectra("sb.h5", 1, 0, 10);
    files[0] = at("sa.h5");
    files[1] = at("sb.h5");
    WORKS(group(2, NULL, 2, 1, own));
    CU_ASSERT_EQUAL_FATAL(result.n_labels, 1);
    double ratio = 0;
    for (int i = 0; i < 10; i++) {
        /* normal marginals of l0 of each arm, and the prior once */
        const closed_form a = solve(i, 1, 1), b = solve(i, 2, 1);
        const double precision = pow(a.sd[0], -2) + pow(b.sd[0], -2) - pow(tau, -2);
        const double mean =
            (a.mean[0] * pow(a.sd[0], -2) + b.mean[0] * pow(b.sd[0], -2)) / precision;
        CU_ASSERT(fabs(result.star[i].label[0].mean - mean) < 0.6 / sqrt(precision));
        ratio += result.star[i].label[0].sd * sqrt(precision) / 10;
    }
    NEAR(ratio, 1, 0.08);
}

static void test_refusals(void)
{
    static const char *const own[] = {"l1"};
    use_models();
    files[0] = at("sa.h5");
    train(1, at("other.h5"), 0.8, "", 2);
    train(1, at("fewer.h5"), tau, "\"l0\"", 2);
    models[1] = at("other.h5");
    FAILS(group(2, NULL, 1, 0, NULL), ANPE_ECONFIG,
          "models 1 and 2 have different priors of the labels that they share");
    WORKS(group(2, NULL, 1, 1, own)); /* its prior is another, and it is not shared */
    models[1] = at("fewer.h5");
    FAILS(group(2, NULL, 1, 0, NULL), ANPE_ECONFIG,
          "label 'l1' is one of model 1 and not of model 2; --own l1 would make it");
    models[1] = models[0];
    models[0] = at("fewer.h5");
    FAILS(group(2, NULL, 1, 0, NULL), ANPE_ECONFIG,
          "label 'l1' is one of model 2 and not of model 1; --own l1 would make it");
}

static void test_set_up(void)
{
    for (int k = 0; k < 2; k++) {
        write_emulator(k);
        train(k, at(model[k]), tau, "", 200);
    }
    observe();
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"set-up", test_set_up},
        {"the product is the posterior of all data", test_product},
        {"stars with one arm", test_missing},
        {"a table", test_table},
        {"two spectra of one model", test_repeats},
        {"labels of the spectra's own", test_own},
        {"models that do not go together", test_refusals},
    };
    const int code = run_suite(argc, argv, "groups", COUNT(tests), tests);
    anpe_infer_result_clear(&result);
    return code;
}
