/* Posteriors of stars from all of their spectra. The main thread reads the spectra of a block of
 * stars, one star for each worker; workers reduce and featurize them one by one and multiply what
 * they give. */
#include <config.h>
#include "infer/group.h"
#include "infer/rows.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/workers.h"
#include "infer/run.h"
#include "posterior/flow_density.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 256, DRAWS = 1000 };

/* What stands for one spectrum in a product. */
typedef struct member {
    const anpe_model *model;
    anpe_session *session;      /* that looked at it */
    anpe_flow_density *density; /* of the model; borrowed */
    double *y, *jacobian;       /* (BATCH, D), (BATCH): of the model; borrowed */
    int64_t *place;             /* (D) its labels among the product's */
} member;

typedef struct lane {
    anpe_product *product;
    anpe_session **session;      /* (n_models, most members of a star of one model) */
    anpe_flow_density **density; /* (n_models) */
    double *y, *jacobian;        /* (BATCH, most labels), (BATCH) */
    anpe_spectrum *spectrum;     /* (most members of a star): each as large as any model's */
    member *member;              /* (most members) */
    anpe_product_member *given;
    int64_t *place;    /* (most members, most labels) */
    anpe_label *label; /* (all labels that a product may have) */
    anpe_ranked *ranked;
    double *median; /* (all labels) */
} lane;

typedef struct run {
    const anpe_group_request *q;
    anpe_infer_result *r;
    anpe_model **model;
    anpe_group_labels *labels;
    anpe_group_list list;
    anpe_group_draws *draws; /* NULL: not wanted */
    anpe_workers *workers;
    int n_lanes;
    lane *lane;
    int64_t most, most_labels; /* spectra of a star; labels of a model */
    int64_t first;             /* the block */
    anpe_input input;
} run;

/* ---- one member -------------------------------------------------------------------------- */

static anpe_status draw(void *user, anpe_ctx *ctx, anpe_rng *rng, int64_t n, double *theta)
{
    const member *m = user;
    return anpe_session_draw(m->session, ctx, 0, n, rng, theta, NULL);
}

static int is_inside(const anpe_label_map *map, const double *theta)
{
    for (int64_t d = 0; d < map->n; d++)
        if (!(theta[d] >= map->label[d].min && theta[d] <= map->label[d].max))
            return 0;
    return 1;
}

static anpe_status log_q(void *user, anpe_ctx *ctx, int64_t n, const double *theta, double *out)
{
    const member *m = user;
    const anpe_label_map *map = m->model->map;
    const int64_t width = map->n;
    const anpe_coordinates *c = m->session->coordinates;
    (void)ctx;
    for (int64_t first = 0; first < n; first += BATCH) {
        const int64_t k = n - first < BATCH ? n - first : BATCH;
        for (int64_t i = 0; i < k; i++) {
            float *y = m->session->y; /* of draws that are done */
            double *back = m->y + i * width;
            anpe_coordinates_forward(c, theta + (first + i) * width, y);
            m->jacobian[i] = anpe_coordinates_inverse(c, y, back);
            for (int64_t d = 0; d < width; d++)
                back[d] = (double)y[d];
        }
        anpe_flow_density_eval(m->density, anpe_session_context(m->session, 0), k, m->y,
                               out + first);
        for (int64_t i = 0; i < k; i++)
            out[first + i] = is_inside(map, theta + (first + i) * width)
                                 ? out[first + i] - m->jacobian[i]
                                 : -INFINITY;
    }
    return ANPE_OK;
}

/* ---- one star ---------------------------------------------------------------------------- */

static void leave_out(anpe_group_spectrum *s, const char *reason)
{
    snprintf(s->reason, sizeof s->reason, "%s", reason);
}

/* Spectra that can be used become the lane's members, each with a session of its own; labels that
 * are its own are added to the product's. Returns how many. */
static int make_members(const run *u, anpe_ctx *ctx, lane *l, int64_t star, int64_t *n_labels)
{
    const anpe_group_labels *g = u->labels;
    int n = 0;
    *n_labels = g->n_shared;
    memcpy(l->label, g->shared, (size_t)g->n_shared * sizeof *l->label);
    for (int64_t i = u->list.star[star]; i < u->list.star[star + 1]; i++) {
        anpe_group_spectrum *s = &u->list.spectrum[i];
        const int64_t at = i - u->list.star[star];
        const anpe_model *model = u->model[s->model];
        anpe_session *session = l->session[s->model * u->most + at];
        if (s->reason[0])
            continue;
        if (anpe_task_reduce(model->task, ctx, &l->spectrum[at]) ||
            anpe_session_look(session, ctx, 0, &l->spectrum[at])) {
            leave_out(s, anpe_error(ctx));
            continue;
        }
        anpe_session_featurize(session, 1);
        int64_t *place = l->place + n * u->most_labels;
        for (int64_t d = 0; d < model->map->n; d++) {
            place[d] = g->shared_place[s->model][d];
            if (place[d] < 0) {
                l->label[*n_labels] = model->map->label[d];
                place[d] = (*n_labels)++;
            }
        }
        l->member[n] = (member){model, session, l->density[s->model], l->y, l->jacobian, place};
        l->given[n] = (anpe_product_member){&l->member[n], model->map->n, place, draw, log_q};
        n++;
    }
    return n;
}

static double prior(void *user, const double *shared)
{
    return anpe_group_log_prior(user, shared);
}

/* chi2 at the medians, of all spectra that took part. */
static void add_chi2(const run *u, anpe_ctx *ctx, lane *l, int64_t star, anpe_star *s)
{
    int64_t n_pixels = 0;
    double theta[256];
    s->chi2 = 0;
    s->n_good = 0;
    int k = 0;
    for (int64_t i = u->list.star[star]; i < u->list.star[star + 1]; i++) {
        const anpe_spectrum *spectrum = &l->spectrum[i - u->list.star[star]];
        double chi2 = NAN;
        int64_t n_good = 0;
        if (u->list.spectrum[i].reason[0])
            continue;
        const member *m = &l->member[k++];
        for (int64_t d = 0; d < m->model->map->n && d < 256; d++)
            theta[d] = l->median[m->place[d]];
        if (m->model->map->n > 256 ||
            anpe_session_chi2(m->session, ctx, theta, spectrum, &chi2, &n_good))
            chi2 = NAN;
        s->chi2 += chi2;
        s->n_good += n_good;
        n_pixels += spectrum->n_pixels;
        s->flags |= m->model->complete ? 0 : ANPE_FLAG_UNFINISHED;
    }
    if (s->chi2 > 3 * (double)s->n_good)
        s->flags |= ANPE_FLAG_CHI2;
    if (2 * s->n_good < n_pixels)
        s->flags |= ANPE_FLAG_FEW_PIXELS;
}

static void summarise(const run *u, lane *l, int64_t n_labels, const anpe_product_result *p,
                      anpe_star *s)
{
    const anpe_ladder_result *r = &p->ladder;
    for (int64_t d = 0; d < n_labels; d++) {
        const anpe_label_summary sum =
            anpe_infer_weighted_summary(p->n, p->theta + d, n_labels, p->log_weight, l->ranked);
        l->median[d] = sum.median;
        if (d >= u->labels->n_shared)
            continue;
        s->label[d] = sum;
        anpe_infer_put_edge(
            s, d, anpe_edge_mass(p->n, p->theta + d, n_labels, p->log_weight, sum.sd, &l->label[d]),
            &l->label[d]);
    }
    s->n_draws = p->n;
    s->exact = r->exact;
    snprintf(s->rung, sizeof s->rung, "%s", anpe_rung_names[r->rung]);
    snprintf(s->exact_reason, sizeof s->exact_reason, "%s", r->reason);
    s->ess = r->ess;
    s->efficiency = r->efficiency;
    s->khat = r->khat;
    s->rhat = r->rhat;
    s->n_evaluations = r->n_evaluations;
    s->log_together = p->log_together;
    s->flags |= ANPE_FLAG_NOT_VALIDATED;
    s->flags |= r->exact ? 0 : ANPE_FLAG_NOT_EXACT;
    s->flags |= r->khat > ANPE_KHAT_FLAG ? ANPE_FLAG_KHAT : 0;
    s->flags |= s->edge_mass > ANPE_EDGE_MASS ? ANPE_FLAG_EDGE : 0;
}

static anpe_status multiply(run *u, anpe_ctx *ctx, lane *l, int64_t star, anpe_star *s)
{
    anpe_product_problem problem = {.n_shared = u->labels->n_shared,
                                    .label = l->label,
                                    .member = l->given,
                                    .user = u->labels,
                                    .log_prior = prior};
    anpe_product_result p;
    anpe_rng rng = anpe_rng_make(u->q->infer.seed, ANPE_FOR_EXACT, star, 0);
    problem.n_members = make_members(u, ctx, l, star, &problem.n_labels);
    s->n_members = problem.n_members;
    if (problem.n_members == 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s", u->list.spectrum[u->list.star[star]].reason);
    const anpe_status status = anpe_product_run(l->product, ctx, &problem, &rng, &p);
    if (status)
        return status;
    if (!(p.ladder.ess > 0))
        return ANPE_FAIL(ctx, ANPE_ENUMERIC,
                         "no draw of one spectrum's posterior has weight under the others'");
    summarise(u, l, problem.n_labels, &p, s);
    if (u->draws)
        anpe_group_draws_keep(u->draws, l - u->lane, &p, problem.n_labels, &rng);
    add_chi2(u, ctx, l, star, s);
    return ANPE_OK;
}

static void fail_star(anpe_star *s, const char *reason)
{
    s->failed = 1;
    s->flags = ANPE_FLAG_FAILED;
    s->n_draws = 0;
    snprintf(s->reason, sizeof s->reason, "%s", reason);
}

static anpe_status run_star(void *user, int64_t b, int worker, anpe_ctx *ctx)
{
    run *u = user;
    (void)worker; /* star b of the block has the lane that its spectra were read into */
    const int64_t star = u->first + b;
    anpe_star *s = &u->r->star[star];
    const anpe_status status = multiply(u, ctx, &u->lane[b], star, s);
    if (status == ANPE_ECANCEL || status == ANPE_ENOMEM)
        return status;
    if (status)
        fail_star(s, anpe_error(ctx));
    return ANPE_OK;
}

/* ---- reading ----------------------------------------------------------------------------- */

static void read_member(anpe_ctx *ctx, run *u, anpe_group_spectrum *s, anpe_spectrum *out)
{
    const anpe_model *m = u->model[s->model];
    const anpe_instrument *inst = &m->task->instrument;
    anpe_status status = ANPE_OK;
    if (u->input.path != s->file) {
        anpe_input_close(&u->input);
        status = anpe_input_open(inst, ctx, s->file, &u->input);
    }
    out->n_pixels = anpe_task_size(m->task);
    if (!status)
        status = anpe_instrument_read(inst, ctx, &u->input, s->row, out);
    const char *reason = status ? anpe_error(ctx) : anpe_model_misses_mask(m, out);
    if (reason)
        leave_out(s, reason);
}

static void read_block(anpe_ctx *ctx, run *u, int64_t n)
{
    for (int64_t b = 0; b < n; b++)
        for (int64_t i = u->list.star[u->first + b]; i < u->list.star[u->first + b + 1]; i++)
            if (!u->list.spectrum[i].reason[0])
                read_member(ctx, u, &u->list.spectrum[i],
                            &u->lane[b].spectrum[i - u->list.star[u->first + b]]);
}

/* ---- set-up and end ---------------------------------------------------------------------- */

static anpe_status open_models(anpe_ctx *ctx, run *u)
{
    const anpe_group_request *q = u->q;
    anpe_status status = ANPE_OK;
    if (q->n_models > 1 + ANPE_INFER_OTHERS)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%d models; expected at most %d", q->n_models,
                         1 + ANPE_INFER_OTHERS);
    if (ANPE_NEW(ctx, u->model, q->n_models))
        return ANPE_ENOMEM;
    for (int k = 0; k < q->n_models; k++) {
        ANPE_TRY(
            anpe_model_open_with(ctx, q->models[k], q->infer.n_sets, q->infer.sets, &u->model[k]));
        if (u->model[k]->observed)
            return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                             "%s: trained in rounds for %s: of use for that spectrum alone",
                             q->models[k], u->model[k]->observed);
        u->most_labels =
            u->model[k]->map->n > u->most_labels ? u->model[k]->map->n : u->most_labels;
    }
    ANPE_TRY(anpe_group_labels_new(ctx, q->n_models, u->model, q->n_own, q->own, &u->labels));
out:
    return status;
}

static anpe_status open_sessions(anpe_ctx *ctx, run *u, lane *l)
{
    anpe_status status = ANPE_OK;
    for (int k = 0; k < u->q->n_models && !status; k++) {
        status = anpe_flow_density_new(ctx, u->model[k]->net, u->model[k]->map->n, BATCH,
                                       &l->density[k]);
        for (int64_t i = 0; i < u->most && !status;
             i++) { /* places that the model's spectra take */
            int needed = 0;
            for (int64_t star = 0; star < u->list.n_stars && !needed; star++) {
                const int64_t at = u->list.star[star] + i;
                needed = at < u->list.star[star + 1] && u->list.spectrum[at].model == k;
            }
            if (needed)
                status = anpe_session_new_batch(ctx, u->model[k], 1, DRAWS,
                                                &l->session[k * u->most + i]);
        }
    }
    return status;
}

static anpe_status open_lane(anpe_ctx *ctx, run *u, lane *l)
{
    const int64_t most = u->most, labels = u->most_labels, models = u->q->n_models;
    const int64_t all = (most + 1) * labels;
    int64_t size = 0;
    for (int64_t k = 0; k < models; k++)
        if (anpe_task_size(u->model[k]->task) > size)
            size = anpe_task_size(u->model[k]->task);
    anpe_status status;
    ANPE_TRY(anpe_product_new(ctx, &u->q->ladder, &l->product));
    if (ANPE_NEW(ctx, l->session, models, most) || ANPE_NEW(ctx, l->density, models) ||
        ANPE_NEW(ctx, l->y, BATCH, labels) || ANPE_NEW(ctx, l->jacobian, BATCH) ||
        ANPE_NEW(ctx, l->spectrum, most) || ANPE_NEW(ctx, l->member, most) ||
        ANPE_NEW(ctx, l->given, most) || ANPE_NEW(ctx, l->place, most, labels) ||
        ANPE_NEW(ctx, l->label, all) || ANPE_NEW(ctx, l->median, all) ||
        ANPE_NEW(ctx, l->ranked, anpe_ladder_room(&u->q->ladder, all)))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < most; i++)
        ANPE_TRY(anpe_spectrum_new(ctx, size, &l->spectrum[i]));
    ANPE_TRY(open_sessions(ctx, u, l));
out:
    return status;
}

static void close_lane(const run *u, lane *l)
{
    anpe_product_free(l->product);
    for (int64_t i = 0; l->session && i < u->q->n_models * u->most; i++)
        anpe_session_free(l->session[i]);
    for (int k = 0; l->density && k < u->q->n_models; k++)
        anpe_flow_density_free(l->density[k]);
    for (int64_t i = 0; l->spectrum && i < u->most; i++)
        anpe_spectrum_clear(&l->spectrum[i]);
    free(l->session), free(l->density), free(l->y), free(l->jacobian), free(l->spectrum);
    free(l->member), free(l->given), free(l->place), free(l->label), free(l->median);
    free(l->ranked);
}

static void close_run(run *u)
{
    anpe_input_close(&u->input);
    for (int i = 0; u->lane && i < u->n_lanes; i++)
        close_lane(u, &u->lane[i]);
    free(u->lane);
    anpe_group_draws_free(u->draws);
    anpe_workers_free(u->workers);
    anpe_group_list_clear(&u->list);
    anpe_group_labels_free(u->labels);
    for (int k = 0; u->model && k < u->q->n_models; k++)
        anpe_model_close(u->model[k]);
    free(u->model);
}

static anpe_status open_stars(anpe_ctx *ctx, run *u)
{
    const int64_t n = u->list.n_stars, labels = u->labels->n_shared;
    anpe_infer_result *r = u->r;
    r->grouped = 1;
    r->n_labels = labels;
    if (ANPE_NEW(ctx, r->label, labels) || ANPE_NEW(ctx, r->star, n))
        return ANPE_ENOMEM;
    memcpy(r->label, u->labels->shared, (size_t)labels * sizeof *r->label);
    memcpy(r->model_digest, u->model[0]->digest, sizeof r->model_digest);
    for (int k = 1; k < u->q->n_models; k++)
        memcpy(r->other_digest[k - 1], u->model[k]->digest, sizeof r->model_digest);
    for (int64_t i = 0; i < n; i++) {
        const anpe_group_spectrum *first = &u->list.spectrum[u->list.star[i]];
        anpe_star *s = &r->star[i];
        r->n_stars = r->n_kept = i + 1;
        *s = anpe_infer_unread;
        snprintf(s->id, sizeof s->id, "%s", first->id);
        s->file = first->file;
        s->row = first->row;
        r->file_width = anpe_infer_widest(r->file_width, s->file);
        if (ANPE_NEW(ctx, s->label, labels))
            return ANPE_ENOMEM;
        for (int64_t d = 0; d < labels; d++)
            s->label[d] = anpe_no_summary;
        const int64_t members = u->list.star[i + 1] - u->list.star[i];
        u->most = members > u->most ? members : u->most;
    }
    if (u->most > ANPE_PRODUCT_MEMBERS)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "a star has %lld spectra; at most %d are multiplied",
                         (long long)u->most, ANPE_PRODUCT_MEMBERS);
    return ANPE_OK;
}

/* "a.fits; spectra.h5[3]": those that took part. */
static anpe_status name_members(anpe_ctx *ctx, const run *u, int64_t star)
{
    anpe_star *s = &u->r->star[star];
    anpe_text text = {0};
    for (int64_t i = u->list.star[star]; i < u->list.star[star + 1]; i++) {
        const anpe_group_spectrum *m = &u->list.spectrum[i];
        if (m->reason[0]) {
            s->n_left_out++;
            if (!s->failed)
                anpe_log(ctx, ANPE_WARNING, "%s: left out of %s: %s", m->file, s->id, m->reason);
            continue;
        }
        anpe_text_add(&text, "%s%s[%lld]", text.text ? "; " : "", m->file, (long long)m->row);
    }
    s->members = text.text;
    return text.failed ? ANPE_NO_MEMORY(ctx, "the names of spectra") : ANPE_OK;
}

static anpe_status run_blocks(anpe_ctx *ctx, run *u)
{
    const int64_t n = u->list.n_stars;
    anpe_infer_result *r = u->r;
    for (u->first = 0; u->first < n; u->first += u->n_lanes) {
        const int64_t block = n - u->first < u->n_lanes ? n - u->first : u->n_lanes;
        if (anpe_cancelled(ctx))
            return ANPE_FAIL(ctx, ANPE_ECANCEL, "cancelled");
        read_block(ctx, u, block);
        anpe_status status = anpe_workers_run(u->workers, ctx, block, run_star, u);
        for (int64_t b = 0; b < block && !status; b++) {
            r->n_failed += r->star[u->first + b].failed;
            status = name_members(ctx, u, u->first + b);
        }
        if (!status && u->draws)
            status = anpe_group_draws_append(ctx, u->draws, block, r->star + u->first);
        if (status)
            return status;
        anpe_progress(ctx, "inferring", (double)(u->first + block), (double)n);
    }
    if (r->n_failed == n)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "none of %lld stars could be used; the first: %s",
                         (long long)n, r->star[0].reason);
    for (int64_t i = 0; i < n; i++)
        if (r->star[i].failed)
            anpe_log(ctx, ANPE_WARNING, "%s: %s", r->star[i].id, r->star[i].reason);
    return ANPE_OK;
}

/* The catalogue and the draws, or none of them. */
static anpe_status write_outputs(anpe_ctx *ctx, const run *u)
{
    anpe_output out[2] = {0};
    anpe_status status = ANPE_OK;
    int n = 0;
    if (u->draws)
        status = anpe_group_draws_finish(ctx, u->draws, u->r, &out[n++]);
    if (!status && u->q->infer.output)
        status = anpe_infer_catalogue(ctx, &u->q->infer, u->r, &out[n++]);
    if (!status)
        return anpe_output_commit_all(ctx, n, out);
    for (int k = 0; k < n; k++)
        anpe_output_abandon(&out[k]);
    return status;
}

static anpe_status check_outputs(anpe_ctx *ctx, const anpe_group_request *q)
{
    const char *const outputs[] = {q->infer.output, q->infer.posterior};
    anpe_status status;
    ANPE_TRY(anpe_infer_check_outputs(ctx, &q->infer, 1, outputs + 1));
    for (int k = 0; q->table && k < 2; k++)
        if (outputs[k])
            ANPE_TRY(anpe_output_differs(ctx, outputs[k], q->table));
out:
    return status;
}

anpe_status anpe_infer_groups(anpe_ctx *ctx, const anpe_group_request *q, anpe_infer_result *r)
{
    run u = {.q = q, .r = r};
    anpe_status status;
    memset(r, 0, sizeof *r);
    ANPE_TRY(check_outputs(ctx, q));
    ANPE_TRY(open_models(ctx, &u));
    ANPE_TRY(anpe_infer_check_labels(ctx, u.labels->n_shared));
    const double begun = anpe_clock_seconds();
    ANPE_TRY(anpe_group_list_new(ctx, q, u.model, &u.list));
    ANPE_TRY(open_stars(ctx, &u));
    ANPE_TRY(anpe_workers_new(ctx, q->infer.threads, &u.workers));
    u.n_lanes = anpe_workers_count(u.workers);
    status = ANPE_NEW(ctx, u.lane, u.n_lanes);
    for (int i = 0; i < u.n_lanes && !status; i++)
        status = open_lane(ctx, &u, &u.lane[i]);
    if (!status && q->infer.posterior)
        status = anpe_group_draws_new(ctx, &q->infer, r, u.n_lanes, &u.draws);
    if (!status)
        status = run_blocks(ctx, &u);
    if (!status)
        status = write_outputs(ctx, &u);
    r->seconds = anpe_clock_seconds() - begun;
out:
    r->n_names = u.list.n_names; /* rows name files of the table */
    r->name = u.list.name;
    u.list.name = NULL;
    u.list.n_names = 0;
    close_run(&u);
    return status;
}
