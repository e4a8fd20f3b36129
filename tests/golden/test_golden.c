/* golden_check accepts the golden files, and refuses each of them once damaged.
 *
 * The files are no part of the source: they lie in $ANPE_SHARED/golden where there is one. */
#include <config.h>
#include "unit/testlib.h"
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[] = {"resnet_gru_maf.h5", "resnet_gru_maf_mog.h5",
                                    "resnet_maf_3channel.h5"};
static char shared[3][512], copy[64], output[64];
static int n_shared;

/* Runs golden_check with its messages in `output`; returns the exit status, -1 for a crash. */
static int check_with(const char *backend, const char *file)
{
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        if (freopen(output, "w", stdout) && dup2(STDOUT_FILENO, STDERR_FILENO) >= 0)
            execl(GOLDEN_CHECK, "golden_check", "--backend", backend, file, (char *)NULL);
        _exit(99);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static int check(const char *file)
{
    return check_with("openblas", file);
}

static int said(const char *text)
{
    static char all[200000];
    FILE *f = fopen(output, "r");
    const size_t n = f ? fread(all, 1, sizeof all - 1, f) : 0;
    if (f)
        fclose(f);
    all[n] = 0;
    if (!strstr(all, text))
        printf("\n    '%s' is not in: %.400s", text, all);
    return strstr(all, text) != NULL;
}

static void copy_file(const char *from)
{
    char block[65536];
    size_t n;
    FILE *in = fopen(from, "rb"), *out = fopen(copy, "wb");
    CU_ASSERT_FATAL(in && out);
    while ((n = fread(block, 1, sizeof block, in)) > 0)
        CU_ASSERT_FATAL(fwrite(block, 1, n, out) == n);
    fclose(in);
    CU_ASSERT_FATAL(fclose(out) == 0);
}

static double *read_all(hid_t file, const char *dataset, hid_t *set, size_t *n)
{
    *set = H5Dopen2(file, dataset, H5P_DEFAULT);
    const hid_t space = H5Dget_space(*set);
    *n = (size_t)H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    double *v = malloc(*n * sizeof *v);
    CU_ASSERT_FATAL(v && H5Dread(*set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) >= 0);
    return v;
}

/* Multiplies a value of a dataset of the copy by `factor`: the largest, or the weight with the
 * largest gradient, since a weight that a mask or a relu leaves without one has no effect. */
static void damage(const char *dataset, double factor)
{
    const hid_t file = H5Fopen(copy, H5F_ACC_RDWR, H5P_DEFAULT);
    char by_name[128];
    hid_t set, by_set;
    size_t n, most = 0;
    const char *weight = strncmp(dataset, "weights/", 8) ? NULL : dataset + 8;
    snprintf(by_name, sizeof by_name, "%s%s", weight ? "grad/" : "", weight ? weight : dataset);
    double *v = read_all(file, dataset, &set, &n), *by = read_all(file, by_name, &by_set, &n);
    for (size_t i = 1; i < n; i++)
        if (by[i] * by[i] > by[most] * by[most])
            most = i;
    v[most] *= factor;
    CU_ASSERT_FATAL(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) >= 0);
    free(v);
    free(by);
    H5Dclose(set);
    H5Dclose(by_set);
    CU_ASSERT_FATAL(H5Fclose(file) >= 0);
}

static void remove_link(const char *name)
{
    const hid_t file = H5Fopen(copy, H5F_ACC_RDWR, H5P_DEFAULT);
    CU_ASSERT_FATAL(H5Ldelete(file, name, H5P_DEFAULT) >= 0 && H5Fclose(file) >= 0);
}

static void set_attribute(const char *name, int64_t value)
{
    const hid_t file = H5Fopen(copy, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t a = H5Aopen(file, name, H5P_DEFAULT);
    CU_ASSERT_FATAL(H5Awrite(a, H5T_NATIVE_INT64, &value) >= 0);
    H5Aclose(a);
    CU_ASSERT_FATAL(H5Fclose(file) >= 0);
}

static int absent(void)
{
    if (n_shared == 0)
        printf("skipped: no golden files in $ANPE_SHARED\n");
    return n_shared == 0;
}

static void test_agrees(void)
{
    if (absent())
        return;
    for (int i = 0; i < n_shared; i++) {
        CU_ASSERT(check(shared[i]) == 0);
        CU_ASSERT(said("of its bound: agrees"));
#ifdef HAVE_ONEDNN
        CU_ASSERT(check_with("onednn", shared[i]) == 0);
        CU_ASSERT(said("of its bound: agrees"));
#endif
    }
}

/* A thousandth on one weight, one result, one gradient: each must be seen. */
static void test_damaged(void)
{
    static const char *const sets[] = {"weights/featurizer.stages.0.0.conv1.weight_v",
                                       "weights/featurizer.gru.weight_hh_l1",
                                       "weights/flow.blocks.1.l1.weight",
                                       "weights/featurizer.head.bias",
                                       "grad/flow.blocks.0.cond.weight",
                                       "grad/featurizer.stages.1.0.conv2.weight_g",
                                       "grad_input",
                                       "features",
                                       "log_prob",
                                       "loss",
                                       "inverse"};
    if (absent())
        return;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        copy_file(shared[0]);
        damage(sets[i], 1.001);
        CU_ASSERT(check(copy) == 1);
        CU_ASSERT(said("FAIL") && said("DISAGREES"));
    }
    copy_file(shared[0]);
    damage("weights/flow.blocks.1.l1.bias", (double)__builtin_nan(""));
    CU_ASSERT(check(copy) == 1);
    CU_ASSERT(said("weights/flow.blocks.1.l1.bias has the value nan"));
}

static void test_incomplete(void)
{
    static const char *const sets[] = {"weights/featurizer.head.bias",
                                       "grad/flow.blocks.0.l0.bias",
                                       "features",
                                       "inverse",
                                       "permutation/0",
                                       "grad_input"};
    if (absent())
        return;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        copy_file(shared[0]);
        remove_link(sets[i]);
        CU_ASSERT(check(copy) == 1);
        CU_ASSERT(said(sets[i]));
    }
    copy_file(shared[0]);
    set_attribute("n_rnn", 1); /* leaves weights of a second layer over */
    CU_ASSERT(check(copy) == 1);
    CU_ASSERT(said("group 'weights' has"));
    copy_file(shared[0]);
    set_attribute("length", 128);
    CU_ASSERT(check(copy) == 1);
    CU_ASSERT(said("input"));
    copy_file(shared[0]);
    set_attribute("hidden", -3);
    CU_ASSERT(check(copy) == 1);
    CU_ASSERT(said("attribute 'hidden' is -3"));
}

static void test_foreign(void)
{
    hid_t file = H5Fcreate(copy, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    CU_ASSERT(check(copy) == 1);
    CU_ASSERT(said("not a golden file of a network") && said("no attribute 'length'"));
    FILE *f = fopen(copy, "w");
    fputs("not HDF5\n", f);
    fclose(f);
    CU_ASSERT(check(copy) == 1);
    CU_ASSERT(said(copy));
    remove(copy);
    CU_ASSERT(check(copy) == 1);
    CU_ASSERT(said("No such file"));
}

static void test_usage(void)
{
    CU_ASSERT(WEXITSTATUS(system(GOLDEN_CHECK " 2>/dev/null")) == 2);
    CU_ASSERT(WEXITSTATUS(system(GOLDEN_CHECK " a b 2>/dev/null")) == 2);
}

static int start(void)
{
    const char *dir = getenv("ANPE_SHARED");
    struct stat s;
    for (size_t i = 0; dir && i < 3; i++) {
        snprintf(shared[n_shared], sizeof shared[0], "%s/golden/%s", dir, names[i]);
        n_shared += stat(shared[n_shared], &s) == 0;
    }
    snprintf(copy, sizeof copy, "golden-%d.h5", (int)getpid());
    snprintf(output, sizeof output, "golden-%d.txt", (int)getpid());
    return 0;
}

static int stop(void)
{
    remove(copy);
    remove(output);
    return 0;
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"golden files agree", test_agrees},
        {"damaged values", test_damaged},
        {"incomplete files", test_incomplete},
        {"foreign files", test_foreign},
        {"usage", test_usage},
    };
    return test_run(argc, argv, "golden_check", COUNT(tests), tests, start, stop);
}
