/* stat/ladder.h -- weighted draws of a density that can be evaluated, from a proposal that may be
 * poor, until a wanted effective size is reached. Says nothing of spectra.
 *
 *   proposal   draws of the proposal
 *   more       as many as the efficiency of those asks for
 *   newton     normal distributions at the maxima that Newton steps from the best draws lead to,
 *              with wider ones about them and a twentieth of the proposal, so that weights are
 *              bounded by those of the proposal and a maximum that only it knows is not lost
 *   defensive  half from the proposal, half from wide Student t distributions around what was found
 *   adaptive   mixtures of Student t fitted again and again to all weighted draws so far, their
 *              weights tempered while they are few (adaptive multiple importance sampling: Cornuet,
 *              Marin, Mira & Robert 2012)
 *   mcmc       independent ensembles of walkers (stat/ensemble.h)
 *
 * The effective size of a block of draws is overestimated by that same block where large weights
 * are rare. So no block decides its own length: an earlier one gives the efficiency, a fresh one of
 * the length that follows has to reach the wanted size with k-hat within its limit, and the result
 * is that block alone. Up to a half of the evaluations go to importance sampling, the rest is kept
 * for mcmc. */
#ifndef ANPE_CORE_LADDER_H
#define ANPE_CORE_LADDER_H
#include "stat/ensemble.h"
#include "stat/newton.h"

typedef enum anpe_rung {
    ANPE_RUNG_PROPOSAL,
    ANPE_RUNG_MORE,
    ANPE_RUNG_NEWTON,
    ANPE_RUNG_DEFENSIVE,
    ANPE_RUNG_ADAPTIVE,
    ANPE_RUNG_MCMC
} anpe_rung;
enum { ANPE_N_RUNGS = 6 };
extern const char *const anpe_rung_names[ANPE_N_RUNGS];

typedef struct anpe_ladder_options {
    double ess;              /* effective draws that are wanted */
    int64_t max_evaluations; /* of the density, all rungs together */
    anpe_rung last;          /* where the ladder ends */
} anpe_ladder_options;
/* 500 effective draws, 100000 evaluations, the whole ladder. */
anpe_ladder_options anpe_ladder_defaults(void);

/* Coordinates x (D) in which the target is nearer to a normal distribution than in y, cut off at
 * the sides of a box. */
typedef struct anpe_ladder_box {
    const double *low, *high;                                 /* (D), may be infinite */
    double (*from_y)(void *user, const double *y, double *x); /* returns log |d x / d y| */
    void (*to_y)(void *user, const double *x, double *y);
    anpe_expand_fn *expand; /* of the target per unit of x; costs D + 1 evaluations */
    anpe_probe_fn *probe;   /* the same; costs one */
} anpe_ladder_box;

/* In coordinates y (D) without bounds. Chunks of any length n are asked for. */
typedef struct anpe_ladder_problem {
    int64_t width; /* D */
    void *user;
    /* n draws of the proposal -> y (n, D), log q (n) */
    anpe_status (*draw)(void *user, anpe_ctx *ctx, anpe_rng *rng, int64_t n, double *y,
                        double *log_q);
    anpe_log_density_fn *log_q;  /* the proposal's normalised density */
    anpe_log_density_fn *target; /* of the density wanted; its integral is the evidence */
    const anpe_ladder_box *box;  /* NULL: no rung newton */
} anpe_ladder_problem;

typedef struct anpe_ladder_result {
    int exact; /* 1: the wanted size was reached with k-hat within its limit, or R-hat <= 1.01 */
    anpe_rung rung;
    char reason[160];       /* why it is not exact; "" if it is */
    int64_t n_evaluations;  /* all rungs */
    double ess, efficiency; /* effective draws behind the numbers; per draw */
    double khat;            /* of the weights behind the numbers; NAN at rung mcmc */
    double rhat;            /* NAN below rung mcmc */
    /* natural log of the evidence, and its sd: from fresh draws of a mixture fitted to the draws
     * behind the numbers, unless they are not exact or its weights are worse than theirs */
    double log_evidence, log_evidence_err;
    /* of the proposal alone: by its first draws, and where Newton steps left few of these the
     * efficiency by the draws behind the numbers */
    double proposal_efficiency, proposal_khat;
    /* the weighted draws, borrowed until the next climb */
    int64_t n;
    const double *y;          /* (n, D) */
    const double *log_q;      /* (n) of what they were drawn from; NAN at rung mcmc */
    const double *log_weight; /* (n) normalised: exp sums to 1 */
    const double *log_target; /* (n) */
} anpe_ladder_result;

typedef struct anpe_ladder anpe_ladder; /* all memory */
ANPE_MUST_CHECK anpe_status anpe_ladder_new(anpe_ctx *ctx, int64_t width,
                                            const anpe_ladder_options *options, anpe_ladder **out);
anpe_ladder *anpe_ladder_free(anpe_ladder *l);
/* The most draws that a result can have. */
int64_t anpe_ladder_room(const anpe_ladder_options *options, int64_t width);
/* An error is one of the problem's functions; a precision that is not reached is not an error. */
ANPE_MUST_CHECK anpe_status anpe_ladder_climb(anpe_ladder *l, anpe_ctx *ctx,
                                              const anpe_ladder_problem *problem, anpe_rng *rng,
                                              anpe_ladder_result *result);
#endif
