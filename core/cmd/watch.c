/* anpe watch: the posterior of every file that comes into a directory, as it comes (inotify). */
#define _GNU_SOURCE
#include "cmd/command.h"
#include "base/text.h"
#include "file/catalogue.h"
#include "file/catalogue_read.h"
#include "file/file_list.h"
#include "infer/infer.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

typedef struct options {
    const char *output, *exec;
    anpe_texts set;
    int64_t samples, exact_max;
    int exact, once;
    double exact_ess;
} options;

enum { EXACT_ESS = 500, EXACT_MAX = 100000, TICK = 200 /* ms: how soon a signal is seen */ };
static const anpe_flag flags[] = {
    ANPE_FLAG_TEXT_REQUIRED(options, output, 'o', "output", "CATALOGUE",
                            "table that rows are added to: .csv or .ecsv"),
    ANPE_FLAG_TEXT(options, exec, 0, "exec", "COMMAND", NULL,
                   "shell command after each row, with its file, identifier and flags as $1, $2, "
                   "$3"),
    ANPE_FLAG_SWITCH(options, once, 0, "once",
                     "the files that are there and not in the catalogue, then the end"),
    ANPE_FLAG_TEXTS(options, set, 0, "set", "PATH=VALUE", "as of anpe infer"),
    ANPE_FLAG_INT(options, samples, 's', "samples", "N", 1000, 2, 1e8,
                  "posterior draws of each spectrum"),
    ANPE_FLAG_SWITCH(options, exact, 0, "exact", "importance sampling of every star"),
    ANPE_FLAG_REAL(options, exact_ess, 0, "exact-ess", "N", EXACT_ESS, 10, 1e6,
                   "effective draws that --exact is to reach"),
    ANPE_FLAG_INT(options, exact_max, 0, "exact-max", "N", EXACT_MAX, 2000, 1e8,
                  "most evaluations of the likelihood for one star with --exact"),
    ANPE_FLAG_END};

/* A file as it was when its rows were written: one that is written again is another. */
typedef struct seen_file {
    char *path;
    struct timespec changed; /* 0: only known from the catalogue */
    off_t size;
} seen_file;

typedef struct watch {
    const options *o;
    anpe_infer_request request;
    const char *directory;
    int inotify;
    anpe_model *model;
    int64_t n_seen, room;
    seen_file *seen;
    char *names; /* the columns of a catalogue that was there already, or NULL */
    int64_t n_stars, n_failed;
} watch;

/* ---- which files ------------------------------------------------------------------------- */

static seen_file *find_seen(const watch *w, const char *path)
{
    for (int64_t k = 0; k < w->n_seen; k++)
        if (!strcmp(w->seen[k].path, path))
            return &w->seen[k];
    return NULL;
}

static int is_new(const watch *w, const char *path, const struct stat *st)
{
    const seen_file *s = find_seen(w, path);
    if (!s)
        return 1;
    return s->changed.tv_sec &&
           (s->changed.tv_sec != st->st_mtim.tv_sec || s->changed.tv_nsec != st->st_mtim.tv_nsec ||
            s->size != st->st_size);
}

static anpe_status remember(anpe_ctx *ctx, watch *w, const char *path, const struct stat *st)
{
    seen_file *s = find_seen(w, path);
    if (!s) {
        if (ANPE_GROW(ctx, w->seen, w->room, w->n_seen + 1))
            return ANPE_ENOMEM;
        s = &w->seen[w->n_seen];
        if (!(s->path = anpe_strdup(ctx, path)))
            return ANPE_ENOMEM;
        w->n_seen++;
    }
    if (st) {
        s->changed = st->st_mtim;
        s->size = st->st_size;
    }
    return ANPE_OK;
}

/* Files whose rows a catalogue has that is there already, its columns and its model. */
static anpe_status read_catalogue(anpe_ctx *ctx, watch *w)
{
    const char *path = w->o->output;
    anpe_catalogue_file *c = NULL;
    anpe_text names = {0};
    char **file = NULL, *digest = NULL;
    struct stat st;
    anpe_status status;
    ANPE_TRY(anpe_catalogue_mend(ctx, path));
    if (stat(path, &st) || !st.st_size)
        return ANPE_OK;
    ANPE_TRY(anpe_catalogue_read_open(ctx, path, &c));
    ANPE_TRY(anpe_catalogue_read_texts(ctx, c, "file", &file));
    for (int64_t r = 0; r < anpe_catalogue_read_rows(c); r++)
        ANPE_TRY(remember(ctx, w, file[r], NULL));
    for (int k = 0; k < anpe_catalogue_read_n_columns(c); k++)
        anpe_text_add(&names, "%s%s", k ? "," : "", anpe_catalogue_read_name(c, k));
    ANPE_TRY(anpe_text_status(ctx, &names));
    digest = anpe_catalogue_read_keyword(ctx, c, "MODELSHA");
    if (!digest || strcmp(digest, w->model->digest))
        status = ANPE_FAIL(ctx, ANPE_EINVAL,
                           "%s: its rows are of another model (%.12s..., not %.12s...)", path,
                           digest ? digest : "none", w->model->digest);
    w->names = names.text;
    names = (anpe_text){0};
out:
    anpe_catalogue_texts_free(c ? anpe_catalogue_read_rows(c) : 0, file);
    anpe_catalogue_read_close(c);
    anpe_text_free(&names);
    free(digest);
    return status;
}

/* ---- one file ---------------------------------------------------------------------------- */

/* Waited for: rows and commands are in one order. */
static void call(anpe_ctx *ctx, const watch *w, const anpe_star *s)
{
    anpe_text flags_text = {0};
    int status = 0;
    pid_t child;
    for (int b = 0; b < ANPE_N_FLAGS; b++)
        if (s->flags >> b & 1)
            anpe_text_add(&flags_text, "%s%s", flags_text.length ? " " : "", anpe_flag_names[b]);
    char *const argument[] = {(char[]){"sh"},
                              (char[]){"-c"},
                              (char *)(uintptr_t)w->o->exec,
                              (char[]){"anpe"},
                              (char *)(uintptr_t)s->file,
                              (char *)(uintptr_t)s->id,
                              flags_text.text ? flags_text.text : (char[]){""},
                              NULL};
    const int error = posix_spawn(&child, "/bin/sh", NULL, NULL, argument, environ);
    if (error)
        anpe_log(ctx, ANPE_WARNING, "%s: --exec cannot be started: %s", s->id, strerror(error));
    else
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
    if (!error && status)
        anpe_log(ctx, ANPE_WARNING, "%s: --exec ended with status %d", s->id,
                 WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    anpe_text_free(&flags_text);
}

static anpe_status check_names(anpe_ctx *ctx, const watch *w, const anpe_infer_result *r)
{
    anpe_text names = {0};
    anpe_infer_names(r, &names);
    anpe_status status = anpe_text_status(ctx, &names);
    if (!status && w->names && strcmp(w->names, names.text))
        status = ANPE_FAIL(ctx, ANPE_EINVAL,
                           "%s: has other columns than these rows: it was made with other options",
                           w->o->output);
    anpe_text_free(&names);
    return status;
}

static anpe_status take_file(anpe_ctx *ctx, anpe_cmd *cmd, watch *w, const char *path)
{
    anpe_infer_result r = {0};
    struct stat st;
    if (stat(path, &st) || !S_ISREG(st.st_mode) || !is_new(w, path, &st))
        return ANPE_OK;
    w->request.n_files = 1;
    w->request.files = &path;
    anpe_status status = anpe_infer_files(ctx, &w->request, &r);
    int64_t n_stars = r.n_stars; /* with a row */
    /* A spectrum that cannot be used has a row that says why; a file without any is told of. */
    if (status && status != ANPE_ECANCEL && status != ANPE_ENOMEM) {
        if (r.n_failed < r.n_stars || !r.n_stars)
            anpe_log(ctx, ANPE_WARNING, "%s", anpe_error(ctx));
        if (r.n_failed < r.n_stars)
            n_stars = 0;
        status = ANPE_OK;
    }
    if (!status && n_stars)
        status = check_names(ctx, w, &r);
    if (!status && n_stars)
        status = anpe_infer_append(ctx, &w->request, &r, w->o->output);
    if (!status)
        status = remember(ctx, w, path, &st);
    for (int64_t k = 0; k < n_stars && !status; k++) {
        w->n_stars++;
        w->n_failed += r.star[k].failed;
        anpe_cmd_say(cmd, "%s%s%s\n", r.star[k].id, r.star[k].failed ? ": " : "",
                     r.star[k].failed ? r.star[k].reason : "");
        if (w->o->exec)
            call(ctx, w, &r.star[k]);
    }
    fflush(stdout);
    anpe_infer_result_clear(&r);
    return status;
}

/* ---- the directory ----------------------------------------------------------------------- */

static int is_wanted(const watch *w, const char *path)
{
    return anpe_text_basename(path)[0] != '.' && anpe_file_list_is_of_spectra(path) &&
           strcmp(anpe_text_basename(path), anpe_text_basename(w->o->output));
}

static anpe_status scan(anpe_ctx *ctx, anpe_cmd *cmd, watch *w)
{
    anpe_file_list list = {0};
    anpe_status status = anpe_file_list_folder(ctx, &list, w->directory);
    for (int64_t k = 0; k < list.n && !status && !anpe_cancelled(ctx); k++)
        if (is_wanted(w, list.path[k]))
            status = take_file(ctx, cmd, w, list.path[k]);
    anpe_file_list_clear(&list);
    return status;
}

static anpe_status take_event(anpe_ctx *ctx, anpe_cmd *cmd, watch *w, const struct inotify_event *e)
{
    char path[PATH_MAX];
    if (e->mask & IN_Q_OVERFLOW)
        return scan(ctx, cmd, w);
    if (e->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT))
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: is gone", w->directory);
    if (!e->len || (e->mask & IN_ISDIR))
        return ANPE_OK;
    const size_t n = strlen(w->directory);
    snprintf(path, sizeof path, "%s%s%s", w->directory, n && w->directory[n - 1] == '/' ? "" : "/",
             e->name);
    return is_wanted(w, path) ? take_file(ctx, cmd, w, path) : ANPE_OK;
}

static anpe_status follow(anpe_ctx *ctx, anpe_cmd *cmd, watch *w)
{
    _Alignas(struct inotify_event) char block[16384];
    struct pollfd wait = {.fd = w->inotify, .events = POLLIN};
    anpe_status status = ANPE_OK;
    while (!status && !anpe_cancelled(ctx)) {
        if (poll(&wait, 1, TICK) <= 0)
            continue;
        const ssize_t n = read(w->inotify, block, sizeof block);
        for (ssize_t at = 0; at < n && !status && !anpe_cancelled(ctx);) {
            const struct inotify_event *e = (const void *)(block + at);
            status = take_event(ctx, cmd, w, e);
            at += (ssize_t)(sizeof *e + e->len);
        }
    }
    return status;
}

/* Watched before it is looked through, so that no file falls between. */
static anpe_status start(anpe_ctx *ctx, watch *w)
{
    char reason[128];
    w->inotify = inotify_init1(IN_CLOEXEC);
    if (w->inotify < 0 || inotify_add_watch(w->inotify, w->directory,
                                            IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE_SELF |
                                                IN_MOVE_SELF | IN_ONLYDIR) < 0)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot watch: %s", w->directory,
                         anpe_errno_text(errno, reason, sizeof reason));
    return ANPE_OK;
}

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const options *o = cmd->options;
    watch w = {.o = o, .directory = cmd->argument[1], .inotify = -1};
    anpe_status status;
    ANPE_TRY(anpe_catalogue_check_append(ctx, o->output));
    ANPE_TRY(anpe_output_differs(ctx, o->output, cmd->argument[0]));
    ANPE_TRY(start(ctx, &w));
    ANPE_TRY(anpe_model_open_with(ctx, cmd->argument[0], (int)o->set.n, o->set.v, &w.model));
    ANPE_TRY(read_catalogue(ctx, &w));
    w.request = (anpe_infer_request){.model = cmd->argument[0],
                                     .opened = w.model,
                                     .n_sets = (int)o->set.n,
                                     .sets = o->set.v,
                                     .n_draws = o->samples,
                                     .seed = cmd->seed_given ? cmd->seed : 1,
                                     .threads = cmd->threads ? cmd->threads : 1,
                                     .exact = o->exact,
                                     .exact_options = {o->exact_ess, o->exact_max, ANPE_RUNG_MCMC}};
    ANPE_TRY(scan(ctx, cmd, &w));
    if (!o->once)
        ANPE_TRY(follow(ctx, cmd, &w));
out:
    json_object_set_new(cmd->result, "catalogue", json_string(o->output));
    json_object_set_new(cmd->result, "n", json_integer(w.n_stars));
    json_object_set_new(cmd->result, "n_failed", json_integer(w.n_failed));
    for (int64_t k = 0; k < w.n_seen; k++)
        free(w.seen[k].path);
    free(w.seen);
    free(w.names);
    anpe_model_close(w.model);
    if (w.inotify >= 0)
        close(w.inotify);
    /* To be ended is how a watch ends: its rows are on the disk. */
    return status == ANPE_ECANCEL ? ANPE_OK : status;
}

const anpe_command anpe_command_watch = {
    "watch",
    "posteriors of the files that come into a directory, as they come",
    "MODEL DIRECTORY -o CATALOGUE",
    "Adds a row for every spectrum of a file once the file is complete: closed after writing, or "
    "moved there. Files that are there already come first. Rows are whole lines on the disk; a "
    "watch that is started again goes on where the catalogue ends. Ctrl-C or a termination ends "
    "it, "
    "with exit status 0.",
    flags,
    sizeof(options),
    2,
    2,
    run,
    0};
