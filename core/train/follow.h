/* train/follow.h -- what rank 0 of a training tells the other ranks.
 *
 * They have opened the same task, dataset and network. Before each pass rank 0 says which samples
 * it is over and sends the parameters where these have changed: 4 bytes a parameter and step to
 * each rank, as many as come back as gradient. */
#ifndef ANPE_CORE_FOLLOW_H
#define ANPE_CORE_FOLLOW_H
#include "graph/network.h"
#include "ranks/ranks.h"

typedef enum anpe_train_what {
    ANPE_TRAIN_SAME, /* a pass with the parameters that there are */
    ANPE_TRAIN_NEW,  /* parameters, then a pass */
    ANPE_TRAIN_END   /* the model is written */
} anpe_train_what;

typedef struct anpe_train_order {
    int32_t what, validation;
    int64_t epoch, first, n; /* samples first .. first + n */
} anpe_train_order;

/* Rank 0: to all. */
ANPE_MUST_CHECK anpe_status anpe_train_order_all(anpe_ctx *ctx, anpe_ranks *ranks,
                                                 const anpe_train_order *order,
                                                 anpe_parameters *parameters);
/* Another rank: does what it is told, until the end. */
typedef anpe_status anpe_train_share_fn(void *user, anpe_ctx *ctx, const anpe_train_order *order);
ANPE_MUST_CHECK anpe_status anpe_train_follow(anpe_ctx *ctx, anpe_ranks *ranks,
                                              anpe_parameters *parameters,
                                              anpe_train_share_fn *run_share, void *user);
/* All ranks: fails where another rank than 0 has not found the checkpoint that rank 0 has. */
ANPE_MUST_CHECK anpe_status anpe_train_same_start(anpe_ctx *ctx, anpe_ranks *ranks,
                                                  const char *output, int found, int complete);
/* All ranks: fails where another rank than 0 has other numbers: x (n_x), y (n_y), and how many
 * parameters. */
ANPE_MUST_CHECK anpe_status anpe_train_same_on_all(anpe_ctx *ctx, anpe_ranks *ranks, int64_t n_x,
                                                   const float *x, int64_t n_y, const float *y,
                                                   int64_t n_parameters);
#endif
