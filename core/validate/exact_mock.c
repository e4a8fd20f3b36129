/* Mocks made exact: `anpe validate --exact`. */
#include <config.h>
#include "posterior/summary.h"
#include "validate/calibration.h"
#include "validate/run.h"
#include <math.h>

/* Statistics of the weighted draws, and ranks among a few of them, which are as good as
 * independent. Fills l->theta (ANPE_VALIDATE_RANKED, D) with these and `row` with where they are.
 */
static void compare_exact_labels(anpe_validate_run *v, anpe_validate_lane *l, int64_t m,
                                 const anpe_exact_result *e, anpe_rng *rng, int64_t *row)
{
    anpe_validation *x = v->result->exact;
    const int64_t labels = x->n_labels;
    const double scale = v->request->scale, shift = v->request->shift;
    anpe_weighted_resample(e->n, e->log_weight, anpe_uniform(rng), ANPE_VALIDATE_RANKED, row);
    x->edge_mass[m] = 0;
    for (int64_t d = 0; d < labels; d++) {
        const int64_t at = m * labels + d;
        const double *column = e->theta + d;
        const anpe_label_summary s =
            anpe_infer_weighted_summary(e->n, column, labels, e->log_weight, l->ranked);
        x->edge_mass[m] = fmax(x->edge_mass[m], anpe_edge_mass(e->n, column, labels, e->log_weight,
                                                               s.sd, &v->model->map->label[d]));
        x->truth[at] = v->result->truth[at];
        x->mean[at] = s.mean + shift * s.sd;
        x->median[at] = s.mean + scale * (s.median - s.mean) + shift * s.sd;
        x->p16[at] = s.mean + scale * (s.p16 - s.mean) + shift * s.sd;
        x->p84[at] = s.mean + scale * (s.p84 - s.mean) + shift * s.sd;
        x->sd[at] = scale * s.sd;
        l->point[d] = s.mean + (x->truth[at] - shift * s.sd - s.mean) / scale;
        for (int64_t k = 0; k < ANPE_VALIDATE_RANKED; k++)
            l->theta[k * labels + d] =
                s.mean + scale * (column[row[k] * labels] - s.mean) + shift * s.sd;
        x->rank[at] = anpe_rank_of(x->truth[at], ANPE_VALIDATE_RANKED, l->theta + d, labels,
                                   anpe_uniform(rng));
    }
}

/* Level of the truth (l->point, when draws are disturbed the place that is taken to it) by density.
 */
static anpe_status compare_exact_density(anpe_validate_run *v, anpe_ctx *ctx, anpe_validate_lane *l,
                                         int64_t m, const anpe_exact_result *e, const int64_t *row)
{
    float density[ANPE_VALIDATE_RANKED];
    double at_truth, top = -INFINITY;
    anpe_status status = anpe_exact_log_joint(l->exact, ctx, l->point, &at_truth);
    if (status)
        return status;
    for (int64_t k = 0; k < ANPE_VALIDATE_RANKED; k++)
        top = fmax(top, e->log_joint[row[k]]);
    for (int64_t k = 0; k < ANPE_VALIDATE_RANKED; k++)
        density[k] = (float)(e->log_joint[row[k]] - top);
    v->result->exact->hpd[m] = anpe_density_level(at_truth - top, ANPE_VALIDATE_RANKED, density);
    return ANPE_OK;
}

/* Where no draw has weight, what the network says stands. */
static void keep_draws(anpe_validate_run *v, int64_t m)
{
    const anpe_validation *r = v->result;
    anpe_validation *x = r->exact;
    for (int64_t at = m * x->n_labels; at < (m + 1) * x->n_labels; at++) {
        x->truth[at] = r->truth[at];
        x->median[at] = r->median[at];
        x->mean[at] = r->mean[at];
        x->sd[at] = r->sd[at];
        x->p16[at] = r->p16[at];
        x->p84[at] = r->p84[at];
        x->rank[at] = r->rank[at] * (ANPE_VALIDATE_RANKED + 1) / (r->n_draws + 1);
    }
    x->hpd[m] = r->hpd[m];
    x->tarp[m] = r->tarp[m];
    x->edge_mass[m] = r->edge_mass[m];
}

anpe_status anpe_validate_exact_mock(anpe_validate_run *v, anpe_ctx *ctx, anpe_validate_lane *l,
                                     int64_t m, int64_t i, const double *reference)
{
    anpe_validation *x = v->result->exact;
    anpe_rng rng = anpe_rng_make(v->request->seed, ANPE_FOR_CHECKS, m, ANPE_VALIDATE_SLOT_EXACT);
    anpe_exact_result e;
    int64_t row[ANPE_VALIDATE_RANKED];
    anpe_status status;
    ANPE_TRY(
        anpe_exact_run(l->exact, ctx, l->session, i, &l->spectrum[i], v->request->seed, m, &e));
    v->result->ess[m] = e.ladder.proposal_efficiency * (double)v->result->n_draws;
    x->ess[m] = e.ladder.ess;
    x->khat[m] = e.ladder.khat;
    x->evaluations[m] = (double)e.ladder.n_evaluations;
    x->reached[m] = e.ladder.exact;
    x->snr[m] = v->result->snr[m];
    x->bad_fraction[m] = v->result->bad_fraction[m];
    if (!(e.ladder.ess > 0)) {
        keep_draws(v, m);
        goto out;
    }
    compare_exact_labels(v, l, m, &e, &rng, row);
    x->tarp[m] = anpe_tarp_level(x->n_labels, x->truth + m * x->n_labels, reference, v->prior_sd,
                                 ANPE_VALIDATE_RANKED, l->theta);
    status = compare_exact_density(v, ctx, l, m, &e, row);
out:
    return status;
}
