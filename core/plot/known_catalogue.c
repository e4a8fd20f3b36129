/* plot/known_catalogue.c -- a catalogue of anpe beside another catalogue: which rows and columns
 * belong together. */
#include <config.h>
#include "base/text.h"
#include "file/catalogue_read.h"
#include "infer/identity.h"
#include "plot/known.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct pair {
    anpe_catalogue_file *mine, *theirs;
    int64_t *partner; /* (rows of mine) row of theirs, or -1 */
} pair;

/* Mocks and simulations keep the labels of their spectra in `theta`. */
static int holds_truth(const anpe_catalogue_file *c)
{
    return anpe_catalogue_read_has(c, "theta[0]");
}

/* ---- rows -------------------------------------------------------------------------------- */

/* A star that has several rows there has no partner: nothing says which is meant. */
static void take_partners(anpe_ctx *ctx, const anpe_plot_request *q, pair *p,
                          const anpe_identities *rows, char **mine)
{
    int64_t several = 0;
    const char *example = NULL;
    for (int64_t r = 0; r < anpe_catalogue_read_rows(p->mine); r++) {
        const int64_t k = anpe_identities_find(rows, mine[r]);
        const int lone = k >= 0 && anpe_identities_count(rows, k) == 1;
        p->partner[r] = lone ? k : -1;
        if (k >= 0 && !lone && several++ == 0)
            example = mine[r];
    }
    if (several)
        anpe_log(ctx, ANPE_WARNING,
                 "%s: %lld spectr%s of a star with more than one row (%s, ...); left out, because "
                 "nothing says which row is meant",
                 q->compare, (long long)several, several == 1 ? "um is" : "a are", example);
}

static anpe_status match_ids(anpe_ctx *ctx, const anpe_plot_request *q, pair *p, const char *id)
{
    const int64_t n = anpe_catalogue_read_rows(p->mine), m = anpe_catalogue_read_rows(p->theirs);
    char **mine = NULL, **theirs = NULL;
    anpe_identities *rows = NULL;
    anpe_status status;
    ANPE_TRY(anpe_catalogue_read_texts(ctx, p->mine, "id", &mine));
    ANPE_TRY(anpe_catalogue_read_texts(ctx, p->theirs, id, &theirs));
    ANPE_TRY(anpe_identities_new(ctx, m, (const char *const *)theirs, NULL, &rows));
    take_partners(ctx, q, p, rows, mine);
out:
    anpe_identities_free(rows);
    anpe_catalogue_texts_free(n, mine);
    anpe_catalogue_texts_free(m, theirs);
    return status;
}

/* The column `row` says which spectrum of a file of mocks a row comes from. */
static anpe_status match_rows(anpe_ctx *ctx, pair *p)
{
    const int64_t n = anpe_catalogue_read_rows(p->mine), m = anpe_catalogue_read_rows(p->theirs);
    double *row = anpe_alloc(ctx, (size_t)(n + 1) * sizeof *row);
    anpe_status status = row ? anpe_catalogue_read_reals(ctx, p->mine, "row", row) : ANPE_ENOMEM;
    for (int64_t r = 0; r < n && !status; r++)
        p->partner[r] = row[r] >= 0 && row[r] < (double)m ? (int64_t)row[r] : -1;
    anpe_free(row);
    return status;
}

static anpe_status match(anpe_ctx *ctx, const anpe_plot_request *q, pair *p)
{
    const int64_t n = anpe_catalogue_read_rows(p->mine), m = anpe_catalogue_read_rows(p->theirs);
    const char *id = q->id ? q->id : "id";
    p->partner = anpe_alloc(ctx, (size_t)(n + 1) * sizeof *p->partner);
    if (!p->partner)
        return ANPE_ENOMEM;
    if (q->id || (anpe_catalogue_read_has(p->mine, "id") && anpe_catalogue_read_has(p->theirs, id)))
        return match_ids(ctx, q, p, id);
    if (anpe_catalogue_read_has(p->mine, "row") && holds_truth(p->theirs))
        return match_rows(ctx, p);
    if (n != m)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s has %lld rows, %s has %lld, and there is no column of identifiers to "
                         "match them by (--id COLUMN)",
                         q->files[0], (long long)n, q->compare, (long long)m);
    for (int64_t r = 0; r < n; r++)
        p->partner[r] = r;
    return ANPE_OK;
}

/* ---- columns ----------------------------------------------------------------------------- */

/* The user's "LABEL=COLUMN" for a label, behind the "="; NULL: none. */
static const char *named_column(const anpe_plot_request *q, const char *label)
{
    const size_t n = strlen(label);
    for (int64_t k = 0; k < q->columns.n; k++)
        if (!strncmp(q->columns.v[k], label, n) && q->columns.v[k][n] == '=')
            return q->columns.v[k] + n + 1;
    return NULL;
}

static const char *their_name(const anpe_plot_request *q, const char *label)
{
    const char *named = named_column(q, label);
    return named ? named : label;
}

static anpe_status check_columns(anpe_ctx *ctx, const anpe_plot_request *q,
                                 const anpe_plot_labels *all)
{
    for (int64_t k = 0; k < q->columns.n; k++) {
        const char *text = q->columns.v[k];
        const size_t n = strcspn(text, "=");
        char hint[128], label[80];
        int known = 0;
        if (!text[n] || !text[n + 1])
            return ANPE_FAIL(ctx, ANPE_EINVAL, "--column must be LABEL=NAME, not '%s'", text);
        for (int64_t d = 0; d < all->n; d++)
            known |= strlen(all->name[d]) == n && !strncmp(text, all->name[d], n);
        if (known)
            continue;
        snprintf(label, sizeof label, "%.*s", (int)n, text);
        anpe_text_hint(hint, sizeof hint, label, (int)all->n, (const char *const *)all->name);
        return ANPE_FAIL(ctx, ANPE_EINVAL, "--column %s: no label '%s' in %s%s", text, label,
                         q->files[0], hint);
    }
    return ANPE_OK;
}

static const char *with_suffix(char buffer[80], const char *label, const char *suffix)
{
    snprintf(buffer, 80, "%s%s", label, suffix);
    return buffer;
}

/* A label has a column of its name, and beside it its percentiles. */
static anpe_status find_labels(anpe_ctx *ctx, const pair *p, anpe_plot_labels *all)
{
    const int n = anpe_catalogue_read_n_columns(p->mine);
    char column[80];
    if (ANPE_NEW(ctx, all->name, n + 1) || ANPE_NEW(ctx, all->unit, n + 1))
        return ANPE_ENOMEM;
    for (int k = 0; k < n; k++) {
        const char *name = anpe_catalogue_read_name(p->mine, k);
        if (strlen(name) > 60 ||
            !anpe_catalogue_read_has(p->mine, with_suffix(column, name, "_p16")) ||
            !anpe_catalogue_read_has(p->mine, with_suffix(column, name, "_p84")))
            continue;
        all->name[all->n] = anpe_strdup(ctx, name);
        all->unit[all->n] = anpe_strdup(ctx, anpe_catalogue_read_unit(p->mine, name));
        if (!all->name[all->n] || !all->unit[all->n])
            return ANPE_ENOMEM;
        all->n++;
    }
    if (all->n)
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EFORMAT,
                     "%s: not a catalogue of 'anpe infer': no label has columns LABEL, LABEL_p16 "
                     "and LABEL_p84",
                     anpe_catalogue_read_path(p->mine));
}

/* Without --labels: those that the other catalogue has. One whose column the user names stays, so
 * that a wrong name is noticed. */
static anpe_status keep_common(anpe_ctx *ctx, const anpe_plot_request *q, const pair *p,
                               const anpe_plot_labels *all, int64_t *n, int64_t *index)
{
    int64_t kept = 0;
    if (q->labels)
        return ANPE_OK;
    for (int64_t k = 0; k < *n; k++)
        if (named_column(q, all->name[index[k]]) ||
            anpe_catalogue_read_has(p->theirs, all->name[index[k]]))
            index[kept++] = index[k];
    *n = kept;
    if (kept)
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EINVAL,
                     "%s: has none of the labels of %s; say which column is which, as in "
                     "--column %s=COLUMN",
                     q->compare, q->files[0], all->name[0]);
}

/* Column of mine; a whole column of NAN where there is none. */
static anpe_status read_mine(anpe_ctx *ctx, const pair *p, const char *label, const char *suffix,
                             double *out)
{
    char column[80];
    with_suffix(column, label, suffix);
    if (anpe_catalogue_read_has(p->mine, column))
        return anpe_catalogue_read_reals(ctx, p->mine, column, out);
    for (int64_t r = 0; r < anpe_catalogue_read_rows(p->mine); r++)
        out[r] = NAN;
    return ANPE_OK;
}

static anpe_status read_label(anpe_ctx *ctx, const anpe_plot_request *q, const pair *p,
                              const char *label, double *theirs, anpe_known *k, int64_t d)
{
    const int64_t from = d * k->n;
    anpe_status status;
    ANPE_TRY(read_mine(ctx, p, label, "", k->median + from));
    ANPE_TRY(read_mine(ctx, p, label, "_mean", k->mean + from));
    ANPE_TRY(read_mine(ctx, p, label, "_sd", k->sd + from));
    ANPE_TRY(read_mine(ctx, p, label, "_p16", k->p16 + from));
    ANPE_TRY(read_mine(ctx, p, label, "_p84", k->p84 + from));
    ANPE_TRY(anpe_catalogue_read_reals(ctx, p->theirs, their_name(q, label), theirs));
    for (int64_t r = 0; r < k->n; r++)
        k->truth[from + r] = p->partner[r] < 0 ? NAN : theirs[p->partner[r]];
out:
    return status;
}

static anpe_status read_labels(anpe_ctx *ctx, const anpe_plot_request *q, const pair *p,
                               const anpe_plot_labels *all, int64_t n, const int64_t *index,
                               anpe_known **out)
{
    anpe_status status = anpe_known_new(ctx, anpe_catalogue_read_rows(p->mine), n, out);
    double *theirs =
        anpe_alloc(ctx, (size_t)(anpe_catalogue_read_rows(p->theirs) + 1) * sizeof *theirs);
    if (!status && !theirs)
        status = ANPE_ENOMEM;
    for (int64_t d = 0; d < n && !status; d++) {
        anpe_known *k = *out;
        const char *label = all->name[index[d]];
        k->labels.name[d] = anpe_strdup(ctx, label);
        k->labels.unit[d] = anpe_strdup(ctx, all->unit[index[d]]);
        status = k->labels.name[d] && k->labels.unit[d] ? read_label(ctx, q, p, label, theirs, k, d)
                                                        : ANPE_ENOMEM;
    }
    anpe_free(theirs);
    return status;
}

/* Mocks hold the truth; any other catalogue is called by its name. */
static void name_source(const anpe_plot_request *q, const pair *p, anpe_known *k)
{
    const char *name = anpe_text_basename(q->compare);
    if (!holds_truth(p->theirs))
        snprintf(k->source, sizeof k->source, "%.*s:", (int)fmin(24, (double)strcspn(name, ".")),
                 name);
}

static anpe_status check_matched(anpe_ctx *ctx, const anpe_plot_request *q, const pair *p,
                                 const anpe_known *k)
{
    int64_t matched = 0;
    for (int64_t r = 0; r < k->n; r++)
        matched += p->partner[r] >= 0;
    return matched
               ? ANPE_OK
               : ANPE_FAIL(ctx, ANPE_EINVAL, "no row of %s is in %s: are the identifiers right?",
                           q->files[0], q->compare);
}

anpe_status anpe_known_of_catalogues(anpe_ctx *ctx, const anpe_plot_request *q, anpe_known **out)
{
    pair p = {0};
    anpe_plot_labels all = {0};
    int64_t n = 0, *index = NULL;
    anpe_status status;
    *out = NULL;
    ANPE_TRY(anpe_catalogue_read_open(ctx, q->files[0], &p.mine));
    ANPE_TRY(anpe_catalogue_read_open(ctx, q->compare, &p.theirs));
    ANPE_TRY(find_labels(ctx, &p, &all));
    ANPE_TRY(check_columns(ctx, q, &all));
    ANPE_TRY(anpe_plot_labels_choose(ctx, q, q->files[0], &all, &n, &index));
    ANPE_TRY(keep_common(ctx, q, &p, &all, &n, index));
    ANPE_TRY(match(ctx, q, &p));
    ANPE_TRY(read_labels(ctx, q, &p, &all, n, index, out));
    ANPE_TRY(check_matched(ctx, q, &p, *out));
    name_source(q, &p, *out);
out:
    if (status)
        *out = anpe_known_free(*out);
    free(index);
    anpe_free(p.partner);
    anpe_plot_labels_clear(&all);
    anpe_catalogue_read_close(p.mine);
    anpe_catalogue_read_close(p.theirs);
    return status;
}
