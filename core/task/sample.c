/* One sample: labels, a spectrum on the instrument's pixels, error bars, noise, and the reduction
 * that an observed spectrum undergoes too. See task.h. */
#include <config.h>
#include "task/task.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Spectra between broadening and projection: as many as the projection takes at its fastest. */
enum { TILE = 8 };

/* Bytes of what a projection has in its scratch: a tile of broadened spectra, then what broadening
 * needs, then what is the projector's. */
static size_t broadened_size(const anpe_task *t)
{
    return t->broaden ? (size_t)(TILE * t->sim.n_pixels) * sizeof(float) : 0;
}

static size_t broadening_size(const anpe_task *t)
{
    return t->broaden ? (anpe_broaden_scratch(t->broaden) + 63) / 64 * 64 : 0;
}

static void *broadening_room(const anpe_task *t, void *scratch)
{
    return (char *)scratch + broadened_size(t);
}

static void *projector_room(const anpe_task *t, void *scratch)
{
    return (char *)scratch + broadened_size(t) + broadening_size(t);
}

/* The spectrum as it leaves the star's turning, moving disc: raw itself, or row k of the scratch.
 * theta NULL: with the velocities of the spectrum before. */
static const float *broadened(const anpe_task *t, const double *theta, const anpe_broadening *slope,
                              const float *raw, int64_t k, void *scratch)
{
    float *out = (float *)scratch + k * t->sim.n_pixels;
    double kms[ANPE_N_BROADENINGS];
    if (!t->broaden)
        return raw;
    for (int b = 0; theta && b < ANPE_N_BROADENINGS; b++)
        kms[b] = t->broadening[b] < 0 ? 0 : theta[t->broadening[b]];
    if (theta)
        anpe_broaden_set(t->broaden, kms, slope, broadening_room(t, scratch));
    anpe_broaden_run(t->broaden, raw, out, broadening_room(t, scratch));
    return out;
}

static int is_broadened_alike(const anpe_task *t, const double *a, const double *b)
{
    for (int k = 0; k < ANPE_N_BROADENINGS; k++)
        if (t->broadening[k] >= 0 && a[t->broadening[k]] != b[t->broadening[k]])
            return 0;
    return 1;
}

void anpe_task_project(const anpe_task *t, int64_t n, const double *theta, int is_one,
                       const anpe_broadening *slope, const float *raw, float *flux, void *scratch)
{
    const int64_t in = t->sim.n_pixels, apart = is_one ? 0 : t->prior->n_labels;
    for (int64_t first = 0; first < n; first += TILE) {
        const int64_t tile = n - first < TILE ? n - first : TILE;
        const float *spectra = t->broaden ? scratch : raw + first * in;
        double rv[TILE];
        for (int64_t i = first; i < first + tile; i++) {
            const double *star = theta + i * apart;
            const int again = i > 0 && (is_one || is_broadened_alike(t, star, star - apart));
            rv[i - first] = t->rv < 0 ? 0 : star[t->rv];
            (void)broadened(t, again ? NULL : star, slope, raw + i * in, i - first, scratch);
        }
        anpe_projector_apply(t->projector, tile, rv, spectra, flux + first * anpe_task_size(t),
                             projector_room(t, scratch));
    }
}

void anpe_task_slope(const anpe_task *t, const double *theta, const float *raw, float *slope,
                     void *scratch)
{
    anpe_projector_slope(t->projector, theta[t->rv], broadened(t, NULL, NULL, raw, 0, scratch),
                         slope, projector_room(t, scratch));
}

/* One block for all: the simulator is done when the projection begins. */
static size_t scratch_size(const anpe_task *t, int64_t batch)
{
    const anpe_simulator_ops *ops = t->simulator.ops;
    const size_t a = ANPE_HAS(ops, scratch_size) ? ops->scratch_size(t->simulator.self, batch) : 0;
    const size_t b = broadened_size(t) + broadening_size(t) +
                     (t->projector ? anpe_projector_scratch(t->projector) : 0);
    return a > b ? a : b;
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

/* shared: NULL, or the scratch of simulate_shared, which is then what runs. */
static anpe_status run_simulator(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b, int64_t n,
                                 float *flux, void *shared)
{
    const int64_t n_prior = t->prior->n_labels, n_sim = t->sim.n_labels;
    const anpe_simulator_ops *ops = t->simulator.ops;
    for (int64_t k = 0; k < n; k++)
        for (int64_t j = 0; j < n_sim; j++)
            b->sim_theta[k * n_sim + j] = b->theta[k * n_prior + t->sim_label[j]];
    const anpe_status status =
        shared ? ops->simulate_shared(t->simulator.self, ctx, n, b->sim_theta, flux, shared)
               : ops->simulate(t->simulator.self, ctx, n, b->sim_theta, flux, b->scratch);
    return status ? anpe_fail_prefix(ctx, status, "%s", t->simulator.plugin->name) : ANPE_OK;
}

anpe_status anpe_task_simulate_own(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b, int64_t n,
                                   void *shared)
{
    const anpe_status status = run_simulator(t, ctx, b, n, b->sim_flux, shared);
    return status ? status : check_finite(t, ctx, b, n, t->sim.n_pixels, b->sim_flux);
}

/* b->sim_flux (n) -> b->flux (n), all in one product where none is broadened before it. */
static void project_all(const anpe_task *t, anpe_bench *b, int64_t n)
{
    const int64_t n_prior = t->prior->n_labels;
    if (t->broaden) {
        anpe_task_project(t, n, b->theta, 0, NULL, b->sim_flux, b->flux, b->scratch);
        return;
    }
    for (int64_t k = 0; k < n; k++)
        b->rv[k] = t->rv < 0 ? 0 : b->theta[k * n_prior + t->rv];
    anpe_projector_apply(t->projector, n, b->rv, b->sim_flux, b->flux, b->scratch);
}

anpe_status anpe_task_simulate(const anpe_task *t, anpe_ctx *ctx, anpe_bench *b, int64_t n)
{
    const anpe_status status =
        run_simulator(t, ctx, b, n, t->projector ? b->sim_flux : b->flux, NULL);
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
