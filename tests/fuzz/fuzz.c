/* fuzz [--seal] [--seed S] [--seconds T] [--first I] [--only I] FILE N DIRECTORY: FILE, a model or
 * an emulator, is altered N times, each time at random in another way, and opened each time by a
 * process of its own, which reads all that anpe reads of such a file.
 *
 * --seal: the seal of the altered file is made true again, so that HDF5 sees the damage, as it
 * would that of somebody who wants harm. An end by a signal, a sanitizer's report or T seconds of
 * its own computing time are faults; so is any file that opens although its seal is not renewed.
 * What libhdf5 itself does not survive, or does not come back from (a signal with a function of
 * that library nearest to it), is counted apart: anpe cannot mend it, and its seal and the
 * signatures of the zoo stand before it. The last line is "N altered: O opened, R refused, H
 * signals inside libhdf5, F faults". --first I begins with alteration I, so that a long series can
 * be cut into pieces; --only I makes alteration I alone, and leaves the file in DIRECTORY. */
#include <config.h>
#include "base/context.h"
#include "file/hdf5_file.h"
#include "file/seal.h"
#include "model/model.h"
#include "posterior/session.h"
#include "validate/record.h"
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OPENED = 0, REFUSED = 10, IN_HDF5 = 11 };

/* ---- alterations ------------------------------------------------------------------------- */

static uint64_t state;

static uint64_t draw(void) /* splitmix64 */
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static size_t below(size_t n)
{
    return (size_t)(draw() % n);
}

/* Numbers that sizes, counts and addresses go wrong with. */
static const uint64_t odd[] = {0,          1,          2,           0x7f,         0x80,
                               0xff,       0x7fff,     0xffff,      0x7fffffff,   0x80000000u,
                               0xffffffff, 1ull << 40, 1ull << 62,  1ull << 63,   UINT64_MAX,
                               512,        0x10000,    0xfffffffeu, 0x1ffffffffu, 8};

static void alter_once(unsigned char *bytes, size_t *n, size_t first)
{
    const size_t at = first + below(*n - first), left = *n - at;
    const uint64_t number = odd[below(sizeof odd / sizeof *odd)];
    size_t length = (size_t)1 << below(4); /* 1, 2, 4, 8 bytes */
    length = length < left ? length : left;
    switch (below(8)) {
    case 0:
    case 1:
        bytes[at] ^= (unsigned char)(1u << below(8));
        break;
    case 2:
        bytes[at] = (unsigned char)draw();
        break;
    case 3:
    case 4:
        memcpy(bytes + at, &number, length);
        break;
    case 5: /* a piece of the file in another place */
        length = 1 + below(left < 64 ? left : 64);
        memmove(bytes + at, bytes + first + below(*n - first - length + 1), length);
        break;
    case 6:
        length = 1 + below(left < 512 ? left : 512);
        memset(bytes + at, draw() & 1 ? 0 : 255, length);
        break;
    default: /* cut short, seldom */
        if (below(8) == 0)
            *n = first + 1 + below(*n - first - 1);
        else
            bytes[at]++;
    }
}

static void alter(unsigned char *bytes, size_t *n, size_t first)
{
    for (size_t k = 1 + below(6); k > 0; k--)
        alter_once(bytes, n, first);
}

/* ---- one file, in a process of its own --------------------------------------------------- */

#ifndef ANPE_SANITIZE
/* Whose function was it? The nearest to the signal that is neither the C library's nor ours here.
 */
static void on_signal(int number)
{
    void *frame[64];
    Dl_info info;
    const int n = backtrace(frame, 64);
    for (int i = 1; i < n; i++) {
        if (!dladdr(frame[i], &info) || !info.dli_fname)
            continue;
        if (strstr(info.dli_fname, "/libhdf5"))
            _exit(IN_HDF5);
        if (strstr(info.dli_fname, "libanpe") || strstr(info.dli_fname, "/plugins/"))
            break;
    }
    signal(number, SIG_DFL);
    raise(number);
}

static void catch_signals(void)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU};
    static char room[1 << 16]; /* a stack that has run over is no place to stand on */
    void *warm[4];
    stack_t stack = {.ss_sp = room, .ss_size = sizeof room};
    (void)backtrace(warm, 4); /* loads what it needs */
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_NODEFER};
        sigaction(fatal[i], &action, NULL);
    }
}
#endif

/* What a sanitizer's own handler is for stays its. */
static void limit(int64_t seconds)
{
    const struct rlimit time = {(rlim_t)seconds, (rlim_t)seconds + 1}, none = {0, 0};
    setrlimit(RLIMIT_CPU, &time);
    setrlimit(RLIMIT_CORE, &none);
#ifndef ANPE_SANITIZE
    const struct rlimit memory = {(rlim_t)4 << 30, (rlim_t)4 << 30};
    setrlimit(RLIMIT_AS, &memory);
    catch_signals();
#endif
}

static anpe_status read_model(anpe_ctx *ctx, const char *path)
{
    anpe_model *model = NULL;
    anpe_model_file f;
    anpe_validation *v = NULL;
    anpe_status status = anpe_model_file_open(ctx, path, &f);
    if (status)
        return status;
    status = anpe_validation_read(ctx, f.h5, &v);
    anpe_validation_free(v);
    anpe_model_file_close(&f);
    if (!status)
        status = anpe_model_open(ctx, path, &model);
    anpe_model_close(model);
    return status;
}

static anpe_status read_emulator(anpe_ctx *ctx, const char *path)
{
    static const char *const attributes[] = {"format", "kind", "labels", "units", "grid"};
    anpe_h5 *f;
    anpe_status status = anpe_h5_open(ctx, path, &f);
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes && !status; i++) {
        int64_t n;
        char **texts;
        status = anpe_h5_get_texts(ctx, f, "/", attributes[i], &n, &texts);
        if (!status)
            anpe_h5_texts_free(n, texts);
    }
    anpe_h5_abandon(f);
    static const char *const arrays[] = {"coefficients", "exponents", "pivots",     "scales",
                                         "x_min",        "x_max",     "domain_min", "wavelength"};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays && !status; i++) {
        double *v = NULL;
        int rank;
        int64_t shape[4];
        (void)!anpe_array_read(ctx, path, arrays[i], &v, &rank, shape); /* it need not be there */
        free(v);
    }
    return status;
}

static int open_altered(anpe_ctx *ctx, const char *path, int is_model)
{
    return (is_model ? read_model(ctx, path) : read_emulator(ctx, path)) ? REFUSED : OPENED;
}

/* ---- many -------------------------------------------------------------------------------- */

typedef struct job {
    const char *file, *altered;
    unsigned char *bytes, *work;
    size_t size;
    int seal, is_model;
    int64_t seconds, first, only; /* only < 0: all from the first */
    uint64_t seed;
    int64_t opened, refused, hdf5, faults;
} job;

static int write_altered(const job *j, size_t n)
{
    const int fd = open(j->altered, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int good = fd >= 0 && write(fd, j->work, n) == (ssize_t)n;
    if (fd >= 0)
        close(fd);
    return good;
}

static void judge(job *j, int64_t i, int ended)
{
    const int code = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
    const int opened = code == OPENED;
    j->opened += opened;
    j->refused += code == REFUSED;
    j->hdf5 += code == IN_HDF5;
    if (code == REFUSED || code == IN_HDF5 || (opened && j->seal))
        return;
    j->faults++;
    if (WIFSIGNALED(ended))
        printf("fault: alteration %" PRId64 " of seed %" PRIu64 ": %s\n", i, j->seed,
               strsignal(WTERMSIG(ended)));
    else
        printf("fault: alteration %" PRId64 " of seed %" PRIu64 ": %s (status %d)\n", i, j->seed,
               opened ? "opened, though its seal does not fit" : "a report", code);
}

static int try_one(job *j, anpe_ctx *ctx, int64_t i)
{
    int ended;
    size_t n = j->size;
    state = j->seed + (uint64_t)i * UINT64_C(0x2545f4914f6cdd1d);
    memcpy(j->work, j->bytes, n);
    alter(j->work, &n, j->seal ? ANPE_SEAL_BYTES : 0);
    if (n == j->size && !memcmp(j->work, j->bytes, n)) { /* a byte for the same byte */
        j->refused++;
        return 1;
    }
    if (!write_altered(j, n))
        return 0;
    if (j->seal && anpe_seal_write(ctx, j->altered, j->altered))
        return 0;
    fflush(stdout);
    const pid_t child = fork();
    if (child < 0)
        return 0;
    if (child == 0) {
        limit(j->seconds);
        _exit(open_altered(ctx, j->altered, j->is_model));
    }
    if (waitpid(child, &ended, 0) != child)
        return 0;
    judge(j, i, ended);
    return 1;
}

static int read_file(job *j)
{
    struct stat st;
    FILE *f = fopen(j->file, "rb");
    if (!f || fstat(fileno(f), &st) || st.st_size <= ANPE_SEAL_BYTES + 1)
        return 0;
    j->size = (size_t)st.st_size;
    j->bytes = malloc(j->size);
    j->work = malloc(j->size);
    const int good = j->bytes && j->work && fread(j->bytes, 1, j->size, f) == j->size;
    fclose(f);
    return good;
}

/* As it is, it must open: and with it the plugins, once for all that follow. */
static int prepare(job *j, anpe_ctx *ctx)
{
    anpe_h5 *f;
    char *format = NULL;
    if (anpe_h5_open(ctx, j->file, &f))
        return 0;
    if (!anpe_h5_get_text(ctx, f, "/", "format", &format))
        j->is_model = !strcmp(format, "anpe model");
    anpe_h5_abandon(f);
    free(format);
    return open_altered(ctx, j->file, j->is_model) == OPENED;
}

static int run(job *j, int64_t n, const char *directory)
{
    char altered[4096];
    anpe_ctx *ctx = anpe_ctx_new();
    int good = ctx != NULL;
    snprintf(altered, sizeof altered, "%s/altered-%ld.h5", directory, (long)getpid());
    j->altered = altered;
    if (good && (!read_file(j) || !prepare(j, ctx))) {
        fprintf(stderr, "fuzz: %s: %s\n", j->file, anpe_error(ctx));
        good = 0;
    }
    const int64_t from = j->only < 0 ? j->first : j->only, many = j->only < 0 ? n : 1;
    for (int64_t i = from; i < from + many && good; i++)
        good = try_one(j, ctx, i);
    if (j->only < 0)
        unlink(altered);
    printf("%" PRId64 " altered: %" PRId64 " opened, %" PRId64 " refused, %" PRId64
           " signals inside libhdf5, %" PRId64 " faults\n",
           j->opened + j->refused + j->hdf5 + j->faults, j->opened, j->refused, j->hdf5, j->faults);
    anpe_ctx_free(ctx);
    free(j->bytes);
    free(j->work);
    return good && !j->faults ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    job j = {.seconds = 20, .seed = 1, .only = -1};
    int i = 1;
    for (; i < argc && !strncmp(argv[i], "--", 2); i++) {
        if (!strcmp(argv[i], "--seal"))
            j.seal = 1;
        else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            j.seed = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--seconds") && i + 1 < argc)
            j.seconds = strtoll(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--first") && i + 1 < argc)
            j.first = strtoll(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--only") && i + 1 < argc)
            j.only = strtoll(argv[++i], NULL, 10);
    }
    if (argc - i != 3) {
        fprintf(stderr, "usage: fuzz [--seal] [--seed S] [--seconds T] [--first I] [--only I] FILE "
                        "N DIRECTORY\n");
        return 2;
    }
    j.file = argv[i];
    return run(&j, strtoll(argv[i + 1], NULL, 10), argv[i + 2]);
}
