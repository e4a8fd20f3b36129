/* Our labels against those of a catalogue: `anpe infer --compare`. For each star the chi2 of the
 * simulator's spectrum at the catalogue's labels, under the same continuum rule, error bars and
 * mask as the one at our medians. Labels that agree with the spectrum no better than the
 * catalogue's are no gain: Zhang, Jayasinghe & Bloom (2023) ask for a smaller residual in 95 % of
 * the stars.
 *
 * A label that the catalogue lacks is our median in both, so that it cannot decide. */
#include "infer/identity.h"
#include "infer/run.h"
#include "base/text.h"
#include "file/catalogue_read.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 80 };

typedef struct comparison {
    anpe_catalogue_file *file;
    int64_t n_rows, n_labels;
    double *label;          /* (n_labels, n_rows) of the labels that are given */
    char **id;              /* (n_rows) or NULL: matched by row */
    anpe_identities *rows;  /* which rows are of one star; NULL: matched by row */
    anpe_identities *files; /* which files have one name: entry i is star i's where it is the first
                             * of its file */
} comparison;

static void close_comparison(void *state)
{
    comparison *c = state;
    anpe_catalogue_texts_free(c->n_rows, c->id);
    anpe_catalogue_read_close(c->file);
    anpe_identities_free(c->rows);
    anpe_identities_free(c->files);
    free(c->label);
    free(c);
}

/* ---- which column is which label --------------------------------------------------------- */

/* Label of the word "LABEL=COLUMN", its column in `column`. */
static anpe_status parse_word(anpe_ctx *ctx, const anpe_infer_result *r, const char *word, size_t n,
                              int64_t *label, char column[MAX_NAME])
{
    const char *equals = memchr(word, '=', n), *known[256];
    char name[MAX_NAME], hint[128];
    if (!equals || equals == word || equals + 1 == word + n || n >= MAX_NAME)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "compare-columns: '%.*s' is not LABEL=COLUMN", (int)n,
                         word);
    snprintf(name, sizeof name, "%.*s", (int)(equals - word), word);
    snprintf(column, MAX_NAME, "%.*s", (int)(word + n - equals - 1), equals + 1);
    *label = anpe_label_find(r->n_labels, r->label, name);
    if (*label >= 0)
        return ANPE_OK;
    const int most = r->n_labels < 256 ? (int)r->n_labels : 256;
    for (int d = 0; d < most; d++)
        known[d] = r->label[d].name;
    return ANPE_FAIL(ctx, ANPE_EINVAL, "compare-columns: the model has no label '%s'%s", name,
                     anpe_text_hint(hint, sizeof hint, name, most, known));
}

static anpe_status read_label(anpe_ctx *ctx, comparison *c, anpe_infer_result *r, int64_t d,
                              const char *column)
{
    r->comparison.given[d] = 1;
    return anpe_catalogue_read_reals(ctx, c->file, column, c->label + d * c->n_rows);
}

static anpe_status read_labels(anpe_ctx *ctx, const anpe_inference *f, comparison *c)
{
    anpe_infer_result *r = f->result;
    anpe_status status = ANPE_OK;
    int n_given = 0;
    for (const char *word = f->request->compare_columns; word && *word;) {
        const size_t n = strcspn(word, ",");
        char column[MAX_NAME];
        int64_t d;
        ANPE_TRY(parse_word(ctx, r, word, n, &d, column));
        if (r->comparison.given[d])
            return ANPE_FAIL(ctx, ANPE_EINVAL, "compare-columns: label '%s' is given twice",
                             r->label[d].name);
        ANPE_TRY(read_label(ctx, c, r, d, column));
        word += n + (word[n] == ',');
    }
    for (int64_t d = 0; d < r->n_labels; d++) {
        if (!r->comparison.given[d] && anpe_catalogue_read_has(c->file, r->label[d].name))
            ANPE_TRY(read_label(ctx, c, r, d, r->label[d].name));
        n_given += r->comparison.given[d];
    }
    if (!n_given)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s: no column has the name of a label (%s, ...): say which they are with "
                         "--compare-columns LABEL=COLUMN,...",
                         f->request->compare, r->label[0].name);
out:
    return status;
}

/* ---- which row is which star ------------------------------------------------------------- */

/* A star that has several rows is compared with none: nothing says which is meant. */
static void warn_repeated(anpe_ctx *ctx, const anpe_infer_request *q, const comparison *c)
{
    int64_t stars = 0;
    const char *example = NULL;
    for (int64_t k = 0; k < c->n_rows; k++)
        if (anpe_identities_star(c->rows, k) == k && anpe_identities_count(c->rows, k) > 1 &&
            stars++ == 0)
            example = c->id[k];
    if (stars)
        anpe_log(ctx, ANPE_WARNING,
                 "%s: %lld star%s more than one row (%s, ...); not compared, because nothing says "
                 "which row is meant",
                 q->compare, (long long)stars, stars == 1 ? " has" : "s have", example);
}

/* Files of one name in several folders: a spectrum that is named by its file could be either's. */
static anpe_status name_files(anpe_ctx *ctx, const anpe_infer_request *q, comparison *c)
{
    const char **name;
    if (ANPE_NEW(ctx, name, q->n_files + 1))
        return ANPE_ENOMEM;
    for (int i = 0; i < q->n_files; i++)
        name[i] = anpe_text_basename(q->files[i]);
    const anpe_status status = anpe_identities_new(ctx, q->n_files, name, NULL, &c->files);
    free(name);
    return status;
}

static int64_t files_of_this_name(const comparison *c, const anpe_star *star)
{
    const int64_t k = anpe_identities_find(c->files, anpe_text_basename(star->file));
    return k < 0 ? 0 : anpe_identities_count(c->files, k);
}

static anpe_status prepare_match(anpe_ctx *ctx, anpe_inference *f, comparison *c)
{
    const anpe_infer_request *q = f->request;
    int64_t n_stars;
    anpe_status status;
    if (q->n_parts) /* matched already */
        return ANPE_OK;
    if (!q->compare_id)
        ANPE_TRY(anpe_infer_count_stars(ctx, f, &n_stars));
    if (!q->compare_id && c->n_rows != n_stars)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s: %lld rows for %lld spectra; to find them by identifier, name its "
                         "column with --compare-id",
                         q->compare, (long long)c->n_rows, (long long)n_stars);
    if (!q->compare_id)
        return ANPE_OK;
    ANPE_TRY(anpe_catalogue_read_texts(ctx, c->file, q->compare_id, &c->id));
    ANPE_TRY(anpe_identities_new(ctx, c->n_rows, (const char *const *)c->id, NULL, &c->rows));
    ANPE_TRY(name_files(ctx, q, c));
    warn_repeated(ctx, q, c);
out:
    return status;
}

/* The row of star i, -1: there is none, or it cannot be told. */
static int64_t find_row(const comparison *c, const anpe_star *star, int64_t i)
{
    if (!c->rows)
        return i;
    if (!star->named && files_of_this_name(c, star) > 1)
        return -1;
    const int64_t row = anpe_identities_find(c->rows, star->id);
    return row >= 0 && anpe_identities_count(c->rows, row) == 1 ? row : -1;
}

static anpe_status open_comparison(anpe_ctx *ctx, anpe_inference *f, void **state)
{
    const anpe_infer_request *q = f->request;
    anpe_status status;
    if (!q->compare)
        return q->compare_columns || q->compare_id
                   ? ANPE_FAIL(ctx, ANPE_EINVAL,
                               "compare-columns, compare-id: there is no catalogue to --compare "
                               "with")
                   : ANPE_OK;
    ANPE_TRY(anpe_model_can_predict(ctx, f->model));
    comparison *c;
    if (ANPE_NEW(ctx, c, 1))
        return ANPE_ENOMEM;
    *state = c;
    ANPE_TRY(anpe_catalogue_read_open(ctx, q->compare, &c->file));
    c->n_rows = anpe_catalogue_read_rows(c->file);
    c->n_labels = f->result->n_labels;
    if (ANPE_NEW(ctx, c->label, c->n_rows * c->n_labels + 1) ||
        ANPE_NEW(ctx, f->result->comparison.given, c->n_labels))
        return ANPE_ENOMEM;
    f->result->comparison.wanted = 1;
    ANPE_TRY(read_labels(ctx, f, c));
    ANPE_TRY(prepare_match(ctx, f, c));
out:
    return status;
}

/* ---- one star ---------------------------------------------------------------------------- */

/* Inside what the simulator was made for? Velocities, vsini and vmacro: anpe_session_predict. */
static int inside(const anpe_task *t, const double *theta)
{
    int yes = 1;
    for (int64_t d = 0; d < t->n_labels; d++) {
        for (int64_t j = 0; j < t->sim.n_labels; j++)
            if (t->inferred[d] == t->sim_label[j])
                yes &= theta[d] >= t->sim.labels[j].min && theta[d] <= t->sim.labels[j].max;
    }
    return yes;
}

static const char *compare(anpe_ctx *ctx, const anpe_inference *f, const comparison *c, int lane,
                           int64_t b)
{
    anpe_star *star = &f->star[b];
    const int64_t row = find_row(c, star, f->first + b);
    double *theta = f->lane[lane].column;
    const float *flux;
    double chi2;
    int64_t n_good;
    if (row < 0)
        return "unmatched";
    for (int64_t d = 0; d < c->n_labels; d++) {
        theta[d] =
            f->result->comparison.given[d] ? c->label[d * c->n_rows + row] : star->label[d].median;
        if (!isfinite(theta[d]))
            return "incomplete";
    }
    if (!inside(f->model->task, theta) ||
        anpe_session_predict(f->lane[lane].session, ctx, &flux, &chi2, &n_good, theta,
                             &f->spectrum[b]))
        return "outside";
    star->chi2_catalogue = chi2;
    return "compared";
}

static anpe_status compare_star(anpe_ctx *ctx, anpe_inference *f, void *state, int lane, int64_t b,
                                int64_t i)
{
    anpe_star *star = &f->star[b];
    (void)i;
    snprintf(star->comparison, sizeof star->comparison, "%s", compare(ctx, f, state, lane, b));
    return ANPE_OK;
}

static anpe_status count(anpe_ctx *ctx, anpe_inference *f, void *state)
{
    anpe_comparison *c = &f->result->comparison;
    (void)ctx, (void)state;
    for (int64_t b = 0; b < f->n; b++) {
        const anpe_star *s = &f->star[b];
        c->n += !strcmp(s->comparison, "compared");
        c->n_better += s->chi2 < s->chi2_catalogue;
        c->n_outside += !strcmp(s->comparison, "outside");
        c->n_unmatched += !strcmp(s->comparison, "unmatched");
        c->n_incomplete += !strcmp(s->comparison, "incomplete");
    }
    return ANPE_OK;
}

const anpe_infer_extra anpe_infer_compare = {
    .open = open_comparison, .star = compare_star, .block = count, .free = close_comparison};
