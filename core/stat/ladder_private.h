/* stat/ladder_private.h -- the ladder from the inside, for the files of its rungs:
 *
 *     ladder_block.c     a block of draws, its weights and the pool; the proposal's first draws
 *     ladder_newton.c    the rung newton
 *     ladder_mixture.c   the rungs defensive and adaptive; the evidence
 *     ladder_mcmc.c      the rung mcmc
 *     ladder.c           memory, the rungs proposal and more, and the order of all
 *
 * `block` is what was drawn last and what the result is made of; `pool` is a part of all draws so
 * far, from which the mixtures are fitted with deterministic mixture weights: target over the
 * density of all proposals together, each as often as it was drawn from. */
#ifndef ANPE_CORE_LADDER_PRIVATE_H
#define ANPE_CORE_LADDER_PRIVATE_H
#include "stat/ladder.h"
#include "stat/mixture.h"
#include "stat/moments.h"
#include "stat/truncated.h"

enum {
    ANPE_LADDER_PILOT = 1000,   /* draws that the first efficiency comes from; the shortest block */
    ANPE_LADDER_STEPS = 12,     /* fits of a mixture */
    ANPE_LADDER_COMPONENTS = 4, /* fitted; one more is the wide one */
    ANPE_LADDER_POOL = 32768,
    ANPE_LADDER_EVIDENCE = 1000, /* draws for the evidence */
    ANPE_LADDER_OPTIMA = 4,      /* maxima that are kept */
    ANPE_LADDER_NEWTONS = 3,     /* times that the rung newton begins again with one more */
    ANPE_LADDER_SCALES = 3,      /* widths about an optimum */
    ANPE_LADDER_SOURCES = ANPE_LADDER_STEPS + ANPE_LADDER_NEWTONS + 2
};
static const double anpe_ladder_rhat = 1.01; /* chains of more have not converged */

typedef struct anpe_ladder_source { /* share of the problem's proposal, the rest from a mixture */
    double share;
    anpe_mixture *mixture;
    anpe_truncated *boxed; /* not NULL: in its place, in the box's coordinates */
    int64_t n_pool;
    /* the evidence from all blocks of this source */
    int64_t n;
    double log_evidence, error; /* error: of the logarithm */
} anpe_ladder_source;

typedef struct anpe_ladder_draws {
    int64_t n, room;
    double *y;                  /* (room, D) */
    double *log_target, *log_p; /* (room) log_p: of the problem's proposal */
    double *log_q;              /* (room) of the source; pool: sum over sources of n_pool q */
    double *log_weight;         /* (room) */
} anpe_ladder_draws;

struct anpe_ladder {
    anpe_ladder_options options;
    int64_t width, step;                  /* draws of one adaptive step */
    anpe_ladder_draws block, pool, spare; /* spare: the evidence's block */
    int n_sources;
    anpe_ladder_source source[ANPE_LADDER_SOURCES]; /* 0: the proposal alone */
    anpe_truncated *boxed[ANPE_LADDER_NEWTONS];
    anpe_newton *newton;
    int n_optima;
    anpe_optimum optimum[ANPE_LADDER_OPTIMA + 1]; /* the last one is being tried */
    double *x;                                    /* (3, D) */
    anpe_moments *moments;                        /* (D) */
    anpe_ensemble *ensemble;
    int64_t n_walkers;
    double *resp; /* (ANPE_LADDER_POOL, ANPE_LADDER_COMPONENTS + 1) */
    int64_t *row; /* (n_walkers) */
    anpe_ranked *ranked;
    /* this climb */
    const anpe_ladder_problem *problem;
    anpe_rng *rng;
    anpe_ladder_result *result;
};

/* ---- a block of draws -------------------------------------------------------------------- */

/* n draws of source s into b, with weights and the summary of these. The shares are kept exactly,
 * so that the density is that of the whole set. */
ANPE_MUST_CHECK anpe_status anpe_ladder_draw(anpe_ladder *l, anpe_ctx *ctx, int s, int64_t n,
                                             anpe_ladder_draws *b, anpe_weights_summary *w);
/* A part of the draws of the block, of source s, joins the pool. */
void anpe_ladder_add_to_pool(anpe_ladder *l, int s);
/* The block, of source s, becomes the result. */
void anpe_ladder_set_result(anpe_ladder *l, int s, anpe_rung rung, const anpe_weights_summary *w);
/* Length that a block should have by the efficiency of another of n; 0: it is not worth trying. */
int64_t anpe_ladder_planned(const anpe_ladder *l, const anpe_weights_summary *w, int64_t n,
                            int64_t shortest);
/* A block of the length that w, of the last block, asks for: it decides. w is then its own. */
ANPE_MUST_CHECK anpe_status anpe_ladder_decide(anpe_ladder *l, anpe_ctx *ctx, int s, anpe_rung rung,
                                               anpe_weights_summary *w);
/* n draws of the proposal, that decide nothing. */
ANPE_MUST_CHECK anpe_status anpe_ladder_pilot(anpe_ladder *l, anpe_ctx *ctx, int64_t n,
                                              anpe_weights_summary *w);

/* ---- rungs ------------------------------------------------------------------------------- */

ANPE_MUST_CHECK anpe_status anpe_ladder_climb_newton(anpe_ladder *l, anpe_ctx *ctx);
ANPE_MUST_CHECK anpe_status anpe_ladder_climb_mixtures(anpe_ladder *l, anpe_ctx *ctx);
ANPE_MUST_CHECK anpe_status anpe_ladder_climb_mcmc(anpe_ladder *l, anpe_ctx *ctx);
ANPE_MUST_CHECK anpe_status anpe_ladder_measure_evidence(anpe_ladder *l, anpe_ctx *ctx);
/* Weights of the pool: log_weight as they are, then tempered until `enough` effective ones are
 * there, and relative to the largest. Returns their effective size; 0 when all are zero. */
double anpe_ladder_weigh_pool(anpe_ladder *l, double enough);
#endif
