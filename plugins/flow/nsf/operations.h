/* The operations that nsf brings: kernels in kernels.h, for float and double. */
#ifndef ANPE_NSF_OPERATIONS_H
#define ANPE_NSF_OPERATIONS_H
#include <anpe/plugin.h>

#define NSF_OPERATION_LIST(X) X(nsf_saturate) X(nsf_step) X(nsf_normal)
#define X(name)                                                                                    \
    void name##_forward_f(const anpe_call *c);                                                     \
    void name##_forward_d(const anpe_call *c);                                                     \
    void name##_backward_f(const anpe_call *c);                                                    \
    void name##_backward_d(const anpe_call *c);
NSF_OPERATION_LIST(X)
#undef X

/* Labels (B, D), at most 1e6 in size. */
anpe_node nsf_saturate(anpe_graph *g, anpe_node x);
/* x (B, D), parameters (B, (3 n_bins + 1) D) laid out (quantity, label) -> (B, D + 1): z, and the
 * sum of log dz/dx. shape: const nsf_shape *, copied. */
anpe_node nsf_step(anpe_graph *g, anpe_node x, anpe_node out, const void *shape);
/* Standard normal log density of z (B, D) -> (B, 1) */
anpe_node nsf_normal(anpe_graph *g, anpe_node z);
#endif
