/* What the model's validation says of every star: flags of spectra unlike those of training, and
 * corrected intervals. A model that has not been validated flags every star with that. */
#include "infer/run.h"
#include "validate/recalibration.h"
#include "task/refine.h"
#include "validate/record.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct check_lane {
    anpe_refine *refine; /* NULL: there are no residuals to judge */
    anpe_residuals *residuals;
    double *scratch; /* (F) */
    double *median;  /* (ANPE_VIEW_MOST, D) */
    double *sd;      /* (ANPE_VIEW_MOST, D) */
    double value[ANPE_MISFIT_MAX_STATISTICS];
} check_lane;

typedef struct checks {
    anpe_validation *v; /* NULL: none of these weights */
    int n_lanes;
    check_lane *lane;
} checks;

/* ---- set-up ------------------------------------------------------------------------------ */

static void close_checks(void *state)
{
    checks *c = state;
    if (!c)
        return;
    for (int i = 0; c->lane && i < c->n_lanes; i++) {
        anpe_refine_free(c->lane[i].refine);
        anpe_residuals_free(c->lane[i].residuals);
        free(c->lane[i].scratch);
        free(c->lane[i].median);
    }
    free(c->lane);
    anpe_validation_free(c->v);
    free(c);
}

/* The validation of these weights, if the file has one. */
static anpe_status read_validation(anpe_ctx *ctx, const anpe_inference *f, checks *c)
{
    anpe_h5 *file = NULL;
    anpe_status status;
    ANPE_TRY(anpe_h5_open(ctx, f->request->model, &file));
    ANPE_TRY(anpe_validation_read(ctx, file, &c->v));
    if (c->v && (strcmp(c->v->digest, f->model->digest) || c->v->n_labels != f->model->map->n))
        c->v = anpe_validation_free(c->v);
out:
    anpe_h5_abandon(file);
    return status;
}

static anpe_status check_sizes(anpe_ctx *ctx, const anpe_inference *f, const anpe_misfit *m)
{
    const int64_t k = anpe_residuals_statistics(f->model->task->instrument.info.n_segments);
    if (m->n_contexts == f->model->net->n_context && (m->n_statistics == 0 || m->n_statistics == k))
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EFORMAT,
                     "%s: its validation is of another version; run anpe validate again",
                     f->request->model);
}

static anpe_status open_lane(anpe_ctx *ctx, const anpe_inference *f, const anpe_misfit *m,
                             check_lane *l)
{
    const anpe_task *t = f->model->task;
    const int64_t labels = f->model->map->n;
    anpe_status status = ANPE_OK;
    if (ANPE_NEW(ctx, l->scratch, m->n_contexts + 1) ||
        ANPE_NEW(ctx, l->median, 2 * ANPE_VIEW_MOST, labels))
        return ANPE_ENOMEM;
    l->sd = l->median + ANPE_VIEW_MOST * labels;
    if (!m->n_statistics || !anpe_model_predicts(f->model))
        return ANPE_OK;
    ANPE_TRY(anpe_refine_new(ctx, t, ANPE_VIEW_MOST, &l->refine));
    ANPE_TRY(anpe_residuals_new(ctx, anpe_task_size(t), t->instrument.info.n_segments,
                                t->instrument.info.segment, &l->residuals));
out:
    return status;
}

static anpe_status open(anpe_ctx *ctx, anpe_inference *f, void **state)
{
    checks *c;
    anpe_status status;
    if (ANPE_NEW(ctx, c, 1))
        return ANPE_ENOMEM;
    *state = c;
    ANPE_TRY(read_validation(ctx, f, c));
    f->result->recalibrated = c->v != NULL;
    if (!c->v || !c->v->misfit)
        return ANPE_OK;
    f->result->checked = 1;
    ANPE_TRY(check_sizes(ctx, f, c->v->misfit));
    c->n_lanes = f->n_lanes;
    if (ANPE_NEW(ctx, c->lane, c->n_lanes))
        return ANPE_ENOMEM;
    for (int i = 0; i < c->n_lanes; i++)
        ANPE_TRY(open_lane(ctx, f, c->v->misfit, &c->lane[i]));
out:
    return status;
}

/* ---- one star ---------------------------------------------------------------------------- */

/* Temperatures are of the flow's intervals: those of importance weights need none. Where visits
 * scatter more than mocks let expect, they are believed. */
static void correct_intervals(const anpe_inference *f, const anpe_validation *v, anpe_star *star)
{
    const anpe_label_map *map = f->model->map;
    for (int64_t d = 0; d < map->n; d++) {
        anpe_label_summary *s = &star->label[d];
        const double t = star->exact ? 1 : fmax(v->temperature[d], v->repeat_temperature[d]);
        s->p16_cal = anpe_temperature_apply(map, d, t, s->median, s->p16);
        s->p84_cal = anpe_temperature_apply(map, d, t, s->median, s->p84);
    }
}

static void set_flags(const anpe_misfit *m, const anpe_misfit_view *view, anpe_star *star)
{
    static const int64_t flag[ANPE_N_MISFITS] = {[ANPE_MISFIT_CONTEXT] = ANPE_FLAG_OUT_OF_TRAINING,
                                                 [ANPE_MISFIT_PREDICTIVE] = ANPE_FLAG_PREDICTIVE,
                                                 [ANPE_MISFIT_EDGE] = ANPE_FLAG_EDGE,
                                                 [ANPE_MISFIT_BAD_PIXELS] = ANPE_FLAG_BAD_PIXELS,
                                                 [ANPE_MISFIT_SNR_LOW] = ANPE_FLAG_SNR,
                                                 [ANPE_MISFIT_SNR_HIGH] = ANPE_FLAG_SNR};
    for (int j = 0; j < ANPE_N_MISFITS; j++)
        if (view->value[j] > m->threshold[j])
            star->flags |= flag[j];
    star->flags |= star->told_edge_mass > ANPE_EDGE_MASS ? ANPE_FLAG_EDGE : 0;
    star->context_distance = view->distance;
    star->context_p = view->p_context;
    star->predictive_score = view->value[ANPE_MISFIT_PREDICTIVE];
    star->predictive_p = view->p_predictive;
    anpe_residuals_name(view->worst, star->predictive_worst);
}

/* Model spectra of n stars at refined labels, with the derivatives that their fits have left: the
 * score of the residuals is the same to a few hundredths of its width. Returns whether they are
 * there: a diagnostic, whose failure leaves a posterior as it is. */
static int refine(anpe_ctx *ctx, const anpe_inference *f, int lane, check_lane *l, int64_t n,
                  const int64_t *b, const int64_t *place)
{
    const int64_t labels = f->model->map->n;
    anpe_refine_star star[ANPE_VIEW_MOST];
    if (!l->refine)
        return 0;
    for (int64_t k = 0; k < n; k++) {
        double *median = l->median + k * labels, *sd = l->sd + k * labels;
        for (int64_t d = 0; d < labels; d++) {
            median[d] = f->star[b[k]].label[d].median;
            sd[d] = f->star[b[k]].label[d].sd;
        }
        star[k] = (anpe_refine_star){&f->spectrum[b[k]], median, sd,
                                     anpe_session_jacobian(f->lane[lane].session, place[k])};
    }
    return !anpe_refine_run(l->refine, ctx, n, star);
}

/* Star b, the place-th to have been looked at; model: of its refined labels, or NULL. */
static void judge(const anpe_inference *f, const checks *c, int lane, int64_t b, int64_t place,
                  const float *model)
{
    anpe_star *s = &f->star[b];
    const anpe_spectrum *spectrum = &f->spectrum[b];
    check_lane *l = &c->lane[lane];
    if (model)
        anpe_residuals_measure(l->residuals, spectrum, model, l->value);
    /* as in a validation, to the last bit: where all masks are alike, so is the threshold */
    const double bad = (double)(spectrum->n_pixels - s->n_good) / (double)spectrum->n_pixels;
    const float *context = f->lane[lane].context + place * f->model->net->n_context;
    const anpe_misfit_sight sight = {context, model ? l->value : NULL, s->snr, bad, s->edge_mass};
    const anpe_misfit_view view = anpe_misfit_judge(c->v->misfit, &sight, l->scratch);
    set_flags(c->v->misfit, &view, s);
}

static anpe_status together(anpe_ctx *ctx, anpe_inference *f, void *state, int lane, int64_t n,
                            const int64_t *b, const int64_t *place)
{
    const checks *c = state;
    const int judges = c->v && c->v->misfit;
    for (int64_t k = 0; k < n; k++) {
        anpe_star *s = &f->star[b[k]];
        if (c->v)
            correct_intervals(f, c->v, s);
        else
            s->flags |= ANPE_FLAG_NOT_VALIDATED;
        if (!judges)
            s->flags |= s->edge_mass > ANPE_EDGE_MASS ? ANPE_FLAG_EDGE : 0;
    }
    if (!judges)
        return ANPE_OK;
    check_lane *l = &c->lane[lane];
    const int all = refine(ctx, f, lane, l, n, b, place);
    for (int64_t k = 0; k < n; k++) {
        const int one = all || refine(ctx, f, lane, l, 1, b + k, place + k);
        judge(f, c, lane, b[k], place[k], one ? anpe_refine_model(l->refine, all ? k : 0) : NULL);
    }
    return ANPE_OK;
}

const anpe_infer_extra anpe_infer_check = {
    .open = open, .together = together, .free = close_checks};
