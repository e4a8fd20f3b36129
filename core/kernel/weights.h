/* kernel/weights.h -- one parameter between its raw and its effective form; _f and _d. norm: g of
 * a weight-normed parameter, else NULL. */
#ifndef ANPE_CORE_WEIGHTS_H
#define ANPE_CORE_WEIGHTS_H
#include "graph/graph.h"

#define ANPE_WEIGHT_FUNCTIONS(suffix)                                                              \
    void anpe_weight_prepare_##suffix(const anpe_weight *w, const void *value, const void *norm,   \
                                      void *out);                                                  \
    void anpe_weight_pull_back_##suffix(const anpe_weight *w, const void *value, const void *norm, \
                                        const void *grad, void *grad_value, void *grad_norm);      \
    void anpe_weight_initial_##suffix(const anpe_weight *w, anpe_rng *rng, void *value, void *norm);
ANPE_WEIGHT_FUNCTIONS(f)
ANPE_WEIGHT_FUNCTIONS(d)
#undef ANPE_WEIGHT_FUNCTIONS
#endif
