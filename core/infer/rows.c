/* See rows.h. A new column is a member of anpe_star (or of anpe_label_summary: a column for every
 * label), a row in one of the tables here, and one in docs/book/files.md. */
#include <config.h>
#include "infer/rows.h"
#include "infer/store.h"
#include "base/text.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *ucd;
} label_ucd[] = {{"teff", "phys.temperature.effective"},
                 {"logg", "phys.gravity"},
                 {"fe_h", "phys.abund.Fe"},
                 {"rv", "spect.dopplerVeloc.opt"},
                 {"vmicro", "phys.veloc.microTurb"},
                 {"vmacro", "phys.veloc"}};

/* A column that is a member of anpe_star. */
typedef struct star_column {
    const char *name, *unit, *ucd, *help;
    anpe_column_type type;
    int width; /* of a text: char[] in anpe_star */
    size_t offset;
} star_column;
#define MEMBER(m) offsetof(anpe_star, m)

static const star_column identity[] = {
    {"id", "", "meta.id;meta.main", "identifier of the survey, or file", ANPE_COLUMN_TEXT, 79,
     MEMBER(id)},
    {"file", "", "meta.id;meta.file", "input file", ANPE_COLUMN_TEXT, 160, MEMBER(file)},
    {"row", "", "meta.number", "row in the file", ANPE_COLUMN_INT64, 0, MEMBER(row)}};
static const star_column quality[] = {
    {"flags", "", "meta.code.qual", "bits: see FLAGn", ANPE_COLUMN_INT64, 0, MEMBER(flags)},
    {"chi2", "", "stat.fit.chi2", "at the median labels, over good pixels", ANPE_COLUMN_REAL, 0,
     MEMBER(chi2)},
    {"n_good", "", "meta.number", "good pixels", ANPE_COLUMN_INT64, 0, MEMBER(n_good)},
    {"snr", "", "stat.snr", "mean of 1/sigma over good pixels, without the floor", ANPE_COLUMN_REAL,
     0, MEMBER(snr)},
    {"n_draws", "", "meta.number", "posterior draws behind the numbers", ANPE_COLUMN_INT64, 0,
     MEMBER(n_draws)},
    {"edge_mass", "", "stat.probability",
     "weight within 0.1 sd of a bound of the prior, largest of all labels", ANPE_COLUMN_REAL, 0,
     MEMBER(edge_mass)},
    {"reason", "", "meta.note", "why there is no posterior", ANPE_COLUMN_TEXT, 160,
     MEMBER(reason)}};

static const star_column exact[] = {
    {"rung", "", "meta.code", "how far the ladder to an exact posterior was climbed",
     ANPE_COLUMN_TEXT, 11, MEMBER(rung)},
    {"ess", "", "meta.number", "effective draws behind the numbers", ANPE_COLUMN_REAL, 0,
     MEMBER(ess)},
    {"efficiency", "", "stat.param", "effective draws per draw", ANPE_COLUMN_REAL, 0,
     MEMBER(efficiency)},
    {"khat", "", "stat.param", "shape of the tail of the weights", ANPE_COLUMN_REAL, 0,
     MEMBER(khat)},
    {"log_evidence", "", "stat.likelihood", "natural log of the evidence of the reduced spectrum",
     ANPE_COLUMN_REAL, 0, MEMBER(log_evidence)},
    {"log_evidence_err", "", "stat.error", "its standard deviation", ANPE_COLUMN_REAL, 0,
     MEMBER(log_evidence_err)},
    {"rhat", "", "stat.param", "R-hat of the chains, at rung mcmc", ANPE_COLUMN_REAL, 0,
     MEMBER(rhat)},
    {"n_evaluations", "", "meta.number", "evaluations of the likelihood", ANPE_COLUMN_INT64, 0,
     MEMBER(n_evaluations)},
    {"exact_reason", "", "meta.note", "why the posterior is not exact", ANPE_COLUMN_TEXT, 160,
     MEMBER(exact_reason)}};

static const star_column together[] = {
    {"n_members", "", "meta.number", "spectra that took part", ANPE_COLUMN_INT64, 0,
     MEMBER(n_members)},
    {"n_left_out", "", "meta.number", "spectra of the star that could not be used",
     ANPE_COLUMN_INT64, 0, MEMBER(n_left_out)},
    {"members", "", "meta.id;meta.file", "spectra that took part, with their rows",
     ANPE_COLUMN_TEXT, 160, MEMBER(members)},
    {"log_together", "", "stat.likelihood",
     "natural log of how much likelier the spectra are of one star than of different ones",
     ANPE_COLUMN_REAL, 0, MEMBER(log_together)},
    {"rung", "", "meta.code", "how far the ladder to the product was climbed", ANPE_COLUMN_TEXT, 11,
     MEMBER(rung)},
    {"ess", "", "meta.number", "effective draws behind the numbers", ANPE_COLUMN_REAL, 0,
     MEMBER(ess)},
    {"efficiency", "", "stat.param", "effective draws per draw", ANPE_COLUMN_REAL, 0,
     MEMBER(efficiency)},
    {"khat", "", "stat.param", "shape of the tail of the weights", ANPE_COLUMN_REAL, 0,
     MEMBER(khat)},
    {"n_evaluations", "", "meta.number", "evaluations of the posteriors' densities",
     ANPE_COLUMN_INT64, 0, MEMBER(n_evaluations)},
    {"exact_reason", "", "meta.note", "why there are fewer effective draws than wanted",
     ANPE_COLUMN_TEXT, 160, MEMBER(exact_reason)}};

static int is_grouped(const anpe_infer_result *r)
{
    return r->grouped;
}

static const star_column compared[] = {
    {"chi2_catalogue", "", "stat.fit.chi2", "at the labels of the catalogue compared with",
     ANPE_COLUMN_REAL, 0, MEMBER(chi2_catalogue)},
    {"comparison", "", "meta.note", "compared, outside, unmatched or incomplete", ANPE_COLUMN_TEXT,
     12, MEMBER(comparison)}};

static int is_compared(const anpe_infer_result *r)
{
    return r->comparison.wanted;
}

static const star_column misfit[] = {
    {"context_distance", "", "stat.value", "of the context vector from those of mocks",
     ANPE_COLUMN_REAL, 0, MEMBER(context_distance)},
    {"context_p", "", "stat.probability", "fraction of mocks that are as far", ANPE_COLUMN_REAL, 0,
     MEMBER(context_p)},
    {"predictive_score", "", "stat.value", "largest deviate of the residuals on any scale",
     ANPE_COLUMN_REAL, 0, MEMBER(predictive_score)},
    {"predictive_p", "", "stat.probability", "fraction of mocks with such a score",
     ANPE_COLUMN_REAL, 0, MEMBER(predictive_p)},
    {"predictive_worst", "", "meta.note", "statistic of the residuals with that deviate",
     ANPE_COLUMN_TEXT, 39, MEMBER(predictive_worst)}};

static int is_exact(const anpe_infer_result *r)
{
    return r->exact;
}

static int is_checked(const anpe_infer_result *r)
{
    return r->checked;
}

static int is_recalibrated(const anpe_infer_result *r)
{
    return r->recalibrated;
}

static int always(const anpe_infer_result *r)
{
    (void)r;
    return 1;
}

/* The columns in their order; those of the labels follow the first group. */
#define GROUP(name, object, wanted)                                                                \
    {                                                                                              \
        wanted, object, sizeof name / sizeof name[0], name                                         \
    }
static const struct {
    int (*wanted)(const anpe_infer_result *r);
    const char *object; /* of JSON */
    int n;
    const star_column *column;
} groups[] = {GROUP(identity, NULL, always),           GROUP(quality, NULL, always),
              GROUP(together, "together", is_grouped), GROUP(exact, "exact", is_exact),
              GROUP(compared, NULL, is_compared),      GROUP(misfit, NULL, is_checked)};
enum { N_GROUPS = sizeof groups / sizeof groups[0] };

static const struct {
    const char *suffix, *ucd, *help; /* ucd: behind the label's; "": "stat.stdev" before it */
    int (*wanted)(const anpe_infer_result *r);
    size_t offset; /* in anpe_label_summary */
} statistic[] = {
    {"", ";stat.median", "posterior median", always, offsetof(anpe_label_summary, median)},
    {"_mean", ";stat.mean", "posterior mean", always, offsetof(anpe_label_summary, mean)},
    {"_sd", "", "posterior standard deviation", always, offsetof(anpe_label_summary, sd)},
    {"_p16", ";stat.min", "16th percentile of the posterior", always,
     offsetof(anpe_label_summary, p16)},
    {"_p84", ";stat.max", "84th percentile of the posterior", always,
     offsetof(anpe_label_summary, p84)},
    {"_p16_cal", ";stat.min", "16th percentile, recalibrated", is_recalibrated,
     offsetof(anpe_label_summary, p16_cal)},
    {"_p84_cal", ";stat.max", "84th percentile, recalibrated", is_recalibrated,
     offsetof(anpe_label_summary, p84_cal)}};
enum { N_STATISTICS = sizeof statistic / sizeof statistic[0] };

static const char *ucd_of(const char *label)
{
    for (size_t i = 0; i < sizeof label_ucd / sizeof label_ucd[0]; i++)
        if (strcmp(label, label_ucd[i].name) == 0)
            return label_ucd[i].ucd;
    return strstr(label, "_fe") || strstr(label, "_h") ? "phys.abund" : "phys";
}

anpe_status anpe_infer_check_labels(anpe_ctx *ctx, int64_t n_labels)
{
    int n = 0;
    for (int g = 0; g < N_GROUPS; g++)
        n += groups[g].n;
    const int64_t most = (ANPE_CATALOGUE_MAX_COLUMNS - n) / N_STATISTICS;
    if (n_labels <= most)
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_ECONFIG,
                     "the model has %lld labels, a catalogue has room for %lld (%d columns each, "
                     "%d in all): train with fewer in labels.infer",
                     (long long)n_labels, (long long)most, N_STATISTICS,
                     ANPE_CATALOGUE_MAX_COLUMNS);
}

/* Texts of any length stand elsewhere. */
static const char *text_of(const anpe_star *s, size_t offset)
{
    if (offset == MEMBER(file))
        return s->file;
    if (offset == MEMBER(members))
        return s->members ? s->members : "";
    return (const char *)s + offset;
}

int anpe_infer_widest(int width, const char *text)
{
    const size_t n = strlen(text);
    return n > (size_t)width ? (int)n : width;
}

/* No path is cut: it is what tells the rows apart. Rows with members are in memory. */
static int longest_text(const anpe_infer_result *r, size_t offset, int shortest)
{
    int n = shortest;
    if (offset == MEMBER(file))
        return r->file_width > n ? r->file_width : n;
    for (int64_t i = 0; i < r->n_kept; i++)
        n = anpe_infer_widest(n, text_of(&r->star[i], offset));
    return n;
}

static anpe_infer_column star_column_of(const anpe_infer_result *r, const char *object,
                                        const star_column *from)
{
    anpe_infer_column c = {.object = object, .label = -1, .offset = from->offset};
    anpe_column *to = &c.column;
    const size_t prefix = object ? strlen(object) + 1 : 0;
    snprintf(to->name, sizeof to->name, "%s", from->name);
    snprintf(to->unit, sizeof to->unit, "%s", from->unit);
    snprintf(to->ucd, sizeof to->ucd, "%s", from->ucd);
    snprintf(to->help, sizeof to->help, "%s", from->help);
    to->type = from->type;
    const int any_length = from->offset == MEMBER(file) || from->offset == MEMBER(members);
    to->width = any_length ? longest_text(r, from->offset, from->width) : from->width;
    c.key = prefix && !strncmp(from->name, object, prefix - 1) ? from->name + prefix : from->name;
    return c;
}

static anpe_infer_column label_column_of(const anpe_label *l, int64_t label, int k)
{
    anpe_infer_column c = {.object = "labels", .label = label, .offset = statistic[k].offset};
    anpe_column *to = &c.column;
    snprintf(to->name, sizeof to->name, "%s%s", l->name, statistic[k].suffix);
    snprintf(to->unit, sizeof to->unit, "%s", l->unit);
    snprintf(to->ucd, sizeof to->ucd, "%s%s%s", statistic[k].ucd[0] ? "" : "stat.stdev;",
             ucd_of(l->name), statistic[k].ucd);
    snprintf(to->help, sizeof to->help, "%s", statistic[k].help);
    to->type = ANPE_COLUMN_REAL;
    c.key = k ? statistic[k].suffix + 1 : "median";
    return c;
}

int anpe_infer_columns(const anpe_infer_result *r, anpe_infer_column *c)
{
    int n = 0;
    for (int g = 0; g < N_GROUPS; g++) {
        for (int i = 0; groups[g].wanted(r) && i < groups[g].n; i++)
            c[n++] = star_column_of(r, groups[g].object, &groups[g].column[i]);
        for (int64_t d = 0; g == 0 && d < r->n_labels; d++)
            for (int k = 0; k < N_STATISTICS; k++)
                if (statistic[k].wanted(r))
                    c[n++] = label_column_of(&r->label[d], d, k);
    }
    return n;
}

void anpe_infer_names(const anpe_infer_result *r, anpe_text *names)
{
    anpe_infer_column *c = calloc(ANPE_CATALOGUE_MAX_COLUMNS, sizeof *c);
    const int n = c ? anpe_infer_columns(r, c) : 0;
    names->failed |= !c;
    for (int k = 0; k < n; k++)
        anpe_text_add(names, "%s%s", k ? "," : "", c[k].column.name);
    free(c);
}

const char *anpe_infer_describe(const char *name)
{
    const size_t n = strlen(name);
    for (int g = 0; g < N_GROUPS; g++)
        for (int i = 0; i < groups[g].n; i++)
            if (!strcmp(groups[g].column[i].name, name))
                return groups[g].column[i].help;
    for (int k = N_STATISTICS - 1; k > 0; k--) {
        const size_t m = strlen(statistic[k].suffix);
        if (n > m && !strcmp(name + n - m, statistic[k].suffix))
            return statistic[k].help;
    }
    return "";
}

static const void *member(const anpe_star *s, const anpe_infer_column *c)
{
    return c->label < 0 ? (const char *)s + c->offset
                        : (const char *)&s->label[c->label] + c->offset;
}

const char *anpe_infer_text(const anpe_star *s, const anpe_infer_column *c)
{
    return text_of(s, c->offset);
}

double anpe_infer_real(const anpe_star *s, const anpe_infer_column *c)
{
    return *(const double *)member(s, c);
}

int64_t anpe_infer_integer(const anpe_star *s, const anpe_infer_column *c)
{
    return *(const int64_t *)member(s, c);
}

static void fill_row(anpe_catalogue *table, int64_t row, const anpe_star *s, int n,
                     const anpe_infer_column *c)
{
    for (int k = 0; k < n; k++)
        if (c[k].column.type == ANPE_COLUMN_TEXT)
            anpe_catalogue_set_text(table, row, k, anpe_infer_text(s, &c[k]));
        else if (c[k].column.type == ANPE_COLUMN_INT64)
            anpe_catalogue_set_int(table, row, k, anpe_infer_integer(s, &c[k]));
        else
            anpe_catalogue_set_real(table, row, k, anpe_infer_real(s, &c[k]));
}

static anpe_status add_provenance(anpe_ctx *ctx, anpe_catalogue *c, const anpe_infer_request *q,
                                  const anpe_infer_result *r)
{
    char seed[32];
    anpe_status status;
    snprintf(seed, sizeof seed, "%lu", (unsigned long)q->seed);
    ANPE_TRY(anpe_catalogue_keyword(ctx, c, "CREATOR", "anpe " PACKAGE_VERSION, "software"));
    ANPE_TRY(anpe_catalogue_keyword(ctx, c, "MODEL", anpe_text_basename(q->model), "model file"));
    ANPE_TRY(anpe_catalogue_keyword(ctx, c, "MODELSHA", r->model_digest, "digest of its contents"));
    ANPE_TRY(anpe_catalogue_keyword(ctx, c, "SEED", seed, "of the posterior draws"));
    if (r->run[0])
        ANPE_TRY(anpe_catalogue_keyword(ctx, c, "RUN", r->run, "digest of what was asked for"));
    for (int k = 0; k < q->n_others; k++) {
        char key[2][24];
        snprintf(key[0], sizeof key[0], "MODEL%d", k + 2);
        snprintf(key[1], sizeof key[1], "MODSHA%d", k + 2);
        ANPE_TRY(anpe_catalogue_keyword(ctx, c, key[0], anpe_text_basename(q->others[k]),
                                        "another model"));
        ANPE_TRY(
            anpe_catalogue_keyword(ctx, c, key[1], r->other_digest[k], "digest of its contents"));
    }
    for (int k = 0; k < q->n_sets; k++) {
        char key[16];
        snprintf(key, sizeof key, "SET%d", k);
        ANPE_TRY(anpe_catalogue_keyword(ctx, c, key, q->sets[k], "--set of the command line"));
    }
out:
    return status;
}

typedef struct filling {
    const anpe_row_list *rows;
    int n_columns;
    anpe_infer_column *column;
} filling;

static anpe_status fill_rows(anpe_ctx *ctx, anpe_catalogue *c, int64_t first, int64_t n, void *user)
{
    const filling *x = user;
    const anpe_star *star;
    anpe_status status = ANPE_OK;
    for (int64_t i = first; i < first + n && !status; i++) {
        status = anpe_row_list_at(ctx, x->rows, i, &star);
        if (!status)
            fill_row(c, i, star, x->n_columns, x->column);
    }
    return status;
}

/* The rows as a table: to a file of its own, or behind what one has. */
static anpe_status with_catalogue(anpe_ctx *ctx, const anpe_infer_request *q,
                                  const anpe_row_list *rows, const char *append_to,
                                  anpe_output *out)
{
    const anpe_infer_result *r = rows->result;
    filling x = {rows, 0, NULL};
    anpe_column *column = NULL;
    anpe_catalogue *c = NULL;
    anpe_status status;
    ANPE_TRY(ANPE_NEW(ctx, x.column, ANPE_CATALOGUE_MAX_COLUMNS));
    ANPE_TRY(ANPE_NEW(ctx, column, ANPE_CATALOGUE_MAX_COLUMNS));
    x.n_columns = anpe_infer_columns(r, x.column); /* room for all: anpe_infer_check_labels */
    for (int k = 0; k < x.n_columns; k++)
        column[k] = x.column[k].column;
    ANPE_TRY(anpe_catalogue_stream(ctx, r->n_stars, fill_rows, &x, x.n_columns, column,
                                   ANPE_N_FLAGS, anpe_flag_names, &c));
    ANPE_TRY(add_provenance(ctx, c, q, r));
    ANPE_TRY(append_to ? anpe_catalogue_append(ctx, c, append_to)
                       : anpe_catalogue_prepare(ctx, c, q->output, out));
out:
    anpe_catalogue_free(c);
    free(column);
    free(x.column);
    return status;
}

anpe_status anpe_row_list_catalogue(anpe_ctx *ctx, const anpe_infer_request *q,
                                    const anpe_row_list *rows, anpe_output *out)
{
    return with_catalogue(ctx, q, rows, NULL, out);
}

anpe_status anpe_infer_catalogue(anpe_ctx *ctx, const anpe_infer_request *q,
                                 const anpe_infer_result *r, anpe_output *out)
{
    const anpe_row_list rows = {r, NULL};
    return with_catalogue(ctx, q, &rows, NULL, out);
}

anpe_status anpe_infer_append(anpe_ctx *ctx, const anpe_infer_request *q,
                              const anpe_infer_result *r, const char *path)
{
    const anpe_row_list rows = {r, NULL};
    return with_catalogue(ctx, q, &rows, path, NULL);
}
