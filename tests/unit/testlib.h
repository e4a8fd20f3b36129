/* unit/testlib.h -- what every test program is made with: one runner, and assertions that say what
 * they got.
 *
 *     static const CU_TestInfo tests[] = {{"a sum", test_sum}, {"a product", test_product}};
 *     int main(int argc, char **argv)
 *     {
 *         return test_run(argc, argv, "arithmetic", COUNT(tests), tests, NULL, NULL);
 *     }
 *
 * Without an argument all tests run; with one, those whose name contains it: `test_base "a sum"`.
 * CUnit's assertions of numbers and texts are as they were but for what a failure prints: the
 * expression, what it was, what was expected, and the tolerance. */
#ifndef ANPE_TEST_TESTLIB_H
#define ANPE_TEST_TESTLIB_H
#include <CUnit/Basic.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

/* start and stop, which may be NULL, return 0 for success and run around the tests. Returns an exit
 * status: 0 when all that ran passed, 2 when no test has such a name. */
int test_run(int argc, char **argv, const char *suite, int n, const CU_TestInfo *tests,
             CU_InitializeFunc start, CU_CleanupFunc stop);
/* Whether lines matter and not numbers, as under valgrind, which takes some hundred times as long:
 * a training, or a sampler, is then cut to a few steps, and what only more would show is not asked.
 * From ANPE_TEST_SHORT in the environment. */
int test_is_short(void);
/* To be called by a test that cannot run here, which then returns; tests/count sees it. */
void test_skip(const char *why);

typedef struct test_place { /* of an assertion */
    const char *expression, *file, *function;
    unsigned line;
    CU_BOOL fatal;
} test_place;
void test_near(test_place place, double got, double expected, double tolerance);
void test_equal(test_place place, long double got, long double expected);
void test_text(test_place place, const char *got, const char *expected);

#define TEST_PLACE(expression, fatal)                                                              \
    ((test_place){expression, __FILE__, __func__, __LINE__, fatal})
/* |got - expected| <= tolerance; NaN is near nothing. */
#define NEAR(got, expected, tolerance)                                                             \
    test_near(TEST_PLACE(#got, CU_FALSE), (double)(got), (double)(expected), (double)(tolerance))
#undef CU_ASSERT_DOUBLE_EQUAL
#define CU_ASSERT_DOUBLE_EQUAL(got, expected, tolerance)                                           \
    test_near(TEST_PLACE(#got, CU_FALSE), (double)(got), (double)(expected), (double)(tolerance))
#undef CU_ASSERT_EQUAL
#define CU_ASSERT_EQUAL(got, expected)                                                             \
    test_equal(TEST_PLACE(#got, CU_FALSE), (long double)(got), (long double)(expected))
#undef CU_ASSERT_EQUAL_FATAL
#define CU_ASSERT_EQUAL_FATAL(got, expected)                                                       \
    test_equal(TEST_PLACE(#got, CU_TRUE), (long double)(got), (long double)(expected))
#undef CU_ASSERT_STRING_EQUAL
#define CU_ASSERT_STRING_EQUAL(got, expected)                                                      \
    test_text(TEST_PLACE(#got, CU_FALSE), (got), (expected))
#endif
