/* The result of an inference as a catalogue: columns with units and UCDs, rows, provenance. */
#include <config.h>
#include "npe/infer.h"
#include "base/text.h"
#include "data/catalogue.h"
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
                 {"vmacro", "phys.veloc.macroTurb"}};

static const struct {
    const char *name, *unit, *ucd, *help;
    anpe_column_type type;
    int width;
} fixed[] = {
    {"id", "", "meta.id;meta.main", "identifier of the survey, or file", ANPE_COLUMN_TEXT, 79},
    {"file", "", "meta.file", "input file", ANPE_COLUMN_TEXT, 160},
    {"row", "", "meta.number", "row in the file", ANPE_COLUMN_INT64, 0},
    {"flags", "", "meta.code.qual", "bits: see FLAGn", ANPE_COLUMN_INT64, 0},
    {"chi2", "", "stat.fit.chi2", "at the median labels, over good pixels", ANPE_COLUMN_REAL, 0},
    {"n_good", "", "meta.number", "good pixels", ANPE_COLUMN_INT64, 0},
    {"snr", "", "stat.snr", "mean of 1/sigma over good pixels, without the floor", ANPE_COLUMN_REAL,
     0},
    {"n_draws", "", "meta.number", "posterior draws behind the numbers", ANPE_COLUMN_INT64, 0},
    {"reason", "", "meta.note", "why there is no posterior", ANPE_COLUMN_TEXT, 160}};
enum { ID, FILE_, ROW, FLAGS, CHI2, N_GOOD, SNR, N_DRAWS, REASON, N_FIXED };

static const struct {
    const char *suffix, *ucd, *help;
} statistic[] = {{"", "", "posterior median"},
                 {"_mean", "stat.mean", "posterior mean"},
                 {"_sd", "stat.stdev", "posterior standard deviation"},
                 {"_p16", "stat.min", "16th percentile of the posterior"},
                 {"_p84", "stat.max", "84th percentile of the posterior"}};
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
    const int64_t most = (ANPE_CATALOGUE_MAX_COLUMNS - N_FIXED) / N_STATISTICS;
    if (n_labels <= most)
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_ECONFIG,
                     "the model has %lld labels, a catalogue has room for %lld (%d columns each, "
                     "%d in all): train with fewer in labels.infer",
                     (long long)n_labels, (long long)most, N_STATISTICS,
                     ANPE_CATALOGUE_MAX_COLUMNS);
}

/* No path is cut: it is what tells the rows apart. */
static int longest_file(const anpe_infer_result *r)
{
    size_t n = (size_t)fixed[FILE_].width;
    for (int64_t i = 0; i < r->n_stars; i++)
        n = strlen(r->star[i].file) > n ? strlen(r->star[i].file) : n;
    return (int)n;
}

static void describe(anpe_column *c, const anpe_infer_result *r)
{
    for (int i = 0; i < N_FIXED; i++) {
        anpe_column *f = &c[i < FLAGS ? i : i + N_STATISTICS * (int)r->n_labels];
        snprintf(f->name, sizeof f->name, "%s", fixed[i].name);
        snprintf(f->unit, sizeof f->unit, "%s", fixed[i].unit);
        snprintf(f->ucd, sizeof f->ucd, "%s", fixed[i].ucd);
        snprintf(f->help, sizeof f->help, "%s", fixed[i].help);
        f->type = fixed[i].type;
        f->width = i == FILE_ ? longest_file(r) : fixed[i].width;
    }
    for (int d = 0; d < (int)r->n_labels; d++)
        for (int k = 0; k < N_STATISTICS; k++) {
            anpe_column *l = &c[FLAGS + d * N_STATISTICS + k];
            snprintf(l->name, sizeof l->name, "%s%s", r->label[d].name, statistic[k].suffix);
            snprintf(l->unit, sizeof l->unit, "%s", r->label[d].unit);
            snprintf(l->ucd, sizeof l->ucd, "%s%s%s", statistic[k].ucd, k ? ";" : "",
                     ucd_of(r->label[d].name));
            snprintf(l->help, sizeof l->help, "%s", statistic[k].help);
            l->type = ANPE_COLUMN_REAL;
        }
}

static void fill_row(anpe_catalogue *c, int64_t i, const anpe_star *s, const anpe_infer_result *r,
                     int64_t n_draws)
{
    const int after = N_STATISTICS * (int)r->n_labels;
    anpe_catalogue_set_text(c, i, ID, s->id);
    anpe_catalogue_set_text(c, i, FILE_, s->file);
    anpe_catalogue_set_int(c, i, ROW, s->row);
    for (int d = 0; d < (int)r->n_labels; d++) {
        const anpe_label_summary *l = &s->label[d];
        const double value[] = {l->median, l->mean, l->sd, l->p16, l->p84};
        for (int k = 0; k < N_STATISTICS; k++)
            anpe_catalogue_set_real(c, i, FLAGS + d * N_STATISTICS + k, value[k]);
    }
    anpe_catalogue_set_int(c, i, after + FLAGS, s->flags);
    anpe_catalogue_set_real(c, i, after + CHI2, s->chi2);
    anpe_catalogue_set_int(c, i, after + N_GOOD, s->n_good);
    anpe_catalogue_set_real(c, i, after + SNR, s->snr);
    anpe_catalogue_set_int(c, i, after + N_DRAWS, s->failed ? 0 : n_draws);
    anpe_catalogue_set_text(c, i, after + REASON, s->reason);
}

static anpe_status add_provenance(anpe_ctx *ctx, anpe_catalogue *c, const anpe_infer_request *q,
                                  const char *digest)
{
    char seed[32];
    anpe_status status;
    snprintf(seed, sizeof seed, "%lu", (unsigned long)q->seed);
    ANPE_TRY(anpe_catalogue_keyword(ctx, c, "CREATOR", "anpe " PACKAGE_VERSION, "software"));
    ANPE_TRY(anpe_catalogue_keyword(ctx, c, "MODEL", anpe_text_basename(q->model), "model file"));
    ANPE_TRY(anpe_catalogue_keyword(ctx, c, "MODELSHA", digest, "digest of its contents"));
    ANPE_TRY(anpe_catalogue_keyword(ctx, c, "SEED", seed, "of the posterior draws"));
out:
    return status;
}

anpe_status anpe_infer_write(anpe_ctx *ctx, const anpe_infer_request *q, const anpe_infer_result *r)
{
    const int n_columns = N_FIXED + N_STATISTICS * (int)r->n_labels;
    anpe_catalogue *c = NULL;
    anpe_status status;
    anpe_column *column = calloc((size_t)n_columns, sizeof *column);
    if (!column)
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "catalogue: out of memory");
    describe(column, r);
    ANPE_TRY(
        anpe_catalogue_new(ctx, r->n_stars, n_columns, column, ANPE_N_FLAGS, anpe_flag_names, &c));
    for (int64_t i = 0; i < r->n_stars; i++)
        fill_row(c, i, &r->star[i], r, q->n_draws);
    ANPE_TRY(add_provenance(ctx, c, q, r->model_digest));
    ANPE_TRY(anpe_catalogue_write(ctx, c, q->output));
out:
    anpe_catalogue_free(c);
    free(column);
    return status;
}
