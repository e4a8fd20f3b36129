/* prepare/synth.h -- one spectrum from labels, and what it is made of: what `anpe synth` does. */
#ifndef ANPE_CORE_SYNTH_H
#define ANPE_CORE_SYNTH_H
#include "task/task.h"

typedef struct anpe_synth_request {
    const char *source; /* configuration, model or emulator */
    int n_sets;
    const char *const
        *sets;         /* LABEL=VALUE; with a dot in its name PATH=VALUE of the configuration */
    int pixels;        /* on the instrument's pixels, with its line-spread function */
    int observed;      /* the same, and an observation of it: error bars, mask, noise */
    double resolution; /* on the simulator's pixels: lambda / FWHM to blur to; 0: as it is */
    uint32_t seed;     /* of the noise */
} anpe_synth_request;

typedef struct anpe_synth {
    const anpe_synth_request *request;
    anpe_settings *settings;
    anpe_task *task;
    int64_t n_labels;
    anpe_label *label; /* (n_labels) those that can be set */
    double *theta;     /* (n_labels) */
    int64_t n_own;     /* the first of them, the simulator's own, unless pixels or observed */
    void *scratch;     /* of the simulator, for one spectrum */
    /* the spectrum: NULL where there is no such thing */
    int64_t n;
    double *wavelength; /* (n) vacuum Angstrom, observed frame */
    float *flux;        /* (n) */
    float *continuum;   /* (n) erg/s/cm2/A at the surface, before broadening */
    float *sigma;       /* (n) */
    uint8_t *mask;      /* (n) 1: bad, or beyond what the simulator has */
} anpe_synth;

/* Reads and checks all, simulates nothing. request must outlive it. */
ANPE_MUST_CHECK anpe_status anpe_synth_open(anpe_ctx *ctx, const anpe_synth_request *request,
                                            anpe_synth *s);
void anpe_synth_close(anpe_synth *s);
ANPE_MUST_CHECK anpe_status anpe_synth_run(anpe_ctx *ctx, anpe_synth *s);
/* Columns wavelength, flux and what else there is, the labels as keywords; .fits, .h5 or .csv. */
ANPE_MUST_CHECK anpe_status anpe_synth_write(anpe_ctx *ctx, const anpe_synth *s, const char *path);

/* The simulator's window, which low and high (0: its ends) narrow; checked. */
ANPE_MUST_CHECK anpe_status anpe_synth_window(anpe_ctx *ctx, const anpe_synth *s, double *low,
                                              double *high);
/* line (room): the strongest lines between low and high, rest wavelengths; ANPE_EUNSUPPORTED where
 * the simulator knows of none. */
ANPE_MUST_CHECK anpe_status anpe_synth_lines(anpe_ctx *ctx, anpe_synth *s, double low, double high,
                                             int64_t room, anpe_simulator_line *line, int64_t *n);
ANPE_MUST_CHECK anpe_status anpe_synth_write_lines(anpe_ctx *ctx, const anpe_synth *s, int64_t n,
                                                   const anpe_simulator_line *line,
                                                   const char *path);
/* Names of the sources of continuous opacity (*n_sources), borrowed; ANPE_EUNSUPPORTED. */
ANPE_MUST_CHECK anpe_status anpe_synth_sources(anpe_ctx *ctx, const anpe_synth *s, int *n_sources,
                                               const char *const **names);
/* opacity (n, n_sources) at n wavelengths even in ln(lambda) from low to high -> wavelength (n). */
ANPE_MUST_CHECK anpe_status anpe_synth_opacity(anpe_ctx *ctx, anpe_synth *s, double tau, double low,
                                               double high, int64_t n, double *wavelength,
                                               double *opacity);
ANPE_MUST_CHECK anpe_status anpe_synth_write_opacity(anpe_ctx *ctx, const anpe_synth *s, double tau,
                                                     int64_t n, const double *wavelength,
                                                     const double *opacity, const char *path);
#endif
