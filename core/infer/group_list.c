/* The spectra of a run of groups, each with its model and its star: see group.h. */
#include <config.h>
#include "infer/group.h"
#include "base/text.h"
#include "file/catalogue_read.h"
#include "infer/identity.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static anpe_status add_spectrum(anpe_ctx *ctx, anpe_group_list *l, int model, const char *file,
                                int64_t row, anpe_group_spectrum **out)
{
    const anpe_status status = ANPE_GROW(ctx, l->spectrum, l->capacity, l->n + 1);
    if (status)
        return status;
    *out = &l->spectrum[l->n++];
    **out = (anpe_group_spectrum){.model = model, .file = file, .row = row};
    return ANPE_OK;
}

/* ---- whose model ------------------------------------------------------------------------- */

/* Reads the first spectrum of the file that can be read with this model's instrument into s; n: how
 * many there are. None: why not the first. */
static anpe_status try_model(anpe_ctx *ctx, const anpe_model *m, const char *file, int64_t *n,
                             anpe_spectrum *s)
{
    const anpe_instrument *inst = &m->task->instrument;
    anpe_input input;
    anpe_status status = anpe_input_open(inst, ctx, file, &input);
    *n = 0;
    if (status)
        return status;
    status = anpe_instrument_count(inst, ctx, &input, n);
    const anpe_status counted = status;
    for (int64_t row = 0; !counted && row < *n; row++) {
        status = anpe_instrument_read(inst, ctx, &input, row, s);
        if (!status || status == ANPE_ENOMEM || status == ANPE_ECANCEL)
            break;
    }
    if (status && !counted && *n > 1) /* the first one's reason again */
        status = anpe_instrument_read(inst, ctx, &input, 0, s);
    anpe_input_close(&input);
    return status;
}

typedef struct lister {
    anpe_ctx *ctx;
    const anpe_group_request *q;
    anpe_model *const *model;
    anpe_spectrum *spectrum; /* (n_models) */
    anpe_group_list *list;
} lister;

/* The one model that reads the file; -1: none, *reason is why not the first; -2: it is read with
 * another file. Two are an error. */
static anpe_status choose_model(const lister *l, const char *file, int *model, char *reason,
                                size_t size)
{
    int64_t n;
    *model = -1;
    for (int k = 0; k < l->q->n_models; k++) {
        const anpe_status status = try_model(l->ctx, l->model[k], file, &n, &l->spectrum[k]);
        if (status == ANPE_ENOMEM || status == ANPE_ECANCEL)
            return status;
        if (!status && n == 0 && *model < 0)
            *model = -2;
        else if (!status && n > 0 && *model >= 0)
            return ANPE_FAIL(l->ctx, ANPE_EINVAL,
                             "%s: models %d and %d both read it; say which it is for in a column "
                             "`model` of a table (--group FILE)",
                             file, *model + 1, k + 1);
        else if (!status && n > 0)
            *model = k;
        else if (status && !reason[0])
            snprintf(reason, size, "%s", anpe_error(l->ctx));
    }
    return ANPE_OK;
}

static int named_model(const anpe_group_request *q, const char *name)
{
    for (int k = 0; k < q->n_models; k++)
        if (!strcmp(q->models[k], name) || !strcmp(anpe_text_basename(q->models[k]), name))
            return k;
    return -1;
}

/* ---- by identifier ----------------------------------------------------------------------- */

/* One spectrum for a file that no model reads, which says why. */
static anpe_status list_unread(const lister *l, const char *file, const char *reason)
{
    anpe_group_spectrum *s;
    const anpe_status status = add_spectrum(l->ctx, l->list, 0, file, 0, &s);
    if (status)
        return status;
    snprintf(s->id, sizeof s->id, "%s", anpe_text_basename(file));
    snprintf(s->reason, sizeof s->reason, "%s", reason);
    return ANPE_OK;
}

static anpe_status list_row_of(const lister *l, int model, anpe_input *input, int64_t row)
{
    anpe_spectrum *read = &l->spectrum[model];
    anpe_group_spectrum *s;
    anpe_status status = add_spectrum(l->ctx, l->list, model, input->path, row, &s);
    if (status)
        return status;
    read->id[0] = 0;
    status = anpe_instrument_read(&l->model[model]->task->instrument, l->ctx, input, row, read);
    if (status)
        snprintf(s->reason, sizeof s->reason, "%s", anpe_error(l->ctx));
    snprintf(s->id, sizeof s->id, "%s", read->id[0] ? read->id : anpe_text_basename(input->path));
    s->named = input->named;
    return status == ANPE_ENOMEM ? status : ANPE_OK;
}

static anpe_status list_file(const lister *l, const char *file)
{
    char reason[160] = "";
    int model;
    int64_t n = 0;
    anpe_input input = {0};
    anpe_status status = choose_model(l, file, &model, reason, sizeof reason);
    if (status || model == -2)
        return status;
    if (model == -1)
        return list_unread(l, file, reason);
    const anpe_instrument *inst = &l->model[model]->task->instrument;
    ANPE_TRY(anpe_input_open(inst, l->ctx, file, &input));
    ANPE_TRY(anpe_instrument_count(inst, l->ctx, &input, &n));
    for (int64_t row = 0; row < n; row++)
        ANPE_TRY(list_row_of(l, model, &input, row));
out:
    anpe_input_close(&input);
    return status;
}

typedef struct sortable {
    int64_t star, index;
} sortable;

static int by_star(const void *a, const void *b)
{
    const sortable *x = a, *y = b;
    return x->star != y->star ? (x->star > y->star) - (x->star < y->star)
                              : (x->index > y->index) - (x->index < y->index);
}

/* A spectrum that is named twice counts once. */
static void leave_out_twins(anpe_group_list *l)
{
    for (int64_t s = 0; s < l->n_stars; s++)
        for (int64_t i = l->star[s] + 1; i < l->star[s + 1]; i++) {
            anpe_group_spectrum *a = &l->spectrum[i];
            for (int64_t k = l->star[s]; k < i && !a->reason[0]; k++) {
                const anpe_group_spectrum *b = &l->spectrum[k];
                if (!b->reason[0] && a->model == b->model && a->row == b->row &&
                    !strcmp(a->file, b->file))
                    snprintf(a->reason, sizeof a->reason, "%s: spectrum %lld is named twice",
                             a->file, (long long)a->row);
            }
        }
}

/* Spectra of one star side by side, stars by their first spectrum; order (n): that star. */
static anpe_status bring_together(anpe_ctx *ctx, anpe_group_list *l, sortable *order)
{
    anpe_group_spectrum *sorted;
    if (ANPE_NEW(ctx, l->star, l->n + 1) || ANPE_NEW(ctx, sorted, l->n + 1))
        return ANPE_ENOMEM;
    qsort(order, (size_t)l->n, sizeof *order, by_star);
    for (int64_t i = 0; i < l->n; i++) {
        sorted[i] = l->spectrum[order[i].index];
        if (i == 0 || order[i].star != order[i - 1].star)
            l->star[l->n_stars++] = i;
    }
    l->star[l->n_stars] = l->n;
    free(l->spectrum);
    l->spectrum = sorted;
    leave_out_twins(l);
    return ANPE_OK;
}

static anpe_status group_by_id(anpe_ctx *ctx, anpe_group_list *l)
{
    anpe_identities *x = NULL;
    const char **id = NULL;
    uint8_t *named = NULL;
    sortable *order = NULL;
    anpe_status status = ANPE_OK;
    if (ANPE_NEW(ctx, id, l->n + 1) || ANPE_NEW(ctx, named, l->n + 1) ||
        ANPE_NEW(ctx, order, l->n + 1))
        status = ANPE_ENOMEM;
    for (int64_t i = 0; i < l->n && !status; i++) {
        id[i] = l->spectrum[i].id;
        named[i] = (uint8_t)l->spectrum[i].named;
    }
    if (!status)
        status = anpe_identities_new(ctx, l->n, id, named, &x);
    for (int64_t i = 0; i < l->n && !status; i++)
        order[i] = (sortable){anpe_identities_star(x, i), i};
    if (!status)
        status = bring_together(ctx, l, order);
    anpe_identities_free(x);
    free(id), free(named), free(order);
    return status;
}

/* ---- by a table -------------------------------------------------------------------------- */

typedef struct table {
    anpe_catalogue_file *file;
    int64_t n;
    char **group, **name, **model;
    double *row;
} table;

static anpe_status read_table(anpe_ctx *ctx, const char *path, table *t)
{
    anpe_status status;
    ANPE_TRY(anpe_catalogue_read_open(ctx, path, &t->file));
    t->n = anpe_catalogue_read_rows(t->file);
    ANPE_TRY(anpe_catalogue_read_texts(ctx, t->file, "group", &t->group));
    ANPE_TRY(anpe_catalogue_read_texts(ctx, t->file, "file", &t->name));
    if (anpe_catalogue_read_has(t->file, "model"))
        ANPE_TRY(anpe_catalogue_read_texts(ctx, t->file, "model", &t->model));
    if (anpe_catalogue_read_has(t->file, "row")) {
        ANPE_TRY(ANPE_NEW(ctx, t->row, t->n + 1));
        ANPE_TRY(anpe_catalogue_read_reals(ctx, t->file, "row", t->row));
    }
    if (t->n == 0)
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "%s: names no spectrum", path);
out:
    return status;
}

static void clear_table(table *t)
{
    anpe_catalogue_texts_free(t->n, t->group);
    anpe_catalogue_texts_free(t->n, t->model);
    anpe_catalogue_texts_free(t->n, t->name);
    free(t->row);
    anpe_catalogue_read_close(t->file);
}

static anpe_status list_row(const lister *l, const table *t, int64_t i, const char *file)
{
    const double row = t->row && !isnan(t->row[i]) ? t->row[i] : 0;
    char reason[160] = "";
    int model = -1;
    anpe_group_spectrum *s;
    anpe_status status = ANPE_OK;
    if (!t->group[i][0] || !file[0])
        return ANPE_FAIL(l->ctx, ANPE_EFORMAT, "%s: row %lld has no %s", l->q->table,
                         (long long)i + 1, t->group[i][0] ? "file" : "group");
    if (strlen(t->group[i]) >= sizeof s->id)
        return ANPE_FAIL(l->ctx, ANPE_EFORMAT,
                         "%s: row %lld: a group's name of more than %d letters", l->q->table,
                         (long long)i + 1, (int)sizeof s->id - 1);
    if (!(row >= 0) || row != floor(row) || row > 1e15)
        return ANPE_FAIL(l->ctx, ANPE_EFORMAT, "%s: row %lld: row %g of %s; expected 0, 1, ...",
                         l->q->table, (long long)i + 1, row, file);
    if (t->model && t->model[i][0]) {
        model = named_model(l->q, t->model[i]);
        if (model < 0)
            return ANPE_FAIL(l->ctx, ANPE_EINVAL, "%s: row %lld: '%s' is none of the models given",
                             l->q->table, (long long)i + 1, t->model[i]);
    } else {
        status = choose_model(l, file, &model, reason, sizeof reason);
    }
    if (model == -2)
        snprintf(reason, sizeof reason, "%s: is read with another file of its star", file);
    if (!status)
        status = add_spectrum(l->ctx, l->list, model < 0 ? 0 : model, file, (int64_t)row, &s);
    if (status)
        return status;
    snprintf(s->id, sizeof s->id, "%s", t->group[i]);
    s->named = 1;
    if (model < 0)
        snprintf(s->reason, sizeof s->reason, "%s", reason);
    return ANPE_OK;
}

typedef struct named {
    const char *name;
    int64_t index;
} named;

static int by_name(const void *a, const void *b)
{
    const named *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* Names of groups are compared as they are. */
static anpe_status group_by_name(anpe_ctx *ctx, anpe_group_list *l)
{
    sortable *order = NULL;
    named *name = NULL;
    anpe_status status = ANPE_OK;
    if (ANPE_NEW(ctx, order, l->n + 1) || ANPE_NEW(ctx, name, l->n + 1))
        status = ANPE_ENOMEM;
    for (int64_t i = 0; i < l->n && !status; i++)
        name[i] = (named){l->spectrum[i].id, i};
    if (!status)
        qsort(name, (size_t)l->n, sizeof *name, by_name);
    for (int64_t i = 0, first = 0; i < l->n && !status; i++) {
        if (strcmp(name[i].name, name[first].name))
            first = i;
        order[name[i].index] = (sortable){name[first].index, name[i].index};
    }
    if (!status)
        status = bring_together(ctx, l, order);
    free(order), free(name);
    return status;
}

static anpe_status list_table(const lister *l)
{
    table t = {0};
    anpe_status status;
    ANPE_TRY(read_table(l->ctx, l->q->table, &t));
    l->list->name = t.name;
    l->list->n_names = t.n;
    for (int64_t i = 0; i < t.n; i++)
        ANPE_TRY(list_row(l, &t, i, t.name[i]));
    ANPE_TRY(group_by_name(l->ctx, l->list));
out:
    if (l->list->name == t.name)
        t.name = NULL;
    clear_table(&t);
    return status;
}

anpe_status anpe_group_list_new(anpe_ctx *ctx, const anpe_group_request *q,
                                anpe_model *const *model, anpe_group_list *out)
{
    lister l = {ctx, q, model, NULL, out};
    anpe_status status = ANPE_NEW(ctx, l.spectrum, q->n_models);
    *out = (anpe_group_list){0};
    for (int k = 0; k < q->n_models && !status; k++)
        status = anpe_spectrum_new(ctx, anpe_task_size(model[k]->task), &l.spectrum[k]);
    if (!status && q->table) {
        status = list_table(&l);
    } else {
        for (int i = 0; i < q->infer.n_files && !status; i++)
            status = list_file(&l, q->infer.files[i]);
        if (!status)
            status = group_by_id(ctx, out);
    }
    for (int k = 0; l.spectrum && k < q->n_models; k++)
        anpe_spectrum_clear(&l.spectrum[k]);
    free(l.spectrum);
    return status;
}

void anpe_group_list_clear(anpe_group_list *l)
{
    free(l->spectrum);
    free(l->star);
    anpe_catalogue_texts_free(l->n_names, l->name);
    *l = (anpe_group_list){0};
}
