/* graph/graph.h -- what a built graph holds. Other modules use graph/network.h. */
#ifndef ANPE_CORE_GRAPH_H
#define ANPE_CORE_GRAPH_H
#include "graph/network.h"

typedef struct anpe_vertex {
    const anpe_operation *operation; /* NULL: an input */
    const char *name;                /* "" if the operation has none */
    const char *label;               /* "conv1d featurizer.stages.0.0.conv1", for messages */
    int rank;
    int64_t length, width;
    int reduce;         /* its output may be stored in bfloat16 */
    int reduce_factors; /* its products may be in bfloat16: it reads no input of the network */
    int n_inputs, n_weights;
    int input[ANPE_MAX_INPUTS], weight[ANPE_MAX_PARAMETERS];
    void *attributes;
} anpe_vertex;

struct anpe_graph {
    anpe_status status;
    char message[512];
    char scope[128];
    int reduce; /* for the vertices to come */
    int n_vertices, n_weights, n_raw;
    anpe_vertex *vertex;
    anpe_weight *weight;
    anpe_parameter *raw;
    int64_t raw_size, effective_size;
    int n_owned;
    void **owned; /* names, attributes, masks: freed with the graph */
};

/* What the builder knows of a parameter before it has a place. */
typedef struct anpe_weight_spec {
    const char *name;
    int rank;
    int64_t shape[4];
    double bound;
    anpe_transform transform;
    int zero;
    const uint8_t *mask;
    const double *initial;
} anpe_weight_spec;

/* Adds an operation to the graph: what every function of <anpe/graph.h> ends in. */
anpe_node anpe_graph_apply(anpe_graph *g, const anpe_operation *operation, const char *name,
                           int n_inputs, const anpe_node *inputs, int n_weights,
                           const anpe_weight_spec *weights, const void *attributes,
                           size_t attributes_size);
/* Stores the first error: "NAME: ...". Returns -1. */
anpe_node anpe_graph_fail(anpe_graph *g, anpe_status status, const char *format, ...)
    ANPE_PRINTF(3, 4);
/* Memory that lives as long as the graph, zeroed; NULL and the graph's error when there is none. */
void *anpe_graph_keep(anpe_graph *g, size_t size);
/* A call with the shapes of vertex i filled in, for `batch` rows. */
anpe_call anpe_graph_call(const anpe_graph *g, int i, int64_t batch);
#endif
