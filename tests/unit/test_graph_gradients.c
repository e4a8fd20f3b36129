/* The gradient of every operation in double against central differences, from one table, and the
 * proof that the check would see a backward that is 1 % wrong. */
#include <config.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "testlib.h"
#include "graph/operations.h"
#include "graph_support.h"

static void test_gradients(void)
{
    for (int i = 0; i < anpe_test_n_cases; i++) {
        const double error = anpe_test_gradient_error(&anpe_test_cases[i], 1);
        if (!(error >= 0 && error < 1e-7))
            fprintf(stderr, "\n%s: relative error %g of a gradient\n", anpe_test_cases[i].name,
                    error);
        CU_ASSERT(error >= 0 && error < 1e-7);
    }
}

static void test_every_operation_has_a_case(void)
{
    uint64_t covered = 0;
    for (int i = 0; i < anpe_test_n_cases; i++)
        covered |= anpe_test_cases[i].covers;
    for (int i = 0; i < ANPE_N_OPERATIONS; i++) {
        if (!(covered >> i & 1))
            fprintf(stderr, "\nno gradient case for %s\n", anpe_operation_get(i)->name);
        CU_ASSERT(covered >> i & 1);
    }
}

/* Where a gradient is at least as large as their root mean square, 1 % of it is at least 0.5 % by
 * the check's measure. */
static void test_check_finds_one_percent(void)
{
    for (int i = 0; i < anpe_test_n_cases; i++) {
        const double error = anpe_test_gradient_error(&anpe_test_cases[i], 1.01);
        if (!(error > 4e-3))
            fprintf(stderr, "\n%s: a backward wrong by 1 %% went unseen: %g\n",
                    anpe_test_cases[i].name, error);
        CU_ASSERT(error > 4e-3);
    }
}

/* ---- an operation of one's own: y = w x^2 with one weight -------------------------------- */

static int own_shape(anpe_call *c, const int *rank)
{
    c->out_length = c->in_length[0];
    c->out_width = c->in_width[0];
    return rank[0];
}

static size_t own_saved(const anpe_call *c, size_t real)
{
    return (size_t)(c->batch * c->out_length * c->out_width) * real;
}

static void own_forward(const anpe_call *c)
{
    const double *x = c->in[0], *w = c->parameter[0];
    double *square = c->saved;
    for (int64_t i = 0; i < c->batch * c->out_length * c->out_width; i++) {
        square[i] = x[i] * x[i];
        ((double *)c->out)[i] = w[0] * square[i];
    }
}

static void own_backward(const anpe_call *c)
{
    const double *x = c->in[0], *dy = c->grad_out, *w = c->parameter[0], *square = c->saved;
    for (int64_t i = 0; i < c->batch * c->out_length * c->out_width; i++) {
        ((double *)c->grad_in[0])[i] += dy[i] * 2 * w[0] * x[i];
        ((double *)c->grad_parameter[0])[0] += dy[i] * square[i];
    }
}

static anpe_node own(anpe_graph *g, const anpe_node *in)
{
    static const anpe_operation operation = {.size = sizeof(anpe_operation),
                                             .name = "own",
                                             .shape = own_shape,
                                             .saved_size = own_saved,
                                             .forward = {NULL, own_forward},
                                             .backward = {NULL, own_backward},
                                             .backward_needs = ANPE_NEEDS_INPUT};
    static const anpe_parameter_spec w = {"w", 1, {1}, 0.5};
    return anpe_tanh(g, anpe_apply(g, &operation, "s", 1, in, 1, &w, NULL, 0));
}

static void test_own_operation(void)
{
    static const anpe_test_case c = {"own", own, 1, {1, 0}, {1, 0}, {6, 0}, 0};
    const double error = anpe_test_gradient_error(&c, 1);
    CU_ASSERT(error >= 0 && error < 1e-7);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"gradients", test_gradients},
        {"every operation has a case", test_every_operation_has_a_case},
        {"check finds one percent", test_check_finds_one_percent},
        {"own operation", test_own_operation},
    };
    return test_run(argc, argv, "gradients", COUNT(tests), tests, NULL, NULL);
}
