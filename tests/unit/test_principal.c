/* Principal components: a subspace that is there is found, and nothing of it is lost. */
#include <config.h>
#include "base/random.h"
#include "base_support.h"
#include "prepare/principal.h"
#include <math.h>

enum { ROWS = 120, WIDTH = 700, TRUE = 6, K = 8 };

static float row[ROWS * WIDTH], vector[K * WIDTH], coefficient[ROWS * K];

/* TRUE shapes whose amplitudes fall by 4 from one to the next, and noise of 1e-4 of the last. */
static void make_rows(double noise)
{
    anpe_rng rng = anpe_rng_make(3, ANPE_FOR_MOCKS, 0, 0);
    for (int i = 0; i < ROWS; i++) {
        double amplitude[TRUE];
        for (int k = 0; k < TRUE; k++)
            amplitude[k] = anpe_normal(&rng) * pow(4, -k);
        for (int p = 0; p < WIDTH; p++) {
            double sum = noise * anpe_normal(&rng);
            for (int k = 0; k < TRUE; k++)
                sum += amplitude[k] * cos(0.013 * (k + 1) * p + k);
            row[i * WIDTH + p] = (float)sum;
        }
    }
}

static double left(int i)
{
    double square = 0;
    for (int p = 0; p < WIDTH; p++) {
        double d = (double)row[i * WIDTH + p];
        for (int k = 0; k < K; k++)
            d -= (double)coefficient[i * K + k] * (double)vector[k * WIDTH + p];
        square += d * d;
    }
    return sqrt(square / WIDTH);
}

static void test_subspace(void)
{
    make_rows(1e-7);
    CU_ASSERT_FATAL(anpe_principal(ctx, ROWS, WIDTH, row, K, 1, vector, coefficient) == ANPE_OK);
    for (int a = 0; a < TRUE; a++)
        for (int b = 0; b <= a; b++) {
            double dot = 0;
            for (int p = 0; p < WIDTH; p++)
                dot += (double)vector[a * WIDTH + p] * (double)vector[b * WIDTH + p];
            CU_ASSERT_DOUBLE_EQUAL(dot, a == b, 1e-5);
        }
    for (int i = 0; i < ROWS; i++)
        CU_ASSERT(left(i) < 4e-6); /* eight products of order 8, each rounded to a float */
}

/* With noise all over, the components hold what no other 8 could hold more of: the share of squares
 * that is left is that of the noise, less the two dimensions that fit some of it. */
static void test_noise(void)
{
    double sum = 0;
    make_rows(1e-4);
    CU_ASSERT_FATAL(anpe_principal(ctx, ROWS, WIDTH, row, K, 1, vector, coefficient) == ANPE_OK);
    for (int i = 0; i < ROWS; i++)
        sum += left(i) * left(i) / ROWS;
    CU_ASSERT(sqrt(sum) < 1e-4 && sqrt(sum) > 0.9e-4);
}

/* Fewer rows than components that settle the search: all of them. */
static void test_few(void)
{
    make_rows(1e-4);
    CU_ASSERT_FATAL(anpe_principal(ctx, 9, WIDTH, row, K, 1, vector, coefficient) == ANPE_OK);
    double sum = 0;
    for (int i = 0; i < 9; i++)
        sum += left(i) * left(i) / 9;
    CU_ASSERT(sqrt(sum) < 1e-4);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"subspace", test_subspace}, {"noise", test_noise}, {"few rows", test_few}};
    return run_suite(argc, argv, "principal", COUNT(tests), tests);
}
