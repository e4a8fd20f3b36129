/* Simulator pipe with a program that behaves, and with one that misbehaves in every way that is
 * told apart. */
#include <config.h>
#include "plugin_support.h"
#include <math.h>
#include <pthread.h>

enum { N = 10 };

static const char *program(void)
{
    static char path[1024];
    const char *build = getenv("ANPE_BUILDDIR");
    snprintf(path, sizeof path, "%s/tests/unit/pipe_program", build ? build : ".");
    return path;
}

static anpe_status open_pipe(const char *arguments, const char *more, subject *s)
{
    char text[2048];
    const anpe_simulator_setup setup = {.size = sizeof setup, .lambda_min = 4990};
    snprintf(text, sizeof text,
             "plugin = \"pipe\"; program = \"%s\"; arguments = [%s]; retries = 1; %s", program(),
             arguments, more);
    return subject_new(ANPE_SIMULATOR, &setup, text, s);
}

/* The formula of pipe_program.c. */
static float expected(const double *theta, int k)
{
    const double d = k - N * theta[1];
    return (float)(1 - theta[0] * exp(-d * d / 2));
}

static int right(int64_t n, const double *theta, const float *flux)
{
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < N; k++)
            if (flux[i * N + k] != expected(theta + 2 * i, k))
                return 0;
    return 1;
}

static anpe_status simulate(const subject *s, int64_t n, const double *theta, float *flux)
{
    return ((const anpe_simulator_ops *)s->c.ops)->simulate(s->c.self, ctx, n, theta, flux, NULL);
}

static void test_describes_itself(void)
{
    subject s;
    anpe_simulator_info info = {0};
    WORKS(open_pipe("\"good\"", "", &s));
    ((const anpe_simulator_ops *)s.c.ops)->info(s.c.self, &info);
    CU_ASSERT_EQUAL(info.n_labels, 2);
    CU_ASSERT_STRING_EQUAL(info.labels[1].name, "b");
    CU_ASSERT_STRING_EQUAL(info.labels[0].unit, "");
    CU_ASSERT_STRING_EQUAL(info.labels[1].unit, "km/s");
    CU_ASSERT_EQUAL(info.labels[1].max, 1);
    CU_ASSERT_EQUAL(info.n_pixels, N);
    CU_ASSERT_EQUAL(info.wavelength[9], 5009);
    CU_ASSERT_EQUAL(info.resolution, 1000.5);
    CU_ASSERT(info.normalised && !info.on_grid && !info.scatter);
    subject_clear(&s);
}

static void test_spectra(void)
{
    static const char *const how[] = {"\"good\"", "\"talks\""};
    for (int m = 0; m < 2; m++) {
        subject s;
        enum { MANY = 3000 }; /* more than the streams hold at once */
        double *theta = calloc(2 * MANY, sizeof *theta);
        float *flux = calloc(N * MANY, sizeof *flux);
        WORKS(open_pipe(how[m], "", &s));
        for (int i = 0; i < 2 * MANY; i++)
            theta[i] = (double)i / (2 * MANY);
        for (int64_t n = 1; n <= MANY; n *= 50) {
            WORKS(subject_simulate(&s, n, theta, flux));
            CU_ASSERT(right(n, theta, flux));
        }
        WORKS(subject_simulate(&s, MANY, theta, flux));
        CU_ASSERT(right(MANY, theta, flux));
        subject_clear(&s);
        free(theta);
        free(flux);
    }
}

typedef struct job {
    const subject *s;
    anpe_ctx *ctx;
    int wrong, first;
} job;

static void *work(void *user)
{
    job *j = user;
    double theta[2 * 7];
    float flux[7 * N];
    for (int turn = 0; turn < 50; turn++) {
        for (int i = 0; i < 14; i++)
            theta[i] = ((turn * 14 + i + j->first) % 100) / 100.0;
        const anpe_simulator_ops *ops = j->s->c.ops;
        j->wrong |= ops->simulate(j->s->c.self, j->ctx, 7, theta, flux, NULL) != ANPE_OK;
        j->wrong |= !right(7, theta, flux);
    }
    return NULL;
}

/* More threads than programs: nobody gets another's spectra. */
static void test_threads(void)
{
    subject s;
    enum { T = 6 };
    pthread_t thread[T];
    job j[T];
    WORKS(open_pipe("\"good\"", "workers = 3;", &s));
    for (int t = 0; t < T; t++) {
        j[t] = (job){&s, anpe_ctx_child(ctx), 0, 17 * t};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[t], NULL, work, &j[t]), 0);
    }
    for (int t = 0; t < T; t++) {
        pthread_join(thread[t], NULL);
        CU_ASSERT(!j[t].wrong);
        anpe_ctx_free(j[t].ctx);
    }
    subject_clear(&s);
}

/* One request is lost with the program; the answer is had all the same. */
static void test_restart(void)
{
    subject s;
    char arguments[700];
    const double theta[4] = {0.5, 0.5, 0.25, 0.1};
    float flux[2 * N];
    snprintf(arguments, sizeof arguments, "\"once\", \"%s\"", in_scratch("once"));
    WORKS(open_pipe(arguments, "", &s));
    WORKS(simulate(&s, 2, theta, flux));
    CU_ASSERT(right(2, theta, flux));
    subject_clear(&s);
}

/* Three spectra of which the second kills the program, or holds it up: the message has its labels.
 */
static void test_names_the_labels(void)
{
    static const struct {
        const char *arguments, *more, *message;
        anpe_status status;
    } c[] = {
        {"\"crash\"", "",
         "pipe_program: the program was ended by signal 11: the table ends here; asked 2 times, at "
         "a = 0.95, b = 0.5",
         ANPE_EIO},
        {"\"refuse\"", "",
         "pipe_program: no such star (first labels of the request: a = 0.5, b = 0.25)",
         ANPE_EINVAL},
        {"\"nan\"", "", "pipe_program: value 0 of the spectrum at a = 0.95, b = 0.5 is nan",
         ANPE_ENUMERIC}};
    const double theta[6] = {0.5, 0.25, 0.95, 0.5, 0.1, 0.1};
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        subject s;
        float flux[3 * N];
        WORKS(open_pipe(c[i].arguments, c[i].more, &s));
        FAILS(simulate(&s, 3, theta, flux), c[i].status, c[i].message);
        WORKS(simulate(&s, 1, theta, flux)); /* and goes on */
        CU_ASSERT(right(1, theta, flux));
        subject_clear(&s);
    }
}

/* The same where it hangs. Whether the other spectra come in time is the machine's affair: the
 * patience is doubled until they do. */
static void test_names_the_one_that_hangs(void)
{
    const double theta[6] = {0.5, 0.25, 0.95, 0.5, 0.1, 0.1};
    float flux[3 * N];
    char more[40], expected[160];
    int done = 0;
    for (double seconds = 0.2; !done && seconds < 60; seconds *= 2) {
        subject s;
        snprintf(more, sizeof more, "timeout = %g;", seconds);
        snprintf(expected, sizeof expected,
                 "pipe_program: the program did not answer within %g s; asked 2 times, at "
                 "a = 0.95, b = 0.5",
                 seconds);
        WORKS(open_pipe("\"hang\"", more, &s));
        CU_ASSERT_EQUAL(simulate(&s, 3, theta, flux), ANPE_EIO);
        done = strstr(anpe_error(ctx), expected) && !simulate(&s, 1, theta, flux);
        CU_ASSERT(!done || right(1, theta, flux));
        subject_clear(&s);
    }
    CU_ASSERT(done);
}

static void test_refuses(void)
{
    subject s;
    float flux[N];
    char arguments[700];
    const double outside[2] = {0.5, 1.5}, inside[2] = {0.5, 0.5};
    WORKS(open_pipe("\"good\"", "", &s));
    FAILS(simulate(&s, 1, outside, flux), ANPE_EINVAL, "label b outside [0, 1]: 1.5");
    subject_clear(&s);
    WORKS(open_pipe("\"chatter\"", "", &s));
    FAILS(simulate(&s, 1, inside, flux), ANPE_EFORMAT, "was asked for 1 spectra and announces");
    subject_clear(&s);
    snprintf(arguments, sizeof arguments, "\"changes\", \"%s\"", in_scratch("changes"));
    WORKS(open_pipe(arguments, "", &s));
    unlink(in_scratch("changes"));
    FAILS(simulate(&s, 1, inside, flux), ANPE_EFORMAT, "says something else of itself");
    subject_clear(&s);
}

static void test_headers(void)
{
    static const char *const h[][2] = {
        {"hello\\n", "line 1 of its header is 'hello'; expected 'anpe-pipe 1'"},
        {"anpe-pipe 2\\n", "line 1 of its header is 'anpe-pipe 2'"},
        {"anpe-pipe 1\\nend\\n", "line 2 of its header is 'end'; expected a line 'label ...'"},
        {"anpe-pipe 1\\nlabel a - 0 1\\nend\\n", "expected a line 'pixels N' before it"},
        {"anpe-pipe 1\\nlabel a - 1 0\\nend\\n", "expected MIN below MAX"},
        {"anpe-pipe 1\\nlabel a - 0\\nend\\n", "expected label NAME UNIT MIN MAX"},
        {"anpe-pipe 1\\nlabel a - 0 1,5\\nend\\n", "expected label NAME UNIT MIN MAX"},
        {"anpe-pipe 1\\nlabel a - 0 1\\nlabel a - 0 1\\n", "expected each label once"},
        {"anpe-pipe 1\\npixels 0\\n", "expected pixels N, a whole number from 1"},
        {"anpe-pipe 1\\npixels 1e30\\n", "expected pixels N, a whole number from 1"},
        {"anpe-pipe 1\\npixel 7\\n", "line 2 of its header is 'pixel 7'; expected label, pixels"},
        {"anpe-pipe 1\\nnormalised 2\\n", "expected label, pixels"}};
    for (size_t i = 0; i < sizeof h / sizeof *h; i++) {
        subject s;
        char arguments[300];
        snprintf(arguments, sizeof arguments, "\"header\", \"%s\"", h[i][0]);
        FAILS(open_pipe(arguments, "", &s), ANPE_EFORMAT, h[i][1]);
    }
}

static void test_does_not_start(void)
{
    subject s;
    const anpe_simulator_setup setup = {.size = sizeof setup};
    FAILS(open_pipe("\"closes\"", "", &s), ANPE_EIO,
          "the program ended with status 3: no licence found, in its header");
    FAILS(open_pipe("\"header\", \"anpe\"", "start_timeout = 0.2;", &s), ANPE_EIO,
          "the program did not answer within 0.2 s, in its header");
    /* POSIX lets posix_spawn say by the status 127 that there is no program: so under valgrind */
    CU_ASSERT(subject_new(ANPE_SIMULATOR, &setup,
                          "plugin = \"pipe\"; command = [\"no-such-program\"];", &s) != ANPE_OK);
    CU_ASSERT(
        strstr(anpe_error(ctx), "the program cannot be started: no-such-program: No such file") ||
        strstr(anpe_error(ctx), "no-such-program: the program ended with status 127"));
    FAILS(subject_new(ANPE_SIMULATOR, &setup, "plugin = \"pipe\";", &s), ANPE_ECONFIG,
          "neither command nor program is given");
}

/* A configuration that a model holds starts nothing unless the user allows it. */
static void test_stored(void)
{
    char text[1200];
    anpe_settings *settings;
    anpe_component c;
    const anpe_simulator_setup setup = {.size = sizeof setup};
    snprintf(text, sizeof text, "it = { plugin = \"pipe\"; program = \"%s\"; };", program());
    WORKS(anpe_settings_parse(ctx, text, "model.h5", 0, NULL, &settings));
    anpe_settings_set_stored(settings);
    FAILS(anpe_component_new(ctx, settings, ANPE_SIMULATOR, "it", NULL, &setup, &c),
          ANPE_EUNSUPPORTED, "simulator 'pipe' starts a program that the model names");
    setenv("ANPE_ALLOW_PROGRAMS", "1", 1);
    WORKS(anpe_component_new(ctx, settings, ANPE_SIMULATOR, "it", NULL, &setup, &c));
    unsetenv("ANPE_ALLOW_PROGRAMS");
    anpe_component_clear(&c);
    anpe_settings_free(settings);
}

int main(int argc, char **argv)
{
    const CU_TestInfo tests[] = {{"describes itself", test_describes_itself},
                                 {"spectra", test_spectra},
                                 {"threads", test_threads},
                                 {"restart", test_restart},
                                 {"names the labels", test_names_the_labels},
                                 {"names the one that hangs", test_names_the_one_that_hangs},
                                 {"refuses", test_refuses},
                                 {"headers", test_headers},
                                 {"does not start", test_does_not_start},
                                 {"stored", test_stored}};
    return run_suite(argc, argv, "pipe", COUNT(tests), tests);
}
