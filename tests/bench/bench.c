/* bench [options] [GROUP...]: times of the paper's network (Zhang et al. 2023) and of what is
 * around it. tests/bench/run calls it with everything set up. */
#include <config.h>
#include "bench/bench.h"
#include <getopt.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { MAX_REPEATS = 101 };
static const double least_seconds = 0.01;

static const struct {
    const char *name;
    anpe_status (*run)(bench *b);
} groups[] = {{"operations", bench_operations},
              {"train", bench_train},
              {"featurize", bench_featurize},
              {"featurizers", bench_featurizers},
              {"flow", bench_flow},
              {"scaling", bench_scaling},
              {"emulator", bench_emulator},
              {"synthesis", bench_synthesis},
              {"pipeline", bench_pipeline},
              {"projection", bench_projection},
              {"likelihood", bench_likelihood},
              {"reading", bench_reading},
              {"survey", bench_survey},
              {"command", bench_command}};
enum { N_GROUPS = sizeof groups / sizeof groups[0] };

/* ---- measuring --------------------------------------------------------------------------- */

static double read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double bench_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(int n, double *v)
{
    qsort(v, (size_t)n, sizeof *v, ascending);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static double seconds(const bench *b, clockid_t clock, bench_fn *run, void *user)
{
    double t[MAX_REPEATS];
    run(user); /* touches the memory, wakes the threads */
    double start = read_clock(clock);
    run(user);
    const double once = read_clock(clock) - start;
    const int64_t loops = once < least_seconds ? (int64_t)(least_seconds / once) + 1 : 1;
    for (int r = 0; r < b->repeats; r++) {
        start = read_clock(clock);
        for (int64_t i = 0; i < loops; i++)
            run(user);
        t[r] = (read_clock(clock) - start) / (double)loops;
    }
    return bench_median(b->repeats, t);
}

double bench_seconds(const bench *b, bench_fn *run, void *user)
{
    return seconds(b, CLOCK_MONOTONIC, run, user);
}

double bench_core_seconds(const bench *b, bench_fn *run, void *user)
{
    return seconds(b, CLOCK_THREAD_CPUTIME_ID, run, user);
}

bench_pair bench_in_turn(const bench *b, bench_fn *first, bench_fn *second, void *user)
{
    double t[3][MAX_REPEATS];
    first(user), second(user);
    for (int r = 0; r < b->repeats; r++) {
        const double start = read_clock(CLOCK_THREAD_CPUTIME_ID);
        first(user);
        const double middle = read_clock(CLOCK_THREAD_CPUTIME_ID);
        second(user);
        t[0][r] = middle - start;
        t[1][r] = read_clock(CLOCK_THREAD_CPUTIME_ID) - middle;
        t[2][r] = t[0][r] / t[1][r];
    }
    return (bench_pair){bench_median(b->repeats, t[0]), bench_median(b->repeats, t[1]),
                        bench_median(b->repeats, t[2])};
}

void bench_fill(int64_t n, float *x)
{
    uint32_t state = 12345;
    for (int64_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(state >> 8) / 8388608.0f - 1;
    }
}

/* ---- reporting --------------------------------------------------------------------------- */

void bench_report(const bench *b, const char *name, double value, const char *unit, int threads,
                  double share, const char *shape, ...)
{
    char text[160];
    va_list ap;
    va_start(ap, shape);
    vsnprintf(text, sizeof text, shape, ap);
    va_end(ap);
    json_t *row =
        json_pack("{s:s, s:f, s:s, s:s, s:s, s:s, s:i, s:s}", "name", name, "value", value, "unit",
                  unit, "shape", text, "backend", b->component.plugin->name, "precision",
                  b->precision, "threads", threads, "machine", b->machine);
    if (row && isfinite(share))
        json_object_set_new(row, "share", json_real(share));
    if (row && json_dumpf(row, stdout, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(5)) == 0)
        putchar('\n');
    fflush(stdout);
    json_decref(row);
}

static void print_log(void *user, anpe_level level, const char *line)
{
    bench *b = user;
    static const char kernels[] = "openblas: kernels for ";
    const size_t used = strlen(b->machine);
    if (!strncmp(line, kernels, sizeof kernels - 1))
        snprintf(b->machine + used, sizeof b->machine - used, ", OpenBLAS kernels %s",
                 line + sizeof kernels - 1);
    if (level != ANPE_DEBUG)
        fprintf(stderr, "bench: %s\n", line);
}

static void describe_machine(bench *b)
{
    char line[256], model[128] = "";
    struct utsname u;
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && !model[0] && fgets(line, sizeof line, f))
        if (!strncmp(line, "model name", 10) && strchr(line, ':'))
            snprintf(model, sizeof model, "%.*s", (int)strcspn(strchr(line, ':') + 2, "\n"),
                     strchr(line, ':') + 2);
    if (f)
        fclose(f);
    if (!model[0] && uname(&u) == 0)
        snprintf(model, sizeof model, "%s", u.machine);
    snprintf(b->machine, sizeof b->machine, "%s, %ld cores", model, sysconf(_SC_NPROCESSORS_ONLN));
}

/* ---- the rates that shares refer to ------------------------------------------------------ */

enum { SIDE = 1024, COPY_BYTES = 1 << 26 };

typedef struct product {
    const bench *b;
    float *x, *y, *z;
} product;

static void multiply(void *user)
{
    const product *p = user;
    const anpe_backend backend = p->b->backend;
    backend.ops->sgemm(backend.self, 0, 0, SIDE, SIDE, SIDE, 1, p->x, SIDE, p->y, SIDE, 0, p->z,
                       SIDE);
}

static void copy(void *user)
{
    const product *p = user;
    memcpy(p->z, p->x, COPY_BYTES);
}

anpe_status bench_machine(bench *b)
{
    product p = {b, malloc(COPY_BYTES), malloc(COPY_BYTES), malloc(COPY_BYTES)};
    if (p.x && p.y && p.z) {
        bench_fill(COPY_BYTES / (int64_t)sizeof(float), p.x);
        bench_fill(SIDE * SIDE, p.y);
        b->sgemm = 2.0 * SIDE * SIDE * SIDE / bench_seconds(b, multiply, &p);
        b->copy = 2.0 * COPY_BYTES / bench_seconds(b, copy, &p);
        bench_report(b, "sgemm", b->sgemm * 1e-9, "GFLOP/s", 1, NAN, "%dx%dx%d", SIDE, SIDE, SIDE);
        bench_report(b, "memcpy", b->copy * 1e-9, "GB/s", 1, NAN, "%d bytes read and written",
                     COPY_BYTES);
    }
    const int good = p.x && p.y && p.z;
    free(p.x), free(p.y), free(p.z);
    return good ? ANPE_OK : ANPE_FAIL(b->ctx, ANPE_ENOMEM, "out of memory");
}

/* ---- main -------------------------------------------------------------------------------- */

static int usage(void)
{
    fprintf(stderr,
            "usage: bench [--threads N] [--repeats N] [--batch N] [--micro-batch N]\n"
            "             [--backend NAME] [--precision float|bfloat16]\n"
            "             [--emulator FILE] [--likelihood FILE] [--program ANPE --config FILE\n"
            "             --directory DIR --spectrum FILE ...] [--survey FILE ...]\n"
            "             [--synthesis CONFIG ...] [--model FILE --mock FILE\n"
            "             --mocks FILE --star FILE ...] "
            "[GROUP...]\ngroups:");
    for (int i = 0; i < N_GROUPS; i++)
        fprintf(stderr, " %s", groups[i].name);
    fprintf(stderr, "\n");
    return 2;
}

static int number(const char *text, int least, int most)
{
    char *end;
    const long n = strtol(text, &end, 10);
    if (*end || end == text || n < least || n > most) {
        fprintf(stderr, "bench: '%s' is not a number from %d to %d\n", text, least, most);
        exit(2);
    }
    return (int)n;
}

/* An option: a number up to `most`, one text, or texts and where their number is. */
typedef struct option_place {
    const char *name;
    int *number, most;
    const char **text;
    char **texts;
    int *n_texts;
} option_place;
enum { MOST_OPTIONS = 20 };

static int read_options(bench *b, int argc, char **argv)
{
    const option_place places[] = {
        {"threads", &b->threads, 1024, NULL, NULL, NULL},
        {"repeats", &b->repeats, MAX_REPEATS, NULL, NULL, NULL},
        {"batch", &b->batch, 4096, NULL, NULL, NULL},
        {"micro-batch", &b->micro, 4096, NULL, NULL, NULL},
        {"backend", NULL, 0, &b->backend_name, NULL, NULL},
        {"precision", NULL, 0, &b->precision, NULL, NULL},
        {"emulator", NULL, 0, &b->emulator, NULL, NULL},
        {"likelihood", NULL, 0, &b->likelihood, NULL, NULL},
        {"program", NULL, 0, &b->program, NULL, NULL},
        {"config", NULL, 0, &b->config, NULL, NULL},
        {"model", NULL, 0, &b->model, NULL, NULL},
        {"mock", NULL, 0, &b->mock, NULL, NULL},
        {"mocks", NULL, 0, &b->mocks, NULL, NULL},
        {"directory", NULL, 0, &b->directory, NULL, NULL},
        {"spectrum", NULL, 0, NULL, b->spectra, &b->n_spectra},
        {"survey", NULL, 0, NULL, b->surveys, &b->n_surveys},
        {"synthesis", NULL, 0, NULL, b->syntheses, &b->n_syntheses},
        {"star", NULL, 0, NULL, b->stars, &b->n_stars},
    };
    struct option options[MOST_OPTIONS] = {{0}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        options[i] = (struct option){places[i].name, required_argument, NULL, (int)i};
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == '?')
            return usage();
        const option_place *at = &places[o];
        if (at->number)
            *at->number = number(optarg, 1, at->most);
        else if (at->text)
            *at->text = optarg;
        else
            at->texts[(*at->n_texts)++] = optarg;
    }
    for (int i = optind; i < argc; i++) {
        int g = 0;
        while (g < N_GROUPS && strcmp(groups[g].name, argv[i]))
            g++;
        if (g == N_GROUPS)
            return usage();
    }
    return 0;
}

static anpe_number precision_of(const bench *b)
{
    return strcmp(b->precision, "bfloat16") ? ANPE_NUMBER_FLOAT : ANPE_NUMBER_BFLOAT16;
}

static anpe_status run(bench *b, int argc, char **argv)
{
    anpe_status status;
    ANPE_TRY(anpe_settings_parse(b->ctx, "", "bench", 0, NULL, &b->settings));
    ANPE_TRY(anpe_backend_open(b->ctx, b->settings, b->backend_name, precision_of(b), &b->component,
                               &b->backend));
    ANPE_TRY(bench_machine(b));
    for (int g = 0; g < N_GROUPS; g++) {
        int wanted = optind == argc;
        for (int i = optind; i < argc; i++)
            wanted |= !strcmp(groups[g].name, argv[i]);
        if (wanted)
            ANPE_TRY(groups[g].run(b));
    }
out:
    return status;
}

int main(int argc, char **argv)
{
    bench b = {.ctx = anpe_ctx_new(), .threads = 2, .repeats = 5, .batch = 16, .micro = 8};
    b.backend_name = "openblas";
    b.precision = "float";
    b.spectra = calloc((size_t)argc, sizeof *b.spectra);
    b.surveys = calloc((size_t)argc, sizeof *b.surveys);
    b.syntheses = calloc((size_t)argc, sizeof *b.syntheses);
    b.stars = calloc((size_t)argc, sizeof *b.stars);
    if (!b.ctx || !b.spectra || !b.surveys || !b.syntheses || !b.stars)
        return EXIT_FAILURE;
    const int wrong = read_options(&b, argc, argv);
    if (wrong)
        return wrong;
    describe_machine(&b);
    anpe_ctx_set_log(b.ctx, print_log, &b);
    const anpe_status status = run(&b, argc, argv);
    if (status)
        fprintf(stderr, "bench: %s\n", anpe_error(b.ctx));
    anpe_component_clear(&b.component);
    anpe_settings_free(b.settings);
    anpe_ctx_free(b.ctx);
    free(b.spectra);
    free(b.surveys);
    free(b.syntheses);
    free(b.stars);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
