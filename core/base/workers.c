/* Threads that run numbered items. Every item is taken in order under one lock, so when item i
 * runs all lower items have been taken: "all lower items have left their ordered section" is then
 * a statement about the items that the other workers hold now. */
#include <config.h>
#include "base/workers.h"
#include "base/locale.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#if defined __SSE2__
#include <xmmintrin.h>
#endif

enum { MAX_WORKERS = 1024 };
static const int64_t none = INT64_MAX;

typedef struct worker {
    anpe_workers *team;
    pthread_t thread;
    anpe_ctx *ctx;
    int index;
    int64_t before; /* the item that later items wait for; none: nothing waits for this worker */
    int64_t failed; /* the item that failed here */
    anpe_status status;
} worker;

struct anpe_workers {
    int n, n_started;
    worker *worker;
    pthread_mutex_t lock;
    pthread_cond_t start, done, order;
    int64_t round; /* counts calls of anpe_workers_run */
    int n_busy, stop;
    anpe_work_fn *run;
    void *user;
    int64_t next, n_items;
    int failed, cancelled;
};

/* Denormals cost a hundred cycles each and carry nothing here. Answers the state before. */
static unsigned flush_denormals(void)
{
#if defined __SSE2__
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040); /* flush to zero, denormals are zero */
    return before;
#else
    return 0;
#endif
}

static void restore_denormals(unsigned before)
{
#if defined __SSE2__
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

static void work(worker *w)
{
    anpe_workers *team = w->team;
    pthread_mutex_lock(&team->lock);
    while (team->next < team->n_items && !team->failed && !team->cancelled) {
        if (anpe_cancelled(w->ctx)) {
            team->cancelled = 1;
            break;
        }
        const int64_t item = w->before = team->next++;
        pthread_mutex_unlock(&team->lock);
        const anpe_status status = team->run(team->user, item, w->index, w->ctx);
        pthread_mutex_lock(&team->lock);
        w->before = none;
        if (status) {
            w->failed = item;
            w->status = status;
            team->failed = 1;
        }
        pthread_cond_broadcast(&team->order);
    }
    pthread_mutex_unlock(&team->lock);
}

static void *thread_main(void *argument)
{
    worker *w = argument;
    anpe_workers *team = w->team;
    int64_t round = 0;
    (void)flush_denormals();
    (void)anpe_locale_enter();
    pthread_mutex_lock(&team->lock);
    for (;;) {
        while (team->round == round && !team->stop)
            pthread_cond_wait(&team->start, &team->lock);
        if (team->stop)
            break;
        round = team->round;
        pthread_mutex_unlock(&team->lock);
        work(w);
        pthread_mutex_lock(&team->lock);
        if (--team->n_busy == 0)
            pthread_cond_signal(&team->done);
    }
    pthread_mutex_unlock(&team->lock);
    return NULL;
}

static int usable_cores(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}

/* Signals stay with the threads of the program. */
static int start_threads(anpe_workers *team)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int error = 0;
    for (team->n_started = 1; !error && team->n_started < team->n;) {
        worker *w = &team->worker[team->n_started];
        error = pthread_create(&w->thread, NULL, thread_main, w);
        team->n_started += !error;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

anpe_status anpe_workers_new(anpe_ctx *ctx, int n, anpe_workers **out)
{
    char why[128];
    *out = NULL;
    if (n < 0 || n > MAX_WORKERS)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%d threads asked for, the range is [0, %d]", n,
                         MAX_WORKERS);
    anpe_workers *team;
    if (ANPE_NEW(ctx, team, 1))
        return ANPE_ENOMEM;
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->start, NULL);
    pthread_cond_init(&team->done, NULL);
    pthread_cond_init(&team->order, NULL);
    team->n = n ? n : usable_cores();
    int good = ANPE_NEW(ctx, team->worker, team->n) == ANPE_OK;
    for (int i = 0; good && i < team->n; i++) {
        team->worker[i] = (worker){.team = team, .index = i, .before = none, .failed = none};
        good = (team->worker[i].ctx = anpe_ctx_child(ctx)) != NULL;
    }
    if (!good) {
        anpe_workers_free(team);
        return ANPE_ENOMEM;
    }
    const int error = start_threads(team);
    if (error) {
        anpe_workers_free(team);
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "cannot start %d threads: %s", n,
                         anpe_errno_text(error, why, sizeof why));
    }
    *out = team;
    return ANPE_OK;
}

anpe_workers *anpe_workers_free(anpe_workers *team)
{
    if (!team)
        return NULL;
    pthread_mutex_lock(&team->lock);
    team->stop = 1;
    pthread_cond_broadcast(&team->start);
    pthread_mutex_unlock(&team->lock);
    for (int i = 1; i < team->n_started; i++)
        pthread_join(team->worker[i].thread, NULL);
    for (int i = 0; team->worker && i < team->n; i++)
        anpe_ctx_free(team->worker[i].ctx);
    free(team->worker);
    pthread_cond_destroy(&team->start);
    pthread_cond_destroy(&team->done);
    pthread_cond_destroy(&team->order);
    pthread_mutex_destroy(&team->lock);
    free(team);
    return NULL;
}

int anpe_workers_count(const anpe_workers *team)
{
    return team->n;
}

static void begin_round(anpe_workers *team, anpe_ctx *ctx, int64_t n_items, anpe_work_fn *run,
                        void *user)
{
    pthread_mutex_lock(&team->lock);
    for (int i = 0; i < team->n; i++) {
        anpe_ctx_share(team->worker[i].ctx, ctx);
        team->worker[i].failed = none;
    }
    team->run = run;
    team->user = user;
    team->next = 0;
    team->n_items = n_items;
    team->failed = team->cancelled = 0;
    team->n_busy = team->n - 1;
    team->round++;
    pthread_cond_broadcast(&team->start);
    pthread_mutex_unlock(&team->lock);
}

anpe_status anpe_workers_run(anpe_workers *team, anpe_ctx *ctx, int64_t n_items, anpe_work_fn *run,
                             void *user)
{
    begin_round(team, ctx, n_items, run, user);
    const unsigned before = flush_denormals();
    work(&team->worker[0]);
    restore_denormals(before);
    pthread_mutex_lock(&team->lock);
    while (team->n_busy)
        pthread_cond_wait(&team->done, &team->lock);
    pthread_mutex_unlock(&team->lock);
    const worker *first = &team->worker[0];
    for (int i = 1; i < team->n; i++)
        if (team->worker[i].failed < first->failed)
            first = &team->worker[i];
    if (first->failed != none) {
        (void)anpe_ctx_take_error(ctx, first->ctx);
        return first->status;
    }
    return team->cancelled ? ANPE_FAIL(ctx, ANPE_ECANCEL, "cancelled") : ANPE_OK;
}

static int is_lowest(const anpe_workers *team, int64_t item)
{
    for (int i = 0; i < team->n; i++)
        if (team->worker[i].before < item)
            return 0;
    return 1;
}

void anpe_workers_begin_ordered(anpe_workers *team, int64_t item)
{
    pthread_mutex_lock(&team->lock);
    while (!is_lowest(team, item))
        pthread_cond_wait(&team->order, &team->lock);
    pthread_mutex_unlock(&team->lock);
}

void anpe_workers_end_ordered(anpe_workers *team, int64_t item)
{
    pthread_mutex_lock(&team->lock);
    for (int i = 0; i < team->n; i++)
        if (team->worker[i].before == item)
            team->worker[i].before = none;
    pthread_cond_broadcast(&team->order);
    pthread_mutex_unlock(&team->lock);
}
