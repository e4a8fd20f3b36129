/* The two files of test_lines. */
#ifndef ANPE_TEST_LINES_H
#define ANPE_TEST_LINES_H
void test_voigt(void);
void test_voigt_wings(void);
void test_kernel(void);
void test_table(void);
void test_partition(void);
void test_layer(void);
#endif
