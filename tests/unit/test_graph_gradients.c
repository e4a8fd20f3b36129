/* The gradient of every operation in double against central differences, from one table, and the
 * proof that the check would see a backward that is 1 % wrong. */
#include "config.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <CUnit/Basic.h>
#include "graph/operations.h"
#include "graph_support.h"

static void test_gradients(void)
{
    for (int i = 0; i < anpe_test_n_cases; i++) {
        const double error = anpe_test_gradient_error(&anpe_test_cases[i]);
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

/* ---- the check sees what is wrong
 * ---------------------------------------------------------------- */

static double scale; /* of the broken backward; 1: right */

static int scaled_shape(anpe_call *c, const int *rank)
{
    c->out_length = c->in_length[0];
    c->out_width = c->in_width[0];
    return rank[0];
}

/* y = w x^2 with one weight */
static void scaled_forward(const anpe_call *c)
{
    const double *x = c->in[0], *w = c->parameter[0];
    for (int64_t i = 0; i < c->batch * c->out_length * c->out_width; i++)
        ((double *)c->out)[i] = w[0] * x[i] * x[i];
}

static void scaled_backward(const anpe_call *c)
{
    const double *x = c->in[0], *dy = c->grad_out, *w = c->parameter[0];
    for (int64_t i = 0; i < c->batch * c->out_length * c->out_width; i++) {
        ((double *)c->grad_in[0])[i] += scale * dy[i] * 2 * w[0] * x[i];
        ((double *)c->grad_parameter[0])[0] += dy[i] * x[i] * x[i];
    }
}

static anpe_node scaled(anpe_graph *g, const anpe_node *in)
{
    static const anpe_operation operation = {.size = sizeof(anpe_operation),
                                             .name = "scaled",
                                             .shape = scaled_shape,
                                             .forward = {NULL, scaled_forward},
                                             .backward = {NULL, scaled_backward},
                                             .backward_needs = ANPE_NEEDS_INPUT};
    static const anpe_parameter_spec w = {"w", 1, {1}, 0.5};
    return anpe_apply(g, &operation, "s", 1, in, 1, &w, NULL, 0);
}

static void test_check_finds_one_percent(void)
{
    static const anpe_test_case c = {"scaled", scaled, 1, {1, 0}, {1, 0}, {6, 0}, 0};
    scale = 1;
    CU_ASSERT(anpe_test_gradient_error(&c) < 1e-7);
    scale = 1.01;
    CU_ASSERT(anpe_test_gradient_error(&c) > 1e-3);
}

int main(void)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return EXIT_FAILURE;
    CU_pSuite s = CU_add_suite("gradients", NULL, NULL);
    CU_ADD_TEST(s, test_gradients);
    CU_ADD_TEST(s, test_every_operation_has_a_case);
    CU_ADD_TEST(s, test_check_finds_one_percent);
    CU_basic_run_tests();
    const int failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
