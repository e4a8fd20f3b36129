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
    double *median;  /* (D) */
    double *sd;      /* (D) */
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
    if (ANPE_NEW(ctx, l->scratch, m->n_contexts + 1) || ANPE_NEW(ctx, l->median, 2, labels))
        return ANPE_ENOMEM;
    l->sd = l->median + labels;
    if (!m->n_statistics || !anpe_model_predicts(f->model))
        return ANPE_OK;
    ANPE_TRY(anpe_refine_new(ctx, t, &l->refine));
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

static int measure(anpe_ctx *ctx, check_lane *l, const anpe_star *star, int64_t n_labels,
                   const anpe_spectrum *s)
{
    const float *model;
    if (!l->refine)
        return 0;
    for (int64_t d = 0; d < n_labels; d++) {
        l->median[d] = star->label[d].median;
        l->sd[d] = star->label[d].sd;
    }
    if (anpe_refine_run(l->refine, ctx, s, l->median, l->sd, &model))
        return 0; /* a diagnostic: its failure leaves the posterior as it is */
    anpe_residuals_measure(l->residuals, s, model, l->value);
    return 1;
}

static anpe_status star(anpe_ctx *ctx, anpe_inference *f, void *state, int lane, int64_t b,
                        int64_t i)
{
    const checks *c = state;
    anpe_star *s = &f->star[b];
    const anpe_spectrum *spectrum = &f->spectrum[b];
    if (c->v)
        correct_intervals(f, c->v, s);
    else
        s->flags |= ANPE_FLAG_NOT_VALIDATED;
    if (!c->v || !c->v->misfit) {
        s->flags |= s->edge_mass > ANPE_EDGE_MASS ? ANPE_FLAG_EDGE : 0;
        return ANPE_OK;
    }
    const float *context = anpe_session_context(f->lane[lane].session, i);
    check_lane *l = &c->lane[lane];
    const int measured = measure(ctx, l, s, f->model->map->n, spectrum);
    /* as in a validation, to the last bit: where all masks are alike, so is the threshold */
    const double bad = (double)(spectrum->n_pixels - s->n_good) / (double)spectrum->n_pixels;
    const anpe_misfit_sight sight = {context, measured ? l->value : NULL, s->snr, bad,
                                     s->edge_mass};
    const anpe_misfit_view view = anpe_misfit_judge(c->v->misfit, &sight, l->scratch);
    set_flags(c->v->misfit, &view, s);
    return ANPE_OK;
}

const anpe_infer_extra anpe_infer_check = {.open = open, .star = star, .free = close_checks};
