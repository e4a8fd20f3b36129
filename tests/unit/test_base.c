/* Context, text helpers, digests, random streams, workers. */
#include <config.h>
#include "base_support.h"
#include "base/digest.h"
#include "base/linear.h"
#include "base/random.h"
#include "base/text.h"
#include "base/workers.h"

#include <math.h>
#if defined __SSE2__
#include <xmmintrin.h>
#endif

/* ---- context ----------------------------------------------------------------------------- */

static void test_error_slot(void)
{
    int line;
    CU_ASSERT_EQUAL(ANPE_FAIL(ctx, ANPE_EIO, "%s: %d", "a", 3), ANPE_EIO);
    const int here = __LINE__ - 1;
    CU_ASSERT_STRING_EQUAL(anpe_error(ctx), "a: 3");
    CU_ASSERT_STRING_EQUAL(anpe_error_file(ctx, &line), __FILE__);
    CU_ASSERT_EQUAL(line, here);
    CU_ASSERT_EQUAL(anpe_fail_prefix(ctx, ANPE_EIO, "star %d", 7), ANPE_EIO);
    CU_ASSERT_STRING_EQUAL(anpe_error(ctx), "star 7: a: 3");
    /* the old message may be an argument of the new one */
    (void)ANPE_FAIL(ctx, ANPE_EIO, "again: %s", anpe_error(ctx));
    CU_ASSERT_STRING_EQUAL(anpe_error(ctx), "again: star 7: a: 3");
    anpe_ctx *child = anpe_ctx_child(ctx);
    CU_ASSERT_PTR_NOT_NULL_FATAL(child);
    CU_ASSERT_STRING_EQUAL(anpe_error(child), "");
    CU_ASSERT_EQUAL(anpe_ctx_take_error(child, ctx), ANPE_EIO);
    CU_ASSERT_STRING_EQUAL(anpe_error(child), anpe_error(ctx));
    anpe_ctx_free(child);
    CU_ASSERT_EQUAL(ANPE_FAIL(NULL, ANPE_EIO, "nobody listens"), ANPE_EIO);
    CU_ASSERT_PTR_NULL(anpe_ctx_free(NULL));
}

static void test_long_message(void)
{
    char *text = malloc(10001);
    memset(text, 'x', 10000);
    text[10000] = 0;
    (void)ANPE_FAIL(ctx, ANPE_EINVAL, "%s", text);
    const size_t n = strlen(anpe_error(ctx));
    CU_ASSERT(n > 1000 && n < 10000);
    (void)anpe_fail_prefix(ctx, ANPE_EINVAL, "%s", text);
    CU_ASSERT(strlen(anpe_error(ctx)) >= n);
    free(text);
}

static void test_status_text(void)
{
    CU_ASSERT_STRING_EQUAL(anpe_status_name(ANPE_EIO), "ANPE_EIO");
    CU_ASSERT_STRING_EQUAL(anpe_status_text(ANPE_EIO), "cannot read or write a file");
    CU_ASSERT_STRING_EQUAL(anpe_status_name((anpe_status)99), "unknown status");
    char why[64];
    CU_ASSERT_STRING_EQUAL(anpe_errno_text(2, why, sizeof why), "No such file or directory");
}

typedef struct heard {
    char line[128];
    anpe_level level;
    double done, total;
} heard;

static void hear_line(void *user, anpe_level level, const char *line)
{
    heard *h = user;
    h->level = level;
    snprintf(h->line, sizeof h->line, "%s", line);
}

static void hear_progress(void *user, const char *what, double done, double total)
{
    heard *h = user;
    snprintf(h->line, sizeof h->line, "%s", what);
    h->done = done;
    h->total = total;
}

static void test_sinks(void)
{
    heard h = {{0}, ANPE_DEBUG, 0, 0};
    anpe_ctx *parent = anpe_ctx_new(), *child = anpe_ctx_child(parent);
    anpe_log(child, ANPE_WARNING, "nobody listens");
    anpe_progress(child, "nobody", 1, 2);
    anpe_ctx_set_log(parent, hear_line, &h);
    anpe_ctx_set_progress(parent, hear_progress, &h);
    anpe_log(child, ANPE_WARNING, "%d of %d", 1, 2);
    CU_ASSERT_STRING_EQUAL(h.line, "1 of 2");
    CU_ASSERT_EQUAL(h.level, ANPE_WARNING);
    anpe_progress(child, "train", 3, 4);
    CU_ASSERT(!strcmp(h.line, "train") && h.done == 3 && h.total == 4);
    CU_ASSERT_EQUAL(anpe_cancelled(child), 0);
    anpe_ctx_cancel(parent);
    CU_ASSERT_EQUAL(anpe_cancelled(child), 1);
    anpe_ctx_free(child);
    anpe_ctx_free(parent);
}

static void test_memory(void)
{
    unsigned char *p = anpe_alloc(ctx, 1000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT_EQUAL((uintptr_t)p % 64, 0);
    int sum = 0;
    for (int i = 0; i < 1000; i++)
        sum += p[i];
    CU_ASSERT_EQUAL(sum, 0);
    anpe_free(p);
    CU_ASSERT_PTR_NULL(anpe_alloc(ctx, SIZE_MAX));
    expect_message("out of memory: 17592186044416.0 MiB for arrays");
    anpe_free(anpe_alloc(ctx, 0));
    anpe_free(NULL);
}

/* All zero, also of length 0; lengths that are no size are refused by name, whatever beside. */
static void test_new(void)
{
    struct {
        double *flux;
    } star = {NULL};
    const int64_t huge = INT64_MAX / 4;
    CU_ASSERT_EQUAL(ANPE_NEW(ctx, star.flux, 2, 3), ANPE_OK);
    for (int i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(star.flux[i], 0);
    free(star.flux);
    CU_ASSERT_EQUAL(ANPE_NEW(ctx, star.flux, 0), ANPE_OK);
    CU_ASSERT_PTR_NOT_NULL(star.flux);
    free(star.flux);
    CU_ASSERT_EQUAL(ANPE_NEW(ctx, star.flux, (int64_t)1 << 40, (int64_t)1 << 12), ANPE_ENOMEM);
    CU_ASSERT_PTR_NULL(star.flux);
    expect_message("out of memory: 34359738368.0 MiB for flux (1099511627776, 4096)");
    CU_ASSERT_EQUAL(ANPE_NEW(ctx, star.flux, huge, huge, 0), ANPE_ENOMEM); /* 0 hides nothing */
    CU_ASSERT_EQUAL(ANPE_NEW(ctx, star.flux, -1), ANPE_ENOMEM);
    CU_ASSERT_PTR_NULL(star.flux);
}

static void test_grow(void)
{
    int64_t room = 0, before = 0;
    int *list = NULL;
    for (int i = 0; i < 1000; i++) {
        CU_ASSERT_EQUAL_FATAL(ANPE_GROW(ctx, list, room, i + 1), ANPE_OK);
        CU_ASSERT(room > i && (room == before || room >= 2 * before));
        CU_ASSERT_EQUAL(list[room - 1], 0);
        before = room;
        list[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        CU_ASSERT_EQUAL(list[i], i);
    CU_ASSERT_EQUAL(ANPE_GROW(ctx, list, room, INT64_MAX - 1), ANPE_ENOMEM);
    expect_message("out of memory: 35184372088832.0 MiB for list");
    CU_ASSERT(room == before && list[999] == 999);
    free(list);
}

/* ---- text -------------------------------------------------------------------------------- */

static void test_nearest(void)
{
    static const char *const names[] = {"payne", "cannon", "lines", "array", "x"};
    static const struct {
        const char *word, *near;
    } cases[] = {{"pyne", "payne"}, {"apyne", "payne"}, {"canon", "cannon"}, {"line", "lines"},
                 {"zzzzz", NULL},   {"", NULL},         {"q", NULL},         {"arary", "array"}};
    char hint[64];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *near = anpe_text_nearest(cases[i].word, 5, names);
        CU_ASSERT(near == cases[i].near || (near && cases[i].near && !strcmp(near, cases[i].near)));
    }
    CU_ASSERT_STRING_EQUAL(anpe_text_hint(hint, sizeof hint, "pyne", 5, names),
                           "; did you mean 'payne'?");
    CU_ASSERT_STRING_EQUAL(anpe_text_hint(hint, sizeof hint, "zzzzz", 5, names), "");
    CU_ASSERT_STRING_EQUAL(anpe_text_hint(hint, 8, "pyne", 5, names), "; did y");
    CU_ASSERT_PTR_NULL(anpe_text_nearest("word", 0, NULL));
}

static void test_growing_text(void)
{
    anpe_text t = {0};
    for (int i = 0; i < 1000; i++)
        anpe_text_add(&t, "%03d", i);
    CU_ASSERT_EQUAL(t.length, 3000);
    CU_ASSERT_EQUAL(strlen(t.text), 3000);
    CU_ASSERT_EQUAL(strncmp(t.text + 2997, "999", 4), 0);
    anpe_text_free(&t);
    CU_ASSERT_PTR_NULL(t.text);
    CU_ASSERT_STRING_EQUAL(anpe_text_basename("/a/b.cfg"), "b.cfg");
    CU_ASSERT_STRING_EQUAL(anpe_text_basename("b.cfg"), "b.cfg");
}

/* ---- digests: the examples of FIPS 180-4 ------------------------------------------------- */

static void test_digest(void)
{
    static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    static const char many[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    char hex[65];
    anpe_digest_memory("abc", 3, hex);
    CU_ASSERT_STRING_EQUAL(hex, abc);
    write_bytes(in_scratch("abc"), "abc", 3);
    WORKS(anpe_digest_file(ctx, in_scratch("abc"), hex));
    CU_ASSERT_STRING_EQUAL(hex, abc);
    char *a = malloc(1000000);
    memset(a, 'a', 1000000);
    write_bytes(in_scratch("many"), a, 1000000); /* longer than one block of reading */
    free(a);
    WORKS(anpe_digest_file(ctx, in_scratch("many"), hex));
    CU_ASSERT_STRING_EQUAL(hex, many);
    SAYS(anpe_digest_file(ctx, "/nonexistent/x", hex), ANPE_EIO,
         "/nonexistent/x: No such file or directory");
    SAYS(anpe_digest_file(ctx, "/", hex), ANPE_EIO, "/: Is a directory");
}

/* ---- random numbers ---------------------------------------------------------------------- */

/* Known answers of Random123 (kat_vectors, philox4x32 10). */
static void test_philox(void)
{
    static const uint32_t known[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
         0x94fdcceb, 0x5001e420, 0x24126ea1}};
    for (int i = 0; i < 3; i++) {
        anpe_rng r = {{0}, {0}, {0}, 0, 0, 0};
        memcpy(r.ctr, known[i], sizeof r.ctr);
        memcpy(r.key, known[i] + 4, sizeof r.key);
        const double u = anpe_uniform(&r);
        CU_ASSERT_EQUAL(memcmp(r.buf, known[i] + 6, sizeof r.buf), 0);
        const uint64_t bits = ((uint64_t)known[i][6] << 32 | known[i][7]) >> 12;
        CU_ASSERT_EQUAL(u, ((double)bits + 0.5) / 4503599627370496.0);
    }
    const anpe_rng r = anpe_rng_make(5, ANPE_FOR_MOCKS, 0x0000000700000009, ANPE_SLOT_NOISE);
    CU_ASSERT(r.key[0] == 5 && r.key[1] == ANPE_FOR_MOCKS);
    CU_ASSERT(r.ctr[0] == 0 && r.ctr[1] == ANPE_SLOT_NOISE && r.ctr[2] == 9 && r.ctr[3] == 7);
}

/* n draws: the mean of x^k has standard deviation sqrt((E x^2k - (E x^k)^2)/n); five of them. */
static void check_moments(const double *x, int n)
{
    static const double expected[] = {0, 1, 0, 3}, square[] = {1, 3, 15, 105};
    for (int k = 1; k <= 4; k++) {
        double sum = 0;
        for (int i = 0; i < n; i++)
            sum += pow(x[i], k);
        const double e = expected[k - 1], sd = sqrt((square[k - 1] - e * e) / n);
        CU_ASSERT(fabs(sum / n - e) < 5 * sd);
    }
}

static void test_normal(void)
{
    enum { N = 1000000 };
    double *x = malloc(N * sizeof *x);
    float *f = malloc(N * sizeof *f);
    anpe_rng r = anpe_rng_make(1, ANPE_FOR_TRAINING, 0, 0);
    for (int i = 0; i < N; i++)
        x[i] = anpe_normal(&r);
    check_moments(x, N);
    anpe_normals(&r, N, f);
    int beyond = 0;
    for (int i = 0; i < N; i++) {
        x[i] = (double)f[i];
        beyond += fabs(x[i]) > 3;
    }
    check_moments(x, N);
    /* 2700 beyond 3 sigma; standard deviation sqrt(2700) = 52 */
    CU_ASSERT(abs(beyond - 2700) < 260);
    f[7] = 99;
    anpe_normals(&r, 7, f); /* an odd number fills no more than it says */
    CU_ASSERT(f[7] == 99 && f[6] != 99);
    free(x);
    free(f);
}

static void test_uniform(void)
{
    enum { N = 1000000, BINS = 100 };
    int count[BINS] = {0}, inside = 1;
    double chi2 = 0;
    anpe_rng r = anpe_rng_make(2, ANPE_FOR_TRAINING, 0, 0);
    for (int i = 0; i < N; i++) {
        const double u = anpe_uniform(&r);
        inside &= u > 0 && u < 1;
        count[(int)(u * BINS)]++;
    }
    for (int i = 0; i < BINS; i++)
        chi2 += pow(count[i] - N / BINS, 2) / (N / BINS);
    CU_ASSERT(inside);
    /* chi2 of 99 degrees of freedom: 99 +- sqrt(198); both tails, so that too even fails too */
    CU_ASSERT(fabs(chi2 - 99) < 5 * sqrt(198.0));
}

/* The highest and the lowest number that there is, in double and rounded to float. */
static void test_ends_of_uniform(void)
{
    const anpe_rng high = {.buf = {~0u, ~0u, ~0u, ~0u}, .left = 4}, low = {.left = 4};
    anpe_rng r = high;
    float u[2], v[2];
    CU_ASSERT(anpe_uniform(&r) < 1);
    r = high;
    anpe_uniforms(&r, 2, u);
    CU_ASSERT(u[0] < 1 && u[1] < 1 && u[0] > 0.9999999f);
    r = low;
    anpe_uniforms(&r, 2, u);
    CU_ASSERT(u[0] > 0 && u[0] < 1e-15f);
    r = anpe_rng_make(2, ANPE_FOR_TRAINING, 0, 0); /* otherwise those of anpe_uniform */
    v[0] = (float)anpe_uniform(&r);
    v[1] = (float)anpe_uniform(&r);
    r = anpe_rng_make(2, ANPE_FOR_TRAINING, 0, 0);
    anpe_uniforms(&r, 2, u);
    CU_ASSERT(u[0] == v[0] && u[1] == v[1]);
}

static void test_integer(void)
{
    enum { N = 700000 };
    int count[7] = {0};
    int64_t widest = 0;
    anpe_rng r = anpe_rng_make(3, ANPE_FOR_SHUFFLE, 0, 0);
    for (int i = 0; i < N; i++) {
        const int64_t k = anpe_integer(&r, 7);
        CU_ASSERT_FATAL(k >= 0 && k < 7);
        count[k]++;
    }
    for (int i = 0; i < 7; i++) /* binomial: sd = sqrt(N 1/7 6/7) = 293 */
        CU_ASSERT(abs(count[i] - N / 7) < 5 * 293);
    for (int i = 0; i < 100; i++) {
        const int64_t k = anpe_integer(&r, INT64_MAX);
        CU_ASSERT(k >= 0 && k < INT64_MAX);
        widest = k > widest ? k : widest;
    }
    CU_ASSERT(widest > INT64_MAX / 2); /* missed with probability 2^-100 */
    CU_ASSERT_EQUAL(anpe_integer(&r, 1), 0);
}

/* A different seed, purpose, sample or slot is a different, uncorrelated stream. */
static void test_streams(void)
{
    enum { N = 100000 };
    const anpe_rng base = anpe_rng_make(1, ANPE_FOR_TRAINING, 5, ANPE_SLOT_LABELS);
    const anpe_rng other[] = {
        anpe_rng_make(2, ANPE_FOR_TRAINING, 5, ANPE_SLOT_LABELS),
        anpe_rng_make(1, ANPE_FOR_VALIDATION, 5, ANPE_SLOT_LABELS),
        anpe_rng_make(1, ANPE_FOR_TRAINING, 6, ANPE_SLOT_LABELS),
        anpe_rng_make(1, ANPE_FOR_TRAINING, 5 + (1LL << 32), ANPE_SLOT_LABELS),
        anpe_rng_make(1, ANPE_FOR_TRAINING, 5, ANPE_SLOT_NOISE)};
    for (size_t k = 0; k < sizeof other / sizeof other[0]; k++) {
        anpe_rng a = base, b = other[k];
        double sum = 0;
        for (int i = 0; i < N; i++)
            sum += anpe_normal(&a) * anpe_normal(&b);
        CU_ASSERT(fabs(sum / N) < 5 / sqrt(N)); /* the mean of products has variance 1/N */
    }
    anpe_rng a = base, b = base; /* copies are the same stream */
    for (int i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(anpe_normal(&a), anpe_normal(&b));
}

/* ---- workers ----------------------------------------------------------------------------- */

typedef struct job {
    anpe_workers *workers;
    float sum;
    int64_t last;
    int in_order, ordered, busy_for;
    int64_t fail_from, cancel_at;
    anpe_ctx *root;
    int seen[64];
} job;

static anpe_status add_item(void *user, int64_t item, int worker, anpe_ctx *c)
{
    job *j = user;
    anpe_rng r = anpe_rng_make(1, ANPE_FOR_MOCKS, item, 0);
    float x = 0;
    for (int64_t i = anpe_integer(&r, j->busy_for); i >= 0; i--) /* items end out of order */
        x = (float)anpe_normal(&r);
    if (item == j->cancel_at)
        anpe_ctx_cancel(j->root);
    if (item >= j->fail_from && item % 2)
        return ANPE_FAIL(c, ANPE_ENUMERIC, "item %lld", (long long)item);
    anpe_workers_begin_ordered(j->workers, item);
    j->sum += x * 1e3f; /* rounding shows any other order */
    j->in_order &= item == j->last + 1;
    j->last = item;
    j->seen[worker % 64] = 1;
    anpe_workers_end_ordered(j->workers, item);
    return ANPE_OK;
}

static job run_job(int threads, job j, anpe_status expected)
{
    anpe_ctx *root = anpe_ctx_new();
    j.root = root;
    j.last = -1;
    j.in_order = 1;
    j.busy_for = 2000;
    WORKS(anpe_workers_new(root, threads, &j.workers));
    CU_ASSERT_EQUAL(anpe_workers_count(j.workers), threads);
    CU_ASSERT_EQUAL(anpe_workers_run(j.workers, root, 500, add_item, &j), expected);
    (void)ANPE_FAIL(ctx, expected, "%s", anpe_error(root));
    anpe_workers_free(j.workers);
    anpe_ctx_free(root);
    return j;
}

static void test_ordered_sum(void)
{
    const job plain = {.fail_from = INT64_MAX, .cancel_at = -1};
    const float sum = run_job(1, plain, ANPE_OK).sum;
    static const int threads[] = {2, 5, 2, 5};
    for (int i = 0; i < 4; i++) {
        const job j = run_job(threads[i], plain, ANPE_OK);
        CU_ASSERT_EQUAL(memcmp(&j.sum, &sum, sizeof sum), 0);
        CU_ASSERT(j.in_order && j.last == 499);
    }
}

static void test_lowest_error(void)
{
    static const int threads[] = {1, 2, 5, 5, 5};
    for (int i = 0; i < 5; i++) {
        run_job(threads[i], (job){.fail_from = 100, .cancel_at = -1}, ANPE_ENUMERIC);
        expect_message("item 101");
    }
}

static void test_cancel(void)
{
    for (int threads = 1; threads <= 5; threads += 2) {
        const job j =
            run_job(threads, (job){.fail_from = INT64_MAX, .cancel_at = 50}, ANPE_ECANCEL);
        expect_message("cancelled");
        CU_ASSERT(j.last >= 50 && j.last < 50 + threads);
    }
}

static anpe_status use_denormal(void *user, int64_t item, int worker, anpe_ctx *c)
{
    volatile double small = 1e-300;
    (void)c, (void)worker;
    ((double *)user)[item] = small * 1e-10;
    return ANPE_OK;
}

#if defined __SSE2__
static int machine_flushes(void)
{
    volatile double small = 1e-300;
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    volatile double product = small * 1e-10; /* volatile: before the mode is set back */
    _mm_setcsr(before);
    return product == 0;
}
#endif

static void test_denormals(void)
{
#if defined __SSE2__
    double x[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    volatile double small = 1e-300;
    anpe_workers *w;
    if (!machine_flushes()) {
        printf("\nskipped: this machine does not flush denormals (valgrind)\n");
        return;
    }
    WORKS(anpe_workers_new(ctx, 3, &w));
    WORKS(anpe_workers_run(w, ctx, 8, use_denormal, x));
    for (int i = 0; i < 8; i++)
        CU_ASSERT_EQUAL(x[i], 0);
    CU_ASSERT_NOT_EQUAL(small * 1e-10, 0); /* the caller's own arithmetic is as before */
    anpe_workers_free(w);
#else
    (void)use_denormal;
    printf("\nskipped: no SSE2\n");
#endif
}

static void test_worker_numbers(void)
{
    anpe_workers *w;
    SAYS(anpe_workers_new(ctx, -1, &w), ANPE_EINVAL,
         "-1 threads asked for, the range is [0, 1024]");
    WORKS(anpe_workers_new(ctx, 0, &w));
    CU_ASSERT(anpe_workers_count(w) >= 1);
    WORKS(anpe_workers_run(w, ctx, 0, use_denormal, NULL)); /* no item: no call */
    CU_ASSERT_PTR_NULL(anpe_workers_free(w));
    CU_ASSERT_PTR_NULL(anpe_workers_free(NULL));
}

/* A = M M^T of numbers in place of its upper triangle too: it must not be read. */
static void test_cholesky(void)
{
    enum { N = 9, STRIDE = 12 };
    double a[N][STRIDE], l[N][STRIDE], x[N], b[N] = {0};
    anpe_rng rng = anpe_rng_make(3, 0, 0, 0);
    for (int i = 0; i < N; i++) {
        x[i] = anpe_normal(&rng);
        for (int j = 0; j < STRIDE; j++)
            l[i][j] = j < i ? anpe_normal(&rng) : j == i ? 1 + anpe_uniform(&rng) : NAN;
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < STRIDE; j++) {
            a[i][j] = j <= i ? 0 : NAN;
            for (int k = 0; k <= j && j <= i; k++)
                a[i][j] += l[i][k] * l[j][k];
        }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            b[i] += (j <= i ? a[i][j] : a[j][i]) * x[j];
    CU_ASSERT_EQUAL(anpe_cholesky(N, a[0], STRIDE, 0), 0);
    anpe_cholesky_solve(N, a[0], STRIDE, b);
    anpe_cholesky_invert(N, a[0], STRIDE);
    for (int i = 0; i < N; i++) { /* a condition number of 1e4 or so costs 4 of 16 digits */
        CU_ASSERT_DOUBLE_EQUAL(b[i], x[i], 1e-9);
        for (int j = 0; j <= i; j++) {
            double sum = 0;
            for (int k = j; k <= i; k++)
                sum += a[i][k] * l[k][j];
            CU_ASSERT_DOUBLE_EQUAL(sum, i == j, 1e-9);
        }
    }
}

/* What is not positive definite is counted, and its factor can still be divided by. */
static void test_cholesky_singular(void)
{
    double plane[4] = {4, 0, 2, 1}, negative[1] = {-1}, nan[1] = {NAN};
    CU_ASSERT_EQUAL(anpe_cholesky(2, plane, 2, 1e-6), 1);
    CU_ASSERT_DOUBLE_EQUAL(plane[3], 1e-3, 1e-12);
    CU_ASSERT_EQUAL(anpe_cholesky(1, negative, 1, 0), 1);
    CU_ASSERT(negative[0] > 0);
    CU_ASSERT_EQUAL(anpe_cholesky(1, nan, 1, 0), 1);
    CU_ASSERT(nan[0] > 0);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"Cholesky", test_cholesky},
        {"Cholesky of what is singular", test_cholesky_singular},
        {"error slot", test_error_slot},
        {"long message", test_long_message},
        {"status text", test_status_text},
        {"sinks", test_sinks},
        {"memory", test_memory},
        {"new arrays", test_new},
        {"a list that grows", test_grow},
        {"nearest name", test_nearest},
        {"growing text", test_growing_text},
        {"digest", test_digest},
        {"philox", test_philox},
        {"normal", test_normal},
        {"uniform", test_uniform},
        {"ends of uniform", test_ends_of_uniform},
        {"integer", test_integer},
        {"streams", test_streams},
        {"ordered sum", test_ordered_sum},
        {"lowest error", test_lowest_error},
        {"cancel", test_cancel},
        {"denormals", test_denormals},
        {"number of workers", test_worker_numbers},
    };
    return run_suite(argc, argv, "base", COUNT(tests), tests);
}
