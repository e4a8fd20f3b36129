/* The command from process start to process end: start-up, one training step of a model of the
 * paper's size with the memory it takes, a first and every further spectrum of `anpe infer`. */
#include <config.h>
#include "bench/bench.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 64, MORE = 8 };

/* Runs a command with its output thrown away: wall-clock seconds, KiB resident at most. */
static anpe_status run(const bench *b, char *const *argv, double *seconds, double *kib)
{
    struct rusage used;
    int how;
    const double start = bench_now();
    const pid_t child = fork();
    if (child == 0) {
        const int null = open("/dev/null", O_WRONLY);
        if (null >= 0)
            dup2(null, STDOUT_FILENO);
        execv(argv[0], argv);
        _exit(127);
    }
    if (child < 0 || wait4(child, &how, 0, &used) != child)
        return ANPE_FAIL(b->ctx, ANPE_EIO, "cannot run %s", argv[0]);
    *seconds = bench_now() - start;
    *kib = (double)used.ru_maxrss;
    if (!WIFEXITED(how) || WEXITSTATUS(how) != 0)
        return ANPE_FAIL(b->ctx, ANPE_EIO, "%s %s failed", argv[0], argv[1]);
    return ANPE_OK;
}

static anpe_status median_run(const bench *b, char *const *argv, double *seconds)
{
    double t[128], kib;
    anpe_status status = run(b, argv, seconds, &kib); /* files into the cache */
    for (int r = 0; !status && r < b->repeats; r++)
        status = run(b, argv, &t[r], &kib);
    *seconds = status ? NAN : bench_median(b->repeats, t);
    return status;
}

/* `anpe infer` of n spectra, the given ones over and over. */
static anpe_status infer(const bench *b, char *model, char *threads, int n, double *seconds)
{
    char catalogue[1024];
    char *argv[MAX_ARGUMENTS] = {(char *)(uintptr_t)b->program, "infer", model};
    int used = 3;
    snprintf(catalogue, sizeof catalogue, "%s/bench.fits", b->directory);
    for (int i = 0; i < n; i++)
        argv[used++] = b->spectra[i % b->n_spectra];
    char *const rest[] = {"-o", catalogue, "--samples", "1000", "--quiet", "--threads", threads};
    memcpy(argv + used, rest, sizeof rest);
    return median_run(b, argv, seconds);
}

anpe_status bench_command(bench *b)
{
    char model[1024], threads[16], backend[96], precision[96];
    double t, kib, one, more;
    anpe_status status;
    if (!b->program || !b->config || !b->directory || !b->n_spectra) {
        fprintf(stderr, "bench: command skipped: no --program, --config, --directory and "
                        "--spectrum\n");
        return ANPE_OK;
    }
    snprintf(model, sizeof model, "%s/paper.h5", b->directory);
    snprintf(threads, sizeof threads, "%d", b->threads);
    snprintf(backend, sizeof backend, "compute.backend=%s", b->backend_name);
    snprintf(precision, sizeof precision, "compute.precision=%s", b->precision);
    char *program = (char *)(uintptr_t)b->program, *config = (char *)(uintptr_t)b->config;
    char *const version[] = {program, "--version", NULL};
    char *const train[] = {program, "train", config,  "-o",    model,     "--quiet", "--threads",
                           threads, "--set", backend, "--set", precision, NULL};
    ANPE_TRY(median_run(b, version, &t));
    bench_report(b, "start-up", 1e3 * t, "ms", 1, NAN, "anpe --version");
    ANPE_TRY(run(b, train, &t, &kib));
    bench_report(b, "memory of training", kib / 1024, "MiB", b->threads, NAN,
                 "batch 64, one step of %s", b->config);
    ANPE_TRY(infer(b, model, threads, 1, &one));
    ANPE_TRY(infer(b, model, threads, 1 + MORE, &more));
    bench_report(b, "anpe infer", 1e3 * one, "ms", b->threads, NAN, "1 spectrum, 1000 draws");
    bench_report(b, "each further spectrum", 1e3 * (more - one) / MORE, "ms", b->threads, NAN,
                 "%d more, 1000 draws each", MORE);
out:
    return status;
}
