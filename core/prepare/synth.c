/* One spectrum; see the header. */
#include "prepare/synth.h"
#include "base/random.h"
#include "base/text.h"
#include "model/open_task.h"
#include "spectrum/broaden.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const anpe_simulator_ops *ops_of(const anpe_synth *s)
{
    return s->task->simulator.ops;
}

static int on_instrument(const anpe_synth_request *r)
{
    return r->pixels || r->observed;
}

/* ---- labels ------------------------------------------------------------------------------ */

/* On the simulator's pixels: its own labels, and the core's where it has none of that name. */
static anpe_status list_labels(anpe_ctx *ctx, anpe_synth *s)
{
    const anpe_task *t = s->task;
    const int own = !on_instrument(s->request);
    const int64_t n = own ? t->sim.n_labels : t->prior->n_labels;
    if (ANPE_NEW(ctx, s->label, n + 1 + ANPE_N_BROADENINGS) ||
        ANPE_NEW(ctx, s->theta, n + 1 + ANPE_N_BROADENINGS))
        return ANPE_ENOMEM;
    memcpy(s->label, own ? t->sim.labels : t->prior->label, (size_t)n * sizeof *s->label);
    s->n_labels = s->n_own = n;
    if (!own || !t->sim.wavelength)
        return ANPE_OK;
    if (anpe_label_find(n, s->label, "rv") < 0)
        s->label[s->n_labels++] = (anpe_label){"rv", "km/s", -3000, 3000};
    for (int k = 0;
         k < ANPE_N_BROADENINGS && anpe_broaden_takes(t->sim.n_pixels, t->sim.wavelength); k++)
        if (anpe_label_find(n, s->label, anpe_broaden_label[k].name) < 0)
            s->label[s->n_labels++] = anpe_broaden_label[k];
    return ANPE_OK;
}

static anpe_status unknown(anpe_ctx *ctx, const anpe_synth *s, const char *set, const char *name)
{
    const char *known[1 + ANPE_N_BROADENINGS + 256];
    char hint[64];
    anpe_text all = {0};
    const int n = s->n_labels < 256 ? (int)s->n_labels : 256;
    for (int i = 0; i < n; i++) {
        known[i] = s->label[i].name;
        anpe_text_add(&all, "%s%s", i ? ", " : "", known[i]);
    }
    const anpe_status status =
        ANPE_FAIL(ctx, ANPE_ECONFIG, "--set %s: no such label%s (known here: %s)", set,
                  anpe_text_hint(hint, sizeof hint, name, n, known), all.text ? all.text : "none");
    anpe_text_free(&all);
    return status;
}

static anpe_status set_label(anpe_ctx *ctx, anpe_synth *s, const char *set, uint8_t *given)
{
    char name[sizeof s->label->name] = "", *end;
    const char *equals = strchr(set, '=');
    const size_t length = (size_t)(equals - set);
    if (length < sizeof name)
        memcpy(name, set, length);
    const int64_t k = anpe_label_find(s->n_labels, s->label, name);
    if (k < 0)
        return unknown(ctx, s, set, name);
    const anpe_label *l = &s->label[k];
    const double value = strtod(equals + 1, &end);
    if (end == equals + 1 || *end || !isfinite(value))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "--set %s: a number is expected", set);
    if (!(value >= l->min && value <= l->max))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "--set %s: outside [%g, %g]%s%s", set, l->min, l->max,
                         l->unit[0] ? " " : "", l->unit);
    s->theta[k] = value;
    given[k] = 1;
    return ANPE_OK;
}

/* Velocities are 0 unless they are set; all else has to be. */
static anpe_status check_given(anpe_ctx *ctx, const anpe_synth *s, const uint8_t *given)
{
    anpe_text missing = {0};
    anpe_status status = ANPE_OK;
    for (int64_t k = 0; k < s->n_labels; k++) {
        const char *name = s->label[k].name;
        const int is_core = anpe_label_find(s->task->sim.n_labels, s->task->sim.labels, name) < 0;
        if (!given[k] && !(is_core && s->label[k].min <= 0 && s->label[k].max >= 0))
            anpe_text_add(&missing, "%s%s", missing.length ? ", " : "", name);
    }
    if (missing.length)
        status = ANPE_FAIL(ctx, ANPE_ECONFIG, "no value for %s: --set LABEL=VALUE", missing.text);
    anpe_text_free(&missing);
    return status;
}

static int is_path(const char *set)
{
    const char *equals = strchr(set, '='), *dot = strchr(set, '.');
    return !equals || (dot && dot < equals);
}

static anpe_status set_labels(anpe_ctx *ctx, anpe_synth *s)
{
    const anpe_synth_request *r = s->request;
    uint8_t *given = NULL;
    anpe_status status;
    ANPE_TRY(list_labels(ctx, s));
    ANPE_TRY(ANPE_NEW(ctx, given, s->n_labels));
    for (int i = 0; i < r->n_sets && !status; i++)
        if (!is_path(r->sets[i]))
            status = set_label(ctx, s, r->sets[i], given);
    if (!status)
        status = check_given(ctx, s, given);
out:
    free(given);
    return status;
}

/* ---- opening ----------------------------------------------------------------------------- */

anpe_status anpe_synth_open(anpe_ctx *ctx, const anpe_synth_request *r, anpe_synth *s)
{
    const unsigned parts = r->observed ? ANPE_TASK_ALL | ANPE_TASK_MOCKS
                           : r->pixels ? ANPE_TASK_SIMULATOR | ANPE_TASK_MOCKS
                                       : ANPE_TASK_BARE;
    const char **paths;
    int n_paths = 0;
    *s = (anpe_synth){.request = r};
    anpe_status status = ANPE_NEW(ctx, paths, r->n_sets + 1);
    if (status)
        return status;
    for (int i = 0; i < r->n_sets; i++)
        if (is_path(r->sets[i]))
            paths[n_paths++] = r->sets[i];
    ANPE_TRY(anpe_simulate_open(ctx, r->source, n_paths, paths, parts, &s->settings, &s->task));
    const anpe_simulator_ops *ops = ops_of(s);
    s->scratch = anpe_alloc(
        ctx,
        64 + (ANPE_HAS(ops, scratch_size) ? ops->scratch_size(s->task->simulator.self, 1) : 0));
    if (!s->scratch)
        status = ANPE_ENOMEM;
    else
        status = set_labels(ctx, s);
out:
    free(paths);
    if (status)
        anpe_synth_close(s);
    return status;
}

void anpe_synth_close(anpe_synth *s)
{
    free(s->label);
    free(s->theta);
    free(s->wavelength);
    free(s->flux);
    free(s->continuum);
    free(s->sigma);
    free(s->mask);
    anpe_free(s->scratch);
    anpe_task_free(s->task);
    anpe_settings_free(s->settings);
    *s = (anpe_synth){0};
}

static anpe_status allocate(anpe_ctx *ctx, anpe_synth *s, int64_t n, int with_continuum,
                            int with_sigma)
{
    s->n = n;
    if (ANPE_NEW(ctx, s->flux, n) || ANPE_NEW(ctx, s->mask, n) ||
        (with_continuum && ANPE_NEW(ctx, s->continuum, n)) ||
        (with_sigma && ANPE_NEW(ctx, s->sigma, n)))
        return ANPE_ENOMEM;
    return ANPE_OK;
}

static anpe_status copy_wavelengths(anpe_ctx *ctx, anpe_synth *s, int64_t n_pixels,
                                    const double *from)
{
    if (!from)
        return ANPE_OK;
    if (ANPE_NEW(ctx, s->wavelength, s->n))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < s->n; i++) /* channels follow one another on the same pixels */
        s->wavelength[i] = from[i % n_pixels];
    return ANPE_OK;
}

/* ---- on the simulator's pixels ----------------------------------------------------------- */

/* 0 where there is no such label. */
static double value_of(const anpe_synth *s, const char *name)
{
    const int64_t k = anpe_label_find(s->n_labels, s->label, name);
    return k < 0 ? 0 : s->theta[k];
}

/* Pixels that see this far beyond the ends, or into a gap. */
static void mark_ends(anpe_synth *s, double kms)
{
    const double step = log(s->wavelength[1] / s->wavelength[0]), reach = kms / ANPE_C_KMS / step;
    int64_t first = 0;
    for (int64_t i = 1; i <= s->n; i++) {
        if (i < s->n && log(s->wavelength[i] / s->wavelength[i - 1]) < 1.5 * step)
            continue;
        for (int64_t k = first; k < i; k++)
            s->mask[k] |= (double)(k - first) < reach || (double)(i - 1 - k) < reach;
        first = i;
    }
}

/* Rotation and macroturbulence that the simulator does not know of. */
static anpe_status broaden(anpe_ctx *ctx, anpe_synth *s)
{
    double kms[ANPE_N_BROADENINGS];
    anpe_broaden *b = NULL;
    float *out = NULL;
    void *scratch = NULL;
    anpe_status status = ANPE_OK;
    int any = 0;
    for (int k = 0; k < ANPE_N_BROADENINGS; k++) {
        const char *name = anpe_broaden_label[k].name;
        const int is_core = anpe_label_find(s->n_own, s->label, name) < 0;
        kms[k] = is_core ? value_of(s, name) : 0;
        any |= kms[k] > 0;
    }
    if (!any)
        return ANPE_OK;
    ANPE_TRY(anpe_broaden_new(ctx, s->n, s->wavelength, kms, &b));
    ANPE_TRY(ANPE_NEW(ctx, out, s->n));
    scratch = anpe_alloc(ctx, anpe_broaden_scratch(b) + 64);
    ANPE_TRY(scratch ? ANPE_OK : ANPE_ENOMEM);
    anpe_broaden_apply(b, kms, NULL, s->flux, out, scratch);
    memcpy(s->flux, out, (size_t)s->n * sizeof *out);
    mark_ends(s, kms[ANPE_BROADEN_VSINI] + 3.5 * kms[ANPE_BROADEN_VMACRO]);
out:
    anpe_broaden_free(b);
    anpe_free(scratch);
    free(out);
    return status;
}

/* To the resolution asked for, at rest: as an instrument whose pixels are the simulator's. What
 * reaches beyond the window is marked. */
static anpe_status blur(anpe_ctx *ctx, anpe_synth *s)
{
    const int64_t n = s->n, segment[2] = {0, n};
    double *resolution = NULL;
    float *out = NULL;
    anpe_projector *p = NULL;
    void *scratch = NULL;
    anpe_status status;
    ANPE_TRY(ANPE_NEW(ctx, resolution, n));
    ANPE_TRY(ANPE_NEW(ctx, out, n));
    const anpe_instrument_info pixels = {.n_pixels = n,
                                         .channels = 1,
                                         .wavelength = s->wavelength,
                                         .resolution = resolution,
                                         .n_segments = 1,
                                         .segment = segment};
    const anpe_projector_setup setup = {n, s->wavelength, s->task->sim.resolution, &pixels, 0, 0};
    for (int64_t i = 0; i < n; i++)
        resolution[i] = s->request->resolution;
    ANPE_TRY(anpe_projector_new(ctx, &setup, &p));
    scratch = anpe_alloc(ctx, anpe_projector_scratch(p) + 64);
    ANPE_TRY(scratch ? ANPE_OK : ANPE_ENOMEM);
    anpe_projector_apply(p, 1, NULL, s->flux, out, scratch);
    anpe_projector_uncovered(p, 0, 0, s->mask);
    memcpy(s->flux, out, (size_t)n * sizeof *out);
out:
    anpe_projector_free(p);
    anpe_free(scratch);
    free(resolution);
    free(out);
    return status;
}

static anpe_status check_blur(anpe_ctx *ctx, const anpe_synth *s)
{
    const double wanted = s->request->resolution, have = s->task->sim.resolution;
    if (!s->wavelength)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "--resolution: the spectra of simulator '%s' have no wavelengths",
                         s->task->simulator.plugin->name);
    if (wanted >= have)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "--resolution %g: the spectra of simulator '%s' have %g already", wanted,
                         s->task->simulator.plugin->name, have);
    return ANPE_OK;
}

static anpe_status run_own(anpe_ctx *ctx, anpe_synth *s)
{
    const anpe_simulator_ops *ops = ops_of(s);
    const anpe_task *t = s->task;
    const int with_continuum = ANPE_HAS(ops, continuum);
    anpe_status status;
    ANPE_TRY(allocate(ctx, s, t->sim.n_pixels, with_continuum, 0));
    ANPE_TRY(copy_wavelengths(ctx, s, s->n, t->sim.wavelength));
    if (s->request->resolution > 0)
        ANPE_TRY(check_blur(ctx, s));
    status =
        with_continuum
            ? ops->continuum(t->simulator.self, ctx, s->theta, s->flux, s->continuum, s->scratch)
            : ops->simulate(t->simulator.self, ctx, 1, s->theta, s->flux, s->scratch);
    if (status)
        return status;
    for (int64_t i = 0; i < s->n; i++)
        if (!isfinite(s->flux[i]))
            return ANPE_FAIL(ctx, ANPE_ENUMERIC, "simulator '%s' gives %g in its pixel %lld",
                             t->simulator.plugin->name, (double)s->flux[i], (long long)i);
    ANPE_TRY(broaden(ctx, s));
    if (s->request->resolution > 0)
        ANPE_TRY(blur(ctx, s));
    const double beta = value_of(s, "rv") / ANPE_C_KMS;
    for (int64_t i = 0; i < s->n && s->wavelength; i++)
        s->wavelength[i] *= sqrt((1 + beta) / (1 - beta));
out:
    return status;
}

/* ---- on the instrument's pixels ---------------------------------------------------------- */

static anpe_status run_instrument(anpe_ctx *ctx, anpe_synth *s)
{
    const anpe_task *t = s->task;
    const int observed = s->request->observed;
    const int64_t size = anpe_task_size(t);
    anpe_bench *b = NULL;
    anpe_status status;
    ANPE_TRY(allocate(ctx, s, size, 0, observed));
    ANPE_TRY(copy_wavelengths(ctx, s, t->instrument.info.n_pixels, t->instrument.info.wavelength));
    ANPE_TRY(anpe_bench_new(ctx, t, 1, &b));
    memcpy(b->theta, s->theta, (size_t)s->n_labels * sizeof *s->theta);
    ANPE_TRY(anpe_task_simulate(t, ctx, b, 1));
    memcpy(s->flux, b->flux, (size_t)size * sizeof *s->flux);
    for (int64_t i = 0; i < size && t->exclude; i++)
        s->mask[i] = t->exclude[i % t->instrument.info.n_pixels];
    if (observed) {
        anpe_rng rng = anpe_rng_make(s->request->seed, ANPE_FOR_MOCKS, 0, ANPE_SLOT_NOISE);
        ANPE_TRY(anpe_task_observe(t, ctx, b, 0, &rng));
        memcpy(s->flux, b->spectrum.flux, (size_t)size * sizeof *s->flux);
        memcpy(s->sigma, b->spectrum.sigma, (size_t)size * sizeof *s->sigma);
        for (int64_t i = 0; i < size; i++)
            s->mask[i] |= b->spectrum.mask[i];
    }
out:
    anpe_bench_free(b);
    return status;
}

anpe_status anpe_synth_run(anpe_ctx *ctx, anpe_synth *s)
{
    return on_instrument(s->request) ? run_instrument(ctx, s) : run_own(ctx, s);
}
