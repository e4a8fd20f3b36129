/* graph/offload.h -- operations that the backend runs as a whole instead of the core's kernels. */
#ifndef ANPE_CORE_OFFLOAD_H
#define ANPE_CORE_OFFLOAD_H
#include "graph/graph.h"

typedef struct anpe_offload {
    const anpe_backend_ops *ops;
    anpe_backend_operation operation;   /* state NULL: not taken */
    uint64_t seen[ANPE_MAX_PARAMETERS]; /* versions of its weights when they were prepared */
} anpe_offload;

/* Whether tensors around vertex i may be stored in bfloat16, if it is offloaded. */
int anpe_offload_stores_bfloat16(const anpe_graph *g, int i, const anpe_backend *backend);
/* Asks for vertex i; where the backend has no such hooks or declines, the offload stays not taken.
 * train: backward will run through it; in, out: what its first input and its output are stored in.
 */
ANPE_MUST_CHECK anpe_status anpe_offload_ask(anpe_ctx *ctx, const anpe_graph *g, int i,
                                             const anpe_backend *backend, int64_t batch, int train,
                                             anpe_number in, anpe_number out, anpe_offload *o);
void anpe_offload_clear(anpe_offload *o);
static inline int anpe_offload_taken(const anpe_offload *o)
{
    return o->operation.state != NULL;
}
/* Hands the weights over first if they have changed. */
void anpe_offload_forward(anpe_offload *o, const anpe_vertex *v, const anpe_parameters *p,
                          const anpe_call *call);
void anpe_offload_backward(anpe_offload *o, const anpe_call *call);
#endif
