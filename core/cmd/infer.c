/* anpe infer: posteriors of spectra to a catalogue. */
#include "cmd/inferred.h"
#include "cmd/models.h"
#include "cmd/part.h"
#include "cmd/spectra.h"
#include "file/catalogue.h"
#include "infer/group.h"
#include "infer/rows.h"
#include "zoo/choose.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct options {
    const char *output, *posterior, *predict, *explain;
    const char *compare, *compare_columns, *compare_id;
    const char *list, *group, *part;
    anpe_texts set, with, own;
    int64_t samples, exact_max;
    int exact, resume;
    double exact_ess;
} options;

enum { MOST_SAID = 20 }; /* spectra that are told of one by one */
enum { SAMPLES = 1000, EXACT_ESS = 500, EXACT_MAX = 100000 };
static const anpe_flag flags[] = {
    ANPE_FLAG_TEXT_REQUIRED(options, output, 'o', "output", "CATALOGUE",
                            "table to write: " ANPE_CATALOGUE_NAMES),
    ANPE_FLAG_LIST(options),
    ANPE_FLAG_TEXTS(options, set, 0, "set", "PATH=VALUE",
                    "how files are read (instrument.combination=visits), or where a file of the "
                    "training lies now (simulator.file=...)"),
    ANPE_FLAG_INT(options, samples, 's', "samples", "N", SAMPLES, 2, 1e8,
                  "posterior draws of each spectrum"),
    ANPE_FLAG_TEXT(options, posterior, 'p', "posterior", "FILE", NULL, "HDF5 file for all draws"),
    ANPE_FLAG_TEXT(options, predict, 0, "predict", "FILE", NULL,
                   "HDF5 file for model spectra at posterior median, mean and best draw"),
    ANPE_FLAG_TEXT(options, explain, 0, "explain", "FILE", NULL,
                   "HDF5 file for the gradient of each posterior mean by pixel"),
    ANPE_FLAG_TEXT(options, compare, 0, "compare", "CATALOGUE", NULL,
                   "catalogue (" ANPE_CATALOGUE_NAMES
                   ") whose labels' model spectra are compared with ours"),
    ANPE_FLAG_TEXT(options, compare_columns, 0, "compare-columns", "LABEL=COLUMN,...", NULL,
                   "labels that have other names in it"),
    ANPE_FLAG_TEXT(options, compare_id, 0, "compare-id", "COLUMN", NULL,
                   "its column of identifiers; without: row by row"),
    ANPE_FLAG_SWITCH(
        options, exact, 0, "exact",
        "importance sampling of every star with the simulator, the noise and the prior "
        "that the model was trained with; what does not become exact is flagged"),
    ANPE_FLAG_REAL(options, exact_ess, 0, "exact-ess", "N", EXACT_ESS, 10, 1e6,
                   "effective draws that --exact is to reach"),
    ANPE_FLAG_INT(options, exact_max, 0, "exact-max", "N", EXACT_MAX, 2000, 1e8,
                  "most evaluations of the likelihood for one star with --exact"),
    ANPE_FLAG_SWITCH(options, resume, 0, "resume",
                     "keep finished blocks in CATALOGUE.part, and go on from those that are there"),
    ANPE_FLAG_PART(options),
    ANPE_FLAG_TEXT(options, group, 0, "group", "id|TABLE", NULL,
                   "one posterior for all spectra of a star: those with one identifier, or of one "
                   "`group` in a table with the columns group and file, perhaps row and model"),
    ANPE_FLAG_TEXTS(options, with, 0, "with", "MODEL",
                    "another model whose spectra are among them, of the same labels and prior"),
    ANPE_FLAG_TEXTS(options, own, 0, "own", "LABEL",
                    "with --group: a label that each spectrum has for itself and that is "
                    "integrated over (rv, if none is named)"),
    ANPE_FLAG_END};

static json_t *column_json(const anpe_star *s, const anpe_infer_column *c)
{
    switch (c->column.type) {
    case ANPE_COLUMN_TEXT:
        return json_string(anpe_infer_text(s, c));
    case ANPE_COLUMN_INT64:
        return json_integer(anpe_infer_integer(s, c));
    case ANPE_COLUMN_REAL:
        return anpe_cmd_number(anpe_infer_real(s, c));
    }
    return json_null();
}

/* Member `name` of o, an object that is made if it is not there. */
static json_t *object_in(json_t *o, const char *name)
{
    if (!json_object_get(o, name))
        json_object_set_new(o, name, json_object());
    return json_object_get(o, name);
}

/* All that the catalogue has of a star, and two things of an exact one that it has not. Empty texts
 * are left out, and the labels of a star without a posterior. */
static json_t *star_json(const anpe_star *s, const anpe_infer_result *r, int n,
                         const anpe_infer_column *column)
{
    json_t *o = json_object();
    for (int k = 0; k < n; k++) {
        const anpe_infer_column *c = &column[k];
        json_t *in = o;
        if ((c->object && s->failed) ||
            (c->column.type == ANPE_COLUMN_TEXT && !anpe_infer_text(s, c)[0]))
            continue;
        if (c->object)
            in = object_in(o, c->object);
        if (c->label >= 0) {
            in = object_in(in, r->label[c->label].name);
            json_object_set_new(in, "unit", json_string(c->column.unit));
        }
        json_object_set_new(in, c->key, column_json(s, c));
    }
    object_in(o, "labels");
    if (r->exact && !s->failed) {
        json_object_set_new(object_in(o, "exact"), "exact", json_boolean(s->exact));
        json_object_set_new(object_in(o, "exact"), "proposal_efficiency",
                            anpe_cmd_number(s->proposal_efficiency));
    }
    return o;
}

static json_t *stars_json(const anpe_infer_result *r)
{
    json_t *stars = json_array();
    anpe_infer_column *column = calloc(ANPE_CATALOGUE_MAX_COLUMNS, sizeof *column);
    const int n = column ? anpe_infer_columns(r, column) : 0;
    for (int64_t i = 0; i < r->n_kept; i++)
        json_array_append_new(stars, star_json(&r->star[i], r, n, column));
    free(column);
    return stars;
}

static json_t *recovery_json(const anpe_infer_result *r)
{
    json_t *o = json_object();
    for (int64_t d = 0; d < r->n_labels; d++) {
        const anpe_recovery *c = &r->recovery[d];
        json_object_set_new(
            o, r->label[d].name,
            json_pack("{s:o,s:o,s:o,s:o,s:o}", "r2", anpe_cmd_number(c->r2), "bias",
                      anpe_cmd_number(c->bias), "scatter", anpe_cmd_number(c->scatter), "cover68",
                      anpe_cmd_number(c->cover68), "pull", anpe_cmd_number(c->pull)));
    }
    return o;
}

static void say_recovery(const anpe_cmd *cmd, const anpe_infer_result *r)
{
    anpe_cmd_say(cmd, "how well %lld known sets of labels came back:\n", (long long)r->n_truth);
    anpe_cmd_say(cmd, "  %-10s %-6s %8s %10s %10s %14s %8s\n", "label", "unit", "R2", "bias",
                 "scatter", "68 % interval", "pull sd");
    for (int64_t d = 0; d < r->n_labels; d++) {
        const anpe_recovery *c = &r->recovery[d];
        anpe_cmd_say(cmd, "  %-10s %-6s %8.4f %10.4g %10.4g %9.1f %%    %8.2f\n", r->label[d].name,
                     r->label[d].unit, c->r2, c->bias, c->scatter, 100 * c->cover68, c->pull);
    }
}

static void say_stars(const anpe_cmd *cmd, const anpe_infer_result *r)
{
    for (int64_t i = 0; i < r->n_kept && r->n_stars <= MOST_SAID; i++) {
        const anpe_star *s = &r->star[i];
        if (s->failed)
            continue;
        anpe_cmd_say(cmd, "%s", s->id);
        for (int64_t d = 0; d < r->n_labels; d++)
            anpe_cmd_say(cmd, "  %s %.4g +- %.2g", r->label[d].name, s->label[d].median,
                         s->label[d].sd);
        if (isfinite(s->chi2) && s->n_good)
            anpe_cmd_say(cmd, "  chi2/N %.2f", s->chi2 / (double)s->n_good);
        for (int b = 0; b < ANPE_N_FLAGS; b++)
            if (s->flags & (1 << b))
                anpe_cmd_say(cmd, "  %s", anpe_flag_names[b]);
        anpe_cmd_say(cmd, "\n");
    }
}

static void say_exact(const anpe_cmd *cmd, const anpe_infer_result *r)
{
    anpe_cmd_say(cmd, "exact: %lld of %lld spectra (", (long long)r->n_exact,
                 (long long)r->n_stars);
    for (int k = 0; k < ANPE_N_RUNGS; k++)
        anpe_cmd_say(cmd, "%s%s %lld", k ? ", " : "", anpe_rung_names[k], (long long)r->n_rung[k]);
    anpe_cmd_say(cmd, "), %.0f evaluations a spectrum\n",
                 (double)r->n_evaluations / (double)r->n_stars);
}

static double fraction_better(const anpe_comparison *c)
{
    return c->n ? (double)c->n_better / (double)c->n : NAN;
}

static json_t *comparison_json(const anpe_infer_request *o, const anpe_infer_result *r)
{
    const anpe_comparison *c = &r->comparison;
    json_t *own = json_array();
    for (int64_t d = 0; d < r->n_labels; d++)
        if (!c->given[d])
            json_array_append_new(own, json_string(r->label[d].name));
    return json_pack("{s:s,s:I,s:I,s:o,s:I,s:I,s:I,s:o}", "catalogue", o->compare, "n",
                     (json_int_t)c->n, "n_better", (json_int_t)c->n_better, "fraction_better",
                     anpe_cmd_number(fraction_better(c)), "n_outside", (json_int_t)c->n_outside,
                     "n_unmatched", (json_int_t)c->n_unmatched, "n_incomplete",
                     (json_int_t)c->n_incomplete, "own_labels", own);
}

static void say_comparison(const anpe_cmd *cmd, const anpe_infer_request *o,
                           const anpe_infer_result *r)
{
    const anpe_comparison *c = &r->comparison;
    anpe_cmd_say(cmd, "%s: of %lld stars compared, chi2 is smaller at our medians for %lld",
                 o->compare, (long long)c->n, (long long)c->n_better);
    if (c->n)
        anpe_cmd_say(cmd, " (%.1f %%)", 100 * fraction_better(c));
    anpe_cmd_say(cmd,
                 "; %lld outside of what the simulator was made for, %lld not in it, %lld "
                 "without a label\n",
                 (long long)c->n_outside, (long long)c->n_unmatched, (long long)c->n_incomplete);
    int n = 0;
    for (int64_t d = 0; d < r->n_labels; d++)
        if (!c->given[d])
            anpe_cmd_say(cmd, "%s%s", n++ ? ", " : "  our medians in both: ", r->label[d].name);
    anpe_cmd_say(cmd, "%s", n ? "\n" : "");
}

static void say_groups(const anpe_cmd *cmd, const anpe_infer_result *r)
{
    int64_t members = 0, few = 0;
    for (int64_t i = 0; i < r->n_stars; i++) {
        members += r->star[i].n_members;
        few += (r->star[i].flags & ANPE_FLAG_NOT_EXACT) != 0;
    }
    anpe_cmd_say(cmd, "%lld stars of %lld spectra; %lld with fewer effective draws than wanted\n",
                 (long long)r->n_stars, (long long)members, (long long)few);
}

void anpe_cmd_inferred(anpe_cmd *cmd, const anpe_infer_request *o, const anpe_infer_result *r)
{
    int64_t draws = r->grouped ? 0 : (r->n_stars - r->n_failed) * o->n_draws;
    for (int64_t i = 0; i < r->n_stars && r->grouped; i++)
        draws += r->star[i].n_draws;
    json_object_set_new(cmd->result, "spectra", cmd->json ? stars_json(r) : json_array());
    json_object_set_new(cmd->result, "catalogue", json_string(o->output));
    if (o->predict)
        json_object_set_new(cmd->result, "predictions", json_string(o->predict));
    if (o->explain)
        json_object_set_new(cmd->result, "gradients", json_string(o->explain));
    json_object_set_new(cmd->result, "n", json_integer(r->n_stars));
    json_object_set_new(cmd->result, "n_failed", json_integer(r->n_failed));
    json_object_set_new(cmd->result, "draws", json_integer(draws));
    json_object_set_new(cmd->result, "draws_outside_prior", json_integer(r->n_outside));
    json_object_set_new(cmd->result, "seconds", json_real(r->seconds));
    say_stars(cmd, r);
    if (r->exact)
        say_exact(cmd, r);
    if (r->grouped)
        say_groups(cmd, r);
    if (r->recovery) {
        json_object_set_new(cmd->result, "recovery", recovery_json(r));
        say_recovery(cmd, r);
    }
    if (r->comparison.wanted) {
        json_object_set_new(cmd->result, "comparison", comparison_json(o, r));
        say_comparison(cmd, o, r);
    }
    anpe_cmd_say(cmd,
                 "%s: %lld %s, %lld without a posterior, %lld draws, %lld outside the prior, "
                 "%.1f ms %s\n",
                 o->output, (long long)r->n_stars, r->grouped ? "stars" : "spectra",
                 (long long)r->n_failed, (long long)draws, (long long)r->n_outside,
                 1000 * r->seconds / (double)r->n_stars, r->grouped ? "a star" : "a spectrum");
}

/* What is not there for a star of several spectra, and why. */
static anpe_status check_group_extras(anpe_ctx *ctx, anpe_cmd *cmd, const options *o)
{
    if (cmd->ranks)
        return anpe_cmd_usage(ctx, cmd, "--group: one process alone, without mpirun");
    if (o->resume || o->part)
        return anpe_cmd_usage(ctx, cmd,
                              "--%s: not with --group, which reads the list of all spectra before "
                              "the first star; give it the stars of a part",
                              o->resume ? "resume" : "part");
    if (o->exact)
        return anpe_cmd_usage(ctx, cmd,
                              "--exact: not with --group, whose weights are of the networks' "
                              "densities and ask no simulator");
    if (o->predict || o->explain)
        return anpe_cmd_usage(ctx, cmd,
                              "--%s: not with --group, where a star has no pixels of its own; "
                              "infer its spectra one by one for that",
                              o->predict ? "predict" : "explain");
    if (o->compare || o->compare_id || o->compare_columns)
        return anpe_cmd_usage(ctx, cmd,
                              "--compare: not with --group, where chi2 is of several spectra; "
                              "infer them one by one for that");
    if (o->samples != SAMPLES && !o->posterior)
        return anpe_cmd_usage(ctx, cmd,
                              "--samples with --group: how many draws --posterior writes; "
                              "--exact-ess says how many a star's numbers are from");
    return ANPE_OK;
}

static anpe_status check_group_flags(anpe_ctx *ctx, anpe_cmd *cmd, const options *o)
{
    if (!o->group && (o->with.n || o->own.n))
        return anpe_cmd_usage(ctx, cmd, "--with and --own go with --group");
    if (o->group && strcmp(o->group, "id") && (cmd->n_arguments > 1 || o->list))
        return anpe_cmd_usage(ctx, cmd, "--group TABLE names the spectra: give the model alone");
    return o->group ? check_group_extras(ctx, cmd, o) : ANPE_OK;
}

/* infer: as for single spectra. */
static anpe_status run_groups(anpe_ctx *ctx, anpe_cmd *cmd, const anpe_infer_request *infer,
                              anpe_infer_result *result)
{
    static const char *const rv[] = {"rv"};
    const options *o = cmd->options;
    anpe_status status = ANPE_OK;
    const char *models[1 + ANPE_INFER_OTHERS] = {infer->model};
    anpe_group_request q = {.infer = *infer,
                            .n_models = 1 + (int)o->with.n,
                            .models = models,
                            .table = strcmp(o->group, "id") ? o->group : NULL,
                            .n_own = o->own.n ? o->own.n : 1,
                            .own = o->own.n ? o->own.v : rv,
                            .ladder = infer->exact_options};
    if (o->with.n > ANPE_INFER_OTHERS)
        return anpe_cmd_usage(ctx, cmd, "too many models");
    for (int64_t k = 0; k < o->with.n && !status; k++) {
        models[k + 1] = o->with.v[k];
        status = anpe_cmd_model(ctx, cmd, &models[k + 1]);
    }
    q.infer.n_others = (int)o->with.n;
    q.infer.others = models + 1;
    return status ? status : anpe_infer_groups(ctx, &q, result);
}

/* MODEL: a file, a model of the zoo, or "auto" for the one that is for these files. */
static anpe_status find_model(anpe_ctx *ctx, anpe_cmd *cmd, const anpe_file_list *files,
                              const char **model)
{
    char *path;
    *model = cmd->argument[0];
    if (strcmp(*model, "auto") != 0)
        return anpe_cmd_model(ctx, cmd, model);
    if (!files->n)
        return anpe_cmd_usage(ctx, cmd, "auto: a model is chosen by files that are named here");
    anpe_status status = anpe_zoo_choose(ctx, files->n, (const char *const *)files->path, &path);
    if (!status)
        status = anpe_cmd_keep(ctx, cmd, path);
    if (!status)
        anpe_log(ctx, ANPE_INFO, "model: %s", *model = path);
    return status;
}

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const options *o = cmd->options;
    anpe_file_list files = {0};
    anpe_infer_result result = {0};
    anpe_infer_request request = {.n_sets = (int)o->set.n,
                                  .sets = o->set.v,
                                  .output = o->output,
                                  .posterior = o->posterior,
                                  .predict = o->predict,
                                  .explain = o->explain,
                                  .compare = o->compare,
                                  .compare_columns = o->compare_columns,
                                  .compare_id = o->compare_id,
                                  .n_draws = o->samples,
                                  .seed = cmd->seed_given ? cmd->seed : 1,
                                  .threads = cmd->threads,
                                  .ranks = cmd->ranks,
                                  .exact = o->exact,
                                  .exact_options = {o->exact_ess, o->exact_max, ANPE_RUNG_MCMC}};
    if (!o->exact && !o->group && (o->exact_ess != EXACT_ESS || o->exact_max != EXACT_MAX))
        return anpe_cmd_usage(ctx, cmd, "--exact-ess and --exact-max go with --exact or --group");
    anpe_status status = check_group_flags(ctx, cmd, o);
    if (!status)
        status = anpe_cmd_share(ctx, cmd, o->part, &request.share);
    request.resume = o->resume || request.share.n;
    request.n_kept = cmd->json && !request.share.n ? 0 : MOST_SAID;
    if (!status && (!o->group || !strcmp(o->group, "id")))
        status = anpe_cmd_spectra(ctx, cmd, 1, o->list, &files);
    if (!status)
        status = find_model(ctx, cmd, &files, &request.model);
    if (status)
        goto out;
    request.n_files = (int)files.n;
    request.files = (const char *const *)files.path;
    if (o->group)
        ANPE_TRY(run_groups(ctx, cmd, &request, &result));
    else
        ANPE_TRY(anpe_infer_files(ctx, &request, &result));
    if (anpe_ranks_rank(cmd->ranks))
        goto out;
    if (request.share.n)
        ANPE_TRY(anpe_cmd_say_part(ctx, cmd, o->output, request.share));
    else if (!result.finished)
        anpe_cmd_inferred(cmd, &request, &result);
    else
        json_object_set_new(cmd->result, "catalogue", json_string(o->output));
    cmd->n_failed = (int)result.n_failed;
out:
    anpe_infer_result_clear(&result);
    anpe_file_list_clear(&files);
    return status;
}

const anpe_command anpe_command_infer = {
    "infer",
    "posteriors of spectra, to a catalogue",
    "MODEL SPECTRUM... -o CATALOGUE",
    "MODEL is a file, the name of a model of the zoo ('anpe zoo list'), or 'auto' for the one that "
    "is for these files. Reads the survey's own files or HDF5 spectra, one by one, in folders or "
    "named by a list, and "
    "writes one row for each: posterior median, "
    "mean, sd, 16th and 84th percentile of every label, chi2, flags. A spectrum that cannot be "
    "used "
    "is flagged with its reason, the run goes on and ends with exit status 4. Where the input "
    "holds "
    "true labels (mocks), it prints how well they came back.",
    flags,
    sizeof(options),
    1,
    -1,
    run,
    1};
