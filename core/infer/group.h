/* infer/group.h -- one posterior for all spectra of a star, of one model or several: what
 * `anpe infer --group` does. See posterior/product.h for how. */
#ifndef ANPE_CORE_GROUP_H
#define ANPE_CORE_GROUP_H
#include "infer/infer.h"
#include "posterior/product.h"

typedef struct anpe_group_request {
    anpe_infer_request infer; /* model: the first; files, output, posterior with n_draws, seed,
                               * threads, sets (for every model) and nothing else */
    int n_models;             /* with the first */
    const char *const *models;
    const char *table; /* catalogue with columns `group` and `file`, perhaps `row` and `model`;
                        * NULL: spectra of infer.files with one identifier are of one star */
    int64_t n_own;     /* labels that each spectrum has for itself ("rv"), in any model */
    const char *const *own;
    anpe_ladder_options ladder;
} anpe_group_request;

/* A row a star, of the shared labels. Models whose shared labels have another unit, support or
 * prior are refused, and so is a label that only some models have unless it is an own one. A
 * spectrum that cannot be used is left out of its star and logged; a star without any fails. */
ANPE_MUST_CHECK anpe_status anpe_infer_groups(anpe_ctx *ctx, const anpe_group_request *request,
                                              anpe_infer_result *result);

/* group_labels.c: what the models' labels have in common. */
typedef struct anpe_group_labels {
    int n_models;
    anpe_model *const *model; /* borrowed */
    int64_t n_shared;
    anpe_label *shared;     /* (n_shared), in the order of the first model */
    int64_t **shared_place; /* (n_models)(labels of the model): which shared label each is; -1: its
                             * own */
    double **rest, *rest_density; /* (n_models): where labels of its prior that are not shared stand
                                   * when that is evaluated, and the log of their density there */
} anpe_group_labels;
ANPE_MUST_CHECK anpe_status anpe_group_labels_new(anpe_ctx *ctx, int n_models,
                                                  anpe_model *const *model, int64_t n_own,
                                                  const char *const *own, anpe_group_labels **out);
anpe_group_labels *anpe_group_labels_free(anpe_group_labels *g);
/* The first model's prior of the shared labels (n_shared). */
double anpe_group_log_prior(const anpe_group_labels *g, const double *shared);

/* group_list.c: which spectra there are and whose they are. */
typedef struct anpe_group_spectrum {
    int model;
    const char *file;
    int64_t row;
    char id[80];
    int named;
    char reason[160]; /* why it cannot be used, "" */
} anpe_group_spectrum;
typedef struct anpe_group_list {
    int64_t n, n_stars, capacity;
    anpe_group_spectrum *spectrum; /* (n) a star's beside each other */
    int64_t *star;                 /* (n_stars + 1) the first of each */
    int64_t n_names;
    char **name; /* (n_names) files of a table */
} anpe_group_list;
ANPE_MUST_CHECK anpe_status anpe_group_list_new(anpe_ctx *ctx, const anpe_group_request *q,
                                                anpe_model *const *model, anpe_group_list *out);
void anpe_group_list_clear(anpe_group_list *l);

/* group_draws.c: the file of draws of the shared labels, as many for every star. */
typedef struct anpe_group_draws anpe_group_draws;
ANPE_MUST_CHECK anpe_status anpe_group_draws_new(anpe_ctx *ctx, const anpe_infer_request *q,
                                                 const anpe_infer_result *r, int n_lanes,
                                                 anpe_group_draws **out);
anpe_group_draws *anpe_group_draws_free(anpe_group_draws *d);
/* On a worker: the star of this lane. width: labels of p, of which the shared ones are the first.
 */
void anpe_group_draws_keep(anpe_group_draws *d, int64_t lane, const anpe_product_result *p,
                           int64_t width, anpe_rng *rng);
/* The stars (n) of lanes 0 .. n - 1; those that failed have NAN. */
ANPE_MUST_CHECK anpe_status anpe_group_draws_append(anpe_ctx *ctx, anpe_group_draws *d, int64_t n,
                                                    const anpe_star *star);
/* Complete, under its temporary name. */
ANPE_MUST_CHECK anpe_status anpe_group_draws_finish(anpe_ctx *ctx, anpe_group_draws *d,
                                                    const anpe_infer_result *r, anpe_output *out);
#endif
