/* posterior/product.h -- one posterior from several of the same star that were found separately:
 *
 *     p(s, n_1 .. n_M | x_1 .. x_M)  ~  prod_k q_k(s, n_k) / p(s)^(M - 1),
 *
 * with labels s that all members share, labels n_k that are a member's own, and the prior p(s),
 * which each q_k holds once. True where the data of the members are independent given the labels
 * and the prior is p(s) prod_k p(n_k). Own labels are integrated over.
 *
 * By importance sampling, as far up the ladder (stat/ladder.h) as it takes: the proposal is the
 * members' mixture in equal parts, the others' own labels from normal-like fits to their draws. The
 * evidence of the product is p(x_1 .. x_M) / prod_k p(x_k): how much likelier the spectra are of
 * one star than of M stars that the prior knows nothing of. */
#ifndef ANPE_CORE_PRODUCT_H
#define ANPE_CORE_PRODUCT_H
#include "stat/ladder.h"
#include "model/labels.h"

enum { ANPE_PRODUCT_MEMBERS = 64 };

typedef struct anpe_product_member {
    void *user;
    int64_t n;            /* its labels D_k, */
    const int64_t *place; /* (D_k) and which of the product's each is */
    anpe_status (*draw)(void *user, anpe_ctx *ctx, anpe_rng *rng, int64_t n, double *theta);
    /* Natural log of its normalised density per unit of the labels; any n. */
    anpe_log_density_fn *log_q;
} anpe_product_member;

typedef struct anpe_product_problem {
    int64_t n_labels, n_shared; /* the shared ones first */
    const anpe_label *label;    /* (n_labels) supports */
    int n_members;              /* at most ANPE_PRODUCT_MEMBERS */
    const anpe_product_member *member;
    void *user;
    double (*log_prior)(void *user, const double *shared); /* normalised, of the shared labels */
} anpe_product_problem;

typedef struct anpe_product_result {
    anpe_ladder_result ladder;
    int64_t n;
    const double *theta;      /* (n, n_labels) borrowed until the next run */
    const double *log_weight; /* (n) normalised */
    double log_together;      /* of the evidence */
} anpe_product_result;

typedef struct anpe_product anpe_product; /* all memory, for any number of labels; one per thread */
ANPE_MUST_CHECK anpe_status anpe_product_new(anpe_ctx *ctx, const anpe_ladder_options *options,
                                             anpe_product **out);
anpe_product *anpe_product_free(anpe_product *p);
/* Decided by rng. Not reaching the options' effective draws is no error: see the ladder's result.
 */
ANPE_MUST_CHECK anpe_status anpe_product_run(anpe_product *p, anpe_ctx *ctx,
                                             const anpe_product_problem *problem, anpe_rng *rng,
                                             anpe_product_result *result);
#endif
