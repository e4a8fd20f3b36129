/* What a synthetic spectrum is made of, and the tables of `anpe synth`; see synth.h. */
#include "file/catalogue.h"
#include "prepare/synth.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static anpe_status unsupported(anpe_ctx *ctx, const anpe_synth *s, const char *what)
{
    return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED, "simulator '%s' does not say %s",
                     s->task->simulator.plugin->name, what);
}

static anpe_status prefixed(anpe_ctx *ctx, const anpe_synth *s, anpe_status status)
{
    return status ? anpe_fail_prefix(ctx, status, "%s", s->task->simulator.plugin->name) : ANPE_OK;
}

anpe_status anpe_synth_window(anpe_ctx *ctx, const anpe_synth *s, double *low, double *high)
{
    const anpe_simulator_info *sim = &s->task->sim;
    if (!sim->wavelength)
        return unsupported(ctx, s, "the wavelengths of its pixels");
    const double first = sim->wavelength[0], last = sim->wavelength[sim->n_pixels - 1];
    if (*low <= 0)
        *low = first;
    if (*high <= 0)
        *high = last;
    if (!(*low < *high) || !isfinite(*high) || *high < first || *low > last)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%g to %g Angstrom: the spectrum is from %.2f to %.2f (vacuum)", *low,
                         *high, first, last);
    *low = fmax(*low, first);
    *high = fmin(*high, last);
    return ANPE_OK;
}

anpe_status anpe_synth_lines(anpe_ctx *ctx, anpe_synth *s, double low, double high, int64_t room,
                             anpe_simulator_line *line, int64_t *n)
{
    const anpe_simulator_ops *ops = s->task->simulator.ops;
    *n = 0;
    if (!ANPE_HAS(ops, lines))
        return unsupported(ctx, s, "which lines its spectra have");
    return prefixed(
        ctx, s,
        ops->lines(s->task->simulator.self, ctx, s->theta, low, high, room, line, n, s->scratch));
}

anpe_status anpe_synth_sources(anpe_ctx *ctx, const anpe_synth *s, int *n,
                               const char *const **names)
{
    const anpe_simulator_ops *ops = s->task->simulator.ops;
    *n = 0;
    if (!ANPE_HAS(ops, sources) || !ANPE_HAS(ops, opacity))
        return unsupported(ctx, s, "what its continuous opacity comes from");
    *names = ops->sources;
    while ((*names)[*n])
        ++*n;
    return ANPE_OK;
}

anpe_status anpe_synth_opacity(anpe_ctx *ctx, anpe_synth *s, double tau, double low, double high,
                               int64_t n, double *wavelength, double *opacity)
{
    const anpe_simulator_ops *ops = s->task->simulator.ops;
    for (int64_t i = 0; i < n; i++)
        wavelength[i] = low * pow(high / low, n > 1 ? (double)i / (double)(n - 1) : 0.5);
    return prefixed(ctx, s,
                    ops->opacity(s->task->simulator.self, ctx, s->theta, tau, n, wavelength,
                                 opacity, s->scratch));
}

/* ---- tables ------------------------------------------------------------------------------ */

/* What was computed: the simulator and the labels. */
static anpe_status describe(anpe_ctx *ctx, const anpe_synth *s, anpe_catalogue *c)
{
    char key[24], value[64];
    anpe_status status;
    ANPE_TRY(anpe_catalogue_keyword(ctx, c, "SIMULATR", s->task->simulator.plugin->name,
                                    "plugin that made the spectrum"));
    for (int64_t k = 0; k < s->n_labels && k < 999; k++) {
        snprintf(key, sizeof key, "LABEL%lld", (long long)(k + 1));
        snprintf(value, sizeof value, "%s=%.10g", s->label[k].name, s->theta[k]);
        ANPE_TRY(anpe_catalogue_keyword(ctx, c, key, value, s->label[k].unit));
    }
out:
    return status;
}

static anpe_status write_table(anpe_ctx *ctx, const anpe_synth *s, anpe_catalogue *c,
                               const char *path)
{
    anpe_status status = describe(ctx, s, c);
    if (!status)
        status = anpe_catalogue_write(ctx, c, path);
    anpe_catalogue_free(c);
    return status;
}

enum { WAVELENGTH, FLUX, CONTINUUM, SIGMA, MASK, N_COLUMNS };
static const anpe_column spectrum_columns[N_COLUMNS] = {
    {"wavelength", "Angstrom", "em.wl", "vacuum", ANPE_COLUMN_REAL, 0},
    {"flux", "", "phot.flux.density", "", ANPE_COLUMN_REAL, 0},
    {"continuum", "erg/s/cm2/A", "phot.flux.density;spect.continuum",
     "that the flux was divided by, at the surface, not broadened", ANPE_COLUMN_REAL, 0},
    {"sigma", "", "stat.error;phot.flux.density", "standard deviation of flux", ANPE_COLUMN_REAL,
     0},
    {"mask", "", "meta.code.qual", "1: bad", ANPE_COLUMN_INT64, 0}};

anpe_status anpe_synth_write(anpe_ctx *ctx, const anpe_synth *s, const char *path)
{
    const int there[N_COLUMNS] = {s->wavelength != NULL, 1, s->continuum != NULL, s->sigma != NULL,
                                  1};
    anpe_column column[N_COLUMNS];
    int of[N_COLUMNS], n = 0;
    anpe_catalogue *c;
    for (int k = 0; k < N_COLUMNS; k++)
        if (there[k]) {
            of[n] = k;
            column[n++] = spectrum_columns[k];
        }
    const anpe_status status = anpe_catalogue_new(ctx, s->n, n, column, 0, NULL, &c);
    if (status)
        return status;
    for (int64_t i = 0; i < s->n; i++)
        for (int k = 0; k < n; k++) {
            if (of[k] == MASK)
                anpe_catalogue_set_int(c, i, k, s->mask[i]);
            else
                anpe_catalogue_set_real(c, i, k,
                                        of[k] == WAVELENGTH  ? s->wavelength[i]
                                        : of[k] == FLUX      ? (double)s->flux[i]
                                        : of[k] == CONTINUUM ? (double)s->continuum[i]
                                                             : (double)s->sigma[i]);
        }
    return write_table(ctx, s, c, path);
}

anpe_status anpe_synth_write_lines(anpe_ctx *ctx, const anpe_synth *s, int64_t n,
                                   const anpe_simulator_line *line, const char *path)
{
    static const anpe_column column[] = {
        {"species", "", "phys.atmol.element", "", ANPE_COLUMN_TEXT, 24},
        {"wavelength", "Angstrom", "em.wl", "vacuum, at rest", ANPE_COLUMN_REAL, 0},
        {"excitation", "eV", "phys.energy;phys.atmol.initial", "of the lower level",
         ANPE_COLUMN_REAL, 0},
        {"log_gf", "", "phys.atmol.wOscStrength", "", ANPE_COLUMN_REAL, 0},
        {"depth", "", "spect.line.strength", "of this line alone, before broadening",
         ANPE_COLUMN_REAL, 0}};
    anpe_catalogue *c;
    const anpe_status status = anpe_catalogue_new(ctx, n, 5, column, 0, NULL, &c);
    if (status)
        return status;
    for (int64_t i = 0; i < n; i++) {
        anpe_catalogue_set_text(c, i, 0, line[i].species);
        anpe_catalogue_set_real(c, i, 1, line[i].wavelength);
        anpe_catalogue_set_real(c, i, 2, line[i].excitation);
        anpe_catalogue_set_real(c, i, 3, line[i].log_gf);
        anpe_catalogue_set_real(c, i, 4, line[i].depth);
    }
    return write_table(ctx, s, c, path);
}

/* "H- bound-free" -> "h__bound_free", which every format takes for a name. */
static void column_name(const char *source, size_t size, char *name)
{
    size_t i = 0;
    for (; source[i] && i < size - 1; i++) {
        const char ch = source[i];
        const int digit = ch >= '0' && ch <= '9', small = ch >= 'a' && ch <= 'z';
        name[i] = digit || small ? ch : ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : '_';
    }
    name[i] = 0;
}

anpe_status anpe_synth_write_opacity(anpe_ctx *ctx, const anpe_synth *s, double tau, int64_t n,
                                     const double *wavelength, const double *opacity,
                                     const char *path)
{
    const char *const *names;
    char value[32];
    int n_sources;
    anpe_catalogue *c = NULL;
    anpe_column *column = NULL;
    anpe_status status;
    ANPE_TRY(anpe_synth_sources(ctx, s, &n_sources, &names));
    ANPE_TRY(ANPE_NEW(ctx, column, n_sources + 1));
    column[0] = spectrum_columns[WAVELENGTH];
    for (int k = 0; k < n_sources; k++) {
        anpe_column *to = &column[1 + k];
        *to = (anpe_column){.unit = "cm2/g", .ucd = "phys.absorption.coeff"};
        to->type = ANPE_COLUMN_REAL;
        column_name(names[k], sizeof to->name, to->name);
        snprintf(to->help, sizeof to->help, "%s", names[k]);
    }
    ANPE_TRY(anpe_catalogue_new(ctx, n, 1 + n_sources, column, 0, NULL, &c));
    snprintf(value, sizeof value, "%.10g", tau);
    ANPE_TRY(anpe_catalogue_keyword(ctx, c, "TAUROSS", value, "Rosseland optical depth"));
    for (int64_t i = 0; i < n; i++) {
        anpe_catalogue_set_real(c, i, 0, wavelength[i]);
        for (int k = 0; k < n_sources; k++)
            anpe_catalogue_set_real(c, i, 1 + k, opacity[i * n_sources + k]);
    }
    status = write_table(ctx, s, c, path);
    c = NULL;
out:
    anpe_catalogue_free(c);
    free(column);
    return status;
}
