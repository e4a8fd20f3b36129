/* Putting simulator, prior, instrument and noise together; what is made with them: sample.c. */
#include "task/task.h"
#include "base/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const anpe_option anpe_observe_table[] = {
    ANPE_OPT_TEXTS(
        anpe_observe_options, channels, "",
        "network input channels of flux, mask, log_sigma, position; default: flux mask for an "
        "instrument with wavelengths, else flux"),
    ANPE_OPT_REAL(
        anpe_observe_options, sigma_floor, 0, 0, 1, "",
        "error of the simulator in units of the continuum (of x for plain arrays), in quadrature "
        "to every error bar"),
    ANPE_OPT_REAL(anpe_observe_options, scatter, 1, 0, 1000, "",
                  "factor on the simulator's own scatter in each pixel, if it brings one, in "
                  "quadrature to the error bars; 0: leave it out"),
    ANPE_OPT_REAL(anpe_observe_options, drop, 0, 0, 0.9, "",
                  "probability with which each segment of the instrument (detector, order, arm) is "
                  "missing in a simulated observation, never all, so that one network serves stars "
                  "without some of them"),
    ANPE_OPT_INT(anpe_observe_options, basis, 0, 0, 100, "",
                 "the network sees so many coefficients of a reduced basis, fitted with each "
                 "spectrum's own errors and mask, instead of pixels; 0: pixels"),
    ANPE_OPT_INT(
        anpe_observe_options, newton, 0, 0, 100, "",
        "with basis: the network sees where Gauss-Newton steps on the likelihood lead, with so "
        "many matrices at most, and works in coordinates whitened by their matrix; needs the "
        "simulator for inference, too; 0: it sees the coefficients"),
    ANPE_OPT_REAL(anpe_observe_options, max_rv, 500, 0, 3000, "km/s",
                  "largest radial velocity the simulator's window leaves room for"),
    ANPE_OPT_ENUM(anpe_observe_options, standardise, 0, "auto|none|channel|pixel",
                  "input scaling from simulations: one mean and scale per channel, or per pixel, "
                  "where inputs with long tails also go through a log or asinh; auto: channel with "
                  "wavelengths, else pixel"),
    ANPE_OPT_END};

const anpe_option anpe_label_table[] = {
    ANPE_OPT_TEXTS(anpe_label_options, infer, "",
                   "labels of the posterior; others in the prior are marginalised; default: all"),
    ANPE_OPT_ENUM(anpe_label_options, transform, 0, "probit|none",
                  "bijection of the prior's support onto the real line, or none (draws may then "
                  "leave the prior)"),
    ANPE_OPT_END};

static anpe_status add_simulator(anpe_ctx *ctx, anpe_task *t)
{
    const anpe_instrument_info *inst = &t->instrument.info;
    anpe_simulator_setup setup = {sizeof setup, 0, 0, 0};
    if (inst->wavelength) {
        const double margin = 1 + 1.05 * t->observe->max_rv / ANPE_C_KMS + 2e-4;
        setup.lambda_min = inst->wavelength[0] / margin;
        setup.lambda_max = inst->wavelength[inst->n_pixels - 1] * margin;
        setup.resolution = inst->resolution ? inst->resolution[inst->n_pixels / 2] : 0;
    }
    anpe_status status = anpe_component_new(ctx, t->settings, ANPE_SIMULATOR, "simulator", NULL,
                                            &setup, &t->simulator);
    if (!status)
        ((const anpe_simulator_ops *)t->simulator.ops)->info(t->simulator.self, &t->sim);
    return status;
}

/* Labels that a prior may be given for: the simulator's; rv where there are wavelengths; and, where
 * they are the simulator's own and even in ln(wavelength), rotation and macroturbulence that it
 * does not know of. Returns how many; known has room for them. */
static int64_t list_labels(const anpe_task *t, anpe_label *known)
{
    int64_t n = t->sim.n_labels;
    if (n)
        memcpy(known, t->sim.labels, (size_t)n * sizeof *known);
    if (!t->instrument.info.wavelength || !t->sim.wavelength)
        return n;
    known[n++] = (anpe_label){"rv", "km/s", -t->observe->max_rv, t->observe->max_rv};
    const int broadens = !t->sim.on_grid && anpe_broaden_takes(t->sim.n_pixels, t->sim.wavelength);
    for (int k = 0; broadens && k < ANPE_N_BROADENINGS; k++)
        if (anpe_label_find(t->sim.n_labels, t->sim.labels, anpe_broaden_label[k].name) < 0)
            known[n++] = anpe_broaden_label[k];
    return n;
}

/* The simulator's own vsini or vmacro is not the core's. */
static anpe_status add_broadening(anpe_ctx *ctx, anpe_task *t)
{
    double most[ANPE_N_BROADENINGS];
    int wanted = 0;
    for (int k = 0; k < ANPE_N_BROADENINGS; k++) {
        const char *name = anpe_broaden_label[k].name;
        most[k] = anpe_broaden_label[k].max;
        if (anpe_label_find(t->sim.n_labels, t->sim.labels, name) < 0)
            t->broadening[k] = anpe_label_find(t->prior->n_labels, t->prior->label, name);
        wanted |= t->broadening[k] >= 0;
    }
    return wanted ? anpe_broaden_new(ctx, t->sim.n_pixels, t->sim.wavelength, most, &t->broaden)
                  : ANPE_OK;
}

static anpe_status add_prior(anpe_ctx *ctx, anpe_task *t)
{
    const int64_t n = t->sim.n_labels;
    anpe_label *known;
    if (ANPE_NEW(ctx, known, n + 1 + ANPE_N_BROADENINGS))
        return ANPE_ENOMEM;
    anpe_status status = anpe_prior_new(ctx, t->settings, list_labels(t, known), known, &t->prior);
    free(known);
    if (!status)
        status = add_broadening(ctx, t);
    if (status)
        return status;
    if (ANPE_NEW(ctx, t->sim_label, n + 1))
        return ANPE_ENOMEM;
    t->rv = anpe_label_find(t->prior->n_labels, t->prior->label, "rv");
    for (int64_t i = 0; i < n; i++) {
        t->sim_label[i] =
            anpe_label_find(t->prior->n_labels, t->prior->label, t->sim.labels[i].name);
        if (t->sim_label[i] < 0)
            return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: label '%s' of simulator '%s' has no prior",
                             anpe_settings_where(t->settings, "prior"), t->sim.labels[i].name,
                             t->simulator.plugin->name);
    }
    return ANPE_OK;
}

static anpe_status choose_labels(anpe_ctx *ctx, anpe_task *t)
{
    const anpe_texts *infer = &t->label_options->infer;
    const anpe_prior *p = t->prior;
    t->n_labels = infer->n ? infer->n : p->n_labels;
    if (ANPE_NEW(ctx, t->label, t->n_labels) || ANPE_NEW(ctx, t->inferred, t->n_labels))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < t->n_labels; i++) {
        const int64_t k = infer->n ? anpe_label_find(p->n_labels, p->label, infer->v[i]) : i;
        if (k < 0)
            return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: label '%s' has no prior",
                             anpe_settings_where(t->settings, "labels.infer"), infer->v[i]);
        for (int64_t j = 0; j < i; j++)
            if (t->inferred[j] == k)
                return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: label '%s' is listed twice",
                                 anpe_settings_where(t->settings, "labels.infer"), infer->v[i]);
        t->inferred[i] = k;
        t->label[i] = p->label[k];
    }
    return ANPE_OK;
}

static anpe_status add_projector(anpe_ctx *ctx, anpe_task *t)
{
    const anpe_instrument_info *inst = &t->instrument.info;
    if (inst->wavelength && t->sim.n_pixels && !t->sim.wavelength)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "instrument '%s' has wavelengths and simulator '%s' has "
                         "none; an emulator gets them from `anpe import --grid` or --wavelength",
                         t->instrument.name, t->simulator.plugin->name);
    if (inst->lsf && t->sim.on_grid)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%s: simulator '%s' gives spectra on the pixels of instrument '%s', as it "
                         "has learned them, and no line-spread function is applied to these",
                         anpe_settings_where(t->settings, "instrument.lsf"),
                         t->simulator.plugin->name, t->instrument.name);
    if (inst->wavelength && t->sim.wavelength) {
        const anpe_projector_setup setup = {t->sim.n_pixels,   t->sim.wavelength,
                                            t->sim.resolution, inst,
                                            t->sim.on_grid,    t->observe->max_rv};
        return anpe_projector_new(ctx, &setup, &t->projector);
    }
    if (t->sim.n_pixels && t->sim.n_pixels != anpe_task_size(t))
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "simulator '%s' gives %lld values, instrument '%s' has "
                         "%lld",
                         t->simulator.plugin->name, (long long)t->sim.n_pixels, t->instrument.name,
                         (long long)anpe_task_size(t));
    return ANPE_OK;
}

/* Noise and model error in units of the continuum, as error bars of normalised spectra are, need
 * one where the simulator's flux is not normalised: the instrument's rule finds it in every
 * spectrum. */
static anpe_status check_units(anpe_ctx *ctx, anpe_task *t)
{
    const anpe_instrument_ops *ops = t->instrument.component.ops;
    const int has_rule = t->instrument.info.wavelength && ANPE_HAS(ops, normalise);
    const int in_continuum =
        t->noise.plugin && anpe_noise_unit_of(&t->noise) == ANPE_NOISE_IN_CONTINUUM;
    if (!t->simulator.plugin || t->sim.normalised)
        return ANPE_OK;
    if (in_continuum && !has_rule)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%s: noise model '%s' gives errors in units of the continuum, the flux of "
                         "simulator '%s' is not normalised, and instrument '%s' has no continuum "
                         "rule to convert them; noise 'gaussian' takes sigma in units of the flux",
                         anpe_settings_where(t->settings, "noise"), t->noise.plugin->name,
                         t->simulator.plugin->name, t->instrument.name);
    t->noise_in_continuum = in_continuum;
    t->finds_continuum = has_rule && (in_continuum || t->observe->sigma_floor > 0);
    return ANPE_OK;
}

static anpe_status copy_set(anpe_ctx *ctx, int64_t n, const uint8_t *from, uint8_t **to)
{
    if (!from)
        return ANPE_OK;
    if (ANPE_NEW(ctx, *to, n))
        return ANPE_ENOMEM;
    memcpy(*to, from, (size_t)n);
    return ANPE_OK;
}

/* Pixels for which the simulator has no flux at some velocity of the prior's become excluded. */
static anpe_status exclude_uncovered(anpe_ctx *ctx, anpe_task *t)
{
    const int64_t n = t->instrument.info.n_pixels;
    const anpe_label *rv = t->rv < 0 ? NULL : &t->prior->label[t->rv];
    int64_t lost = 0, left = 0;
    if (!t->projector)
        return ANPE_OK;
    uint8_t *uncovered;
    if ((!t->exclude && ANPE_NEW(ctx, t->exclude, n)) || ANPE_NEW(ctx, uncovered, n))
        return ANPE_ENOMEM;
    anpe_projector_uncovered(t->projector, rv ? rv->min : 0, rv ? rv->max : 0, uncovered);
    for (int64_t p = 0; p < n; p++) {
        lost += uncovered[p] && !t->exclude[p];
        t->exclude[p] |= uncovered[p];
        left += !t->exclude[p];
    }
    free(uncovered);
    if (lost)
        anpe_log(ctx, ANPE_INFO,
                 "%lld pixels are left out: simulator '%s' has no flux for them at radial "
                 "velocities from %g to %g km/s",
                 (long long)lost, t->simulator.plugin->name, rv ? rv->min : 0, rv ? rv->max : 0);
    if (left == 0)
        return ANPE_FAIL(
            ctx, ANPE_ECONFIG,
            "%s: no pixel is left that simulator '%s' has flux for at radial velocities "
            "from %g to %g km/s",
            anpe_settings_where(t->settings, "prior"), t->simulator.plugin->name, rv ? rv->min : 0,
            rv ? rv->max : 0);
    return ANPE_OK;
}

int anpe_task_covers(const anpe_task *t, const double *theta, const uint8_t *mask)
{
    if (!t->projector || t->rv < 0)
        return 1;
    const anpe_label *l = &t->prior->label[t->rv];
    const double rv = theta[t->rv];
    return (rv >= l->min && rv <= l->max) ||
           (fabs(rv) <= t->observe->max_rv && anpe_projector_covers(t->projector, rv, mask));
}

/* The pixel sets become the task's own: those of the model, else those of the instrument and
 * what the simulator does not cover. */
static anpe_status add_pixel_sets(anpe_ctx *ctx, anpe_task *t, unsigned parts,
                                  const anpe_pixel_sets *given)
{
    anpe_instrument_info *inst = &t->instrument.info;
    if (given && given->n && given->n != inst->n_pixels)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "the model's pixel sets are for %lld pixels, instrument "
                         "'%s' has %lld",
                         (long long)given->n, t->instrument.name, (long long)inst->n_pixels);
    anpe_status status =
        copy_set(ctx, inst->n_pixels, given ? given->exclude : inst->exclude, &t->exclude);
    if (!status && !given)
        status = exclude_uncovered(ctx, t);
    inst->exclude = t->exclude;
    if (status || !inst->needs_continuum)
        return status;
    const uint8_t *from = given && given->continuum ? given->continuum : inst->continuum;
    if (from)
        return copy_set(ctx, inst->n_pixels, from, &t->continuum);
    if (!t->simulator.plugin || (parts & ANPE_TASK_MOCKS && !t->finds_continuum))
        return ANPE_OK;
    if (ANPE_NEW(ctx, t->continuum, inst->n_pixels))
        return ANPE_ENOMEM;
    return anpe_task_find_continuum(ctx, t);
}

/* Name of the noise model when the configuration gives none. */
static const char *default_noise(const anpe_task *t)
{
    return t->instrument.info.wavelength ? t->instrument.name : "none";
}

static anpe_status check_drop(anpe_ctx *ctx, const anpe_task *t)
{
    const anpe_instrument_info *i = &t->instrument.info;
    if (t->observe->drop > 0 && (!i->wavelength || i->n_segments < 2))
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%s: instrument '%s' has one segment, which cannot be missing",
                         anpe_settings_where(t->settings, "observe.drop"), t->instrument.name);
    return ANPE_OK;
}

anpe_status anpe_task_new(anpe_ctx *ctx, anpe_settings *settings, unsigned parts,
                          const anpe_pixel_sets *given, anpe_task **out)
{
    anpe_status status;
    void *options;
    *out = NULL;
    anpe_task *t;
    if (ANPE_NEW(ctx, t, 1))
        return ANPE_ENOMEM;
    t->settings = settings;
    t->rv = -1;
    for (int k = 0; k < ANPE_N_BROADENINGS; k++)
        t->broadening[k] = -1;
    ANPE_TRY(anpe_settings_fill(ctx, settings, "observe", anpe_observe_table,
                                sizeof(anpe_observe_options), &options));
    t->observe = options;
    ANPE_TRY(anpe_settings_fill(ctx, settings, "labels", anpe_label_table,
                                sizeof(anpe_label_options), &options));
    t->label_options = options;
    if (parts != ANPE_TASK_BARE || anpe_settings_has(settings, "instrument"))
        ANPE_TRY(anpe_instrument_new(ctx, settings, &t->instrument));
    if (parts == ANPE_TASK_BARE) {
        status = add_simulator(ctx, t);
        goto out;
    }
    ANPE_TRY(check_drop(ctx, t));
    if (parts & ANPE_TASK_SIMULATOR) {
        ANPE_TRY(add_simulator(ctx, t));
        ANPE_TRY(add_prior(ctx, t));
        ANPE_TRY(choose_labels(ctx, t));
    }
    if (parts == ANPE_TASK_OWN_GRID)
        goto out;
    if (parts & ANPE_TASK_SIMULATOR)
        ANPE_TRY(add_projector(ctx, t));
    if (parts & ANPE_TASK_NOISE)
        ANPE_TRY(anpe_noise_new(ctx, settings, default_noise(t), &t->instrument, &t->noise));
    ANPE_TRY(check_units(ctx, t));
    ANPE_TRY(add_pixel_sets(ctx, t, parts, given));
    ANPE_TRY(anpe_task_add_model_error(ctx, t, given));
out:
    if (status)
        t = anpe_task_free(t);
    *out = t;
    return status;
}

anpe_status anpe_task_open_likelihood(anpe_ctx *ctx, anpe_task *t)
{
    const anpe_plugin *plugin;
    const char *name;
    anpe_status status;
    ANPE_TRY(anpe_settings_text(ctx, t->settings, "noise.plugin", default_noise(t), &name));
    ANPE_TRY(anpe_loader_get(ctx, ANPE_NOISE, name, &plugin));
    if (plugin->capabilities & ANPE_NOISE_NO_LIKELIHOOD)
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "noise model '%s' has no likelihood: the simulations contain their noise",
                         name);
    if (t->n_labels < t->prior->n_labels)
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "no likelihood: labels.infer leaves %lld of the prior's %lld labels open",
                         (long long)(t->prior->n_labels - t->n_labels),
                         (long long)t->prior->n_labels);
    const anpe_noise_ops *ops = plugin->ops;
    if (ANPE_HAS(ops, log_likelihood) && !t->noise.plugin)
        ANPE_TRY(anpe_noise_new(ctx, t->settings, name, &t->instrument, &t->noise));
out:
    return status;
}

anpe_task *anpe_task_free(anpe_task *t)
{
    if (!t)
        return NULL;
    anpe_projector_free(t->projector);
    anpe_broaden_free(t->broaden);
    anpe_component_clear(&t->noise);
    anpe_prior_free(t->prior);
    anpe_component_clear(&t->simulator);
    anpe_instrument_clear(&t->instrument);
    free(t->label);
    free(t->inferred);
    free(t->sim_label);
    free(t->continuum);
    free(t->exclude);
    free(t->scatter);
    free(t->model_variance);
    free(t);
    return NULL;
}

int64_t anpe_task_size(const anpe_task *t)
{
    return anpe_instrument_size(&t->instrument);
}
