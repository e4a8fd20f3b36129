/* Putting simulator, prior, instrument and noise together. */
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

/* Bytes of the broadened flux, which stands first in the scratch. */
static size_t broadened_size(const anpe_task *t)
{
    const size_t bytes = t->broaden ? (size_t)t->sim.n_pixels * sizeof(float) : 0;
    return (bytes + 63) / 64 * 64;
}

/* The star's flux as it leaves its turning, moving disc: raw itself, or at the start of scratch. */
static const float *broadened(const anpe_task *t, const double *theta, const anpe_broadening *slope,
                              const float *raw, void *scratch)
{
    double kms[ANPE_N_BROADENINGS];
    if (!t->broaden)
        return raw;
    for (int k = 0; k < ANPE_N_BROADENINGS; k++)
        kms[k] = t->broadening[k] < 0 ? 0 : theta[t->broadening[k]];
    anpe_broaden_apply(t->broaden, kms, slope, raw, scratch, (char *)scratch + broadened_size(t));
    return scratch;
}

void anpe_task_project(const anpe_task *t, const double *theta, const anpe_broadening *slope,
                       const float *raw, float *flux, void *scratch)
{
    anpe_projector_apply(t->projector, 1, t->rv < 0 ? NULL : &theta[t->rv],
                         broadened(t, theta, slope, raw, scratch), flux,
                         (char *)scratch + broadened_size(t));
}

void anpe_task_slope(const anpe_task *t, const double *theta, const float *raw, float *slope,
                     void *scratch)
{
    anpe_projector_slope(t->projector, theta[t->rv], broadened(t, theta, NULL, raw, scratch), slope,
                         (char *)scratch + broadened_size(t));
}

/* One block for all: the simulator is done when the projection begins. */
static size_t scratch_size(const anpe_task *t, int64_t batch)
{
    const anpe_simulator_ops *ops = t->simulator.ops;
    const size_t a = ANPE_HAS(ops, scratch_size) ? ops->scratch_size(t->simulator.self, batch) : 0;
    const size_t b = broadened_size(t) + (t->broaden ? anpe_broaden_scratch(t->broaden) : 0);
    const size_t c = broadened_size(t) + (t->projector ? anpe_projector_scratch(t->projector) : 0);
    return a > b ? a > c ? a : c : b > c ? b : c;
}

anpe_status anpe_bench_new(anpe_ctx *ctx, const anpe_task *t, int64_t batch, anpe_bench **out)
{
    anpe_status status = ANPE_ENOMEM;
    const size_t n = (size_t)batch;
    anpe_bench *b;
    *out = NULL;
    if (ANPE_NEW(ctx, b, 1))
        return ANPE_ENOMEM;
    b->batch = batch;
    b->theta = anpe_alloc(ctx, n * (size_t)t->prior->n_labels * sizeof *b->theta);
    b->weight = anpe_alloc(ctx, n * sizeof *b->weight);
    b->sim_theta = anpe_alloc(ctx, (n * (size_t)t->sim.n_labels + 1) * sizeof *b->sim_theta);
    b->label = anpe_alloc(ctx, (size_t)t->n_labels * sizeof *b->label);
    b->rv = anpe_alloc(ctx, n * sizeof *b->rv);
    b->sim_flux = anpe_alloc(ctx, (n * (size_t)t->sim.n_pixels + 1) * sizeof *b->sim_flux);
    b->flux = anpe_alloc(ctx, n * (size_t)anpe_task_size(t) * sizeof *b->flux);
    b->scratch = anpe_alloc(ctx, scratch_size(t, batch));
    if (b->theta && b->weight && b->sim_theta && b->label && b->rv && b->sim_flux && b->flux &&
        b->scratch)
        status = anpe_spectrum_new(ctx, anpe_task_size(t), &b->spectrum);
    if (!status && t->finds_continuum)
        status = anpe_spectrum_new(ctx, anpe_task_size(t), &b->reference);
    for (int64_t k = 0; k < batch && !status; k++)
        b->weight[k] = 1;
    if (status)
        b = anpe_bench_free(b);
    *out = b;
    return status;
}

anpe_bench *anpe_bench_free(anpe_bench *b)
{
    if (!b)
        return NULL;
    anpe_free(b->theta);
    anpe_free(b->weight);
    anpe_free(b->sim_theta);
    anpe_free(b->label);
    anpe_free(b->rv);
    anpe_free(b->sim_flux);
    anpe_free(b->flux);
    anpe_free(b->scratch);
    anpe_spectrum_clear(&b->spectrum);
    anpe_spectrum_clear(&b->reference);
    free(b);
    return NULL;
}

anpe_status anpe_task_sample(const anpe_task *t, anpe_ctx *ctx, anpe_rng *rng, anpe_bench *b,
                             int64_t k)
{
    const anpe_label_rows *p = t->proposal;
    double *theta = b->theta + k * t->prior->n_labels;
    if (!p)
        return anpe_prior_sample(t->prior, ctx, rng, theta);
    const int64_t row = anpe_integer(rng, p->n);
    memcpy(theta, p->theta + row * p->width, (size_t)p->width * sizeof *theta);
    b->weight[k] = p->weight[row];
    return ANPE_OK;
}

anpe_status anpe_task_draw_labels(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b, uint32_t seed,
                                  anpe_purpose purpose, int64_t first, int64_t n)
{
    anpe_status status = ANPE_OK;
    for (int64_t k = 0; k < n && !status; k++) {
        anpe_rng rng = anpe_rng_make(seed, purpose, first + k, ANPE_SLOT_LABELS);
        status = anpe_task_sample(t, ctx, &rng, b, k);
    }
    return status;
}

/* A simulator's NaN must not pass for a bad pixel. */
static anpe_status check_finite(const anpe_task *t, anpe_ctx *ctx, const anpe_bench *b, int64_t n,
                                int64_t size, const float *flux)
{
    for (int64_t i = 0; i < n * size; i++)
        if (!isfinite(flux[i])) {
            const double *theta = b->theta + i / size * t->prior->n_labels;
            return ANPE_FAIL(ctx, ANPE_ENUMERIC,
                             "simulator '%s' gives %g in pixel %lld (first label "
                             "'%s' = %g)",
                             t->simulator.plugin->name, (double)flux[i], (long long)(i % size),
                             t->prior->label[0].name, theta[0]);
        }
    return ANPE_OK;
}

static anpe_status run_simulator(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b, int64_t n,
                                 float *flux)
{
    const int64_t n_prior = t->prior->n_labels, n_sim = t->sim.n_labels;
    const anpe_simulator_ops *ops = t->simulator.ops;
    for (int64_t k = 0; k < n; k++)
        for (int64_t j = 0; j < n_sim; j++)
            b->sim_theta[k * n_sim + j] = b->theta[k * n_prior + t->sim_label[j]];
    const anpe_status status =
        ops->simulate(t->simulator.self, ctx, n, b->sim_theta, flux, b->scratch);
    return status ? anpe_fail_prefix(ctx, status, "%s", t->simulator.plugin->name) : ANPE_OK;
}

anpe_status anpe_task_simulate_own(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b, int64_t n)
{
    const anpe_status status = run_simulator(t, ctx, b, n, b->sim_flux);
    return status ? status : check_finite(t, ctx, b, n, t->sim.n_pixels, b->sim_flux);
}

/* b->sim_flux (n) -> b->flux (n), all in one product where each has nothing of its own before it.
 */
static void project_all(const anpe_task *t, anpe_bench *b, int64_t n)
{
    const int64_t n_prior = t->prior->n_labels, size = anpe_task_size(t);
    if (t->broaden) {
        for (int64_t k = 0; k < n; k++)
            anpe_task_project(t, b->theta + k * n_prior, NULL, b->sim_flux + k * t->sim.n_pixels,
                              b->flux + k * size, b->scratch);
        return;
    }
    for (int64_t k = 0; k < n; k++)
        b->rv[k] = t->rv < 0 ? 0 : b->theta[k * n_prior + t->rv];
    anpe_projector_apply(t->projector, n, b->rv, b->sim_flux, b->flux, b->scratch);
}

anpe_status anpe_task_simulate(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b, int64_t n)
{
    const anpe_status status = run_simulator(t, ctx, b, n, t->projector ? b->sim_flux : b->flux);
    if (status)
        return status;
    if (t->projector)
        project_all(t, b, n);
    return check_finite(t, ctx, b, n, anpe_task_size(t), b->flux);
}

/* continuum (size): the unit of s in each pixel; NULL: 1. */
static void add_model_error(const anpe_task *t, const float *continuum, anpe_spectrum *s)
{
    const float *variance = t->model_variance;
    for (int64_t p = 0; variance && p < s->n_pixels; p++)
        if (variance[p] > 0) { /* where there is none, sigma keeps its last bit */
            const float unit = continuum ? continuum[p] : 1, sigma = s->sigma[p] / unit;
            s->sigma[p] = unit * sqrtf(sigma * sigma + variance[p]);
        }
}

/* Back to the survey's sigma in pixel p; what rounding may leave of a sigma far below the model
 * error stays positive. */
static float survey_sigma(const anpe_task *t, int64_t p, float unit, float sigma)
{
    const float variance = t->model_variance ? t->model_variance[p] : 0, s = sigma / unit;
    return variance > 0 ? unit * sqrtf(fmaxf(s * s - variance, 1e-6f * variance)) : sigma;
}

/* The continuum of the noise-free b->spectrum under the instrument's rule -> b->reference.flux, and
 * a sigma in units of it into that of the flux. A pixel where the rule finds none is bad. */
static anpe_status find_continuum(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b)
{
    anpe_spectrum *s = &b->spectrum, *r = &b->reference;
    const size_t n = (size_t)s->n_pixels;
    memcpy(r->flux, s->flux, n * sizeof *r->flux);
    memcpy(r->sigma, s->sigma, n * sizeof *r->sigma);
    memcpy(r->mask, s->mask, n);
    const anpe_status status = anpe_instrument_normalise(&t->instrument, ctx, t->continuum, r);
    for (int64_t p = 0; p < s->n_pixels && !status; p++) {
        r->flux[p] = s->sigma[p] / r->sigma[p];
        s->mask[p] |= r->mask[p] || !(r->flux[p] > 0 && isfinite(r->flux[p]));
        if (s->mask[p])
            r->flux[p] = 1;
        if (t->noise_in_continuum)
            s->sigma[p] *= r->flux[p];
    }
    return status;
}

void anpe_task_survey_sigma(const anpe_task *t, const anpe_spectrum *reduced, float *sigma)
{
    for (int64_t p = 0; p < reduced->n_pixels; p++)
        sigma[p] = survey_sigma(t, p, 1, reduced->sigma[p]);
}

/* Each segment goes with the probability observe.drop; were all to go, one of them stays. */
static void drop_segments(const anpe_task *t, anpe_rng *rng, uint8_t *mask)
{
    const anpe_instrument_info *i = &t->instrument.info;
    const double drop = t->observe->drop;
    anpe_rng again = *rng;
    int64_t gone = 0;
    if (!(drop > 0)) /* no number is drawn */
        return;
    for (int64_t k = 0; k < i->n_segments; k++)
        gone += anpe_uniform(&again) < drop;
    const int64_t stays = gone == i->n_segments ? anpe_integer(&again, i->n_segments) : -1;
    for (int64_t k = 0; k < i->n_segments; k++)
        if (anpe_uniform(rng) < drop && k != stays)
            memset(mask + i->segment[k], 1, (size_t)(i->segment[k + 1] - i->segment[k]));
    *rng = again;
}

anpe_status anpe_task_observe(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b, int64_t k,
                              anpe_rng *rng)
{
    anpe_spectrum *s = &b->spectrum;
    const float *continuum = t->finds_continuum ? b->reference.flux : NULL;
    memcpy(s->flux, b->flux + k * s->n_pixels, (size_t)s->n_pixels * sizeof *s->flux);
    anpe_status status = anpe_noise_draw(&t->noise, ctx, rng, s);
    if (status)
        return anpe_fail_prefix(ctx, status, "noise");
    anpe_instrument_exclude(&t->instrument, s);
    drop_segments(t, rng, s->mask);
    (void)anpe_spectrum_check(s);
    if (continuum && (status = find_continuum(t, ctx, b)))
        return status;
    add_model_error(t, continuum, s);
    status = anpe_noise_add(&t->noise, ctx, rng, s);
    for (int64_t p = 0; p < s->n_pixels; p++)
        s->sigma[p] = survey_sigma(t, p, continuum ? continuum[p] : 1, s->sigma[p]);
    return status ? anpe_fail_prefix(ctx, status, "noise") : ANPE_OK;
}

anpe_status anpe_task_reduce(const anpe_task *t, anpe_ctx *ctx, anpe_spectrum *s)
{
    anpe_instrument_exclude(&t->instrument, s);
    if (anpe_spectrum_check(s) == 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "no good pixel");
    anpe_status status = anpe_instrument_normalise(&t->instrument, ctx, t->continuum, s);
    if (status)
        return status;
    if (anpe_spectrum_check(s) == 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "no good pixel is left after the continuum rule");
    add_model_error(t, NULL, s);
    anpe_spectrum_inpaint(t->instrument.info.channels, s);
    return ANPE_OK;
}

anpe_status anpe_task_mock(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b, int64_t k,
                           anpe_rng *rng)
{
    enum { TRIES = 100 };
    anpe_status status = ANPE_OK;
    for (int i = 0; i < TRIES; i++) {
        status = anpe_task_observe(t, ctx, b, k, rng);
        if (!status)
            status = anpe_task_reduce(t, ctx, &b->spectrum);
        if (status != ANPE_EFORMAT)
            return status;
    }
    return anpe_fail_prefix(ctx, status, "noise model '%s', %d draws", t->noise.plugin->name,
                            TRIES);
}

anpe_status anpe_task_reduce_model(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b, int64_t k,
                                   const anpe_spectrum *observed)
{
    anpe_spectrum *s = &b->spectrum;
    memcpy(s->flux, b->flux + k * s->n_pixels, (size_t)s->n_pixels * sizeof *s->flux);
    memcpy(s->mask, observed->mask, (size_t)s->n_pixels);
    anpe_task_survey_sigma(t, observed, s->sigma);
    return anpe_instrument_normalise(&t->instrument, ctx, t->continuum, s);
}

double anpe_task_snr(const anpe_task *t, const anpe_spectrum *s)
{
    double sum = 0;
    int64_t n = 0;
    for (int64_t p = 0; p < s->n_pixels; p++)
        if (!s->mask[p]) {
            sum += 1 / (double)survey_sigma(t, p, 1, s->sigma[p]);
            n++;
        }
    return n ? sum / (double)n : 0;
}

void anpe_task_labels(const anpe_task *t, const double *theta, double *out)
{
    for (int64_t i = 0; i < t->n_labels; i++)
        out[i] = theta[t->inferred[i]];
}
