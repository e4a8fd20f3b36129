/* infer/stars.c -- a run of anpe infer for those who embed the library: spectra of files or of
 * memory, a row for each, and their draws. */
#include <config.h>
#include "infer/rows.h"
#include "infer/run.h"
#include "base/locale.h"
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct anpe_stars {
    anpe_infer_request request; /* as the run had it, borrowed names included */
    anpe_infer_result result;
    anpe_infer_draws draws;
    char **text; /* (n_texts) copies of what rows borrow */
    int64_t n_texts;
    int n_columns;
    anpe_infer_column *from; /* (n_columns) */
    anpe_column_info *column;
};

static anpe_status copy_text(anpe_ctx *ctx, anpe_stars *s, const char *text, const char **copy)
{
    int64_t room = s->n_texts;
    if (ANPE_GROW(ctx, s->text, room, s->n_texts + 1))
        return ANPE_ENOMEM;
    if (!(s->text[s->n_texts] = anpe_strdup(ctx, text)))
        return ANPE_ENOMEM;
    *copy = s->text[s->n_texts++];
    return ANPE_OK;
}

static anpe_status copy_texts(anpe_ctx *ctx, anpe_stars *s, int64_t n, const char *const *texts,
                              const char *const **copies)
{
    const char **list;
    if (ANPE_NEW(ctx, list, n + 1))
        return ANPE_ENOMEM;
    *copies = list;
    for (int64_t k = 0; k < n; k++)
        if (copy_text(ctx, s, texts[k], &list[k]))
            return ANPE_ENOMEM;
    return ANPE_OK;
}

/* Options that are younger than the caller's anpe.h have their defaults. */
static anpe_status take_options(anpe_ctx *ctx, const anpe_run *given, anpe_run *run)
{
    *run = ANPE_RUN_DEFAULT;
    if (given->size < offsetof(anpe_run, exact_max) + sizeof given->exact_max)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "anpe_run: size is %zu; start from ANPE_RUN_DEFAULT",
                         given->size);
    memcpy(run, given, given->size < sizeof *run ? given->size : sizeof *run);
    if ((run->n_files > 0) == (run->n_spectra > 0))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "anpe_run: either files or spectra");
    if (run->n_spectra > 0 && (!run->flux || !run->sigma))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "anpe_run: spectra without flux or sigma");
    if (run->opened && run->n_sets)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "anpe_run: sets of a model that is opened already");
    if (!run->model || (run->n_files > 0 && !run->files))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "anpe_run: %s is NULL", run->model ? "files" : "model");
    if (run->n_files > INT_MAX || run->n_sets > INT_MAX)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "anpe_run: more files or sets than an int holds");
    if (run->n_draws < 2)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "anpe_run: n_draws is %lld, expected at least 2",
                         (long long)run->n_draws);
    return ANPE_OK;
}

static anpe_status fill_request(anpe_ctx *ctx, anpe_stars *s, const anpe_run *run)
{
    anpe_infer_request *q = &s->request;
    anpe_status status;
    *q = (anpe_infer_request){.opened = run->opened,
                              .flux = run->flux,
                              .sigma = run->sigma,
                              .mask = run->mask,
                              .n_spectra = run->n_spectra,
                              .n_draws = run->n_draws,
                              .seed = run->seed,
                              .threads = run->threads,
                              .exact = run->exact,
                              .exact_options = {run->exact_ess, run->exact_max, ANPE_RUNG_MCMC},
                              .draws = run->keep_draws ? &s->draws : NULL};
    ANPE_TRY(copy_text(ctx, s, run->model, &q->model));
    q->n_files = (int)run->n_files;
    ANPE_TRY(copy_texts(ctx, s, run->n_files, run->files, &q->files));
    q->n_sets = (int)run->n_sets;
    ANPE_TRY(copy_texts(ctx, s, run->n_sets, run->sets, &q->sets));
    if (run->ids)
        ANPE_TRY(copy_texts(ctx, s, run->n_spectra, run->ids, &q->ids));
out:
    return status;
}

static anpe_status describe_columns(anpe_ctx *ctx, anpe_stars *s)
{
    anpe_status status;
    ANPE_TRY(ANPE_NEW(ctx, s->from, ANPE_CATALOGUE_MAX_COLUMNS));
    s->n_columns = anpe_infer_columns(&s->result, s->from);
    ANPE_TRY(ANPE_NEW(ctx, s->column, s->n_columns));
    for (int k = 0; k < s->n_columns; k++) {
        const anpe_column *c = &s->from[k].column;
        s->column[k] = (anpe_column_info){c->name, c->unit, c->ucd, c->help,
                                          c->type == ANPE_COLUMN_TEXT   ? 't'
                                          : c->type == ANPE_COLUMN_REAL ? 'd'
                                                                        : 'i'};
    }
out:
    return status;
}

static anpe_status infer_stars(anpe_ctx *ctx, const anpe_run *given, anpe_stars **out)
{
    anpe_run run;
    anpe_status status;
    ANPE_TRY(take_options(ctx, given, &run));
    ANPE_TRY(ANPE_NEW(ctx, *out, 1));
    ANPE_TRY(fill_request(ctx, *out, &run));
    ANPE_TRY(anpe_infer_files(ctx, &(*out)->request, &(*out)->result));
    ANPE_TRY(describe_columns(ctx, *out));
out:
    return status;
}

anpe_status anpe_stars_infer(anpe_ctx *ctx, const anpe_run *run, anpe_stars **out)
{
    const locale_t before = anpe_locale_enter();
    *out = NULL;
    const anpe_status status = infer_stars(ctx, run, out);
    if (status)
        *out = anpe_stars_free(*out);
    anpe_locale_leave(before);
    return status;
}

anpe_stars *anpe_stars_free(anpe_stars *s)
{
    if (!s)
        return NULL;
    anpe_infer_result_clear(&s->result);
    free(s->draws.theta);
    free(s->draws.log_q);
    for (int64_t k = 0; k < s->n_texts; k++)
        free(s->text[k]);
    free(s->text);
    free((void *)(uintptr_t)s->request.files);
    free((void *)(uintptr_t)s->request.sets);
    free((void *)(uintptr_t)s->request.ids);
    free(s->from);
    free(s->column);
    free(s);
    return NULL;
}

int64_t anpe_stars_count(const anpe_stars *s)
{
    return s->result.n_stars;
}

int anpe_stars_columns(const anpe_stars *s, const anpe_column_info **columns)
{
    *columns = s->column;
    return s->n_columns;
}

static const anpe_infer_column *cell(const anpe_stars *s, int64_t row, int column, char type)
{
    const int is = row >= 0 && row < s->result.n_stars && column >= 0 && column < s->n_columns &&
                   s->column[column].type == type;
    return is ? &s->from[column] : NULL;
}

double anpe_stars_real(const anpe_stars *s, int64_t row, int column)
{
    const anpe_infer_column *c = cell(s, row, column, 'd');
    return c ? anpe_infer_real(&s->result.star[row], c) : NAN;
}

int64_t anpe_stars_integer(const anpe_stars *s, int64_t row, int column)
{
    const anpe_infer_column *c = cell(s, row, column, 'i');
    return c ? anpe_infer_integer(&s->result.star[row], c) : 0;
}

const char *anpe_stars_text(const anpe_stars *s, int64_t row, int column)
{
    const anpe_infer_column *c = cell(s, row, column, 't');
    return c ? anpe_infer_text(&s->result.star[row], c) : "";
}

const double *anpe_stars_draws(const anpe_stars *s, const double **log_q)
{
    if (log_q)
        *log_q = s->draws.log_q;
    return s->draws.theta;
}

static anpe_status write_stars(anpe_ctx *ctx, const anpe_stars *s, const char *path)
{
    anpe_infer_request q = s->request;
    anpe_output o;
    q.output = path;
    const anpe_status status = anpe_infer_catalogue(ctx, &q, &s->result, &o);
    return status ? status : anpe_output_commit(ctx, &o);
}

anpe_status anpe_stars_write(anpe_ctx *ctx, const anpe_stars *s, const char *path)
{
    const locale_t before = anpe_locale_enter();
    const anpe_status status = write_stars(ctx, s, path);
    anpe_locale_leave(before);
    return status;
}

const char *anpe_flag_name(int bit, const char **help)
{
    const int is = bit >= 0 && bit < ANPE_N_FLAGS;
    if (help)
        *help = is ? anpe_flag_help[bit] : NULL;
    return is ? anpe_flag_names[bit] : NULL;
}
