/* prior table: labels are rows of a table, for example isochrones, with optional jitter. Its
 * density is the mixture of the rows' kernels. Equations in README.md. */
#include "mixture.h"
#include "../common/normal.h"
#include "rows.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct table_options {
    const char *file, *key, *weight;
    anpe_texts labels, columns;
    anpe_reals jitter, bandwidth, min, max;
} table_options;

static const anpe_option table_option_table[] = {
    ANPE_OPT_FILE(table_options, file, NULL, "table: .h5, .npz or text"),
    ANPE_OPT_TEXT(table_options, key, "", "array in an .h5 (default theta) or .npz file"),
    ANPE_OPT_TEXTS(table_options, columns, "", "names of the file's columns; default: the file's"),
    ANPE_OPT_TEXTS(table_options, labels, "", "columns to use; default: all but the weight"),
    ANPE_OPT_TEXT(table_options, weight, "", "column of weights; default: all rows equal"),
    ANPE_OPT_REALS(table_options, jitter, "", 0, ANPE_UNBOUNDED, "label",
                   "standard deviation of the Gaussian added to a row, per label; default none"),
    ANPE_OPT_REALS(
        table_options, bandwidth, "", 0, ANPE_UNBOUNDED, "label",
        "kernel width of the density where jitter is 0, per label; default Scott's rule"),
    ANPE_OPT_REALS(table_options, min, "", -ANPE_UNBOUNDED, ANPE_UNBOUNDED, "label",
                   "leave out rows below, per label; default: none"),
    ANPE_OPT_REALS(table_options, max, "", -ANPE_UNBOUNDED, ANPE_UNBOUNDED, "label",
                   "leave out rows above, per label; default: none"),
    ANPE_OPT_END};

typedef struct table {
    int64_t n, d;
    anpe_label *labels;               /* (d) with the box */
    double *rows;                     /* (n, d) */
    double *weight;                   /* (n), sum 1 */
    double *cumulative;               /* (n) */
    double *jitter, *width, *lo, *hi; /* (d), one block */
    mixture mixture;
} table;

static void table_destroy(void *self)
{
    table *p = self;
    if (!p)
        return;
    free(p->labels);
    free(p->rows);
    free(p->weight);
    free(p->cumulative);
    free(p->jitter);
    mixture_clear(&p->mixture);
    free(p);
}

/* ---- rows -------------------------------------------------------------------------------- */

static anpe_status find_column(anpe_ctx *ctx, const table_rows *t, const char *path,
                               const char *name, int64_t *column)
{
    char list[512];
    *column = table_rows_find(t, name);
    if (*column >= 0)
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s has no column '%s'; it has %s", path, name,
                     table_rows_list(t, list, sizeof list));
}

/* Names, units and columns of the labels, in the order wanted. */
static anpe_status choose_columns(anpe_ctx *ctx, const table_options *o,
                                  const anpe_prior_setup *setup, const table_rows *t, table *p,
                                  int64_t *column)
{
    for (int64_t i = 0, c = 0; i < p->d; i++, c++) {
        if (!o->labels.n && !strcmp(t->names[c], o->weight))
            c++;
        const char *name = o->labels.n ? o->labels.v[i] : t->names[c];
        anpe_label *l = &p->labels[i];
        if (strlen(name) >= sizeof l->name)
            return ANPE_FAIL(ctx, ANPE_ECONFIG, "the label '%s' is longer than %zu letters", name,
                             sizeof l->name - 1);
        snprintf(l->name, sizeof l->name, "%s", name);
        l->min = -INFINITY;
        l->max = INFINITY;
        const anpe_status status = find_column(ctx, t, o->file, name, &column[i]);
        if (status)
            return status;
        for (int64_t k = 0; k < i; k++)
            if (!strcmp(p->labels[k].name, name))
                return ANPE_FAIL(ctx, ANPE_ECONFIG, "label %s is given twice", name);
        for (int64_t k = 0; k < setup->n_labels; k++)
            if (!strcmp(setup->labels[k].name, name))
                *l = setup->labels[k];
    }
    return ANPE_OK;
}

/* Rows inside the cuts, with their weights. */
static anpe_status take_rows(anpe_ctx *ctx, const table_options *o, const table_rows *t,
                             const int64_t *column, int64_t weight, table *p)
{
    double total = 0;
    for (int64_t r = 0; r < t->n; r++) {
        const double *from = t->v + r * t->n_columns;
        const double w = weight < 0 ? 1 : from[weight];
        int inside = w > 0;
        if (!(w >= 0 && isfinite(w)))
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: row %lld has the weight %g", o->file,
                             (long long)r + 1, w);
        for (int64_t i = 0; i < p->d; i++) {
            const double x = p->rows[p->n * p->d + i] = from[column[i]];
            if (!isfinite(x))
                return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: row %lld has %s = %g", o->file,
                                 (long long)r + 1, p->labels[i].name, x);
            inside = inside && !(o->min.n && x < o->min.v[i]) && !(o->max.n && x > o->max.v[i]);
        }
        if (!inside)
            continue;
        p->weight[p->n] = w;
        total += w;
        p->cumulative[p->n++] = total;
    }
    if (p->n == 0)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: none of %lld rows is inside min and max%s",
                         o->file, (long long)t->n, weight < 0 ? "" : " with a positive weight");
    for (int64_t i = 0; i < p->n; i++) {
        p->weight[i] /= total;
        p->cumulative[i] /= total;
    }
    return ANPE_OK;
}

/* ---- box and kernels --------------------------------------------------------------------- */

/* Scott (1992): h = sd n^(-1/(d + 4)), n the effective number of rows. */
static double scott(const table *p, int64_t i)
{
    double mean = 0, variance = 0, squares = 0;
    for (int64_t r = 0; r < p->n; r++) {
        mean += p->weight[r] * p->rows[r * p->d + i];
        squares += p->weight[r] * p->weight[r];
    }
    for (int64_t r = 0; r < p->n; r++) {
        const double x = p->rows[r * p->d + i] - mean;
        variance += p->weight[r] * x * x;
    }
    return sqrt(variance) * pow(squares, 1 / ((double)p->d + 4));
}

static anpe_status set_label(anpe_ctx *ctx, const table_options *o, table *p, int64_t i)
{
    anpe_label *l = &p->labels[i];
    double lo = INFINITY, hi = -INFINITY;
    for (int64_t r = 0; r < p->n; r++) {
        lo = fmin(lo, p->rows[r * p->d + i]);
        hi = fmax(hi, p->rows[r * p->d + i]);
    }
    p->jitter[i] = o->jitter.n ? o->jitter.v[i] : 0;
    p->width[i] = p->jitter[i] > 0 ? p->jitter[i]
                  : o->bandwidth.n ? o->bandwidth.v[i]
                                   : scott(p, i);
    if (!(p->width[i] > 0))
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "label %s has a kernel of width 0%s: give a positive jitter or bandwidth",
                         l->name, lo < hi ? "" : " (all rows have the same value)");
    if (lo < l->min || hi > l->max)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "label %s: the rows' range [%.10g, %.10g] is outside the simulator's "
                         "[%.10g, %.10g]; cut the table with min and max",
                         l->name, lo, hi, l->min, l->max);
    /* The margin for jitter ends where the simulator does. */
    lo = o->min.n ? o->min.v[i] : lo - 4 * p->width[i];
    hi = o->max.n ? o->max.v[i] : hi + 4 * p->width[i];
    l->min = p->lo[i] = fmax(lo, l->min);
    l->max = p->hi[i] = fmin(hi, l->max);
    if (!(l->min < l->max))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "label %s: min %g is not below max %g", l->name, l->min,
                         l->max);
    return ANPE_OK;
}

static anpe_status check_lengths(anpe_ctx *ctx, const table_options *o, int64_t d)
{
    const struct {
        const char *name;
        anpe_reals list;
    } lists[] = {
        {"jitter", o->jitter}, {"bandwidth", o->bandwidth}, {"min", o->min}, {"max", o->max}};
    for (int i = 0; i < 4; i++)
        if (lists[i].list.n && lists[i].list.n != d)
            return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s has %lld numbers, there are %lld labels",
                             lists[i].name, (long long)lists[i].list.n, (long long)d);
    for (int64_t i = 0; o->min.n && o->max.n && i < d; i++)
        if (!(o->min.v[i] < o->max.v[i]))
            return ANPE_FAIL(ctx, ANPE_ECONFIG, "min %g is not below max %g", o->min.v[i],
                             o->max.v[i]);
    return ANPE_OK;
}

/* ---- plugin ------------------------------------------------------------------------------ */

static anpe_status allocate(anpe_ctx *ctx, table *p, int64_t n)
{
    const int64_t d = p->d;
    if (ANPE_NEW(ctx, p->labels, d) || ANPE_NEW(ctx, p->rows, n + 1, d) || /* one to read into */
        ANPE_NEW(ctx, p->weight, n) || ANPE_NEW(ctx, p->cumulative, n) ||
        ANPE_NEW(ctx, p->jitter, 4, d))
        return ANPE_ENOMEM;
    p->width = p->jitter + d;
    p->lo = p->width + d;
    p->hi = p->lo + d;
    return ANPE_OK;
}

static anpe_status fill(anpe_ctx *ctx, const table_options *o, const anpe_prior_setup *setup,
                        const table_rows *t, table *p)
{
    int64_t weight = -1, *column = NULL;
    anpe_status status;
    if (o->weight[0])
        ANPE_TRY(find_column(ctx, t, o->file, o->weight, &weight));
    p->d = o->labels.n ? o->labels.n : t->n_columns - (weight >= 0);
    if (p->d < 1)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s has no column for a label", o->file);
    ANPE_TRY(check_lengths(ctx, o, p->d));
    ANPE_TRY(allocate(ctx, p, t->n));
    if (ANPE_NEW(ctx, column, p->d))
        return ANPE_ENOMEM;
    ANPE_TRY(choose_columns(ctx, o, setup, t, p, column));
    ANPE_TRY(take_rows(ctx, o, t, column, weight, p));
    for (int64_t i = 0; i < p->d; i++)
        ANPE_TRY(set_label(ctx, o, p, i));
    status = mixture_new(ctx, p->n, p->d, p->rows, p->weight, p->lo, p->hi, p->width, &p->mixture);
out:
    free(column);
    return status;
}

static anpe_status table_create(anpe_ctx *ctx, const void *options, const void *setup, void **self)
{
    const table_options *o = options;
    table_rows t;
    table *p;
    if (ANPE_NEW(ctx, p, 1))
        return ANPE_ENOMEM;
    anpe_status status = table_rows_read(ctx, o->file, o->key, o->columns, &t);
    if (!status)
        status = fill(ctx, o, setup, &t, p);
    table_rows_clear(&t);
    if (status) {
        table_destroy(p);
        return status;
    }
    *self = p;
    return ANPE_OK;
}

static void table_info(const void *self, int64_t *n_labels, const anpe_label **labels)
{
    const table *p = self;
    *n_labels = p->d;
    *labels = p->labels;
}

/* The row whose step of the cumulative weight holds u. */
static int64_t pick(const table *p, double u)
{
    int64_t first = 0, last = p->n - 1;
    while (first < last) {
        const int64_t middle = (first + last) / 2;
        if (u <= p->cumulative[middle])
            last = middle;
        else
            first = middle + 1;
    }
    return first;
}

static anpe_status table_sample(const void *self, anpe_ctx *ctx, anpe_rng *rng, double *theta)
{
    const table *p = self;
    (void)ctx;
    const double *row = p->rows + pick(p, anpe_uniform(rng)) * p->d;
    for (int64_t i = 0; i < p->d; i++) {
        theta[i] = row[i];
        if (!(p->jitter[i] > 0))
            continue;
        const double h = p->jitter[i];
        const normal_cut cut = normal_cut_new((p->lo[i] - row[i]) / h, (p->hi[i] - row[i]) / h);
        theta[i] = row[i] + h * normal_cut_quantile(&cut, anpe_uniform(rng));
        theta[i] = fmin(fmax(theta[i], p->lo[i]), p->hi[i]);
    }
    return ANPE_OK;
}

static double table_log_density(const void *self, const double *theta)
{
    return mixture_log_density(&((const table *)self)->mixture, theta);
}

static const anpe_prior_ops table_ops = {.size = sizeof table_ops,
                                         .info = table_info,
                                         .sample = table_sample,
                                         .log_density = table_log_density};

static const anpe_plugin table_plugin = {
    .abi = ANPE_ABI,
    .kind = ANPE_PRIOR,
    .name = "table",
    .version = "1.0",
    .summary = "rows of a table, for example isochrones, with optional jitter",
    .options = table_option_table,
    .options_size = sizeof(table_options),
    .create = table_create,
    .destroy = table_destroy,
    .ops = &table_ops};

ANPE_PLUGINS(&table_plugin);
