/* unit/graph_support.h -- a reference backend, and the gradient check of any small network. */
#ifndef ANPE_TEST_GRAPH_SUPPORT_H
#define ANPE_TEST_GRAPH_SUPPORT_H
#include "graph/graph.h"

/* Matrix products by three loops in double: slow, and independent of any library. */
extern const anpe_backend anpe_test_naive;

/* Builds a network on one or two inputs and returns the node to differentiate. */
typedef anpe_node anpe_test_build(anpe_graph *g, const anpe_node *in);

typedef struct anpe_test_case {
    const char *name;
    anpe_test_build *build;
    int n_inputs;
    int rank[2];
    int64_t length[2], width[2];
    uint64_t covers; /* bit i: operation i of the table */
} anpe_test_case;

extern const anpe_test_case anpe_test_cases[];
extern const int anpe_test_n_cases;

/* Ready to run; every parameter moved away from special values. */
typedef struct anpe_test_net {
    anpe_graph *g;
    anpe_parameters *p;
    anpe_executor *e;
    anpe_node in[2], out;
    int64_t batch, n_in[2], n_out; /* reals of all rows */
} anpe_test_net;

/* 0 on success. */
int anpe_test_open(anpe_test_net *net, const anpe_test_case *c, anpe_precision precision, int train,
                   anpe_backend backend, int64_t batch);
void anpe_test_close(anpe_test_net *net);
/* The same pseudo-random numbers for both precisions, in (-1, 1), from index `seed`. */
double anpe_test_number(uint32_t seed, int64_t i);
/* Fills the inputs with distinct numbers, so that no maximum is a tie. */
void anpe_test_inputs(anpe_test_net *net);
/* Largest |analytic - numerical| / (|numerical| + scale) over all raw parameters and inputs, where
 * scale is the root mean square of the gradient; in double. -1 if it cannot be run. The backward
 * of the last operation is made wrong by the factor `wrong` (1: as it is). */
double anpe_test_gradient_error(const anpe_test_case *c, double wrong);
#endif
