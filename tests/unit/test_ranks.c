/* Ranks that are threads of this program, with messages through a list: sums in the order of items,
 * what rank 0 tells all, blocks that are taken in order, and errors. */
#include <config.h>
#include "base_support.h"
#include "base/random.h"
#include "ranks/ranks.h"
#include <pthread.h>
#include <unistd.h>

enum { MOST = 6, MOST_ITEMS = 9, MOST_JOBS = 512, EAGER = 4096 };

/* ---- a post office ----------------------------------------------------------------------- */

typedef struct message {
    int from, to, tag;
    size_t bytes;
    char *data;
    int taken; /* a large one is sent once it was */
    struct message *next;
} message;

static struct {
    pthread_mutex_t lock;
    message *first, **last;
    int n;
} office = {.lock = PTHREAD_MUTEX_INITIALIZER};

typedef struct job {
    int used, from, tag;
    void *data; /* NULL: of a message that was sent */
    size_t bytes;
    message *sent;
} job;

typedef struct member { /* a rank */
    int rank;
    anpe_ctx *ctx;
    anpe_ranks *ranks;
    job job[MOST_JOBS];
    int ended; /* exit status of end(); -1: not called */
    anpe_status status;
    void *user;
} member;

static member members[MOST];

static void place(const void *self, int *rank, int *n)
{
    *rank = ((const member *)self)->rank;
    *n = office.n;
}

static job *new_job(member *m, int *number)
{
    for (*number = 0; m->job[*number].used; ++*number)
        CU_ASSERT_FATAL(*number + 1 < MOST_JOBS);
    m->job[*number].used = 1;
    return &m->job[*number];
}

static anpe_status post_send(void *self, anpe_ctx *c, int to, int tag, const void *data,
                             size_t bytes, int *number)
{
    member *m = self;
    message *letter = calloc(1, sizeof *letter);
    (void)c;
    *letter = (message){m->rank, to, tag, bytes, malloc(bytes + 1), 0, NULL};
    memcpy(letter->data, data, bytes);
    pthread_mutex_lock(&office.lock);
    *office.last = letter;
    office.last = &letter->next;
    *new_job(m, number) = (job){.used = 1, .sent = letter};
    pthread_mutex_unlock(&office.lock);
    return ANPE_OK;
}

static anpe_status post_receive(void *self, anpe_ctx *c, int from, int tag, void *data,
                                size_t bytes, int *number)
{
    (void)c;
    *new_job(self, number) = (job){1, from, tag, data, bytes, NULL};
    return ANPE_OK;
}

static message *find(int to, int from, int tag)
{
    message *m = office.first;
    while (m && (m->taken || m->to != to || m->tag != tag || (from >= 0 && m->from != from)))
        m = m->next;
    return m;
}

static anpe_status post_test(void *self, anpe_ctx *c, int number, int *done)
{
    member *m = self;
    job *j = &m->job[number];
    (void)c;
    pthread_mutex_lock(&office.lock);
    *done = j->sent ? j->sent->taken || j->sent->bytes <= EAGER : 0;
    message *letter = j->sent ? NULL : find(m->rank, j->from, j->tag);
    if (letter) {
        CU_ASSERT_EQUAL(letter->bytes, j->bytes);
        memcpy(j->data, letter->data, j->bytes);
        *done = letter->taken = 1;
    }
    pthread_mutex_unlock(&office.lock);
    j->used = !*done;
    return ANPE_OK;
}

static void post_forget(void *self, int number)
{
    ((member *)self)->job[number].used = 0;
}

static anpe_status post_probe(void *self, anpe_ctx *c, int tag, int *from, size_t *bytes)
{
    (void)c;
    pthread_mutex_lock(&office.lock);
    const message *letter = find(((member *)self)->rank, -1, tag);
    *from = letter ? letter->from : -1;
    *bytes = letter ? letter->bytes : 0;
    pthread_mutex_unlock(&office.lock);
    return ANPE_OK;
}

static void post_end(void *self, int exit_status)
{
    ((member *)self)->ended = exit_status;
    for (int k = 0; k < office.n; k++)
        anpe_ctx_cancel(members[k].ctx);
}

static void leave(void *self)
{
    (void)self;
}

static const anpe_ranks_ops ops = {sizeof ops, place,       post_send,  post_receive,
                                   post_test,  post_forget, post_probe, post_end};

/* ---- runs -------------------------------------------------------------------------------- */

typedef anpe_status work_fn(member *m);
static work_fn *to_do;

/* As the command does: what has failed ends everywhere. */
static void *live(void *self)
{
    member *m = self;
    m->status = to_do(m);
    if (!m->status)
        m->status = anpe_ranks_close(m->ctx, m->ranks);
    else if (m->rank)
        anpe_ranks_fail(m->ctx, m->ranks, m->status);
    else
        anpe_ranks_end(m->ranks, 1);
    return NULL;
}

static void run(int n, work_fn *work, void *user)
{
    pthread_t thread[MOST];
    to_do = work;
    office.n = n;
    office.first = NULL;
    office.last = &office.first;
    for (int k = 0; k < n; k++) {
        members[k] = (member){.rank = k, .ctx = anpe_ctx_new(), .ended = -1, .user = user};
        WORKS(anpe_ranks_new(ctx, &ops, &members[k], leave, &members[k].ranks));
    }
    for (int k = 0; k < n; k++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[k], NULL, live, &members[k]), 0);
    for (int k = 0; k < n; k++)
        pthread_join(thread[k], NULL);
}

static void clear(void)
{
    for (int k = 0; k < office.n; k++)
        anpe_ctx_free(members[k].ctx);
    for (message *m = office.first, *next; m; m = next) {
        next = m->next;
        free(m->data);
        free(m);
    }
}

static void all_succeeded(int n)
{
    for (int k = 0; k < n; k++) {
        CU_ASSERT_EQUAL(members[k].status, ANPE_OK);
        if (members[k].status)
            fprintf(stderr, "    rank %d: %s\n", k, anpe_error(members[k].ctx));
    }
}

/* ---- sums -------------------------------------------------------------------------------- */

enum { SIZE = 150001 }; /* three chunks */
static float *term[MOST_ITEMS], *expected, *got;
static double loss[MOST_ITEMS], expected_loss, got_loss;
static int64_t n_items;

static anpe_status add_up(member *m)
{
    int64_t first, end;
    float *total = calloc(SIZE, sizeof *total);
    double sum = 0;
    anpe_status status;
    if (anpe_ranks_share(m->ranks, n_items, &first, &end))
        for (int64_t k = first; k < end; k++) {
            sum += loss[k];
            for (int64_t i = 0; i < SIZE; i++)
                total[i] += term[k][i];
        }
    ANPE_TRY(anpe_ranks_sum(m->ctx, m->ranks, n_items, loss + first, &sum));
    ANPE_TRY(anpe_ranks_sum_arrays(m->ctx, m->ranks, n_items, SIZE, term + first, total));
    if (m->rank == 0) {
        memcpy(got, total, SIZE * sizeof *total);
        got_loss = sum;
    }
out:
    free(total);
    return status;
}

/* Of numbers that round away from each other, so that another order gives another sum. */
static void fill_terms(void)
{
    anpe_rng rng = anpe_rng_make(1, 0, 0, 0);
    for (int k = 0; k < MOST_ITEMS; k++) {
        term[k] = calloc(SIZE, sizeof *term[k]);
        anpe_normals(&rng, SIZE, term[k]);
        loss[k] = anpe_normal(&rng);
        for (int64_t i = 0; i < SIZE; i++)
            term[k][i] *= k % 2 ? 1e4f : 1.0f;
    }
    expected = calloc(SIZE, sizeof *expected);
    got = calloc(SIZE, sizeof *got);
}

static void test_sums(void)
{
    int64_t differ = 0;
    fill_terms();
    for (n_items = 1; n_items <= MOST_ITEMS; n_items++) {
        expected_loss = 0;
        memset(expected, 0, SIZE * sizeof *expected);
        for (int64_t k = 0; k < n_items; k++) {
            expected_loss += loss[k];
            for (int64_t i = 0; i < SIZE; i++)
                expected[i] += term[k][i];
        }
        for (int n = 1; n <= MOST; n++) {
            memset(got, 0, SIZE * sizeof *got);
            run(n, add_up, NULL);
            all_succeeded(n);
            CU_ASSERT(memcmp(got, expected, SIZE * sizeof *got) == 0);
            CU_ASSERT(memcmp(&got_loss, &expected_loss, sizeof got_loss) == 0);
            clear();
        }
    }
    for (int64_t i = 0; i < SIZE; i++) { /* backwards */
        float sum = 0;
        for (int k = MOST_ITEMS - 1; k >= 0; k--)
            sum += term[k][i];
        differ += sum != expected[i];
    }
    CU_ASSERT(differ > SIZE / 10);
    for (int k = 0; k < MOST_ITEMS; k++)
        free(term[k]);
    free(expected);
    free(got);
}

static void test_share(void)
{
    int64_t first = -1, end = -1;
    CU_ASSERT_EQUAL(anpe_ranks_share(NULL, 7, &first, &end), 1);
    CU_ASSERT(first == 0 && end == 7);
    CU_ASSERT_EQUAL(anpe_ranks_rank(NULL), 0);
    CU_ASSERT_EQUAL(anpe_ranks_count(NULL), 1);
    WORKS(anpe_ranks_broadcast(ctx, NULL, 1, &first));
    WORKS(anpe_ranks_close(ctx, NULL));
}

/* ---- broadcast --------------------------------------------------------------------------- */

static anpe_status hear(member *m)
{
    float *said = calloc(SIZE, sizeof *said);
    int64_t wrong = 0;
    for (int64_t i = 0; i < SIZE; i++)
        said[i] = m->rank ? 0 : (float)i;
    const anpe_status status = anpe_ranks_broadcast(m->ctx, m->ranks, SIZE * sizeof *said, said);
    for (int64_t i = 0; i < SIZE; i++)
        wrong += said[i] != (float)i;
    free(said);
    return status || !wrong ? status : ANPE_FAIL(m->ctx, ANPE_EINTERNAL, "%lld", (long long)wrong);
}

static void test_broadcast(void)
{
    for (int n = 1; n <= MOST; n++) {
        run(n, hear, NULL);
        all_succeeded(n);
        clear();
    }
}

/* ---- blocks ------------------------------------------------------------------------------ */

enum { FIRST = 3, LAST = 60, LENGTH = 3000 };

typedef struct desk { /* of a rank */
    member *me;
    int64_t small;
    double number[LENGTH];
    int64_t next, came; /* of rank 0 */
    int64_t fails;      /* block that cannot be made */
} desk;

static anpe_status make(void *user, anpe_ctx *c, int64_t b)
{
    desk *d = user;
    if (b == d->fails)
        return ANPE_FAIL(c, ANPE_ENUMERIC, "block %lld cannot be made", (long long)b);
    if (b % 5 == 0)
        usleep(2000);
    d->small = 7 * b;
    for (int64_t i = 0; i < LENGTH; i++)
        d->number[i] = (double)(1000 * b + i);
    return ANPE_OK;
}

/* Blocks have different lengths, some none. */
static int pieces(void *user, int64_t b, anpe_piece *piece)
{
    desk *d = user;
    piece[0] = (anpe_piece){&d->small, 3}; /* what follows is aligned all the same */
    piece[1] = (anpe_piece){NULL, 0};
    piece[2] = (anpe_piece){d->number, (size_t)(b % 4 ? LENGTH / (b % 4) : 0) * sizeof(double)};
    return 3;
}

static anpe_status take(void *user, anpe_ctx *c, int64_t b, int came, int n,
                        const anpe_piece *piece)
{
    desk *d = user;
    const int64_t length = b % 4 ? LENGTH / (b % 4) : 0, small = 7 * b;
    int64_t wrong = (b != d->next) + (n != 3) + (memcmp(piece[0].data, &small, 3) != 0);
    wrong += piece[1].size != 0 || piece[2].size != (size_t)length * sizeof *d->number;
    const double *number = piece[2].data;
    for (int64_t i = 0; i < length && !wrong; i++)
        wrong += number[i] != (double)(1000 * b + i);
    d->next++;
    d->came += came;
    return wrong ? ANPE_FAIL(c, ANPE_EINTERNAL, "block %lld", (long long)b) : ANPE_OK;
}

static int64_t n_came;

static anpe_status work_on(member *m, int64_t fails)
{
    desk *d = calloc(1, sizeof *d);
    *d = (desk){.me = m, .next = FIRST, .fails = fails};
    const anpe_ranks_work work = {m->rank ? 0 : FIRST, m->rank ? 0 : LAST, d, make, pieces, take};
    anpe_status status = anpe_ranks_run(m->ctx, m->ranks, &work);
    if (!status && m->rank == 0 && d->next != LAST)
        status = ANPE_FAIL(m->ctx, ANPE_EINTERNAL, "%lld blocks", (long long)d->next);
    if (m->rank == 0)
        n_came = d->came;
    free(d);
    return status;
}

static anpe_status blocks(member *m)
{
    return work_on(m, -1);
}

static void test_blocks(void)
{
    for (int n = 1; n <= MOST; n++) {
        run(n, blocks, NULL);
        all_succeeded(n);
        CU_ASSERT(n == 1 ? n_came == 0 : n_came > 0);
        clear();
    }
    desk d = {.next = FIRST, .fails = -1};
    const anpe_ranks_work work = {FIRST, LAST, &d, make, pieces, take};
    WORKS(anpe_ranks_run(ctx, NULL, &work));
    CU_ASSERT_EQUAL(d.next, LAST);
}

/* ---- errors ------------------------------------------------------------------------------ */

static anpe_status blocks_but_one(member *m)
{
    return work_on(m, m->rank == *(int *)m->user ? m->rank ? FIRST + m->rank - 1 : LAST - 1 : -1);
}

static anpe_status not_all(member *m)
{
    char word[8] = "";
    if (m->rank == *(int *)m->user)
        return ANPE_FAIL(m->ctx, ANPE_ECONFIG, "no file here");
    for (;;) {
        const anpe_status status = anpe_ranks_broadcast(m->ctx, m->ranks, sizeof word, word);
        int64_t first, end;
        double sum = 0, one[2] = {1, 1};
        if (status)
            return status;
        anpe_ranks_share(m->ranks, 4, &first, &end);
        if (anpe_ranks_sum(m->ctx, m->ranks, 4, one, &sum))
            return ANPE_EIO;
    }
}

/* One of three fails: rank 0 says so with its status, and all come to their end. */
static void fails(work_fn *work, int who, anpe_status status, const char *says)
{
    char text[256], host[256] = "";
    run(3, work, &who);
    (void)gethostname(host, sizeof host - 1);
    snprintf(text, sizeof text, "rank %d on %s: %s", who, host, says);
    CU_ASSERT_EQUAL(members[0].status, status);
    CU_ASSERT_STRING_EQUAL(anpe_error(members[0].ctx), who ? text : says);
    CU_ASSERT_EQUAL(members[0].ended, 1);
    for (int k = 1; k < 3; k++)
        CU_ASSERT(members[k].status != ANPE_OK);
    clear();
}

static void test_errors(void)
{
    fails(blocks_but_one, 2, ANPE_ENUMERIC, "block 4 cannot be made");
    fails(not_all, 0, ANPE_ECONFIG, "no file here");
}

static void test_no_plugin(void)
{
    anpe_ranks *ranks;
    setenv("OMPI_COMM_WORLD_SIZE", "1", 1);
    WORKS(anpe_ranks_open(ctx, "auto", &ranks));
    CU_ASSERT_PTR_NULL(ranks);
    setenv("OMPI_COMM_WORLD_SIZE", "3", 1);
    setenv("ANPE_PLUGIN_PATH", "/nowhere", 1);
    CU_ASSERT_EQUAL(anpe_ranks_open(ctx, "auto", &ranks), ANPE_EPLUGIN);
    CU_ASSERT_STRING_EQUAL(
        anpe_error(ctx),
        "started as 3 processes, for which MPI is needed (Debian: libopenmpi-dev, then build anpe "
        "again; --ranks none: each process for itself): no ranks 'mpi' in /nowhere");
    WORKS(anpe_ranks_open(ctx, "none", &ranks));
    CU_ASSERT_PTR_NULL(ranks);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {{"who has which items", test_share},
                                        {"sums in the order of items", test_sums},
                                        {"what rank 0 tells all", test_broadcast},
                                        {"blocks", test_blocks},
                                        {"errors", test_errors},
                                        {"no plugin", test_no_plugin}};
    return run_suite(argc, argv, "ranks", COUNT(tests), tests);
}
