/* Training in rounds; see rounds.h. */
#include "train/rounds.h"
#include "posterior/exact.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct observation { /* the spectrum under the present model */
    anpe_model *model;
    anpe_session *session;
    anpe_spectrum raw;
    char id[80];
} observation;

static void close_observation(observation *o)
{
    anpe_session_free(o->session);
    anpe_model_close(o->model);
    anpe_spectrum_clear(&o->raw);
    o->session = NULL;
    o->model = NULL;
}

static anpe_status read_spectrum(anpe_ctx *ctx, const anpe_rounds_request *r,
                                 const anpe_instrument *instrument, anpe_spectrum *s)
{
    anpe_input in;
    int64_t n = 0;
    anpe_status status = anpe_input_open(instrument, ctx, r->observe, &in);
    if (status)
        return status;
    status = anpe_instrument_count(instrument, ctx, &in, &n);
    if (!status && (r->row < 0 || r->row >= n))
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no spectrum %lld, the file has %lld", r->observe,
                           (long long)r->row, (long long)n);
    if (!status)
        status = anpe_instrument_read(instrument, ctx, &in, r->row, s);
    anpe_input_close(&in);
    return status;
}

/* What would end the second round, found before the first. */
static anpe_status check_request(anpe_ctx *ctx, const anpe_rounds_request *r)
{
    anpe_settings *settings = NULL;
    anpe_task *t = NULL;
    anpe_spectrum s = {0};
    anpe_status status;
    ANPE_TRY(anpe_settings_read(ctx, r->config, r->n_sets, r->sets, &settings));
    ANPE_TRY(anpe_task_new(ctx, settings, ANPE_TASK_SIMULATOR, NULL, &t));
    if (!t->sim.n_pixels || t->n_labels != t->prior->n_labels)
        status = ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                           "--observe: the simulator must be at hand, and all labels of the prior "
                           "inferred");
    if (!status)
        status = anpe_spectrum_new(ctx, anpe_task_size(t), &s);
    if (!status)
        status = read_spectrum(ctx, r, &t->instrument, &s);
out:
    anpe_spectrum_clear(&s);
    anpe_task_free(t);
    anpe_settings_free(settings);
    return status;
}

/* Opens the model and featurizes the spectrum with it. */
static anpe_status open_observation(anpe_ctx *ctx, const anpe_rounds_request *r, observation *o)
{
    const int64_t block = anpe_proposal_block(), other = anpe_exact_block();
    const anpe_spectrum *s = &o->raw;
    anpe_status status;
    double *theta = NULL;
    ANPE_TRY(anpe_model_open(ctx, r->train.output, &o->model));
    ANPE_TRY(anpe_spectrum_new(ctx, anpe_task_size(o->model->task), &o->raw));
    ANPE_TRY(read_spectrum(ctx, r, &o->model->task->instrument, &o->raw));
    memcpy(o->id, s->id, sizeof o->id);
    ANPE_TRY(anpe_session_new(ctx, o->model, block > other ? block : other, &o->session));
    if (ANPE_NEW(ctx, theta, o->model->map->n))
        status = ANPE_ENOMEM;
    else
        status = anpe_infer(o->session, ctx, 1, theta, NULL, s->flux, s->sigma, s->mask,
                            o->model->seed, 0);
    free(theta);
out:
    return status;
}

/* Efficiency and k-hat of the flow's own draws; NAN, and a line in the log, without likelihood. */
static anpe_status judge(anpe_ctx *ctx, const observation *o, anpe_rounds_result *result)
{
    anpe_exact_options options = anpe_ladder_defaults();
    anpe_exact *exact = NULL;
    anpe_exact_result e;
    options.last = ANPE_RUNG_PROPOSAL;
    result->efficiency = result->khat = NAN;
    anpe_status status = anpe_exact_new(ctx, o->model, &options, &exact);
    if (status == ANPE_EUNSUPPORTED) {
        anpe_log(ctx, ANPE_INFO, "round %d: not judged: %s", result->rounds, anpe_error(ctx));
        return ANPE_OK;
    }
    if (!status)
        status =
            anpe_exact_run(exact, ctx, o->session, 0, &o->session->spectrum, o->model->seed, 0, &e);
    if (!status) {
        result->efficiency = e.ladder.proposal_efficiency;
        result->khat = e.ladder.proposal_khat;
        anpe_log(ctx, ANPE_INFO, "round %d: efficiency %.3f, k-hat %.2f", result->rounds,
                 result->efficiency, result->khat);
    }
    anpe_exact_free(exact);
    return status;
}

/* Whether another round comes is decided by rank 0's numbers. */
static anpe_status share_verdict(anpe_ctx *ctx, anpe_ranks *ranks, anpe_rounds_result *result)
{
    double verdict[2] = {result->efficiency, result->khat};
    const anpe_status status = anpe_ranks_broadcast(ctx, ranks, sizeof verdict, verdict);
    result->efficiency = verdict[0];
    result->khat = verdict[1];
    return status;
}

static anpe_status train_once(anpe_ctx *ctx, const anpe_rounds_request *r, const char *id,
                              const anpe_label_rows *proposal, anpe_rounds_result *result)
{
    anpe_settings *settings = NULL;
    anpe_train_request train = r->train;
    anpe_train_result one;
    const anpe_train_result before = result->train;
    train.proposal = proposal;
    train.round = result->rounds;
    train.observed = proposal ? id : NULL;
    train.start = proposal ? train.output : NULL;
    anpe_status status = anpe_settings_read(ctx, r->config, r->n_sets, r->sets, &settings);
    if (!status)
        status = anpe_train(ctx, settings, &train, &one);
    anpe_settings_free(settings);
    if (status)
        return status;
    result->train = one;
    result->train.seconds += before.seconds;
    result->train.spectra += before.spectra;
    result->train.steps += before.steps;
    result->rounds++;
    return ANPE_OK;
}

anpe_status anpe_train_rounds(anpe_ctx *ctx, const anpe_rounds_request *r,
                              anpe_rounds_result *result)
{
    observation o = {0};
    anpe_label_rows *proposal = NULL;
    anpe_status status = ANPE_OK;
    *result = (anpe_rounds_result){.efficiency = NAN, .khat = NAN};
    ANPE_TRY(check_request(ctx, r));
    while (!status && result->rounds < r->rounds) {
        ANPE_TRY(train_once(ctx, r, o.id, proposal, result));
        proposal = anpe_proposal_free(proposal);
        ANPE_TRY(open_observation(ctx, r, &o));
        ANPE_TRY(judge(ctx, &o, result));
        ANPE_TRY(share_verdict(ctx, r->train.ranks, result));
        if (result->efficiency >= r->efficiency && result->khat <= 0.7)
            break;
        if (result->rounds < r->rounds)
            ANPE_TRY(anpe_proposal_new(ctx, o.session, r->proposal,
                                       o.model->seed + (uint32_t)result->rounds, &proposal));
        close_observation(&o);
    }
out:
    anpe_proposal_free(proposal);
    close_observation(&o);
    return status;
}
