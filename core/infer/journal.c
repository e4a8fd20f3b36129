/* Blocks of a run that are kept as they come, in OUTPUT.part or as a part of the run, and taken up
 * again: by the same command after an interruption, or by `anpe merge`. A block is its place in the
 * list of spectra, its rows, and what the extras append to their files. What is written from blocks
 * is written by the code of an uninterrupted run, in blocks that end where its blocks end. */
#include <config.h>
#include "infer/run.h"
#include "base/digest.h"
#include "file/catalogue_read.h"
#include "file/seal.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How a block starts. */
typedef struct block_head {
    anpe_span span;
    int64_t outside;       /* draws outside the prior */
    int64_t n_opened, row; /* files that were opened, the row to go on with of the last; -1: none */
    int64_t failure;       /* status of its first star, 0: it has not failed */
} block_head;

/* ---- what run it is ---------------------------------------------------------------------- */

/* A digest that grows: of the one before and of one more line. */
ANPE_PRINTF(3, 4) static anpe_status mix(anpe_ctx *ctx, char hex[65], const char *format, ...)
{
    anpe_text line = {0};
    char *text = NULL;
    va_list ap;
    va_start(ap, format);
    if (vasprintf(&text, format, ap) < 0)
        text = NULL;
    va_end(ap);
    anpe_text_add(&line, "%s\n%s", hex, text ? text : "");
    const anpe_status status =
        text ? anpe_text_status(ctx, &line) : ANPE_NO_MEMORY(ctx, "a digest");
    if (!status)
        anpe_digest_memory(line.text, line.length, hex);
    anpe_text_free(&line);
    free(text);
    return status;
}

/* -1: there is none. */
static long long size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) ? -1 : (long long)st.st_size;
}

/* All of the file, its validation included. A seal stands for what follows it. */
static anpe_status name_model(anpe_ctx *ctx, const char *path, char hex[65])
{
    char start[ANPE_SEAL_BYTES], reason[128];
    FILE *f = fopen(path, "rb");
    if (!f)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot open: %s", path,
                         anpe_errno_text(errno, reason, sizeof reason));
    const size_t n = fread(start, 1, sizeof start, f);
    const int bad = ferror(f), error = errno;
    fclose(f);
    if (bad)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot read: %s", path,
                         anpe_errno_text(error, reason, sizeof reason));
    if (!anpe_seal_is(start, n))
        return anpe_digest_file(ctx, path, hex);
    anpe_digest_memory(start, n, hex);
    return ANPE_OK;
}

static anpe_status mix_options(anpe_ctx *ctx, const anpe_infer_request *q, char hex[65])
{
    const anpe_exact_options *e = &q->exact_options;
    char other[65] = "";
    anpe_status status;
    for (int i = 0; i < q->n_sets; i++)
        ANPE_TRY(mix(ctx, hex, "set %s", q->sets[i]));
    ANPE_TRY(mix(ctx, hex, "draws %lld seed %lu files %d %d %d", (long long)q->n_draws,
                 (unsigned long)q->seed, q->posterior != NULL, q->predict != NULL,
                 q->explain != NULL));
    if (q->exact)
        ANPE_TRY(mix(ctx, hex, "exact %.17g %lld %d", e->ess, (long long)e->max_evaluations,
                     (int)e->last));
    if (q->compare) {
        ANPE_TRY(anpe_digest_file(ctx, q->compare, other));
        ANPE_TRY(mix(ctx, hex, "compare %s %s %s", other,
                     q->compare_columns ? q->compare_columns : "",
                     q->compare_id ? q->compare_id : ""));
    }
out:
    return status;
}

anpe_status anpe_infer_name_run(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_infer_request *q = f->request;
    const char *option, *path;
    char *hex = f->result->run;
    anpe_status status;
    if (!q->output)
        return ANPE_OK;
    ANPE_TRY(name_model(ctx, q->model, f->model_name));
    if (q->n_parts) /* they say it */
        return ANPE_OK;
    ANPE_TRY(mix(ctx, hex, "anpe " PACKAGE_VERSION " rows of %zu bytes", sizeof(anpe_star)));
    ANPE_TRY(mix(ctx, hex, "model %s", f->model_name));
    ANPE_TRY(mix_options(ctx, q, hex));
    for (int i = 0; (path = anpe_settings_file(f->model->settings, i, &option)); i++)
        ANPE_TRY(mix(ctx, hex, "%s %lld", option, size_of(path)));
    for (int i = 0; i < q->n_files; i++)
        ANPE_TRY(mix(ctx, hex, "%lld %s", size_of(q->files[i]), q->files[i]));
out:
    return status;
}

/* ---- an output that is there already ----------------------------------------------------- */

/* A run that was killed between its last two steps leaves the journal of a finished output. */
static void drop_journal(anpe_ctx *ctx, const anpe_inference *f)
{
    anpe_journal *journal;
    if (anpe_journal_exists(f->request->output) &&
        !anpe_journal_open(ctx, f->request->output, f->result->run, &journal))
        anpe_journal_finish(journal);
}

anpe_status anpe_infer_check_finished(anpe_ctx *ctx, anpe_inference *f, int *finished)
{
    const anpe_infer_request *q = f->request;
    anpe_catalogue_file *c = NULL;
    char *run = NULL;
    anpe_status status;
    *finished = 0;
    if (f->part)
        return anpe_part_finished(ctx, f->part, f->result->run, finished);
    if (!q->resume || access(q->output, F_OK) != 0)
        return ANPE_OK;
    ANPE_TRY(anpe_catalogue_read_open(ctx, q->output, &c));
    run = anpe_catalogue_read_keyword(ctx, c, "RUN");
    *finished = run && strcmp(run, f->result->run) == 0;
    if (!*finished)
        status = ANPE_FAIL(ctx, ANPE_ECONFIG,
                           "%s: is there already, and not of this model, command line and these "
                           "input files; --resume does not replace it",
                           q->output);
    else
        anpe_log(ctx, ANPE_INFO, "%s is finished already", q->output);
    if (*finished)
        drop_journal(ctx, f);
out:
    anpe_catalogue_read_close(c);
    free(run);
    return status;
}

/* ---- opening ----------------------------------------------------------------------------- */

static void put_text(anpe_text *head, const char *key, const char *value)
{
    if (value)
        anpe_head_put(head, key, "%s", value);
}

/* What a merge needs to write the files. */
static anpe_status make_head(anpe_ctx *ctx, const anpe_inference *f, anpe_text *head)
{
    const anpe_infer_request *q = f->request;
    anpe_head_put(head, "kind", "infer");
    anpe_head_put(head, "part", "%lld", (long long)q->share.k);
    anpe_head_put(head, "parts", "%lld", (long long)q->share.n);
    /* where there are no parts, the same whether spectra were counted or not */
    anpe_head_put(head, "end", "%lld", (long long)(q->share.n ? f->to : INT64_MAX));
    put_text(head, "model", q->model);
    put_text(head, "model_name", f->model_name);
    for (int i = 0; i < q->n_sets; i++)
        put_text(head, "set", q->sets[i]);
    put_text(head, "posterior", q->posterior);
    put_text(head, "predict", q->predict);
    put_text(head, "explain", q->explain);
    put_text(head, "compare", q->compare);
    put_text(head, "compare_columns", q->compare_columns);
    put_text(head, "compare_id", q->compare_id);
    anpe_head_put(head, "draws", "%lld", (long long)q->n_draws);
    anpe_head_put(head, "seed", "%lu", (unsigned long)q->seed);
    anpe_head_put(head, "exact", "%d", q->exact);
    return anpe_text_status(ctx, head);
}

static anpe_status open_parts(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_infer_request *q = f->request;
    anpe_status status;
    ANPE_TRY(anpe_replay_parts(ctx, q->n_parts, q->parts, &f->replay));
    const char *model = anpe_head_get(&f->replay.head, "model_name", 0);
    if (!model || strcmp(model, f->model_name))
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%s: the parts were made with another model than this file is now, or "
                         "before it was validated",
                         q->model);
    snprintf(f->result->run, sizeof f->result->run, "%s", anpe_replay_digest(&f->replay));
out:
    return status;
}

anpe_status anpe_infer_open_replay(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_infer_request *q = f->request;
    const char *output = f->part ? f->part : q->output;
    anpe_text head = {0};
    anpe_status status = ANPE_OK;
    f->replays = q->resume || f->part || q->n_parts;
    if (q->n_parts)
        return open_parts(ctx, f);
    if (!f->replays) {
        if (output)
            anpe_journal_warn(ctx, output);
        return ANPE_OK;
    }
    ANPE_TRY(make_head(ctx, f, &head));
    ANPE_TRY(anpe_replay_open(ctx, output, f->result->run, &head, f->from, &f->replay));
out:
    anpe_text_free(&head);
    return status;
}

/* ---- blocks ------------------------------------------------------------------------------ */

/* Of n stars of the block: what stands behind head and rows. */
static int extra_pieces(const anpe_inference *f, int64_t n, anpe_piece *piece)
{
    int m = 0;
    for (int k = 0; k < anpe_infer_n_extras; k++)
        if (f->extra[k] && anpe_infer_extras[k]->pieces)
            m += anpe_infer_extras[k]->pieces(f, f->extra[k], n, piece + m);
    return m;
}

/* Where a block of the run's own journal left the list of spectra. */
static anpe_status start_block(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_replay *r = &f->replay;
    block_head head;
    if (r->n < 2 || r->piece[0].size != sizeof head)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "a block of the journal is of another kind");
    memcpy(&head, r->piece[0].data, sizeof head);
    f->outside[f->n] = head.outside;
    if (f->n == 0)
        f->failure = (anpe_status)head.failure;
    f->replay_at = r->piece[1].data;
    const int64_t within = head.row >= 0, opened = head.n_opened - within;
    if (f->request->n_parts)
        return ANPE_OK;
    if (opened < 0 || opened > f->request->n_files)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "a block of the journal is of another list of files");
    f->n_opened = (int)opened;
    f->skip = within ? head.row : 0;
    f->row = f->n_rows = 0;
    return ANPE_OK;
}

/* The name of the star's file, which the next block of the journal would overwrite. */
static anpe_status keep_name(anpe_ctx *ctx, anpe_inference *f, int64_t b)
{
    const int64_t n = (int64_t)strlen(f->star[b].file) + 1;
    if (ANPE_GROW(ctx, f->names.data, f->names.room, f->names.n + n))
        return ANPE_ENOMEM;
    memcpy(f->names.data + f->names.n, f->star[b].file, (size_t)n);
    f->name[b] = f->names.n;
    f->names.n += n;
    return ANPE_OK;
}

/* Stars of the block that is being taken become stars n .. n + take of ours. */
static anpe_status take_stars(anpe_ctx *ctx, anpe_inference *f, int64_t take)
{
    anpe_replay *r = &f->replay;
    anpe_piece piece[ANPE_JOURNAL_PIECES];
    const int n_pieces = extra_pieces(f, f->block, piece);
    const char *end = (const char *)r->piece[1].data + r->piece[1].size;
    const int64_t labels = f->result->n_labels;
    anpe_status status = ANPE_OK;
    for (int64_t b = f->n; b < f->n + take; b++) {
        f->star[b].label = f->summary + b * labels;
        f->star[b].truth = f->truth + b * labels;
        if (!anpe_row_unpack(&f->replay_at, end, labels, &f->star[b]))
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "a block of the journal holds no rows");
        ANPE_TRY(keep_name(ctx, f, b));
    }
    for (int k = 0; k < n_pieces && !status; k++) {
        const size_t bytes = piece[k].size / (size_t)f->block;
        status = anpe_replay_copy(ctx, r, k + 2, bytes, take,
                                  (char *)piece[k].data + bytes * (size_t)f->n);
    }
    r->used += take;
    f->n += take;
out:
    return status;
}

/* Where the names lie now that they have grown. */
static void point_to_names(anpe_inference *f)
{
    for (int64_t b = 0; b < f->n; b++)
        f->star[b].file = f->names.data + f->name[b];
}

/* As if they were a block of the journal. Where it left the list of spectra stays as it says. */
anpe_status anpe_infer_put_block(anpe_ctx *ctx, anpe_inference *f, int n, const anpe_piece *piece)
{
    anpe_replay *r = &f->replay;
    const anpe_replay before = *r;
    block_head head;
    anpe_status status = ANPE_OK;
    memset(f->outside, 0, (size_t)f->block * sizeof *f->outside);
    r->n = n;
    r->piece = piece;
    r->used = 0;
    f->n = f->names.n = 0;
    ANPE_TRY(start_block(ctx, f));
    memcpy(&head, piece[0].data, sizeof head);
    r->span = head.span;
    f->first = head.span.first;
    f->n_opened = (int)head.n_opened;
    f->row = head.row >= 0 ? head.row : 0;
    f->n_rows = head.row >= 0 ? head.row + 1 : 0;
    if (r->span.n > f->block)
        status = ANPE_FAIL(ctx, ANPE_EINTERNAL, "a block of %lld stars", (long long)r->span.n);
    else
        status = take_stars(ctx, f, r->span.n);
    point_to_names(f);
out:
    *r = before;
    return status;
}

anpe_status anpe_infer_take_block(anpe_ctx *ctx, anpe_inference *f)
{
    int64_t left;
    anpe_status status;
    f->n = 0;
    f->names.n = 0;
    f->failure = ANPE_OK;
    while (f->n < f->block) {
        ANPE_TRY(anpe_replay_left(ctx, &f->replay, &left));
        if (!left)
            break;
        if (f->replay.used == 0)
            ANPE_TRY(start_block(ctx, f));
        ANPE_TRY(take_stars(ctx, f, left < f->block - f->n ? left : f->block - f->n));
    }
    point_to_names(f);
    f->replayed = f->n > 0;
    f->n_done += f->n;
out:
    return status;
}

static block_head head_of(const anpe_inference *f)
{
    const int within = f->row < f->n_rows;
    block_head head = {{f->first, f->n}, 0, f->n_opened, within ? f->row : -1, (int64_t)f->failure};
    for (int64_t b = 0; b < f->n; b++)
        head.outside += f->outside[b];
    return head;
}

int anpe_infer_block_pieces(anpe_inference *f, anpe_piece *piece)
{
    const block_head head = head_of(f);
    _Static_assert(sizeof head <= sizeof f->head, "no room for the head of a block");
    memcpy(f->head, &head, sizeof head);
    piece[0] = (anpe_piece){f->head, sizeof head};
    piece[1] = (anpe_piece){f->bytes.data, (size_t)f->bytes.n};
    return 2 + extra_pieces(f, f->n, piece + 2);
}

anpe_status anpe_infer_keep_block(anpe_ctx *ctx, anpe_inference *f)
{
    anpe_piece piece[ANPE_JOURNAL_PIECES];
    const int n = anpe_infer_block_pieces(f, piece);
    return anpe_replay_append(ctx, &f->replay, n, piece);
}

/* ---- putting parts together -------------------------------------------------------------- */

anpe_status anpe_infer_merge(anpe_ctx *ctx, const anpe_text *head, int n_parts,
                             const char *const *parts, const char *output, const char *model,
                             anpe_infer_request *q, anpe_infer_result *result)
{
    const char **set = NULL;
    anpe_status status;
    q->model = model ? model : anpe_head_get(head, "model", 0);
    q->output = output;
    q->n_parts = n_parts;
    q->parts = parts;
    q->posterior = anpe_head_get(head, "posterior", 0);
    q->predict = anpe_head_get(head, "predict", 0);
    q->explain = anpe_head_get(head, "explain", 0);
    q->compare = anpe_head_get(head, "compare", 0);
    q->compare_columns = anpe_head_get(head, "compare_columns", 0);
    q->compare_id = anpe_head_get(head, "compare_id", 0);
    q->n_draws = anpe_head_number(head, "draws");
    q->seed = (uint32_t)anpe_head_number(head, "seed");
    q->exact = anpe_head_number(head, "exact") == 1;
    q->exact_options = anpe_ladder_defaults();
    if (!q->model || q->n_draws < 2 || q->n_draws > 1e8)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: is damaged: it does not say what it is of",
                         parts[0]);
    for (q->n_sets = 0; anpe_head_get(head, "set", q->n_sets);)
        q->n_sets++;
    ANPE_TRY(ANPE_NEW(ctx, set, q->n_sets + 1));
    for (int k = 0; k < q->n_sets; k++)
        set[k] = anpe_head_get(head, "set", k);
    q->sets = set;
    ANPE_TRY(anpe_infer_files(ctx, q, result));
out:
    free(set);
    q->sets = NULL;
    q->n_sets = 0;
    return status;
}
