/* Shared by most tests: a context, and a scratch directory of their own. */
#ifndef ANPE_TEST_DATA_SUPPORT_H
#define ANPE_TEST_DATA_SUPPORT_H
#include "base/context.h"
#include "testlib.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static anpe_ctx *ctx;
static char scratch[64];

/* name in the scratch directory; four names can be held at once. */
static inline const char *in_scratch(const char *name)
{
    static char path[4][512];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", scratch, name);
    return path[turn];
}

/* Files in the scratch directory: shows that nothing was left behind. */
static inline int n_files(void)
{
    int n = 0;
    DIR *dir = opendir(scratch);
    for (struct dirent *e; dir && (e = readdir(dir));)
        n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    if (dir)
        closedir(dir);
    return n;
}

static inline void empty_scratch(void)
{
    DIR *dir = opendir(scratch);
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
            unlink(in_scratch(e->d_name));
            rmdir(in_scratch(e->d_name));
        }
    if (dir)
        closedir(dir);
}

static inline void write_bytes(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    CU_ASSERT_FATAL(f != NULL);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static inline char *read_bytes(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    CU_ASSERT_FATAL(f != NULL);
    char *bytes = malloc(1 << 22);
    *n = fread(bytes, 1, 1 << 22, f);
    fclose(f);
    return bytes;
}

/* The call fails with this status and its message has this part. */
#define FAILS(call, status, part)                                                                  \
    do {                                                                                           \
        anpe_status got_ = (call);                                                                 \
        CU_ASSERT_EQUAL(got_, status);                                                             \
        if (!got_ || !strstr(anpe_error(ctx), part)) {                                             \
            printf("\n  message: %s\n  wanted:  %s\n", got_ ? anpe_error(ctx) : "(none)", part);   \
            CU_FAIL("message");                                                                    \
        }                                                                                          \
    } while (0)
#define WORKS(call)                                                                                \
    do {                                                                                           \
        anpe_status got_ = (call);                                                                 \
        if (got_)                                                                                  \
            printf("\n  %s\n", anpe_error(ctx));                                                   \
        CU_ASSERT_EQUAL_FATAL(got_, ANPE_OK);                                                      \
    } while (0)

static inline int start(void)
{
    ctx = anpe_ctx_new();
    snprintf(scratch, sizeof scratch, "/tmp/anpe-test-XXXXXX");
    return !ctx || !mkdtemp(scratch);
}

static inline int stop(void)
{
    empty_scratch();
    rmdir(scratch);
    ctx = anpe_ctx_free(ctx);
    return 0;
}

static inline int run_suite(int argc, char **argv, const char *name, int n,
                            const CU_TestInfo *tests)
{
    return test_run(argc, argv, name, n, tests, start, stop);
}
#endif
