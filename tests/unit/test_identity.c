/* Visits of one star are joined, two stars never. */
#include <config.h>
#include "infer/identity.h"
#include "data_support.h"
#include <math.h>

static void test_positions(void)
{
    double ra = 0, dec = 0;
    CU_ASSERT(anpe_identity_position("LAMOST J192814.09+435531.0", &ra, &dec));
    CU_ASSERT_DOUBLE_EQUAL(ra, 15 * (19 + 28 / 60.0 + 14.09 / 3600), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(dec, 43 + 55 / 60.0 + 31.0 / 3600, 1e-12);
    CU_ASSERT(anpe_identity_position("J000000.10-003000.5 ", &ra, &dec));
    CU_ASSERT_DOUBLE_EQUAL(dec, -0.5 - 0.5 / 3600, 1e-12);
    static const char *const none[] = {"",
                                       "J",
                                       "2M19390532+4027346",
                                       "2MASS J19390532+4027346",
                                       "J1928+4355",
                                       "J192814+435531",
                                       "J256014.09+435531.0",
                                       "J192874.09+435531.0",
                                       "J192814.09+915531.0",
                                       "J192814.09 435531.0",
                                       "J192814.09+435531.0b"};
    for (int k = 0; k < COUNT(none); k++)
        CU_ASSERT_EQUAL(anpe_identity_position(none[k], &ra, &dec), 0);
}

static anpe_identities *identities(int n, const char *const *id, const uint8_t *named)
{
    anpe_identities *x = NULL;
    CU_ASSERT_EQUAL_FATAL(anpe_identities_new(ctx, n, id, named, &x), ANPE_OK);
    return x;
}

static void test_join(void)
{
    /* three designations of one star as LAMOST wrote them, with and without its prefix */
    static const char *const id[] = {"LAMOST J192814.09+435531.0", "2M19390532+4027346",
                                     "J192814.09+435530.7",        "spec",
                                     "  2M19390532+4027346 ",      "spec",
                                     "LAMOST J192814.09+435530.8", "",
                                     "LAMOST J192814.29+435530.8", "",
                                     "2M19390532+4027347"};
    static const uint8_t named[] = {1, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1};
    static const int64_t star[] = {0, 1, 0, 3, 1, 5, 0, 7, 8, 9, 10};
    anpe_identities *x = identities(COUNT(id), id, named);
    for (int64_t i = 0; i < COUNT(id); i++)
        CU_ASSERT_EQUAL(anpe_identities_star(x, i), star[i]);
    CU_ASSERT_EQUAL(anpe_identities_count(x, 6), 3);
    CU_ASSERT_EQUAL(anpe_identities_count(x, 4), 2);
    CU_ASSERT_EQUAL(anpe_identities_count(x, 3), 1);
    anpe_identities_free(x);
}

/* Near in a chain, over the meridian of 0 h, and at a pole. */
static void test_sky(void)
{
    static const char *const id[] = {
        "J235959.99+000000.0", "J000000.01+000000.0", "J000000.07+000000.0", "J000000.20+000000.0",
        "J120000.00+895959.9", "J000000.00+895959.9", "J120000.00-895950.0", "J000000.00-895950.0"};
    static const int64_t star[] = {0, 0, 0, 3, 4, 4, 6, 7};
    anpe_identities *x = identities(COUNT(id), id, NULL);
    for (int64_t i = 0; i < COUNT(id); i++)
        CU_ASSERT_EQUAL(anpe_identities_star(x, i), star[i]);
    anpe_identities_free(x);
}

static void test_find(void)
{
    static const char *const id[] = {"HD 2", "HD 10", "J192814.09+435531.0", "", "HD 1"};
    anpe_identities *x = identities(COUNT(id), id, NULL);
    CU_ASSERT_EQUAL(anpe_identities_find(x, "HD 10 "), 1);
    CU_ASSERT_EQUAL(anpe_identities_find(x, "HD 1"), 4);
    CU_ASSERT_EQUAL(anpe_identities_find(x, "HD 100"), -1);
    CU_ASSERT_EQUAL(anpe_identities_find(x, ""), -1);
    CU_ASSERT_EQUAL(anpe_identities_find(x, "LAMOST J192814.09+435530.7"), 2);
    CU_ASSERT_EQUAL(anpe_identities_find(x, "LAMOST J192814.09+435529.7"), -1);
    anpe_identities_free(x);
    x = identities(0, id, NULL);
    CU_ASSERT_EQUAL(anpe_identities_find(x, "HD 1"), -1);
    anpe_identities_free(x);
}

/* Against the definition, for many designations in a small field: stars 5 arcsec apart, each
 * written three times within half an arcsecond. */
static void test_many(void)
{
    enum { STARS = 200, VISITS = 3, N = STARS * VISITS };
    static char text[N][32];
    const char *id[N];
    for (int i = 0; i < N; i++) {
        const int star = i % STARS, visit = i / STARS;
        snprintf(text[i], sizeof text[i], "J12%02d%02d.0%d+20%02d%02d.%d", star / 60, star % 60,
                 2 * visit, (star * 7) % 60, (star * 11) % 60, 2 * visit);
        id[i] = text[i];
    }
    anpe_identities *x = identities(N, id, NULL);
    for (int i = 0; i < N; i++) {
        CU_ASSERT_EQUAL(anpe_identities_star(x, i), i % STARS);
        CU_ASSERT_EQUAL(anpe_identities_count(x, i), VISITS);
    }
    anpe_identities_free(x);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {{"positions in designations", test_positions},
                                        {"visits of one star, and never two stars", test_join},
                                        {"the meridian and the poles", test_sky},
                                        {"the row of a star", test_find},
                                        {"many stars", test_many}};
    return run_suite(argc, argv, "identity", COUNT(tests), tests);
}
