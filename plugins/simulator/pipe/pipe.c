/* simulator pipe: any program in any language as simulator. It is started, describes itself, then
 * gets label vectors on standard input and gives spectra on standard output (README.md). Several
 * copies run at once, one for each thread that asks; one that ends or hangs is replaced. */
#include <config.h>
#include "header.h"
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct pipe_options {
    anpe_texts command;
    const char *program;
    anpe_texts arguments;
    int64_t workers, retries;
    double timeout, start_timeout;
} pipe_options;

static const anpe_option pipe_table[] = {
    ANPE_OPT_TEXTS(pipe_options, command, "",
                   "words that start the program, e.g. python3; looked for along PATH; empty: the "
                   "file `program` is started itself"),
    ANPE_OPT_FILE(pipe_options, program, "", "the program or script, next in the command line"),
    ANPE_OPT_TEXTS(pipe_options, arguments, "", "words that follow it"),
    ANPE_OPT_INT(pipe_options, workers, 0, 0, 1024, "",
                 "copies that run at most at once; 0: one for each processor"),
    ANPE_OPT_INT(pipe_options, retries, 2, 0, 100, "",
                 "times that a spectrum is asked for again when the program ends or hangs"),
    ANPE_OPT_REAL(pipe_options, timeout, 600, 0.01, ANPE_UNBOUNDED, "s",
                  "time that a request may take, whatever the number of its spectra"),
    ANPE_OPT_REAL(pipe_options, start_timeout, 60, 0.01, ANPE_UNBOUNDED, "s",
                  "time that the program may take to start"),
    ANPE_OPT_END};

typedef struct pool {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    int64_t n; /* places; a worker without a process is started when it is needed */
    worker *worker;
    char *busy;
} pool;

typedef struct piped {
    const pipe_options *o;
    const char *what; /* names the program in messages */
    char **argv, **envp;
    char setup[3][64]; /* ANPE_... of the environment */
    header h;
    pool *pool; /* the only thing that changes; under its lock */
} piped;

/* ---- the command line -------------------------------------------------------------------- */

extern char **environ;

/* The environment with what the instrument needs added. */
static anpe_status set_environment(anpe_ctx *ctx, piped *p, const anpe_simulator_setup *s)
{
    int64_t n = 0, k = 0;
    while (environ && environ[n])
        n++;
    if (ANPE_NEW(ctx, p->envp, n + 4))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        if (strncmp(environ[i], "ANPE_PIPE_", 10))
            p->envp[k++] = environ[i];
    snprintf(p->setup[0], sizeof p->setup[0], "ANPE_PIPE_LAMBDA_MIN=%ld",
             (long)floor(s->lambda_min));
    snprintf(p->setup[1], sizeof p->setup[1], "ANPE_PIPE_LAMBDA_MAX=%ld",
             (long)ceil(s->lambda_max));
    snprintf(p->setup[2], sizeof p->setup[2], "ANPE_PIPE_RESOLUTION=%ld", lround(s->resolution));
    for (int i = 0; i < 3; i++)
        p->envp[k++] = p->setup[i];
    return ANPE_OK;
}

static anpe_status set_command(anpe_ctx *ctx, piped *p)
{
    const pipe_options *o = p->o;
    int64_t k = 0;
    if (!o->command.n && !*o->program)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "neither command nor program is given, e.g. command = [\"python3\"]; "
                         "program = \"simulator.py\"");
    if (ANPE_NEW(ctx, p->argv, (o->command.n + o->arguments.n) + 2))
        return ANPE_ENOMEM;
    /* posix_spawn takes char *const and changes nothing. */
    for (int64_t i = 0; i < o->command.n; i++)
        memcpy(&p->argv[k++], &o->command.v[i], sizeof *p->argv);
    if (*o->program)
        memcpy(&p->argv[k++], &o->program, sizeof *p->argv);
    for (int64_t i = 0; i < o->arguments.n; i++)
        memcpy(&p->argv[k++], &o->arguments.v[i], sizeof *p->argv);
    p->what = *o->program ? o->program : o->command.v[o->command.n - 1];
    return ANPE_OK;
}

/* ---- the pool ---------------------------------------------------------------------------- */

static pool *pool_free(pool *q)
{
    if (!q)
        return NULL;
    for (int64_t i = 0; i < q->n && q->worker; i++)
        worker_stop(&q->worker[i]);
    free(q->worker);
    free(q->busy);
    pthread_cond_destroy(&q->freed);
    pthread_mutex_destroy(&q->lock);
    free(q);
    return NULL;
}

static anpe_status pool_new(anpe_ctx *ctx, int64_t n, pool **out)
{
    pool *q;
    if (ANPE_NEW(ctx, q, 1))
        return ANPE_ENOMEM;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->freed, NULL);
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    q->n = n ? n : processors > 0 ? processors : 1;
    if (ANPE_NEW(ctx, q->worker, q->n) || ANPE_NEW(ctx, q->busy, q->n)) {
        pool_free(q);
        return ANPE_ENOMEM;
    }
    for (int64_t i = 0; i < q->n; i++)
        q->worker[i] = (worker){.in = -1, .out = -1, .err = -1};
    *out = q;
    return ANPE_OK;
}

/* A free place, a running program before one that has to be started; waits for one. */
static int64_t pool_take(pool *q)
{
    int64_t k;
    pthread_mutex_lock(&q->lock);
    for (;;) {
        k = -1;
        for (int64_t i = 0; i < q->n; i++)
            if (!q->busy[i] && (k < 0 || (q->worker[i].pid && !q->worker[k].pid)))
                k = i;
        if (k >= 0)
            break;
        pthread_cond_wait(&q->freed, &q->lock);
    }
    q->busy[k] = 1;
    pthread_mutex_unlock(&q->lock);
    return k;
}

static void pool_give(pool *q, int64_t k)
{
    pthread_mutex_lock(&q->lock);
    q->busy[k] = 0;
    pthread_cond_signal(&q->freed);
    pthread_mutex_unlock(&q->lock);
}

/* Starts the program and reads what it says of itself. */
static anpe_status start(anpe_ctx *ctx, const piped *p, worker *w, header *h)
{
    if (worker_start(w, p->argv, p->envp))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "the program cannot be started: %s", w->why);
    const anpe_status status = header_read(ctx, w, p->what, p->o->start_timeout, h);
    if (status)
        worker_stop(w);
    return status;
}

static anpe_status start_again(anpe_ctx *ctx, const piped *p, worker *w)
{
    header h;
    anpe_status status = start(ctx, p, w, &h);
    if (status)
        return status;
    if (!header_same(&h, &p->h)) {
        worker_stop(w);
        status =
            ANPE_FAIL(ctx, ANPE_EFORMAT,
                      "%s: says something else of itself than when it was first started", p->what);
    }
    header_clear(&h);
    return status;
}

/* ---- requests ---------------------------------------------------------------------------- */

static anpe_status check_domain(anpe_ctx *ctx, const piped *p, int64_t n, const double *theta)
{
    const int64_t D = p->h.info.n_labels;
    for (int64_t i = 0; i < n * D; i++) {
        const anpe_label *l = &p->h.label[i % D];
        if (!(theta[i] >= l->min && theta[i] <= l->max))
            return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: label %s outside [%g, %g]: %g", p->what,
                             l->name, l->min, l->max, theta[i]);
    }
    return ANPE_OK;
}

static void say_labels(const piped *p, const double *theta, char *text, size_t size)
{
    size_t at = 0;
    text[0] = 0;
    for (int64_t d = 0; d < p->h.info.n_labels && at < size; d++)
        at += (size_t)snprintf(text + at, size - at, "%s%s = %.10g", d ? ", " : "",
                               p->h.label[d].name, theta[d]);
}

static anpe_status check_flux(anpe_ctx *ctx, const piped *p, int64_t n, const double *theta,
                              const float *flux)
{
    const int64_t P = p->h.info.n_pixels;
    char labels[256];
    for (int64_t i = 0; i < n * P; i++)
        if (!isfinite(flux[i])) {
            say_labels(p, theta + i / P * p->h.info.n_labels, labels, sizeof labels);
            return ANPE_FAIL(ctx, ANPE_ENUMERIC, "%s: value %lld of the spectrum at %s is %g",
                             p->what, (long long)(i % P), labels, (double)flux[i]);
        }
    return ANPE_OK;
}

/* The program refuses: -count bytes say why. */
static anpe_status refused(anpe_ctx *ctx, const piped *p, worker *w, int64_t count,
                           const double *theta)
{
    char why[512], labels[256];
    const size_t n = count > (int64_t)sizeof why - 1 ? sizeof why - 1 : (size_t)count;
    say_labels(p, theta, labels, sizeof labels);
    if (worker_exchange(w, NULL, 0, why, n, p->o->timeout))
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: %s", p->what, w->why);
    why[n] = 0;
    if ((size_t)count > n) /* the rest is in the way of the next answer */
        worker_stop(w);
    return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: %s (first labels of the request: %s)", p->what, why,
                     labels);
}

/* One request to a running program. *lost: it is gone or of no use, and may be asked again. */
static anpe_status ask(anpe_ctx *ctx, const piped *p, worker *w, int64_t n, const double *theta,
                       float *flux, int *lost)
{
    const size_t labels = (size_t)(n * p->h.info.n_labels) * sizeof *theta;
    const size_t values = (size_t)(n * p->h.info.n_pixels) * sizeof *flux;
    int64_t count;
    *lost = 0;
    if (worker_exchange(w, &n, sizeof n, NULL, 0, p->o->timeout) ||
        worker_exchange(w, theta, labels, &count, sizeof count, p->o->timeout)) {
        *lost = 1;
        return ANPE_EIO;
    }
    if (count < 0 && count > INT64_MIN)
        return refused(ctx, p, w, -count, theta);
    if (count != n) {
        worker_stop(w);
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: was asked for %lld spectra and announces %lld; does it print "
                         "something else on standard output?",
                         p->what, (long long)n, (long long)count);
    }
    if (worker_exchange(w, NULL, 0, flux, values, p->o->timeout)) {
        *lost = 1;
        return ANPE_EIO;
    }
    return check_flux(ctx, p, n, theta, flux);
}

/* Asks until there is an answer, at most 1 + retries times. */
static anpe_status ask_again(anpe_ctx *ctx, const piped *p, int64_t n, const double *theta,
                             float *flux, int64_t retries, int *lost)
{
    char why[PIPE_TAIL + 256] = "", labels[256];
    anpe_status status = ANPE_OK;
    *lost = 1;
    for (int64_t turn = 0; turn <= retries && *lost; turn++) {
        const int64_t k = pool_take(p->pool);
        worker *w = &p->pool->worker[k];
        *lost = 0;
        status = w->pid ? ANPE_OK : start_again(ctx, p, w);
        if (!status)
            status = ask(ctx, p, w, n, theta, flux, lost);
        if (*lost) {
            snprintf(why, sizeof why, "%s", w->why);
            worker_stop(w);
        }
        pool_give(p->pool, k);
    }
    if (!*lost)
        return status;
    say_labels(p, theta, labels, sizeof labels);
    return ANPE_FAIL(ctx, ANPE_EIO, "%s: %s; asked %lld times, at %s%s", p->what, why,
                     (long long)retries + 1, labels, n > 1 ? " and others" : "");
}

/* A batch that the program does not survive is asked for again one by one, so that the message
 * names the labels and the others are had. */
static anpe_status pipe_simulate(const void *self, anpe_ctx *ctx, int64_t n, const double *theta,
                                 float *flux, void *scratch)
{
    const piped *p = self;
    int lost;
    (void)scratch;
    anpe_status status = check_domain(ctx, p, n, theta);
    if (status)
        return status;
    status = ask_again(ctx, p, n, theta, flux, n > 1 ? 0 : p->o->retries, &lost);
    if (!lost || n == 1)
        return status;
    status = ANPE_OK;
    for (int64_t i = 0; i < n && !status; i++)
        status = ask_again(ctx, p, 1, theta + i * p->h.info.n_labels, flux + i * p->h.info.n_pixels,
                           p->o->retries, &lost);
    return status;
}

/* ---- the plugin -------------------------------------------------------------------------- */

static void pipe_destroy(void *self)
{
    piped *p = self;
    if (!p)
        return;
    pool_free(p->pool);
    header_clear(&p->h);
    free(p->argv);
    free(p->envp);
    free(p);
}

static anpe_status pipe_create(anpe_ctx *ctx, const void *options, const void *setup, void **self)
{
    piped *p;
    if (ANPE_NEW(ctx, p, 1))
        return ANPE_ENOMEM;
    p->o = options;
    anpe_status status;
    ANPE_TRY(set_command(ctx, p));
    ANPE_TRY(set_environment(ctx, p, setup));
    ANPE_TRY(pool_new(ctx, p->o->workers, &p->pool));
    ANPE_TRY(start(ctx, p, &p->pool->worker[0], &p->h));
out:
    if (status) {
        pipe_destroy(p);
        return status;
    }
    *self = p;
    return ANPE_OK;
}

static void pipe_info(const void *self, anpe_simulator_info *info)
{
    const piped *p = self;
    *info = p->h.info;
}

static const anpe_simulator_ops pipe_ops = {
    .size = sizeof pipe_ops, .info = pipe_info, .simulate = pipe_simulate};

static const anpe_plugin pipe_plugin = {.abi = ANPE_ABI,
                                        .kind = ANPE_SIMULATOR,
                                        .name = "pipe",
                                        .version = "1.0",
                                        .summary = "any program: labels on its standard input, "
                                                   "spectra on its output",
                                        .capabilities = ANPE_RUNS_PROGRAMS,
                                        .options = pipe_table,
                                        .options_size = sizeof(pipe_options),
                                        .create = pipe_create,
                                        .destroy = pipe_destroy,
                                        .ops = &pipe_ops};

ANPE_PLUGINS(&pipe_plugin);
