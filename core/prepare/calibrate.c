/* Reads configuration and stars, finds the lines that matter, steps, writes the list. */
#include <config.h>
#include "prepare/calibrate.h"
#include "base/digest.h"
#include "base/text.h"
#include "file/output.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_LOG_GF 0.05 /* of the differences, dex */
#define STEP_WAALS  0.1
#define LARGEST     0.7 /* change of an unknown in one step, dex */
enum { HALVINGS = 5 };

static const anpe_option star_table[] = {
    ANPE_OPT_FILE(anpe_calibrate_row, file, NULL, "observed spectrum: .npz, HDF5"),
    ANPE_OPT_TEXT(anpe_calibrate_row, wavelength, "wavelength", "its array of wavelengths"),
    ANPE_OPT_TEXT(anpe_calibrate_row, flux, "flux", "its array of normalised flux"),
    ANPE_OPT_BOOL(anpe_calibrate_row, air, 0, "wavelengths are in air"),
    ANPE_OPT_REAL(anpe_calibrate_row, resolution, 0, 0, 1e9, "",
                  "lambda / FWHM of the spectrum; 0: sharp"),
    ANPE_OPT_TEXTS(anpe_calibrate_row, labels, NULL,
                   "the simulator's labels, vsini, vmacro and rv, as NAME=VALUE"),
    ANPE_OPT_END};
const anpe_option anpe_calibrate_table[] = {
    ANPE_OPT_ROWS(anpe_calibrate_options, stars, star_table, anpe_calibrate_row,
                  "stars with known labels"),
    ANPE_OPT_REAL(anpe_calibrate_options, resolution, 22500, 100, 1e7, "",
                  "lambda / FWHM at which spectra are compared"),
    ANPE_OPT_REAL(anpe_calibrate_options, lambda_min, 0, 0, 1e6, "Angstrom",
                  "start of what is compared (vacuum); 0: the simulator's"),
    ANPE_OPT_REAL(anpe_calibrate_options, lambda_max, 0, 0, 1e6, "Angstrom", "its end"),
    ANPE_OPT_REAL(anpe_calibrate_options, sigma, 0.01, 1e-6, 1, "",
                  "error of a pixel, the model's included"),
    ANPE_OPT_REAL(anpe_calibrate_options, accuracy, 0.5, 1e-4, 10, "dex",
                  "standard deviation of log gf where the list does not say"),
    ANPE_OPT_REAL(anpe_calibrate_options, damping, 0, 0, 10, "dex",
                  "standard deviation of van der Waals widths; 0: they stay"),
    ANPE_OPT_REAL(anpe_calibrate_options, least, 0.003, 0, 1, "",
                  "change of flux by a dex from which a line matters"),
    ANPE_OPT_REAL(anpe_calibrate_options, reach, 60, 1, 1e4, "km/s",
                  "how far from its centre a line matters"),
    ANPE_OPT_REAL(anpe_calibrate_options, continuum, 0, 0, 1e6, "Angstrom",
                  "pieces in which the observed flux is scaled; 0: the whole"),
    ANPE_OPT_INT(anpe_calibrate_options, steps, 4, 0, 100, "",
                 "how often derivatives are taken, at most; 0: nothing is changed"),
    ANPE_OPT_END};

/* What is found: the log gf of a line, or the logarithm of its van der Waals width. */
typedef struct unknown {
    int64_t line;
    int waals, set;
} unknown;

typedef struct lane { /* what a worker works in */
    float *log_gf, *log_waals, *raw, *wide, *flux;
    void *scratch, *broaden;
} lane;

typedef struct calibration {
    const anpe_calibrate_request *request;
    const anpe_calibrate_options *o;
    anpe_settings *settings;
    anpe_component simulator;
    const anpe_simulator_ops *ops;
    anpe_simulator_info sim;
    anpe_broaden *broaden;
    anpe_calibrate_blur blur;
    anpe_workers *workers;
    lane *lanes;
    int64_t n_lines, n_unknowns, reach; /* reach in pixels */
    int n_sets;
    anpe_line *line;
    float *log_gf, *log_waals; /* (n_lines) changes so far */
    unknown *unknown;
    double *width, *offset, *x, *error; /* (n_unknowns) */
    anpe_sparse_column *column;         /* (n_unknowns, stars) */
    float *derivatives, *residual;
    double *room;
    anpe_calibrate_result *result;
} calibration;

/* ---- set-up ------------------------------------------------------------------------------ */

static anpe_status open_simulator(anpe_ctx *ctx, calibration *c)
{
    void *options;
    anpe_status status = anpe_settings_read(ctx, c->request->config, c->request->n_sets,
                                            c->request->sets, &c->settings);
    if (!status)
        status = anpe_settings_fill(ctx, c->settings, "calibrate", anpe_calibrate_table,
                                    sizeof *c->o, &options);
    if (status)
        return status;
    c->o = options;
    const anpe_simulator_setup setup = {.size = sizeof setup, .resolution = c->o->resolution};
    status = anpe_component_new(ctx, c->settings, ANPE_SIMULATOR, "simulator", NULL, &setup,
                                &c->simulator);
    static const char *const others[] = {"instrument", "noise",   "prior",      "labels",
                                         "observe",    "train",   "featurizer", "flow",
                                         "network",    "compute", "backend"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        anpe_settings_leave(c->settings, others[i]);
    if (!status)
        status = anpe_settings_finish(ctx, c->settings);
    if (status)
        return status;
    c->ops = c->simulator.ops;
    c->ops->info(c->simulator.self, &c->sim);
    if (!ANPE_HAS(c->ops, line_list) || !ANPE_HAS(c->ops, simulate_lines))
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "calibrate: the simulator %s has no lines whose log gf could be changed",
                         c->simulator.plugin->name);
    if (!c->sim.wavelength || !anpe_broaden_takes(c->sim.n_pixels, c->sim.wavelength))
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "calibrate: the simulator's pixels are not uniform in ln(wavelength)");
    if (c->sim.wavelength[c->sim.n_pixels - 1] / c->sim.wavelength[0] >
        pow(c->sim.wavelength[1] / c->sim.wavelength[0], (double)c->sim.n_pixels))
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "calibrate: the simulator's pixels have gaps: a window at a time");
    if (c->o->stars.n == 0)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: option calibrate.stars: at least one is needed",
                         anpe_settings_where(c->settings, "calibrate"));
    return ANPE_OK;
}

static anpe_status open_stars(anpe_ctx *ctx, calibration *c)
{
    double most[ANPE_N_BROADENINGS] = {0};
    const double step = log(c->sim.wavelength[1] / c->sim.wavelength[0]);
    anpe_calibrate_result *r = c->result;
    anpe_status status = ANPE_OK;
    r->n_stars = (int)c->o->stars.n;
    if (ANPE_NEW(ctx, r->star, r->n_stars))
        return ANPE_ENOMEM;
    for (int s = 0; s < r->n_stars && !status; s++) {
        const anpe_calibrate_row *row = (const anpe_calibrate_row *)c->o->stars.v + s;
        status = anpe_calibrate_star_read(ctx, row, &c->sim, c->o, &r->star[s]);
        for (int b = 0; b < ANPE_N_BROADENINGS; b++)
            most[b] = fmax(most[b], r->star[s].kms[b]);
    }
    if (!status)
        status = anpe_broaden_new(ctx, c->sim.n_pixels, c->sim.wavelength, most, &c->broaden);
    if (!status)
        status = anpe_calibrate_blur_new(ctx, step, c->o->resolution, &c->blur);
    c->reach = (int64_t)ceil(c->o->reach / ANPE_C_KMS / step);
    return status;
}

static anpe_status open_lines(anpe_ctx *ctx, calibration *c)
{
    c->n_lines = c->ops->line_list(c->simulator.self, 0, 0, NULL);
    if (c->n_lines == 0)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "calibrate: the simulator's lists have no lines");
    if (ANPE_NEW(ctx, c->line, c->n_lines) || ANPE_NEW(ctx, c->log_gf, c->n_lines) ||
        ANPE_NEW(ctx, c->log_waals, c->n_lines) || ANPE_NEW(ctx, c->room, c->sim.n_pixels) ||
        ANPE_NEW(ctx, c->residual, c->sim.n_pixels, c->result->n_stars))
        return ANPE_ENOMEM;
    c->ops->line_list(c->simulator.self, 0, c->n_lines, c->line);
    c->result->n_lines = c->n_lines;
    return ANPE_OK;
}

static anpe_status open_lanes(anpe_ctx *ctx, calibration *c)
{
    anpe_status status = anpe_workers_new(ctx, c->request->threads, &c->workers);
    if (status)
        return status;
    const int n = anpe_workers_count(c->workers);
    const int64_t lines = c->n_lines, pixels = c->sim.n_pixels;
    const size_t scratch =
        ANPE_HAS(c->ops, scratch_size) ? c->ops->scratch_size(c->simulator.self, 1) : 0;
    if (ANPE_NEW(ctx, c->lanes, n))
        return ANPE_ENOMEM;
    for (int i = 0; i < n; i++) {
        lane *l = &c->lanes[i];
        l->scratch = anpe_alloc(ctx, scratch + 64);
        l->broaden = anpe_alloc(ctx, anpe_broaden_scratch(c->broaden) + 64);
        if (!l->scratch || !l->broaden || ANPE_NEW(ctx, l->log_gf, lines) ||
            ANPE_NEW(ctx, l->log_waals, lines) || ANPE_NEW(ctx, l->raw, pixels) ||
            ANPE_NEW(ctx, l->wide, pixels) || ANPE_NEW(ctx, l->flux, pixels))
            return ANPE_ENOMEM;
    }
    return ANPE_OK;
}

static void close_calibration(calibration *c)
{
    for (int i = 0; c->lanes && i < anpe_workers_count(c->workers); i++) {
        lane *l = &c->lanes[i];
        anpe_free(l->scratch);
        anpe_free(l->broaden);
        free(l->log_gf), free(l->log_waals), free(l->raw), free(l->wide), free(l->flux);
    }
    free(c->lanes);
    anpe_workers_free(c->workers);
    anpe_broaden_free(c->broaden);
    anpe_component_clear(&c->simulator);
    anpe_settings_free(c->settings);
    free(c->blur.weight);
    free(c->line), free(c->log_gf), free(c->log_waals), free(c->room), free(c->residual);
    free(c->unknown), free(c->width), free(c->column), free(c->derivatives);
}

void anpe_calibrate_result_clear(anpe_calibrate_result *r)
{
    for (int s = 0; r->star && s < r->n_stars; s++)
        free(r->star[s].observed), free(r->star[s].scaled), free(r->star[s].flux);
    free(r->star);
    *r = (anpe_calibrate_result){0};
}

/* ---- spectra ----------------------------------------------------------------------------- */

/* The star's spectrum at the resolution of the comparison, with these changes of the lines. */
static anpe_status spectrum(const calibration *c, anpe_ctx *ctx, const anpe_calibrate_star *star,
                            const float *log_gf, const float *log_waals, lane *l, float *flux)
{
    const anpe_status status = c->ops->simulate_lines(c->simulator.self, ctx, star->theta, log_gf,
                                                      log_waals, l->raw, l->scratch);
    if (status)
        return status;
    anpe_broaden_apply(c->broaden, star->kms, NULL, l->raw, l->wide, l->broaden);
    anpe_calibrate_blur_apply(&c->blur, c->sim.n_pixels, l->wide, flux);
    return ANPE_OK;
}

static anpe_status model_star(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    calibration *c = user;
    anpe_calibrate_star *star = &c->result->star[item];
    return spectrum(c, ctx, star, c->log_gf, c->log_waals, &c->lanes[worker], star->flux);
}

/* The model of every star; *misfit is the sum that is minimised. */
static anpe_status evaluate(anpe_ctx *ctx, calibration *c, double *misfit)
{
    const int64_t n = c->sim.n_pixels;
    anpe_status status = anpe_workers_run(c->workers, ctx, c->result->n_stars, model_star, c);
    *misfit = 0;
    for (int s = 0; s < c->result->n_stars && !status; s++) {
        anpe_calibrate_star *star = &c->result->star[s];
        star->after = anpe_calibrate_star_scale(&c->sim, c->o->continuum, star, c->room);
        for (int64_t i = 0; i < n; i++) {
            const float difference = star->scaled[i] - star->flux[i];
            c->residual[s * n + i] = difference;
            *misfit += isfinite(difference) ? pow((double)difference / c->o->sigma, 2) : 0;
        }
    }
    for (int64_t k = 0; k < c->n_unknowns; k++) {
        const unknown *u = &c->unknown[k];
        c->offset[k] = (double)(u->waals ? c->log_waals : c->log_gf)[u->line];
        *misfit += pow(c->offset[k] / c->width[k], 2);
    }
    return status;
}

/* ---- derivatives ------------------------------------------------------------------------- */

/* Unknowns, in order of kind and wavelength, into sets whose members are 2 reach apart or more. */
static anpe_status divide(anpe_ctx *ctx, calibration *c, double reach)
{
    double *last;
    const double apart = 2 * reach / ANPE_C_KMS;
    if (ANPE_NEW(ctx, last, c->n_unknowns + 1))
        return ANPE_ENOMEM;
    c->n_sets = 0;
    int first = 0;
    for (int64_t k = 0; k < c->n_unknowns; k++) {
        unknown *u = &c->unknown[k];
        const double x = log(c->line[u->line].wavelength);
        if (k > 0 && u->waals != u[-1].waals)
            first = c->n_sets;
        int set = first;
        while (set < c->n_sets && x - last[set] < apart)
            set++;
        c->n_sets = set < c->n_sets ? c->n_sets : set + 1;
        last[set] = x;
        u->set = set;
    }
    free(last);
    return ANPE_OK;
}

/* Pixels [first, first + n) within reach of a line; n may be 0. */
static void range_of(const calibration *c, double wavelength, int64_t reach, int64_t *first,
                     int64_t *n)
{
    const double step = log(c->sim.wavelength[1] / c->sim.wavelength[0]);
    const double at = log(wavelength / c->sim.wavelength[0]) / step;
    const double low = fmax(ceil(at) - (double)reach, 0),
                 high = fmin(floor(at) + (double)reach, (double)(c->sim.n_pixels - 1));
    *first = (int64_t)low;
    *n = high < low ? 0 : (int64_t)(high - low) + 1;
}

/* One star with the unknowns of one set changed. */
static anpe_status derive(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    calibration *c = user;
    const int stars = c->result->n_stars, s = (int)(item % stars), set = (int)(item / stars);
    const anpe_calibrate_star *star = &c->result->star[s];
    lane *l = &c->lanes[worker];
    memcpy(l->log_gf, c->log_gf, (size_t)c->n_lines * sizeof *l->log_gf);
    memcpy(l->log_waals, c->log_waals, (size_t)c->n_lines * sizeof *l->log_waals);
    for (int64_t k = 0; k < c->n_unknowns; k++)
        if (c->unknown[k].set == set) {
            const unknown *u = &c->unknown[k];
            (u->waals ? l->log_waals : l->log_gf)[u->line] +=
                (float)(u->waals ? STEP_WAALS : STEP_LOG_GF);
        }
    const anpe_status status = spectrum(c, ctx, star, l->log_gf, l->log_waals, l, l->flux);
    if (status)
        return status;
    for (int64_t k = 0; k < c->n_unknowns; k++) {
        if (c->unknown[k].set != set)
            continue;
        const anpe_sparse_column *column = &c->column[k * stars + s];
        const float scale = (float)(1 / (c->unknown[k].waals ? STEP_WAALS : STEP_LOG_GF));
        for (int64_t i = 0; i < column->n; i++)
            column->v[i] = scale * (l->flux[column->first + i] - star->flux[column->first + i]);
    }
    return ANPE_OK;
}

/* Memory for the derivatives of the unknowns that there are, `reach` pixels to each side. */
static anpe_status lay_out(anpe_ctx *ctx, calibration *c, int64_t reach)
{
    const int stars = c->result->n_stars;
    int64_t first, n, size = 0;
    for (int64_t k = 0; k < c->n_unknowns; k++) {
        range_of(c, c->line[c->unknown[k].line].wavelength, reach, &first, &n);
        size += n * stars;
    }
    free(c->width), free(c->column), free(c->derivatives);
    if (ANPE_NEW(ctx, c->width, 4 * c->n_unknowns + 1) ||
        ANPE_NEW(ctx, c->column, c->n_unknowns * stars + 1) ||
        ANPE_NEW(ctx, c->derivatives, size + 1))
        return ANPE_ENOMEM;
    c->offset = c->width + c->n_unknowns;
    c->x = c->offset + c->n_unknowns;
    c->error = c->x + c->n_unknowns;
    float *at = c->derivatives;
    for (int64_t k = 0; k < c->n_unknowns; k++) {
        const anpe_line *line = &c->line[c->unknown[k].line];
        c->width[k] = c->unknown[k].waals  ? c->o->damping
                      : line->accuracy > 0 ? line->accuracy
                                           : c->o->accuracy;
        range_of(c, line->wavelength, reach, &first, &n);
        for (int s = 0; s < stars; s++, at += n)
            c->column[k * stars + s] = (anpe_sparse_column){s, first, n, at};
    }
    return ANPE_OK;
}

/* ---- which lines matter ------------------------------------------------------------------ */

/* Keeps the unknowns by which the flux of a pixel that is compared changes enough. */
static void keep_strong(calibration *c)
{
    const int stars = c->result->n_stars;
    int64_t kept = 0;
    for (int64_t k = 0; k < c->n_unknowns; k++) {
        float most = 0;
        for (int s = 0; s < stars; s++) {
            const anpe_sparse_column *column = &c->column[k * stars + s];
            const float *seen = c->result->star[s].observed + column->first;
            for (int64_t i = 0; i < column->n; i++)
                if (isfinite(seen[i]))
                    most = fmaxf(most, fabsf(column->v[i]));
        }
        if ((double)most > c->o->least)
            c->unknown[kept++] = c->unknown[k];
    }
    c->n_unknowns = kept;
}

static anpe_status choose(anpe_ctx *ctx, calibration *c)
{
    const int kinds = c->o->damping > 0 ? 2 : 1;
    const double near = c->o->reach / 3; /* to see whether it matters */
    double misfit;
    anpe_status status;
    if (ANPE_NEW(ctx, c->unknown, kinds, c->n_lines))
        return ANPE_ENOMEM;
    for (int kind = 0; kind < kinds; kind++)
        for (int64_t i = 0; i < c->n_lines; i++)
            if (!kind || c->line[i].waals > 0)
                c->unknown[c->n_unknowns++] = (unknown){.line = i, .waals = kind};
    ANPE_TRY(lay_out(ctx, c, c->reach / 3 + 1));
    ANPE_TRY(divide(ctx, c, near));
    ANPE_TRY(evaluate(ctx, c, &misfit));
    ANPE_TRY(anpe_workers_run(c->workers, ctx, (int64_t)c->n_sets * c->result->n_stars, derive, c));
    keep_strong(c);
    ANPE_TRY(lay_out(ctx, c, c->reach));
    ANPE_TRY(divide(ctx, c, c->o->reach));
    for (int64_t k = 0; k < c->n_unknowns; k++)
        ++*(c->unknown[k].waals ? &c->result->n_waals : &c->result->n_log_gf);
    anpe_log(ctx, ANPE_INFO, "calibrate: %lld log gf and %lld widths of %lld lines, in %d sets",
             (long long)c->result->n_log_gf, (long long)c->result->n_waals, (long long)c->n_lines,
             c->n_sets);
out:
    return status;
}

/* ---- steps ------------------------------------------------------------------------------- */

static void move(calibration *c, double fraction)
{
    for (int64_t k = 0; k < c->n_unknowns; k++) {
        const unknown *u = &c->unknown[k];
        const double x = fmin(fmax(c->x[k], -LARGEST), LARGEST);
        (u->waals ? c->log_waals : c->log_gf)[u->line] += (float)(fraction * x);
    }
}

/* To the minimum along the direction that these derivatives and the present residuals give, in
 * steps of half the length as long as it is passed. */
static anpe_status step_once(anpe_ctx *ctx, calibration *c, double *misfit)
{
    const double before = *misfit;
    double done = 1;
    anpe_status status;
    ANPE_TRY(anpe_calibrate_solve(ctx, c->n_unknowns, c->result->n_stars, c->sim.n_pixels,
                                  c->column, c->residual, c->o->sigma, c->offset, c->width, c->x,
                                  c->error));
    move(c, 1);
    ANPE_TRY(evaluate(ctx, c, misfit));
    for (int i = 0; *misfit > before; i++) {
        const double back = i < HALVINGS ? 0.5 * done : done;
        move(c, -back);
        done -= back;
        ANPE_TRY(evaluate(ctx, c, misfit));
        if (done <= 0)
            break;
    }
out:
    return status;
}

/* Derivatives, and as many steps as they are good for: they cost much more than a step. *better:
 * whether the misfit fell by more than a part in 200. */
static anpe_status improve(anpe_ctx *ctx, calibration *c, double *misfit, int *better)
{
    const double before = *misfit;
    double last;
    anpe_status status;
    ANPE_TRY(anpe_workers_run(c->workers, ctx, (int64_t)c->n_sets * c->result->n_stars, derive, c));
    do {
        last = *misfit;
        ANPE_TRY(step_once(ctx, c, misfit));
        anpe_log(ctx, ANPE_INFO, "calibrate: misfit %.6g", *misfit);
    } while (*misfit < 0.97 * last);
    *better = *misfit < 0.995 * before;
out:
    return status;
}

static anpe_status fit(anpe_ctx *ctx, calibration *c)
{
    double misfit;
    int better = 1;
    anpe_status status;
    ANPE_TRY(evaluate(ctx, c, &misfit));
    for (int s = 0; s < c->result->n_stars; s++)
        c->result->star[s].before = c->result->star[s].after;
    for (int64_t step = 0; step < c->o->steps && better && c->n_unknowns > 0; step++) {
        anpe_progress(ctx, "calibrating", (double)step, (double)c->o->steps);
        ANPE_TRY(improve(ctx, c, &misfit, &better));
    }
    double sum = 0;
    for (int64_t i = 0; i < c->n_lines; i++)
        sum += pow((double)c->log_gf[i], 2);
    c->result->change = sqrt(sum / fmax((double)c->result->n_log_gf, 1));
out:
    return status;
}

/* ---- the list ---------------------------------------------------------------------------- */

static anpe_status write_head(anpe_ctx *ctx, const calibration *c, FILE *f)
{
    const char *option = NULL, *path;
    char hex[65];
    fprintf(f, "# anpe lines %lld\n# anpe calibrate " PACKAGE_VERSION ", simulator %s\n",
            (long long)c->n_lines, c->simulator.plugin->name);
    for (int i = 0; (path = anpe_settings_file(c->settings, i, &option)); i++) {
        const anpe_status status = anpe_digest_file(ctx, path, hex);
        if (status)
            return status;
        fprintf(f, "# %s %s sha256 %s\n", option, anpe_text_basename(path), hex);
    }
    for (int s = 0; s < c->result->n_stars; s++)
        fprintf(f, "# star %s: rms %.5f before, %.5f after, at resolution %g\n",
                c->result->star[s].name, c->result->star[s].before, c->result->star[s].after,
                c->o->resolution);
    fprintf(f,
            "# log_gf, accuracy and waals are calibrated where changed_gf or changed_waals (dex) "
            "is not 0\n"
            "species,wavelength,excitation,log_gf,accuracy,radiative,stark,waals,waals_power,"
            "changed_gf,changed_waals\n");
    return ANPE_OK;
}

static anpe_status write_list(anpe_ctx *ctx, calibration *c)
{
    anpe_output out;
    anpe_status status = anpe_output_begin(ctx, &out, c->request->output);
    if (status)
        return status;
    for (int64_t k = 0; k < c->n_unknowns; k++)
        if (!c->unknown[k].waals && c->o->steps > 0)
            c->line[c->unknown[k].line].accuracy = c->error[k];
    FILE *f = fopen(out.temporary, "w");
    if (f)
        status = write_head(ctx, c, f);
    for (int64_t i = 0; f && i < c->n_lines; i++) {
        const anpe_line *l = &c->line[i];
        fprintf(f, "%s,%.4f,%.5f,%.4f,%.3g,%.5e,%.5e,%.5e,%.5f,%.4f,%.4f\n", l->species,
                l->wavelength, l->excitation, l->log_gf + (double)c->log_gf[i], l->accuracy,
                l->radiative, l->stark, l->waals * pow(10, (double)c->log_waals[i]), l->waals_power,
                (double)c->log_gf[i], (double)c->log_waals[i]);
    }
    const int failed = !f || ferror(f);
    if ((f && fclose(f)) || failed)
        status = ANPE_FAIL(ctx, ANPE_EIO, "%s: %s", c->request->output, strerror(errno));
    if (status) {
        anpe_output_abandon(&out);
        return status;
    }
    return anpe_output_commit(ctx, &out);
}

anpe_status anpe_calibrate(anpe_ctx *ctx, const anpe_calibrate_request *request,
                           anpe_calibrate_result *result)
{
    calibration c = {.request = request, .result = result};
    anpe_status status;
    *result = (anpe_calibrate_result){0};
    ANPE_TRY(anpe_output_check(ctx, request->output));
    ANPE_TRY(anpe_output_differs(ctx, request->output, request->config));
    ANPE_TRY(open_simulator(ctx, &c));
    ANPE_TRY(anpe_output_differs_inputs(ctx, request->output, c.settings));
    ANPE_TRY(open_stars(ctx, &c));
    ANPE_TRY(open_lines(ctx, &c));
    ANPE_TRY(open_lanes(ctx, &c));
    ANPE_TRY(choose(ctx, &c));
    ANPE_TRY(fit(ctx, &c));
    ANPE_TRY(write_list(ctx, &c));
out:
    close_calibration(&c);
    return status;
}
