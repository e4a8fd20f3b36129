/* anpe/anpe.h -- to embed the library: open a model, infer a spectrum.
 *
 *     anpe_ctx *ctx = anpe_ctx_new();
 *     anpe_model *model = NULL;
 *     if (anpe_model_open(ctx, "apogee.h5", &model))
 *         fprintf(stderr, "%s\n", anpe_error(ctx));
 *     model = anpe_model_close(model);
 *     ctx = anpe_ctx_free(ctx);
 *
 * Functions return anpe_status; anpe_error(ctx) has the message of the last failure. A context
 * belongs to one thread. `free` functions take NULL and return NULL.
 *
 * What is the whole program's stays as the program has it: its locale (numbers are read and written
 * with a decimal point all the same), HDF5's error stack, error handler and clean-up at exit. HDF5
 * is used in anpe_model_open alone, not safe beside HDF5 calls of other threads.
 *
 * What opening a model does change beyond its own memory, with the backend `openblas`: the library
 * OpenBLAS is loaded, if the program has not done so (its kernels and its number of threads are
 * then chosen anew: it may be loaded, unloaded and loaded again, with OPENBLAS_CORETYPE and
 * OPENBLAS_NUM_THREADS set in the environment meanwhile and put back, so no other thread may read
 * or change the environment then), stays loaded, and is set to one thread a call
 * (openblas_set_num_threads(1)). A program that uses OpenBLAS itself, and has loaded it before,
 * keeps its kernels (a warning says when these are poor for the processor), but not its number of
 * threads.
 */
#ifndef ANPE_ANPE_H
#define ANPE_ANPE_H
#include <anpe/plugin.h>
#ifdef __cplusplus
extern "C" {
#endif

ANPE_EXPORT const char *anpe_version(void);

/* ---- context ----------------------------------------------------------------------------- */
typedef void anpe_log_fn(void *user, anpe_level level, const char *line);
typedef void anpe_progress_fn(void *user, const char *what, double done, double total);

ANPE_EXPORT anpe_ctx *anpe_ctx_new(void); /* NULL: out of memory */
ANPE_EXPORT anpe_ctx *anpe_ctx_free(anpe_ctx *ctx);
ANPE_EXPORT const char *anpe_error(const anpe_ctx *ctx); /* message of the last failure */
ANPE_EXPORT const char *anpe_error_file(const anpe_ctx *ctx, int *line); /* where it was raised */
ANPE_EXPORT const char *anpe_status_name(anpe_status status);            /* "ANPE_EIO" */
ANPE_EXPORT const char *anpe_status_text(anpe_status status); /* "cannot read or write a file" */
ANPE_EXPORT void anpe_ctx_set_log(anpe_ctx *ctx, anpe_log_fn *sink, void *user);
ANPE_EXPORT void anpe_ctx_set_progress(anpe_ctx *ctx, anpe_progress_fn *sink, void *user);
/* Asks long work to end soon with ANPE_ECANCEL. Safe in a signal handler. */
ANPE_EXPORT void anpe_ctx_cancel(anpe_ctx *ctx);

/* ---- models and posteriors --------------------------------------------------------------- */

typedef struct anpe_model anpe_model;     /* opened once, shared by threads, read-only */
typedef struct anpe_session anpe_session; /* memory to infer with; one per thread */

/* Opens a model file and the plugins it names. A simulator that cannot be opened (its emulator was
 * moved, or by its SHA-256 is another one, say) is a warning: chi2 is then not available. Not
 * thread-safe: before threads start. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_model_open(anpe_ctx *ctx, const char *path,
                                                        anpe_model **out);
/* The file of a model: of a name without '.' or '/' that is no file here, the newest model of that
 * name, or NAME@VERSION, in the directories of ANPE_ZOO, the user's zoo
 * ($XDG_DATA_HOME/anpe/zoo) and the installed one; everything else is a path, and stays as it is.
 * -> *path, to be free'd. ANPE_EINVAL: there is no such model, with the nearest name. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_model_find(anpe_ctx *ctx, const char *name,
                                                        char **path);
ANPE_EXPORT anpe_model *anpe_model_close(anpe_model *model);
/* The labels of the posterior, in its order, with units and the prior's support. */
ANPE_EXPORT int64_t anpe_model_labels(const anpe_model *model, const anpe_label **labels);
/* Pixels of a spectrum and, unless the instrument has none, their wavelengths (vacuum Angstrom). */
ANPE_EXPORT int64_t anpe_model_pixels(const anpe_model *model, const double **wavelength);

/* Everything that inference needs is allocated here: for up to max_draws draws a spectrum. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_session_new(anpe_ctx *ctx, const anpe_model *model,
                                                         int64_t max_draws, anpe_session **out);
ANPE_EXPORT anpe_session *anpe_session_free(anpe_session *session);
/* One spectrum as the survey has it, on the instrument's pixels: flux, sigma (n), mask (n, 1 = bad;
 * may be NULL). Continuum rule, bad pixels and inpainting are applied here. Fills theta
 * (n_draws, D) in physical units and, unless NULL, log_q (n_draws), the log density per unit of
 * the labels. The same seed and index give the same draws. ANPE_EFORMAT: no good pixel, or,
 * without wavelengths, a value that is not finite and not masked, or a bad one that the model does
 * not see (docs/book/files.md). */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_infer(anpe_session *session, anpe_ctx *ctx,
                                                   int64_t n_draws, double *theta, double *log_q,
                                                   const float *flux, const float *sigma,
                                                   const uint8_t *mask, uint32_t seed,
                                                   int64_t index);

/* The simulator's spectrum at labels theta (D), under the continuum rule with the error bars and
 * mask of the last spectrum given to anpe_infer in this session -> model (n), normalised, and,
 * unless NULL, chi2 over its good pixels and how many these are. ANPE_EUNSUPPORTED: the simulator
 * could not be opened, or the posterior does not have all of its labels; ANPE_EINVAL: no spectrum
 * yet, or labels that the simulator was not made for, a radial velocity at which it has no flux for
 * some good pixels included. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_predict(anpe_session *session, anpe_ctx *ctx,
                                                     float *model, double *chi2, int64_t *n_good,
                                                     const double *theta);

/* log q of labels theta (n, D) given the last spectrum of this session -> log_q (n): natural log of
 * the density per unit of the labels, -infinity outside of the prior's support. For any n. The
 * first call allocates. ANPE_EINVAL: no spectrum yet, or labels that are not finite. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_log_density(anpe_session *session, anpe_ctx *ctx,
                                                         int64_t n, double *log_q,
                                                         const double *theta);

/* ---- files of spectra -------------------------------------------------------------------- */

typedef struct anpe_spectra anpe_spectra; /* an open file; its model and context must outlive it */

/* A file of the survey, or HDF5 (docs/book/files.md), as the model's instrument reads it. One
 * thread at a time, and not beside HDF5 calls of other threads. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_spectra_open(anpe_ctx *ctx, const anpe_model *model,
                                                          const char *path, anpe_spectra **out);
ANPE_EXPORT anpe_spectra *anpe_spectra_close(anpe_spectra *spectra);
ANPE_EXPORT int64_t anpe_spectra_count(const anpe_spectra *spectra); /* at least 1 */
/* Spectrum `row`, from 0 -> flux, sigma, mask (anpe_model_pixels each; 1 = bad), as anpe_infer
 * takes them, and, unless NULL, its identifier. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_spectra_read(anpe_spectra *spectra, anpe_ctx *ctx,
                                                          int64_t row, float *flux, float *sigma,
                                                          uint8_t *mask, char id[80]);

/* ---- many stars -------------------------------------------------------------------------- */

/* What `anpe infer` does. Start from ANPE_RUN_DEFAULT. Either files or spectra in memory; all is
 * borrowed for the time of the call. */
typedef struct anpe_run {
    size_t size;        /* sizeof(anpe_run) */
    const char *model;  /* file */
    anpe_model *opened; /* this model, opened already: no other thread may work with it meanwhile;
                         * NULL: it is opened for the call, and `sets` may say how */
    int64_t n_files;
    const char *const *files;
    int64_t n_spectra; /* of anpe_model_pixels values each: */
    const float *flux, *sigma;
    const uint8_t *mask;    /* 1 = bad; NULL: none is */
    const char *const *ids; /* (n_spectra), or NULL: "[0]", "[1]", ... */
    int64_t n_sets;         /* "PATH=VALUE", as --set of anpe infer */
    const char *const *sets;
    int64_t n_draws;   /* of each star */
    int keep_draws;    /* 1: all of them stay in memory */
    int threads;       /* 0: all usable cores */
    uint32_t seed;     /* star i has the draws of anpe_infer with this seed and index i */
    int exact;         /* 1: importance sampling of every star, as --exact */
    double exact_ess;  /* effective draws that it is to reach */
    int64_t exact_max; /* most evaluations of the likelihood for a star */
} anpe_run;
#define ANPE_RUN_DEFAULT                                                                           \
    ((anpe_run){.size = sizeof(anpe_run),                                                          \
                .n_draws = 1000,                                                                   \
                .seed = 1,                                                                         \
                .exact_ess = 500,                                                                  \
                .exact_max = 100000})

typedef struct anpe_stars anpe_stars; /* the rows of a catalogue */

/* A spectrum that cannot be used keeps its row, with the flag FAILED and its reason; where none can
 * be used the call fails with that of the first. Not beside HDF5 calls of
 * other threads. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_stars_infer(anpe_ctx *ctx, const anpe_run *run,
                                                         anpe_stars **out);
ANPE_EXPORT anpe_stars *anpe_stars_free(anpe_stars *stars);
ANPE_EXPORT int64_t anpe_stars_count(const anpe_stars *stars);

/* The columns of docs/book/files.md. type: 'd' real, 'i' integer, 't' text. */
typedef struct anpe_column_info {
    const char *name, *unit, *ucd, *help;
    char type;
} anpe_column_info;
ANPE_EXPORT int anpe_stars_columns(const anpe_stars *stars, const anpe_column_info **columns);
/* A cell of a column of that type; of any other NAN, 0, "". */
ANPE_EXPORT double anpe_stars_real(const anpe_stars *stars, int64_t row, int column);
ANPE_EXPORT int64_t anpe_stars_integer(const anpe_stars *stars, int64_t row, int column);
ANPE_EXPORT const char *anpe_stars_text(const anpe_stars *stars, int64_t row, int column);
/* The draws (stars, n_draws, D) in the order of anpe_model_labels, NAN for a star that failed, and,
 * unless NULL, *log_q (stars, n_draws); NULL unless they were kept. With `exact` they are a
 * resampling of the weighted ones, with equal weights. */
ANPE_EXPORT const double *anpe_stars_draws(const anpe_stars *stars, const double **log_q);
/* The catalogue, in the format of its name's end. Written whole or not at all. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_stars_write(anpe_ctx *ctx, const anpe_stars *stars,
                                                         const char *path);
/* The name of a bit of the column `flags`, from 0, and, unless NULL, what it says; NULL: no such
 * bit. */
ANPE_EXPORT const char *anpe_flag_name(int bit, const char **help);

#ifdef __cplusplus
}
#endif
#endif
