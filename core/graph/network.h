/* graph/network.h -- a built graph made ready to run: parameters, memory plan, execution.
 *
 * Life: graph_new, build (plugins), graph_check; network = graph + parameters; one executor per
 * worker thread. The graph must outlive its parameters, and both their executors and views;
 * nothing may be added to a graph that has parameters. Everything is allocated in set-up; forward
 * and backward allocate nothing.
 */
#ifndef ANPE_CORE_NETWORK_H
#define ANPE_CORE_NETWORK_H
#include "kernel/weights.h"
#include <anpe/plugin.h>

typedef enum anpe_precision { ANPE_FLOAT = 0, ANPE_DOUBLE = 1 } anpe_precision;

/* ---- building ---------------------------------------------------------------------------- */
anpe_graph *anpe_graph_new(void);
anpe_graph *anpe_graph_free(anpe_graph *g);
/* Everything named after this call gets "prefix." in front ("featurizer", "flow"); NULL: none. */
void anpe_graph_scope(anpe_graph *g, const char *prefix);
/* Input (B, L, C) for rank 2, (B, F = C) for rank 1. `name` names the tensor in messages. */
anpe_node anpe_graph_input(anpe_graph *g, const char *name, int rank, int64_t length,
                           int64_t width);
/* on: of what is added after this call, tensors may be stored in bfloat16 and factors of products
 * rounded to it where the backend does so, except the factors of what reads an input itself: a
 * spectrum's noise may be less than the rounding. */
void anpe_graph_reduce(anpe_graph *g, int on);
/* The builder's first error, as a status with its message in ctx. */
ANPE_MUST_CHECK anpe_status anpe_graph_check(anpe_ctx *ctx, const anpe_graph *g);

/* ---- parameters -------------------------------------------------------------------------- */
/* One block of reals and one table. Raw values are what is trained and stored; effective values
 * (weight norm and masks applied, buffers copied) are what operations read. */
typedef struct anpe_parameter {
    const char *name; /* "featurizer.stages.0.0.conv1.weight_v" */
    int rank;
    int64_t shape[4], size;
    int64_t offset;           /* in the raw block */
    anpe_transform transform; /* ANPE_BUFFER: not trained */
} anpe_parameter;

typedef struct anpe_parameters {
    anpe_precision precision;
    int64_t n;
    const anpe_parameter *table; /* (n) */
    int64_t size, effective_size;
    void *raw;         /* (size) float or double */
    void *effective;   /* (effective_size) */
    uint64_t *version; /* of each weight of the graph: how often it has been prepared */
} anpe_parameters;

/* Allocates and initialises (PyTorch's defaults: uniform +-1/sqrt(fan in); weight norm g = |v|)
 * from Philox key (seed, purpose INIT), counter by parameter: the same on any machine. */
ANPE_MUST_CHECK anpe_status anpe_parameters_new(anpe_ctx *ctx, const anpe_graph *g,
                                                anpe_precision precision, uint32_t seed,
                                                anpe_parameters **out);
/* The same without values, for a file to fill: all zero, to be prepared afterwards. */
ANPE_MUST_CHECK anpe_status anpe_parameters_new_blank(anpe_ctx *ctx, const anpe_graph *g,
                                                      anpe_precision precision,
                                                      anpe_parameters **out);
anpe_parameters *anpe_parameters_free(anpe_parameters *p);
const anpe_parameter *anpe_parameters_find(const anpe_parameters *p, const char *name);
/* raw -> effective; call after every change of raw. */
void anpe_parameters_prepare(anpe_parameters *p);
/* Gradient with respect to effective (effective_size) -> with respect to raw (size), overwritten;
 * buffers get 0. */
void anpe_parameters_pull_back(const anpe_parameters *p, const void *grad_effective,
                               void *grad_raw);
/* Both in n independent parts, for several threads: part i of 0..anpe_parameters_parts - 1. */
int anpe_parameters_parts(const anpe_parameters *p);
void anpe_parameters_prepare_part(anpe_parameters *p, int i);
/* Raw weights of part i times `factor`; biases, norms and weights that have a norm stay. */
void anpe_parameters_shrink_part(anpe_parameters *p, int i, double factor);
void anpe_parameters_pull_back_part(const anpe_parameters *p, int i, const void *grad_effective,
                                    void *grad_raw);
/* View of the effective weights below a scope, for anpe_weights_get; float parameters only. */
ANPE_MUST_CHECK anpe_status anpe_weights_new(anpe_ctx *ctx, const anpe_parameters *p,
                                             const char *scope, anpe_weights **out);
anpe_weights *anpe_weights_free(anpe_weights *w);

/* ---- running ----------------------------------------------------------------------------- */
typedef struct anpe_backend {
    const void *self;
    const anpe_backend_ops *ops;
    anpe_number precision; /* what its operations may be asked for */
} anpe_backend;
typedef struct anpe_executor anpe_executor;

/* Plans memory for up to `batch` rows. Inputs stay as written and outputs as computed; any other
 * tensor may be overwritten within the same call. train: keeps what backward needs; otherwise
 * buffers are reused as soon as the last reader has run. outputs: nodes that must stay readable.
 * want_input_ gradient: also dL/d(input). */
ANPE_MUST_CHECK anpe_status anpe_executor_new(anpe_ctx *ctx, const anpe_graph *g,
                                              const anpe_parameters *p, anpe_backend backend,
                                              int64_t batch, int train, int want_input_gradient,
                                              int n_outputs, const anpe_node *outputs,
                                              anpe_executor **out);
anpe_executor *anpe_executor_free(anpe_executor *e);
size_t anpe_executor_bytes(const anpe_executor *e);
/* Storage of a node: to write inputs and to read outputs, (batch, ...) reals. */
void *anpe_executor_tensor(anpe_executor *e, anpe_node x);
/* Storage of the gradient of a node (training plan), e.g. of an input. */
void *anpe_executor_gradient(anpe_executor *e, anpe_node x);
/* Runs the operations needed for `outputs` on the first `batch` rows. */
void anpe_executor_forward(anpe_executor *e, int64_t batch);
/* Runs only what `to` needs when the tensors of `from` (inputs or outputs of the plan) are there
 * already: written by the caller, or left by an earlier forward. */
void anpe_executor_forward_between(anpe_executor *e, int64_t batch, int n_from,
                                   const anpe_node *from, anpe_node to);
/* After forward, once. seed: dL/d(output) of node `loss` (batch, length, width), not a constant.
 * Adds into grad_effective (effective_size); NULL: only the gradients of inputs are wanted. */
void anpe_executor_backward(anpe_executor *e, anpe_node loss, const void *seed,
                            void *grad_effective);
/* Runs forward again and stops at the first tensor that is not finite: its label, such as
 * "conv1d featurizer.stages.0.0.conv1" or "input x"; NULL if there is none. */
const char *anpe_executor_first_nonfinite(anpe_executor *e, int64_t batch);
/* Seconds per operation so far (for --profile): name of operation, forward and backward sums. */
typedef struct anpe_profile_row {
    const char *operation;
    double forward, backward;
    int64_t calls;
} anpe_profile_row;
int anpe_executor_profile(const anpe_executor *e, anpe_profile_row *rows, int max_rows);
#endif
