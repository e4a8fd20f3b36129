/* Training on simulations some of whose labels lie exactly on a bound of the prior, on either side.
 */
#include <config.h>
#include "base_support.h"
#include "base/random.h"
#include "file/hdf5_file.h"
#include "train/train.h"
#include <anpe/anpe.h>
#include <math.h>

enum { N = 2000, D = 2, EVERY = 100, DRAWS = 400 };

/* theta = (|z|, -|z|), x = theta + 0.3 z; every 100th label lies on its bound, or just inside. */
static void write_simulations(const char *path, double inside)
{
    static const char *const names[D] = {"up", "down"};
    static double theta[N][D];
    static float x[N][D];
    const int64_t shape[2] = {N, D};
    anpe_rng rng = anpe_rng_make(3, ANPE_FOR_MOCKS, 0, 0);
    anpe_h5 *f;
    for (int i = 0; i < N; i++)
        for (int d = 0; d < D; d++) {
            const double size = fabs(anpe_normal(&rng));
            theta[i][d] = (d ? -1 : 1) * (i % EVERY == EVERY / 2 ? inside : size);
            x[i][d] = (float)(theta[i][d] + 0.3 * anpe_normal(&rng));
        }
    WORKS(anpe_h5_create(ctx, path, &f));
    WORKS(anpe_h5_write(ctx, f, "theta", ANPE_H5_DOUBLE, 2, shape, theta));
    WORKS(anpe_h5_put_texts(ctx, f, "theta", "labels", D, names));
    WORKS(anpe_h5_write(ctx, f, "x", ANPE_H5_FLOAT, 2, shape, x));
    WORKS(anpe_h5_close(ctx, f));
}

static double train(const char *simulations, const char *model)
{
    static const char text[] =
        "simulator = { plugin = \"array\"; labels = ( { name = \"up\"; }, { name = \"down\"; } ); "
        "};"
        "prior = ({ plugin = \"independent\"; labels = ("
        " { name = \"up\"; type = \"truncated_normal\"; mean = 0.0; sd = 1.0; min = 0.0; },"
        " { name = \"down\"; type = \"truncated_normal\"; mean = 0.0; sd = 1.0; max = 0.0; } ); });"
        "instrument = { plugin = \"array\"; shape = [ 2 ]; };"
        "noise = { plugin = \"none\"; }; network = { context = 0; }; featurizer = { plugin = "
        "\"identity\"; }; flow = { plugin = \"maf\"; num_blocks = 2; hidden = "
        "16; };"
        "train = { epochs = 10; n_validation = 400; rate = 0.005; };";
    anpe_settings *settings = NULL;
    anpe_train_result result;
    const anpe_train_request request = {.output = model, .data = simulations, .threads = 1};
    WORKS(anpe_settings_parse(ctx, text, "test", 0, NULL, &settings));
    WORKS(anpe_train(ctx, settings, &request, &result));
    anpe_settings_free(settings);
    return result.validation_loss;
}

/* Posterior means at x = (1.5, -1.5). */
static void infer(const char *path, double mean[D])
{
    static const float x[D] = {1.5f, -1.5f}, sigma[D] = {1, 1};
    static double theta[DRAWS][D];
    anpe_model *model = NULL;
    anpe_session *session = NULL;
    WORKS(anpe_model_open(ctx, path, &model));
    WORKS(anpe_session_new(ctx, model, DRAWS, &session));
    WORKS(anpe_infer(session, ctx, DRAWS, theta[0], NULL, x, sigma, NULL, 1, 0));
    for (int d = 0; d < D; d++) {
        mean[d] = 0;
        for (int i = 0; i < DRAWS; i++)
            mean[d] += theta[i][d] / DRAWS;
    }
    anpe_session_free(session);
    anpe_model_close(model);
}

/* A hundredth of the labels on a bound, 15.9 on the line from the mean of the rest: their share
 * widens the spread of the line to sqrt(1.11^2 + 0.01 * 15.3^2) = 1.9, and each costs at most
 * (15.3 / 1.9)^2 / 2 = 33 nats under the base density, in two labels 0.7 nats of the mean loss, and
 * the others as much again if the flow learned nothing. The demand has room for seven times that;
 * labels at log(DBL_MIN) = -708 cost 1e4 nats and more. The posterior mean is 1.5 / 1.09 = 1.38,
 * its sd 0.29. */
static void test_on_a_bound(void)
{
    static char data[2][256], model[2][256];
    double loss[2], mean[D];
    for (int k = 0; k < 2; k++) {
        snprintf(data[k], sizeof data[k], "%s", in_scratch(k ? "on.h5" : "inside.h5"));
        snprintf(model[k], sizeof model[k], "%s", in_scratch(k ? "m_on.h5" : "m_inside.h5"));
        write_simulations(data[k], k ? 0 : 0.01);
        loss[k] = train(data[k], model[k]);
        infer(model[k], mean);
        for (int d = 0; d < D; d++)
            CU_ASSERT_DOUBLE_EQUAL(fabs(mean[d]), 1.38, 0.5);
    }
    if (!(loss[1] < loss[0] + 5))
        printf("loss %g, on the bound %g ", loss[0], loss[1]);
    CU_ASSERT(loss[1] < loss[0] + 5);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {{"labels on a bound", test_on_a_bound}};
    return run_suite(argc, argv, "bounds", COUNT(tests), tests);
}
