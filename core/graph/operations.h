/* graph/operations.h -- the operations of <anpe/graph.h>: what a plan asks of each. */
#ifndef ANPE_CORE_OPERATIONS_H
#define ANPE_CORE_OPERATIONS_H
#include "kernel/kernels.h"

typedef enum anpe_operation_id {
#define X(name, shape, needs, saved, scratch, bfloat16) ANPE_OP_##name,
    ANPE_OPERATION_LIST(X)
#undef X
        ANPE_N_OPERATIONS
} anpe_operation_id;

/* id in 0 .. ANPE_N_OPERATIONS - 1 */
const anpe_operation *anpe_operation_get(int id);

/* Kernels for inputs that are all stored in bfloat16, and an output in bfloat16 or float; NULL
 * where an operation has none. */
typedef struct anpe_kernels {
    void (*forward)(const anpe_call *c);
    void (*backward)(const anpe_call *c);
    anpe_number out;
} anpe_kernels;
const anpe_kernels *anpe_operation_bfloat16(const anpe_operation *operation);
#endif
