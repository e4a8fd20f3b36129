/* A survey: `anpe infer` with a shipped model, 1000 draws of each spectrum, which are not kept,
 * from mocks in HDF5 and from the survey's own files. Processor time in user mode, which other
 * loads of the machine move least; that of a single spectrum, start-up included, is taken off. */
#include <config.h>
#include "bench/bench.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N_FILES = 64, MOST_REPEATS = 101 };

/* Runs a command with its output thrown away: seconds in user mode. */
static anpe_status run(const bench *b, char *const *argv, double *seconds)
{
    struct rusage used;
    int how;
    const pid_t child = fork();
    if (child == 0) {
        const int null = open("/dev/null", O_WRONLY);
        if (null >= 0) {
            dup2(null, STDOUT_FILENO);
            dup2(null, STDERR_FILENO);
        }
        execv(argv[0], argv);
        _exit(127);
    }
    if (child < 0 || wait4(child, &how, 0, &used) != child)
        return ANPE_FAIL(b->ctx, ANPE_EIO, "cannot run %s", argv[0]);
    if (!WIFEXITED(how) || WEXITSTATUS(how) != 0)
        return ANPE_FAIL(b->ctx, ANPE_EIO, "%s %s failed", argv[0], argv[1]);
    *seconds = (double)used.ru_utime.tv_sec + 1e-6 * (double)used.ru_utime.tv_usec;
    return ANPE_OK;
}

/* Inference of the spectra that a list names, n in all, against that of the first one's: seconds of
 * each further spectrum, median. */
static anpe_status measure(const bench *b, const char *list, const char *first, int n,
                           double *seconds)
{
    char model[1024], catalogue[1024], files[1024], one[1024], threads[16];
    double t[MOST_REPEATS], alone;
    anpe_status status = ANPE_OK;
    snprintf(model, sizeof model, "%s", b->model);
    snprintf(catalogue, sizeof catalogue, "%s/survey.fits", b->directory);
    snprintf(files, sizeof files, "%s", list);
    snprintf(one, sizeof one, "%s", first);
    snprintf(threads, sizeof threads, "%d", b->threads);
    char *program = (char *)(uintptr_t)b->program;
    char *const all[] = {program,   "infer",   model,       "--list", files, "-o",
                         catalogue, "--quiet", "--threads", threads,  NULL};
    char *const single[] = {program,   "infer",   model,       one,     "-o",
                            catalogue, "--quiet", "--threads", threads, NULL};
    for (int r = 0; r < b->repeats && !status; r++) {
        status = run(b, single, &alone);
        if (!status)
            status = run(b, all, &t[r]);
        t[r] = (t[r] - alone) / (n - 1);
    }
    *seconds = status ? NAN : bench_median(b->repeats, t);
    return status;
}

/* A list of n lines, files over and over. */
static anpe_status write_list(const bench *b, const char *path, int n, char *const *files,
                              int n_files)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return ANPE_FAIL(b->ctx, ANPE_EIO, "cannot write %s", path);
    for (int i = 0; i < n; i++)
        fprintf(f, "%s\n", files[i % n_files]);
    return fclose(f) ? ANPE_FAIL(b->ctx, ANPE_EIO, "cannot write %s", path) : ANPE_OK;
}

anpe_status bench_survey(bench *b)
{
    char list[1024], *mocks = (char *)(uintptr_t)b->mocks;
    double t;
    anpe_status status;
    if (!b->program || !b->directory || !b->model || !b->mock || !b->mocks) {
        fprintf(stderr, "bench: survey skipped: no --program, --directory, --model, --mock and "
                        "--mocks\n");
        return ANPE_OK;
    }
    snprintf(list, sizeof list, "%s/survey.txt", b->directory);
    ANPE_TRY(write_list(b, list, 1, &mocks, 1));
    ANPE_TRY(measure(b, list, b->mock, BENCH_MOCKS, &t));
    bench_report(b, "survey", b->threads / t, "spectra/s", b->threads, NAN,
                 "HDF5, 1000 draws, user time on as many cores");
    if (b->n_stars) {
        ANPE_TRY(write_list(b, list, N_FILES, b->stars, b->n_stars));
        ANPE_TRY(measure(b, list, b->stars[0], N_FILES, &t));
        bench_report(b, "survey", b->threads / t, "spectra/s", b->threads, NAN,
                     "apStar, 1000 draws, user time on as many cores");
    }
out:
    return status;
}
