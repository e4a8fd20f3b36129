/* The runner and the assertions; see testlib.h. */
#include "testlib.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int test_run(int argc, char **argv, const char *suite, int n, const CU_TestInfo *tests,
             CU_InitializeFunc start, CU_CleanupFunc stop)
{
    int wanted = 0;
    if (CU_initialize_registry() != CUE_SUCCESS)
        return EXIT_FAILURE;
    CU_pSuite s = CU_add_suite(suite, start, stop);
    for (int i = 0; i < n; i++)
        if (argc < 2 || strstr(tests[i].pName, argv[1]))
            wanted += CU_add_test(s, tests[i].pName, tests[i].pTestFunc) != NULL;
    if (!wanted) {
        fprintf(stderr, "%s: no test is named like '%s'; there are\n", argv[0], argv[1]);
        for (int i = 0; i < n; i++)
            fprintf(stderr, "    %s\n", tests[i].pName);
        CU_cleanup_registry();
        return 2;
    }
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    const unsigned failed = CU_get_number_of_failures() + CU_get_number_of_suites_failed();
    const unsigned ran = CU_get_number_of_tests_run();
    CU_cleanup_registry();
    return failed || ran != (unsigned)wanted ? EXIT_FAILURE : EXIT_SUCCESS;
}

int test_is_short(void)
{
    return getenv("ANPE_TEST_SHORT") != NULL;
}

void test_skip(const char *why)
{
    printf("\nskipped: %s\n", why);
}

static void conclude(test_place p, int right, const char *message)
{
    CU_assertImplementation(right ? CU_TRUE : CU_FALSE, p.line, message, p.file, p.function,
                            p.fatal);
}

void test_near(test_place p, double got, double expected, double tolerance)
{
    char message[512];
    const int right = got == expected || fabs(got - expected) <= fabs(tolerance);
    snprintf(message, sizeof message, "%s: got %.17g, expected %.17g +- %g (off by %g)",
             p.expression, got, expected, tolerance, got - expected);
    conclude(p, right, message);
}

void test_equal(test_place p, long double got, long double expected)
{
    char message[512];
    snprintf(message, sizeof message, "%s: got %.19Lg, expected %.19Lg", p.expression, got,
             expected);
    conclude(p, got == expected, message);
}

void test_text(test_place p, const char *got, const char *expected)
{
    char message[1024];
    snprintf(message, sizeof message, "%s: got \"%s\", expected \"%s\"", p.expression,
             got ? got : "(null)", expected);
    conclude(p, got && !strcmp(got, expected), message);
}
