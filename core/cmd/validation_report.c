/* A validation in words and numbers. What each number means is in docs/book/validation.md. */
#include "cmd/validation_report.h"
#include "infer/infer.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THIRDS = 3 };

/* ---- tables of all mocks ----------------------------------------------------------------- */

static void label_lines(const anpe_validation *v, const anpe_label *label,
                        const anpe_validation_part *all, anpe_text *t)
{
    anpe_text_add(t, "  %-10s %-6s %8s %10s %10s %7s %8s %8s %8s %11s\n", "label", "unit", "R2",
                  "bias", "scatter", "cover68", "SBC p", "PIT mean", "PIT p", "contraction");
    for (int64_t d = 0; d < v->n_labels; d++) {
        const anpe_validation_label *l = &all->label[d];
        anpe_text_add(t, "  %-10s %-6s %8.4f %10.4g %10.4g %7.3f %8.2g %8.3f %8.2g %11.4f\n",
                      label[d].name, label[d].unit, l->recovery.r2, l->recovery.bias,
                      l->recovery.scatter, l->recovery.cover68, l->sbc_p, l->pit_mean, l->pit_p,
                      v->contraction[d]);
    }
}

static json_t *label_json(const anpe_validation_label *l)
{
    json_t *o = json_object(), *count = json_array();
    const struct {
        const char *name;
        double value;
    } number[] = {{"r2", l->recovery.r2},           {"bias", l->recovery.bias},
                  {"scatter", l->recovery.scatter}, {"cover68", l->recovery.cover68},
                  {"pull", l->recovery.pull},       {"sbc_p", l->sbc_p},
                  {"pit_mean", l->pit_mean},        {"pit_p", l->pit_p}};
    for (size_t i = 0; i < sizeof number / sizeof number[0]; i++)
        json_object_set_new(o, number[i].name, anpe_cmd_number(number[i].value));
    for (int b = 0; b < l->bins; b++)
        json_array_append_new(count, json_integer(l->count[b]));
    json_object_set_new(o, "rank_counts", count);
    return o;
}

static json_t *level_json(const anpe_level_test *t)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o}", "distance", anpe_cmd_number(t->distance), "p",
                     anpe_cmd_number(t->p), "mean", anpe_cmd_number(t->mean), "cover68",
                     anpe_cmd_number(t->cover68), "cover95", anpe_cmd_number(t->cover95));
}

static json_t *part_json(const anpe_validation *v, const anpe_label *label,
                         const anpe_validation_part *part)
{
    json_t *o = json_object(), *labels = json_object();
    for (int64_t d = 0; d < v->n_labels; d++)
        json_object_set_new(labels, label[d].name, label_json(&part->label[d]));
    json_object_set_new(o, "n", json_integer(part->n));
    json_object_set_new(o, "log_q_truth", anpe_cmd_number(part->log_q_truth));
    json_object_set_new(o, "coverage", level_json(&part->hpd));
    json_object_set_new(o, "tarp", level_json(&part->tarp));
    json_object_set_new(o, "labels", labels);
    return o;
}

static void level_line(anpe_text *t, const char *name, const anpe_level_test *l)
{
    anpe_text_add(t,
                  "%-10s largest distance from the diagonal %.3f, p %.2g; 68 %% region holds %.1f "
                  "%%, 95 %% region %.1f %%\n",
                  name, l->distance, l->p, 100 * l->cover68, 100 * l->cover95);
}

/* What stands before a part of a list; a comma from the second one on. */
static const char *next(const char **between)
{
    const char *now = *between;
    *between = ",";
    return now;
}

static void verdict(const anpe_validation *v, const anpe_label *label,
                    const anpe_validation_part *all, anpe_text *t)
{
    const double limit = ANPE_VALIDATION_P / (double)v->n_labels;
    if (anpe_validation_passes(v, all)) {
        anpe_text_add(t, "verdict    calibrated as far as %lld mocks can tell\n", (long long)v->n);
        return;
    }
    const char *between = "verdict    NOT calibrated:";
    for (int64_t d = 0; d < v->n_labels; d++)
        if (!(all->label[d].sbc_p > limit))
            anpe_text_add(t, "%s SBC of %s (p %.2g, below %.2g / %lld labels)", next(&between),
                          label[d].name, all->label[d].sbc_p, ANPE_VALIDATION_P,
                          (long long)v->n_labels);
    if (!(all->hpd.p > ANPE_VALIDATION_P))
        anpe_text_add(t, "%s coverage (p %.2g)", next(&between), all->hpd.p);
    if (!(all->tarp.p > ANPE_VALIDATION_P))
        anpe_text_add(t, "%s TARP (p %.2g)", next(&between), all->tarp.p);
    anpe_text_add(t, "\n");
}

/* ---- parts ------------------------------------------------------------------------------- */

static void part_line(const anpe_validation *v, const anpe_validation_part *p, const char *name,
                      anpe_text *t)
{
    anpe_text_add(t, "  %-10s %9.4g .. %-9.4g %6lld %8.3f %7.3f", name, p->min, p->max,
                  (long long)p->n, p->log_q_truth, p->hpd.cover68);
    for (int64_t d = 0; d < v->n_labels; d++)
        anpe_text_add(t, "  %8.3g %5.2f", p->label[d].recovery.scatter,
                      p->label[d].recovery.cover68);
    anpe_text_add(t, "\n");
}

/* Three parts by thirds of `by`, n values `stride` apart. */
static anpe_status add_parts(anpe_ctx *ctx, const anpe_validation *v, const anpe_label *label,
                             const char *name, const double *by, int64_t stride, anpe_text *t,
                             json_t *out)
{
    anpe_validation_part part = {0};
    anpe_status status = ANPE_OK;
    double edge[THIRDS + 1];
    json_t *list = json_array();
    double *sorted;
    if (ANPE_NEW(ctx, sorted, v->n))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < v->n; i++)
        sorted[i] = by[i * stride];
    anpe_sort(v->n, sorted);
    for (int k = 0; k <= THIRDS; k++)
        edge[k] = anpe_quantile_sorted(v->n, sorted, k / (double)THIRDS);
    for (int k = 0; k < THIRDS && edge[THIRDS] > edge[0]; k++) {
        ANPE_TRY(anpe_validation_summarise(ctx, v, by, stride, edge[k],
                                           k + 1 < THIRDS ? edge[k + 1] : INFINITY, &part));
        part.max = edge[k + 1];
        part_line(v, &part, k ? "" : name, t);
        json_t *o = part_json(v, label, &part);
        json_object_set_new(o, "min", anpe_cmd_number(part.min));
        json_object_set_new(o, "max", anpe_cmd_number(part.max));
        json_array_append_new(list, o);
        anpe_validation_part_clear(&part);
    }
out:
    anpe_validation_part_clear(&part);
    json_object_set_new(out, name, list);
    free(sorted);
    return status;
}

/* Ranks and levels of an exact posterior are uniform among all mocks, and among those chosen by
 * what their spectra show; not among those chosen by the truth. So labels are cut at their medians.
 */
static anpe_status all_parts(anpe_ctx *ctx, const anpe_validation *v, const anpe_label *label,
                             anpe_text *t, json_t *out)
{
    json_t *parts = json_object();
    anpe_status status;
    json_object_set_new(out, "parts", parts);
    anpe_text_add(t, "\nthirds of the mocks by      from .. to          n  log q   cover  then "
                     "scatter and 68 %% coverage of each label\n");
    ANPE_TRY(add_parts(ctx, v, label, "snr", v->snr, 1, t, parts));
    ANPE_TRY(add_parts(ctx, v, label, "bad_pixels", v->bad_fraction, 1, t, parts));
    for (int64_t d = 0; d < v->n_labels; d++)
        ANPE_TRY(add_parts(ctx, v, label, label[d].name, v->median + d, v->n_labels, t, parts));
out:
    return status;
}

/* ---- importance weights, exact posteriors, recalibration, thresholds --------------------- */

/* Of n sorted values. */
static double fraction_above(int64_t n, const double *sorted, double limit)
{
    int64_t i = n;
    while (i > 0 && sorted[i - 1] > limit)
        i--;
    return (double)(n - i) / (double)n;
}

static anpe_status weight_lines(anpe_ctx *ctx, const anpe_validation *v, anpe_text *t, json_t *out)
{
    static const char *const name[] = {"ess", "khat", "evaluations"};
    const double *from[] = {v->ess, v->khat, v->evaluations};
    double *x;
    if (ANPE_NEW(ctx, x, v->n))
        return ANPE_ENOMEM;
    for (int k = 0; k < 3; k++) {
        int64_t n = 0;
        for (int64_t i = 0; i < v->n; i++)
            if (isfinite(from[k][i]))
                x[n++] = from[k][i];
        if (n == 0)
            continue;
        anpe_sort(n, x);
        const double low = anpe_quantile_sorted(n, x, 0.1),
                     middle = anpe_quantile_sorted(n, x, 0.5),
                     high = anpe_quantile_sorted(n, x, 0.9);
        anpe_text_add(t, "%-11s of %lld mocks: median %.3g, 10 %% below %.3g, 10 %% above %.3g\n",
                      name[k], (long long)n, middle, low, high);
        json_t *o = json_pack("{s:I,s:o,s:o,s:o}", "n", (json_int_t)n, "p10", anpe_cmd_number(low),
                              "median", anpe_cmd_number(middle), "p90", anpe_cmd_number(high));
        json_object_set_new(out, name[k], o);
        if (from[k] != v->khat)
            continue;
        const double rate = fraction_above(n, x, ANPE_KHAT_FLAG);
        anpe_text_add(t, "%-11s above %.1f, where it is flagged, in %.1f %% of them\n", name[k],
                      ANPE_KHAT_FLAG, 100 * rate);
        json_object_set_new(o, "flagged", anpe_cmd_number(rate));
    }
    free(x);
    return ANPE_OK;
}

/* The same questions of the exact posteriors. */
static anpe_status exact_lines(anpe_ctx *ctx, const anpe_validation *v, const anpe_label *label,
                               anpe_text *t, json_t *out)
{
    const anpe_validation *x = v->exact;
    anpe_validation_part all = {0};
    int64_t reached = 0;
    if (!x)
        return ANPE_OK;
    anpe_status status = anpe_validation_summarise(ctx, x, NULL, 0, 0, 0, &all);
    if (status)
        return status;
    for (int64_t i = 0; i < x->n; i++)
        reached += x->reached[i] > 0;
    anpe_text_add(t, "\nexact posteriors of %lld mocks, %lld reached\n", (long long)x->n,
                  (long long)reached);
    label_lines(x, label, &all, t);
    level_line(t, "coverage", &all.hpd);
    level_line(t, "TARP", &all.tarp);
    json_t *o = part_json(x, label, &all);
    json_object_set_new(o, "reached", json_integer(reached));
    json_object_set_new(o, "n_draws", json_integer(x->n_draws));
    json_object_set_new(o, "calibrated", json_boolean(anpe_validation_passes(x, &all)));
    json_object_set_new(out, "exact", o);
    ANPE_TRY(weight_lines(ctx, x, t, o));
    verdict(x, label, &all, t);
out:
    anpe_validation_part_clear(&all);
    return status;
}

static void recalibration_lines(const anpe_validation *v, const anpe_label *label, anpe_text *t,
                                json_t *out)
{
    json_t *all = json_object();
    anpe_text_add(t,
                  "\nrecalibration, learned on %lld mocks, judged on the others\n  %-10s %11s %15s "
                  "%15s\n",
                  (long long)v->n_learned, "label", "temperature", "68 %, before", "after");
    for (int64_t d = 0; d < v->n_labels; d++) {
        anpe_text_add(t, "  %-10s %11.4f %13.1f %% %13.1f %%", label[d].name, v->temperature[d],
                      100 * v->cover_before[d], 100 * v->cover_after[d]);
        if (isfinite(v->repeat_temperature[d]))
            anpe_text_add(t, "   repeats %.3f", v->repeat_temperature[d]);
        anpe_text_add(t, "\n");
        json_object_set_new(all, label[d].name,
                            json_pack("{s:o,s:o,s:o,s:o}", "temperature",
                                      anpe_cmd_number(v->temperature[d]), "cover68_before",
                                      anpe_cmd_number(v->cover_before[d]), "cover68_after",
                                      anpe_cmd_number(v->cover_after[d]), "repeat_temperature",
                                      anpe_cmd_number(v->repeat_temperature[d])));
    }
    json_object_set_new(out, "recalibration", all);
}

static void threshold_lines(const anpe_validation *v, anpe_text *t, json_t *out)
{
    static const char *const name[ANPE_N_MISFITS] = {"context_score", "residual_score", "edge_mass",
                                                     "bad_pixels",    "snr_low",        "snr_high"};
    const anpe_misfit *m = v->misfit;
    json_t *all = json_object();
    if (!m) {
        anpe_text_add(t, "\nflags      no thresholds: %lld mocks are too few, %d are needed\n",
                      (long long)v->n, ANPE_MISFIT_MIN_MOCKS);
        json_decref(all);
        return;
    }
    anpe_text_add(t, "\nflags at a false-alarm rate of %.2g %%, measured on %lld further mocks\n",
                  100 * m->rate, (long long)m->n_measured);
    if (0.5 * m->rate * (double)(m->n_scores + 1) < 1)
        anpe_text_add(t,
                      "  too few mocks for this rate: thresholds are the largest of %lld values, "
                      "not quantiles\n",
                      (long long)m->n_scores);
    for (int j = 0; j < ANPE_N_MISFITS; j++) {
        const int negative = j == ANPE_MISFIT_SNR_LOW;
        const double threshold = negative ? -m->threshold[j] : m->threshold[j];
        if (!isfinite(threshold))
            continue;
        anpe_text_add(t, "  %-18s %s %10.4g   wanted %.2f %%, measured %.2f %%\n", name[j],
                      negative ? "below" : "above", threshold, 100 * m->wanted[j],
                      100 * m->measured[j]);
        json_object_set_new(all, name[j],
                            json_pack("{s:o,s:o,s:o}", "threshold", anpe_cmd_number(threshold),
                                      "wanted_rate", anpe_cmd_number(m->wanted[j]), "measured_rate",
                                      anpe_cmd_number(m->measured[j])));
    }
    anpe_text_add(t, "  the first two together: measured %.2f %%\n", 100 * m->measured_content);
    json_object_set_new(all, "content",
                        json_pack("{s:o,s:o}", "wanted_rate", anpe_cmd_number(m->rate),
                                  "measured_rate", anpe_cmd_number(m->measured_content)));
    json_object_set_new(out, "flags", all);
}

/* ---- whole ------------------------------------------------------------------------------- */

static void head_json(const anpe_validation *v, const anpe_validation_part *all,
                      const anpe_label *label, json_t *out)
{
    json_t *contraction = json_object();
    for (int64_t d = 0; d < v->n_labels; d++)
        json_object_set_new(contraction, label[d].name, anpe_cmd_number(v->contraction[d]));
    json_object_set_new(out, "n", json_integer(v->n));
    json_object_set_new(out, "n_draws", json_integer(v->n_draws));
    json_object_set_new(out, "seed", json_integer(v->seed));
    json_object_set_new(out, "digest", json_string(v->digest));
    json_object_set_new(out, "created", json_string(v->created));
    json_object_set_new(out, "calibrated", json_boolean(anpe_validation_passes(v, all)));
    json_object_set_new(out, "contraction", contraction);
}

anpe_status anpe_validation_report(anpe_ctx *ctx, const anpe_validation *v, const anpe_label *label,
                                   anpe_text *t, json_t *out)
{
    anpe_validation_part all = {0};
    anpe_status status;
    ANPE_TRY(anpe_validation_summarise(ctx, v, NULL, 0, 0, 0, &all));
    head_json(v, &all, label, out);
    json_object_set_new(out, "all", part_json(v, label, &all));
    anpe_text_add(t, "%lld mocks, %lld draws each; mean log q of the truth %.3f\n", (long long)v->n,
                  (long long)v->n_draws, all.log_q_truth);
    label_lines(v, label, &all, t);
    level_line(t, "coverage", &all.hpd);
    level_line(t, "TARP", &all.tarp);
    ANPE_TRY(weight_lines(ctx, v, t, out));
    verdict(v, label, &all, t);
    ANPE_TRY(exact_lines(ctx, v, label, t, out));
    ANPE_TRY(all_parts(ctx, v, label, t, out));
    recalibration_lines(v, label, t, out);
    threshold_lines(v, t, out);
    status = anpe_text_status(ctx, t);
out:
    anpe_validation_part_clear(&all);
    return status;
}

anpe_status anpe_validation_brief(anpe_ctx *ctx, const anpe_validation *v, const anpe_label *label,
                                  anpe_text *t, json_t *out)
{
    anpe_validation_part all = {0};
    anpe_status status = anpe_validation_summarise(ctx, v, NULL, 0, 0, 0, &all);
    if (status)
        return status;
    head_json(v, &all, label, out);
    json_object_set_new(out, "all", part_json(v, label, &all));
    anpe_text_add(t, "validation     %lld mocks, %s\n", (long long)v->n, v->created);
    label_lines(v, label, &all, t);
    level_line(t, "coverage", &all.hpd);
    level_line(t, "TARP", &all.tarp);
    verdict(v, label, &all, t);
    anpe_validation_part_clear(&all);
    return anpe_text_status(ctx, t);
}
