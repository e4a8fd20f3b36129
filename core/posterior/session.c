/* Opening a model and drawing posteriors with it. */
#include <config.h>
#include "posterior/session.h"
#include "posterior/flow_density.h"
#include "kind/flow.h"
#include "base/locale.h"
#include "model/inputs.h"
#include "model/model.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- model ------------------------------------------------------------------------------- */

anpe_status anpe_model_check_inputs(anpe_ctx *ctx, const anpe_model *m, const char *group)
{
    return anpe_inputs_check(ctx, m->settings, m->n_inputs, m->inputs, group);
}

/* The whole task if the simulator can be opened, else the instrument alone. */
static anpe_status open_task(anpe_ctx *ctx, anpe_model *m, const anpe_model_file *f)
{
    anpe_status status = anpe_model_check_inputs(ctx, m, "simulator");
    if (!status)
        status = anpe_model_check_inputs(ctx, m, "prior");
    if (!status)
        status = anpe_model_check_inputs(ctx, m, "instrument");
    if (!status)
        status = anpe_task_new(ctx, m->settings, ANPE_TASK_SIMULATOR, &f->pixels, &m->task);
    m->can_simulate = !status && m->task->sim.n_pixels > 0;
    if (!status || status == ANPE_ENOMEM)
        return status;
    if (!(m->lacks = anpe_strdup(ctx, anpe_error(ctx))))
        return ANPE_ENOMEM;
    anpe_log(ctx, ANPE_WARNING, "no chi2: %s", m->lacks);
    return anpe_task_new(ctx, m->settings, ANPE_TASK_INSTRUMENT, &f->pixels, &m->task);
}

static anpe_status check_grid(anpe_ctx *ctx, const anpe_model *m, anpe_h5 *f, const char *path)
{
    const anpe_instrument_info *i = &m->task->instrument.info;
    if (anpe_task_size(m->task) != anpe_channels_values(m->channels))
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: made for spectra of %lld values, instrument '%s' has %lld", path,
                         (long long)anpe_channels_values(m->channels), m->task->instrument.name,
                         (long long)anpe_task_size(m->task));
    return anpe_h5_made_for(ctx, f, NULL, i->n_pixels, i->wavelength);
}

static void compare_plugin(anpe_ctx *ctx, const anpe_plugin *p, const char *path, int64_t n,
                           char *const *then)
{
    char name[128];
    const int length =
        p ? snprintf(name, sizeof name, "%s/%s ", anpe_kind_name(p->kind), p->name) : 0;
    for (int64_t i = 0; p && i < n; i++)
        if (!strncmp(then[i], name, (size_t)length) && strcmp(then[i] + length, p->version) != 0)
            anpe_log(ctx, ANPE_WARNING, "%s: was trained with %s, this is version %s", path,
                     then[i], p->version);
}

/* Versions of the plugins that decide a posterior, beside those of the training. */
static anpe_status compare_plugins(anpe_ctx *ctx, const anpe_model *m, const anpe_model_file *f,
                                   const char *path)
{
    const anpe_plugin *used[] = {m->task->simulator.plugin, m->task->instrument.component.plugin,
                                 m->net->featurizer.plugin, m->net->flow.plugin};
    int64_t n = 0;
    char **then = NULL;
    if (!anpe_h5_has_attribute(f->h5, "/", "plugins"))
        return ANPE_OK;
    const anpe_status status = anpe_h5_get_texts(ctx, f->h5, "/", "plugins", &n, &then);
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        compare_plugin(ctx, used[i], path, n, then);
    for (int i = 0; m->task->prior && i < m->task->prior->n_blocks; i++)
        compare_plugin(ctx, m->task->prior->block[i].plugin, path, n, then);
    anpe_h5_texts_free(n, then);
    return status;
}

/* The network's inputs are made with the likelihood. */
static anpe_status open_fit(anpe_ctx *ctx, anpe_model *m, const char *path)
{
    if (!m->can_simulate)
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "%s: the inputs of this network are fits with its simulator "
                         "(observe.newton), which could not be opened%s%s",
                         path, m->lacks ? ": " : "", m->lacks ? m->lacks : "");
    return anpe_task_open_likelihood(ctx, m->task);
}

/* The model's configuration, with what `sets` may change of it; m->inputs are there. */
static anpe_status read_settings(anpe_ctx *ctx, anpe_model *m, const anpe_model_file *f, int n_sets,
                                 const char *const *sets)
{
    anpe_status status = anpe_model_file_settings(ctx, f, 0, NULL, &m->settings);
    if (status || !n_sets)
        return status;
    status = anpe_inputs_may_set(ctx, m->settings, m->n_inputs, m->inputs, n_sets, sets);
    m->settings = anpe_settings_free(m->settings);
    return status ? status : anpe_model_file_settings(ctx, f, n_sets, sets, &m->settings);
}

static anpe_status open_model(anpe_ctx *ctx, const char *path, int n_sets, const char *const *sets,
                              anpe_model **out)
{
    anpe_model_file f = {0};
    anpe_status status;
    *out = NULL;
    anpe_model *m;
    if (ANPE_NEW(ctx, m, 1))
        return ANPE_ENOMEM;
    ANPE_TRY(anpe_model_file_open(ctx, path, &f));
    ANPE_TRY(anpe_model_file_inputs(ctx, &f, &m->n_inputs, &m->inputs));
    ANPE_TRY(read_settings(ctx, m, &f, n_sets, sets));
    m->seed = f.seed;
    memcpy(m->digest, f.digest, strnlen(f.digest, sizeof m->digest - 1));
    m->complete = f.complete;
    if (anpe_h5_has_attribute(f.h5, "/", "observed"))
        ANPE_TRY(anpe_h5_get_text(ctx, f.h5, "/", "observed", &m->observed));
    m->map = f.map;
    m->channels = f.channels;
    anpe_model_file_disown(&f);
    ANPE_TRY(open_task(ctx, m, &f));
    ANPE_TRY(check_grid(ctx, m, f.h5, path));
    ANPE_TRY(anpe_net_new(ctx, m->settings, m->channels->length, m->channels->width,
                          anpe_channels_segments(m->channels, m->task),
                          m->task->instrument.info.segment, m->map->n, m->seed, 1, &m->net));
    ANPE_TRY(anpe_model_file_parameters(ctx, &f, m->net->parameters));
    ANPE_TRY(anpe_weights_new(ctx, m->net->parameters, "flow", &m->weights));
    ANPE_TRY(anpe_flow_sampler_new(&m->net->flow, ctx, m->weights, &m->sampler));
    ANPE_TRY(compare_plugins(ctx, m, &f, path));
    if (m->channels->start)
        ANPE_TRY(open_fit(ctx, m, path));
    if (!m->complete)
        anpe_log(ctx, ANPE_WARNING, "%s: training of this model has not ended", path);
out:
    anpe_model_file_close(&f);
    if (status)
        m = anpe_model_close(m);
    *out = m;
    return status;
}

anpe_status anpe_model_open_with(anpe_ctx *ctx, const char *path, int n_sets,
                                 const char *const *sets, anpe_model **out)
{
    const locale_t before = anpe_locale_enter();
    const anpe_status status = open_model(ctx, path, n_sets, sets, out);
    anpe_locale_leave(before);
    return status;
}

anpe_status anpe_model_open(anpe_ctx *ctx, const char *path, anpe_model **out)
{
    return anpe_model_open_with(ctx, path, 0, NULL, out);
}

anpe_model *anpe_model_close(anpe_model *m)
{
    if (!m)
        return NULL;
    if (m->sampler)
        anpe_flow_sampler_free(&m->net->flow, m->sampler);
    anpe_weights_free(m->weights);
    anpe_net_free(m->net);
    anpe_channels_free(m->channels);
    anpe_label_map_free(m->map);
    anpe_task_free(m->task);
    anpe_settings_free(m->settings);
    anpe_h5_texts_free(m->n_inputs, m->inputs);
    free(m->observed);
    free(m->lacks);
    free(m);
    return NULL;
}

int64_t anpe_model_labels(const anpe_model *m, const anpe_label **labels)
{
    *labels = m->map->label;
    return m->map->n;
}

int64_t anpe_model_pixels(const anpe_model *m, const double **wavelength)
{
    *wavelength = m->task->instrument.info.wavelength;
    return anpe_task_size(m->task);
}

/* ---- session ----------------------------------------------------------------------------- */

/* batch spectra to featurize, `ahead` to look at together. */
static anpe_status new_session(anpe_ctx *ctx, const anpe_model *m, int64_t batch, int64_t ahead,
                               int64_t max_draws, anpe_session **out)
{
    const size_t n = (size_t)(max_draws * m->map->n);
    anpe_status status = ANPE_OK;
    *out = NULL;
    anpe_session *s;
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    s->model = m;
    s->batch = batch;
    s->ahead = ahead;
    s->max_draws = max_draws;
    s->z = anpe_alloc(ctx, n * sizeof *s->z);
    s->u = anpe_alloc(ctx, n * sizeof *s->u);
    s->y = anpe_alloc(ctx, n * sizeof *s->y);
    s->log_q = anpe_alloc(ctx, (size_t)max_draws * sizeof *s->log_q);
    s->room = anpe_alloc(ctx, (size_t)anpe_task_size(m->task) * sizeof *s->room);
    s->scratch = anpe_alloc(ctx, anpe_flow_scratch(&m->net->flow, max_draws));
    if (ANPE_NEW(ctx, s->coordinates, batch) || !s->z || !s->u || !s->y || !s->log_q ||
        !s->scratch || !s->room) {
        status = ANPE_ENOMEM;
        goto out;
    }
    ANPE_TRY(anpe_spectrum_new(ctx, anpe_task_size(m->task), &s->spectrum));
    ANPE_TRY(anpe_net_featurizer(ctx, m->net, batch, &s->executor));
    ANPE_TRY(anpe_view_new(ctx, m->task, m->channels, m->map, ahead, &s->view));
    for (int64_t i = 0; i < batch; i++)
        ANPE_TRY(anpe_view_coordinates(ctx, m->channels, m->map, &s->coordinates[i]));
    if (m->can_simulate)
        ANPE_TRY(anpe_bench_new(ctx, m->task, ahead, &s->bench));
out:
    if (status)
        s = anpe_session_free(s);
    *out = s;
    return status;
}

anpe_status anpe_session_new_batch(anpe_ctx *ctx, const anpe_model *m, int64_t batch,
                                   int64_t max_draws, anpe_session **out)
{
    return new_session(ctx, m, batch, 1, max_draws, out);
}

anpe_status anpe_session_new_ahead(anpe_ctx *ctx, const anpe_model *m, int64_t ahead,
                                   int64_t max_draws, anpe_session **out)
{
    return new_session(ctx, m, 1, ahead, max_draws, out);
}

anpe_status anpe_session_new(anpe_ctx *ctx, const anpe_model *m, int64_t max_draws,
                             anpe_session **out)
{
    if (max_draws < 1) {
        *out = NULL;
        return ANPE_FAIL(ctx, ANPE_EINVAL, "max_draws is %lld, expected at least 1",
                         (long long)max_draws);
    }
    const locale_t before = anpe_locale_enter();
    const anpe_status status = anpe_session_new_batch(ctx, m, 1, max_draws, out);
    anpe_locale_leave(before);
    return status;
}

anpe_session *anpe_session_free(anpe_session *s)
{
    if (!s)
        return NULL;
    anpe_flow_density_free(s->density);
    free(s->density_y);
    anpe_view_free(s->view);
    for (int64_t i = 0; s->coordinates && i < s->batch; i++)
        anpe_coordinates_clear(&s->coordinates[i]);
    free(s->coordinates);
    anpe_free(s->z);
    anpe_free(s->u);
    anpe_free(s->y);
    anpe_free(s->log_q);
    anpe_free(s->room);
    anpe_free(s->scratch);
    anpe_spectrum_clear(&s->spectrum);
    anpe_executor_free(s->executor);
    anpe_bench_free(s->bench);
    free(s);
    return NULL;
}

static float *input(const anpe_session *s, int64_t i)
{
    const anpe_channels *c = s->model->channels;
    float *x = anpe_executor_tensor(s->executor, s->model->net->x);
    return x + i * c->length * c->width;
}

const float *anpe_session_input(const anpe_session *s, int64_t i)
{
    return input(s, i);
}

anpe_status anpe_session_look(anpe_session *s, anpe_ctx *ctx, int64_t i,
                              const anpe_spectrum *spectrum)
{
    return anpe_view_look(s->view, ctx, spectrum, input(s, i), &s->coordinates[i]);
}

anpe_status anpe_session_look_ahead(anpe_session *s, anpe_ctx *ctx, int64_t n,
                                    const anpe_spectrum *const *spectrum)
{
    return anpe_view_fit(s->view, ctx, n, spectrum);
}

void anpe_session_show(anpe_session *s, int64_t i, const anpe_spectrum *spectrum)
{
    anpe_view_show(s->view, i, spectrum, input(s, 0), &s->coordinates[0]);
}

const float *anpe_session_jacobian(const anpe_session *s, int64_t i)
{
    return anpe_view_jacobian(s->view, i);
}

void anpe_session_featurize(anpe_session *s, int64_t n)
{
    anpe_executor_forward(s->executor, n);
}

const float *anpe_session_context(const anpe_session *s, int64_t i)
{
    const anpe_net *net = s->model->net;
    return (const float *)anpe_executor_tensor(s->executor, net->features) + i * net->n_context;
}

anpe_status anpe_session_draw(anpe_session *s, anpe_ctx *ctx, int64_t i, int64_t n, anpe_rng *rng,
                              double *theta, double *log_q)
{
    const anpe_model *m = s->model;
    const int64_t labels = m->map->n;
    anpe_normals(rng, n * labels, s->z);
    anpe_uniforms(rng, n * labels, s->u);
    anpe_status status =
        anpe_flow_sample(&m->net->flow, ctx, m->sampler, anpe_session_context(s, i), n, s->z, s->u,
                         s->y, s->log_q, s->scratch);
    for (int64_t k = 0; k < n && !status; k++) {
        for (int64_t d = 0; d < labels; d++)
            if (!isfinite(s->y[k * labels + d]))
                return ANPE_FAIL(ctx, ANPE_ENUMERIC, "the flow's draw of label '%s' is not finite",
                                 m->map->label[d].name);
        const double jacobian =
            anpe_coordinates_inverse(&s->coordinates[i], s->y + k * labels, theta + k * labels);
        if (log_q)
            log_q[k] = (double)s->log_q[k] - jacobian;
    }
    return status;
}

static int labels_left_open(const anpe_model *m)
{
    return m->map->n < m->task->prior->n_labels;
}

int anpe_model_predicts(const anpe_model *m)
{
    return m->can_simulate && !labels_left_open(m);
}

anpe_status anpe_model_can_predict(anpe_ctx *ctx, const anpe_model *m)
{
    if (!m->can_simulate)
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "no model spectra: the simulator of this model could not be opened%s%s",
                         m->lacks ? ": " : "", m->lacks ? m->lacks : "");
    if (labels_left_open(m))
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "no model spectra: the posterior has %lld of the simulator's %lld labels "
                         "(labels.infer)",
                         (long long)m->map->n, (long long)m->task->prior->n_labels);
    return ANPE_OK;
}

/* The core's kernels reach so far and no further. */
static anpe_status check_broadening(const anpe_task *t, anpe_ctx *ctx, const double *theta)
{
    for (int k = 0; k < ANPE_N_BROADENINGS; k++) {
        const anpe_label *l = &anpe_broaden_label[k];
        const double kms = t->broadening[k] < 0 ? 0 : theta[t->broadening[k]];
        if (!(kms >= l->min && kms <= l->max))
            return ANPE_FAIL(ctx, ANPE_EINVAL, "no model spectrum: %s is %g, outside [%g, %g] %s",
                             l->name, kms, l->min, l->max, l->unit);
    }
    return ANPE_OK;
}

/* theta (D) into row k of the bench, if there is a model spectrum for it. */
static anpe_status place(anpe_session *s, anpe_ctx *ctx, int64_t k, const double *theta,
                         const anpe_spectrum *observed)
{
    const anpe_task *t = s->model->task;
    double *to = s->bench->theta + k * t->prior->n_labels;
    for (int64_t d = 0; d < t->n_labels; d++)
        to[t->inferred[d]] = theta[d];
    if (!anpe_task_covers(t, to, observed->mask))
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "no model spectrum: at a radial velocity of %g km/s, which is outside the "
                         "prior, the simulator has no flux for some good pixels",
                         to[t->rv]);
    return check_broadening(t, ctx, to);
}

/* Row k of the bench, simulated, against an observed spectrum. */
static anpe_status compare(anpe_session *s, anpe_ctx *ctx, int64_t k, double *chi2, int64_t *n_good,
                           const anpe_spectrum *observed)
{
    const anpe_status status = anpe_task_reduce_model(s->model->task, ctx, s->bench, k, observed);
    if (!status)
        *chi2 = anpe_noise_chi2(observed, s->bench->spectrum.flux, n_good);
    return status;
}

anpe_status anpe_session_predict(anpe_session *s, anpe_ctx *ctx, const float **flux, double *chi2,
                                 int64_t *n_good, const double *theta,
                                 const anpe_spectrum *observed)
{
    anpe_status status;
    ANPE_TRY(place(s, ctx, 0, theta, observed));
    ANPE_TRY(anpe_task_simulate(s->model->task, ctx, s->bench, 1));
    ANPE_TRY(compare(s, ctx, 0, chi2, n_good, observed));
    *flux = s->bench->spectrum.flux;
out:
    return status;
}

static int64_t count_good(const anpe_spectrum *s)
{
    int64_t n = 0;
    for (int64_t p = 0; p < s->n_pixels; p++)
        n += !s->mask[p];
    return n;
}

static int has_chi2(const anpe_session *s)
{
    return s->bench && !labels_left_open(s->model);
}

anpe_status anpe_session_chi2(anpe_session *s, anpe_ctx *ctx, const double *theta,
                              const anpe_spectrum *observed, double *chi2, int64_t *n_good)
{
    const float *flux;
    *chi2 = NAN;
    *n_good = count_good(observed);
    return has_chi2(s) ? anpe_session_predict(s, ctx, &flux, chi2, n_good, theta, observed)
                       : ANPE_OK;
}

void anpe_session_chi2_all(anpe_session *s, anpe_ctx *ctx, int64_t n, const double *theta,
                           const anpe_spectrum *const *observed, double *chi2, int64_t *n_good)
{
    const int64_t labels = s->model->map->n;
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < n; i++) {
        chi2[i] = NAN;
        n_good[i] = count_good(observed[i]);
        if (has_chi2(s) && !status)
            status = place(s, ctx, i, theta + i * labels, observed[i]);
    }
    if (!has_chi2(s) || n == 0)
        return;
    if (!status)
        status = anpe_task_simulate(s->model->task, ctx, s->bench, n);
    for (int64_t i = 0; i < n; i++) /* of one of them there is none: each by itself */
        if (status
                ? anpe_session_chi2(s, ctx, theta + i * labels, observed[i], &chi2[i], &n_good[i])
                : compare(s, ctx, i, &chi2[i], &n_good[i], observed[i]))
            chi2[i] = NAN;
}

/* ---- one spectrum, for those who embed the library --------------------------------------- */

const char *anpe_model_misses_mask(const anpe_model *m, const anpe_spectrum *s)
{
    const anpe_channels *c = m->channels;
    int sees = c->basis != NULL || m->task->instrument.info.wavelength != NULL;
    for (int k = 0; k < c->n_kinds; k++)
        sees = sees || c->kind[k] == ANPE_CHANNEL_MASK;
    for (int64_t p = 0; !sees && p < s->n_pixels; p++)
        if (s->mask[p])
            return "some values are bad and the model reads no mask (observe.channels)";
    return NULL;
}

static anpe_status infer_one(anpe_session *s, anpe_ctx *ctx, int64_t n_draws, double *theta,
                             double *log_q, const float *flux, const float *sigma,
                             const uint8_t *mask, uint32_t seed, int64_t index)
{
    anpe_spectrum *o = &s->spectrum;
    const size_t n = (size_t)o->n_pixels;
    if (n_draws < 1 || n_draws > s->max_draws)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "n_draws is %lld, the session was made for 1 to %lld",
                         (long long)n_draws, (long long)s->max_draws);
    memcpy(o->flux, flux, n * sizeof *flux);
    memcpy(o->sigma, sigma, n * sizeof *sigma);
    if (mask)
        memcpy(o->mask, mask, n);
    else
        memset(o->mask, 0, n);
    s->inferred = 0;
    anpe_status status =
        anpe_instrument_judge(&s->model->task->instrument, ctx, "the spectrum", o, s->room);
    const char *reason = status ? NULL : anpe_model_misses_mask(s->model, o);
    if (reason)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s", reason);
    if (!status)
        status = anpe_task_reduce(s->model->task, ctx, o);
    if (!status)
        status = anpe_session_look(s, ctx, 0, o);
    if (status)
        return status;
    s->inferred = 1;
    anpe_session_featurize(s, 1);
    anpe_rng rng = anpe_rng_make(seed, ANPE_FOR_POSTERIOR, index, 0);
    return anpe_session_draw(s, ctx, 0, n_draws, &rng, theta, log_q);
}

anpe_status anpe_infer(anpe_session *s, anpe_ctx *ctx, int64_t n_draws, double *theta,
                       double *log_q, const float *flux, const float *sigma, const uint8_t *mask,
                       uint32_t seed, int64_t index)
{
    const locale_t before = anpe_locale_enter();
    const anpe_status status =
        infer_one(s, ctx, n_draws, theta, log_q, flux, sigma, mask, seed, index);
    anpe_locale_leave(before);
    return status;
}

static anpe_status predict_one(anpe_session *s, anpe_ctx *ctx, float *model, double *chi2,
                               int64_t *n_good, const double *theta)
{
    const float *flux;
    double value;
    int64_t good;
    anpe_status status;
    if (!s->inferred)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "no spectrum has been inferred in this session");
    ANPE_TRY(anpe_model_can_predict(ctx, s->model));
    ANPE_TRY(anpe_session_predict(s, ctx, &flux, &value, &good, theta, &s->spectrum));
    memcpy(model, flux, (size_t)s->spectrum.n_pixels * sizeof *model);
    if (chi2)
        *chi2 = value;
    if (n_good)
        *n_good = good;
out:
    return status;
}

anpe_status anpe_predict(anpe_session *s, anpe_ctx *ctx, float *model, double *chi2,
                         int64_t *n_good, const double *theta)
{
    const locale_t before = anpe_locale_enter();
    const anpe_status status = predict_one(s, ctx, model, chi2, n_good, theta);
    anpe_locale_leave(before);
    return status;
}
