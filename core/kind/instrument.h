/* kind/instrument.h -- what the core does with an instrument: read one observed spectrum and
 * bring it to the form that simulated spectra have. */
#ifndef ANPE_CORE_INSTRUMENT_H
#define ANPE_CORE_INSTRUMENT_H
#include "kind/component.h"
#include "file/spectra_file.h"

typedef struct anpe_instrument {
    anpe_component component;
    anpe_instrument_info info;
    const char *name;
} anpe_instrument;

/* From the group `instrument`. */
ANPE_MUST_CHECK anpe_status anpe_instrument_new(anpe_ctx *ctx, anpe_settings *settings,
                                                anpe_instrument *out);
void anpe_instrument_clear(anpe_instrument *i);
/* Number of values of one spectrum: channels * n_pixels. */
int64_t anpe_instrument_size(const anpe_instrument *i);

/* A file of spectra that is read row by row: HDF5 (*.h5, *.hdf5) by the core, which keeps it open,
 * anything else by the plugin, for which it is held in memory (anpe_file_hold). Main thread only.
 */
typedef struct anpe_input {
    anpe_ctx *ctx;         /* which holds the file; NULL: closed */
    const char *path;      /* borrowed */
    anpe_spectra_file *h5; /* NULL: the plugin reads it */
    int named;             /* the file gave the spectrum last read an identifier */
} anpe_input;
ANPE_MUST_CHECK anpe_status anpe_input_open(const anpe_instrument *i, anpe_ctx *ctx,
                                            const char *path, anpe_input *out);
void anpe_input_close(anpe_input *in);
/* How many spectra the file holds. Where the instrument's files hold one, it is not opened. */
ANPE_MUST_CHECK anpe_status anpe_instrument_count(const anpe_instrument *i, anpe_ctx *ctx,
                                                  const anpe_input *in, int64_t *n);
/* One spectrum, checked: non-finite values and error bars that stand for none are bad pixels,
 * excluded pixels too; a spectrum without a good pixel is an error, with wavelengths also error
 * bars that no spectrograph reaches (anpe_spectrum_check_errors), without them a value that is not
 * finite and has no mask. Not yet normalised. s->id without an identifier in the file: the file's
 * base name, and [row] where it is HDF5 or no first row. A file that another instrument knows for
 * its own is refused by that instrument's name. */
ANPE_MUST_CHECK anpe_status anpe_instrument_read(const anpe_instrument *i, anpe_ctx *ctx,
                                                 anpe_input *in, int64_t row, anpe_spectrum *s);
/* The same for a spectrum from elsewhere, called `name` in messages; room (channels * n_pixels). */
ANPE_MUST_CHECK anpe_status anpe_instrument_judge(const anpe_instrument *i, anpe_ctx *ctx,
                                                  const char *name, anpe_spectrum *s, float *room);
/* The continuum rule in place; re-entrant. */
ANPE_MUST_CHECK anpe_status anpe_instrument_normalise(const anpe_instrument *i, anpe_ctx *ctx,
                                                      const uint8_t *continuum, anpe_spectrum *s);
/* The shapes that the rule takes out -> mode (returned number, n_pixels) unless NULL; 0: none
 * known.
 */
int64_t anpe_instrument_continuum_modes(const anpe_instrument *i, float *mode);
/* How a model spectrum is divided by its continuum, and whether the derivatives of that are known:
 * not where the rule can only be called. */
typedef enum anpe_division {
    ANPE_DIVISION_CALLED,
    ANPE_DIVISION_NONE,  /* there is no rule */
    ANPE_DIVISION_MODES, /* by a linear fit of its modes: continuum_weights */
    ANPE_DIVISION_ROWS   /* by another continuum that is linear in the flux: continuum */
} anpe_division;
anpe_division anpe_instrument_division(const anpe_instrument *i);
/* The operations of that name, as plugin.h has them; s: of whom sigma and mask are. */
ANPE_MUST_CHECK anpe_status anpe_instrument_continuum_weights(const anpe_instrument *i,
                                                              anpe_ctx *ctx,
                                                              const uint8_t *continuum,
                                                              const anpe_spectrum *s,
                                                              double *weight);
ANPE_MUST_CHECK anpe_status anpe_instrument_continuum(const anpe_instrument *i, anpe_ctx *ctx,
                                                      const uint8_t *continuum_set,
                                                      const anpe_spectrum *s, int64_t n,
                                                      const float *flux, float *continuum);
/* Excluded pixels become bad. */
void anpe_instrument_exclude(const anpe_instrument *i, anpe_spectrum *s);
#endif
