/* The operations of nsf as the graph takes them. */
#include "operations.h"

typedef float real;
#define real_exp expf
#define real_log logf
#include "spline.h"

static int nsf_saturate_shape(anpe_call *c, const int *rank)
{
    c->out_length = 1;
    c->out_width = c->in_width[0];
    return rank[0] == 1;
}

static int nsf_step_shape(anpe_call *c, const int *rank)
{
    c->out_length = 1;
    c->out_width = c->in_width[0] + 1;
    return rank[0] == 1 && rank[1] == 1 &&
           c->in_width[1] == nsf_outputs(c->attributes) * c->in_width[0];
}

static int nsf_normal_shape(anpe_call *c, const int *rank)
{
    c->out_length = c->out_width = 1;
    return rank[0] == 1;
}

#define X(name)                                                                                    \
    static const anpe_operation name##_operation = {sizeof(anpe_operation),                        \
                                                    #name,                                         \
                                                    name##_shape,                                  \
                                                    NULL,                                          \
                                                    NULL,                                          \
                                                    {name##_forward_f, name##_forward_d},          \
                                                    {name##_backward_f, name##_backward_d},        \
                                                    ANPE_NEEDS_INPUT};
NSF_OPERATION_LIST(X)
#undef X

anpe_node nsf_saturate(anpe_graph *g, anpe_node x)
{
    return anpe_apply(g, &nsf_saturate_operation, "saturate", 1, &x, 0, NULL, NULL, 0);
}

anpe_node nsf_step(anpe_graph *g, anpe_node x, anpe_node out, const void *shape)
{
    const anpe_node in[] = {x, out};
    return anpe_apply(g, &nsf_step_operation, "spline", 2, in, 0, NULL, shape, sizeof(nsf_shape));
}

anpe_node nsf_normal(anpe_graph *g, anpe_node z)
{
    return anpe_apply(g, &nsf_normal_operation, "normal", 1, &z, 0, NULL, NULL, 0);
}
