/* posterior/session.h -- an opened model and, per thread, what is needed to infer with it. The
 * public face is in <anpe/anpe.h>. */
#ifndef ANPE_CORE_SESSION_H
#define ANPE_CORE_SESSION_H
#include <anpe/anpe.h>
#include "model/channels.h"
#include "model/labels.h"
#include "model/view.h"
#include "model/net.h"
#include "task/task.h"

struct anpe_model {
    anpe_settings *settings;
    anpe_task *task;
    anpe_label_map *map;
    anpe_channels *channels;
    anpe_net *net;
    anpe_weights *weights;
    void *sampler;
    uint32_t seed;
    char digest[65];  /* of everything that decides the posterior */
    char *observed;   /* the spectrum that it was trained for alone, or NULL */
    int complete;     /* 0: a checkpoint of unfinished training */
    int can_simulate; /* the simulator could be opened: chi2 can be given */
    char *lacks;      /* why it could not, or NULL */
    int64_t n_inputs; /* records "option SHA-256 path" of the files that it was trained with */
    char **inputs;
};

struct anpe_session {
    const anpe_model *model;
    int64_t batch, ahead, max_draws;
    anpe_executor *executor;
    anpe_bench *bench; /* NULL when the simulator could not be opened */
    anpe_view *view;
    anpe_coordinates *coordinates;     /* (batch) of each spectrum */
    float *z, *u, *y;                  /* (max_draws, D) */
    float *log_q;                      /* (max_draws) in flow coordinates */
    float *room;                       /* (pixels) */
    void *scratch;                     /* of the flow's sample */
    anpe_spectrum spectrum;            /* of the last anpe_infer, reduced */
    int inferred;                      /* there was one */
    struct anpe_flow_density *density; /* of log_density.c; NULL until it is asked for */
    double *density_y;
};

/* As anpe_model_open, with "PATH=VALUE" for what may be set when a model is used: model/inputs.h.
 */
ANPE_MUST_CHECK anpe_status anpe_model_open_with(anpe_ctx *ctx, const char *path, int n_sets,
                                                 const char *const *sets, anpe_model **out);
/* As anpe_session_new, for featurizing `batch` spectra at once. */
ANPE_MUST_CHECK anpe_status anpe_session_new_batch(anpe_ctx *ctx, const anpe_model *model,
                                                   int64_t batch, int64_t max_draws,
                                                   anpe_session **out);
/* As anpe_session_new, for looking at `ahead` spectra together and featurizing one after the other.
 */
ANPE_MUST_CHECK anpe_status anpe_session_new_ahead(anpe_ctx *ctx, const anpe_model *model,
                                                   int64_t ahead, int64_t max_draws,
                                                   anpe_session **out);
/* Why a spectrum with bad values cannot be given to the model, or NULL: without wavelengths a
 * network that does not see the mask would take what stands in their place for data. */
const char *anpe_model_misses_mask(const anpe_model *m, const anpe_spectrum *s);
/* A reduced spectrum into place i < batch: its inputs and its coordinates. */
ANPE_MUST_CHECK anpe_status anpe_session_look(anpe_session *s, anpe_ctx *ctx, int64_t i,
                                              const anpe_spectrum *spectrum);
/* n reduced spectra at once, and then the i-th of them into place 0, once: as anpe_session_look
 * does it, to the last bit. An error may be any spectrum's. */
ANPE_MUST_CHECK anpe_status anpe_session_look_ahead(anpe_session *s, anpe_ctx *ctx, int64_t n,
                                                    const anpe_spectrum *const *spectrum);
void anpe_session_show(anpe_session *s, int64_t i, const anpe_spectrum *spectrum);
/* As anpe_view_jacobian, of the i-th of them. */
const float *anpe_session_jacobian(const anpe_session *s, int64_t i);
const float *anpe_session_input(const anpe_session *s, int64_t i); /* (L, C) of spectrum i */
/* Context vectors of the first n spectra that were looked at. */
void anpe_session_featurize(anpe_session *s, int64_t n);
const float *anpe_session_context(const anpe_session *s, int64_t i); /* (F) of spectrum i */
/* n draws for spectrum i of the last featurize -> theta (n, D) and log q in physical units (n). */
ANPE_MUST_CHECK anpe_status anpe_session_draw(anpe_session *s, anpe_ctx *ctx, int64_t i, int64_t n,
                                              anpe_rng *rng, double *theta, double *log_q);
/* Are the files of these options ("noise") those of the training? See model/inputs.h. */
ANPE_MUST_CHECK anpe_status anpe_model_check_inputs(anpe_ctx *ctx, const anpe_model *m,
                                                    const char *group);
/* Whether model spectra can be given: the simulator is there, and all of its labels are inferred.
 */
int anpe_model_predicts(const anpe_model *m);
/* The same as a status: ANPE_EUNSUPPORTED with the reason when the simulator could not be
 * opened or the posterior leaves simulator labels open. */
ANPE_MUST_CHECK anpe_status anpe_model_can_predict(anpe_ctx *ctx, const anpe_model *m);
/* The model spectrum at theta (D), reduced with the error bars, mask and continuum rule of an
 * observed, reduced spectrum -> *flux (P), borrowed until the next call, and chi2 over its good
 * pixels. Only where anpe_model_can_predict. */
ANPE_MUST_CHECK anpe_status anpe_session_predict(anpe_session *s, anpe_ctx *ctx, const float **flux,
                                                 double *chi2, int64_t *n_good, const double *theta,
                                                 const anpe_spectrum *observed);
/* chi2 alone; NAN without a simulator or where the posterior leaves simulator labels open. */
ANPE_MUST_CHECK anpe_status anpe_session_chi2(anpe_session *s, anpe_ctx *ctx, const double *theta,
                                              const anpe_spectrum *observed, double *chi2,
                                              int64_t *n_good);
/* The same of n spectra at once, at most those to look at together; theta (n, D). What cannot be
 * given is NAN. */
void anpe_session_chi2_all(anpe_session *s, anpe_ctx *ctx, int64_t n, const double *theta,
                           const anpe_spectrum *const *observed, double *chi2, int64_t *n_good);
#endif
