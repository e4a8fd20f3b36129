/* Which of OpenBLAS's kernels a processor gets: instruction sets from the registers of cpuid and
 * xgetbv, core types from instruction sets, and the loading of libraries that have more or fewer of
 * them. The processors and libraries are made up, so the verdict is the same on any machine. */
#include <config.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "testlib.h"
#include "../../plugins/backend/openblas/library.h"
#include "../../plugins/backend/openblas/processor.h"

enum { AVX2_ALL = HAS_SSE42 | HAS_AVX | HAS_AVX2, AVX512_ALL = AVX2_ALL | HAS_AVX512 };

#define BIT(n) (1u << (n))
/* Leaf 1 ecx: FMA, SSE4.2, OSXSAVE, AVX. */
enum { SSE42 = 1 << 20, OS = 1 << 27, AVX = 1 << 28, FMA = 1 << 12, V3 = SSE42 | OS | AVX | FMA };
#define AVX2      BIT(5)
#define SKYLAKE_X (AVX2 | BIT(16) | BIT(17) | BIT(28) | BIT(30) | BIT(31)) /* F DQ CD BW VL */
#define KNIGHTS   (AVX2 | BIT(16) | BIT(26) | BIT(27) | BIT(28))           /* F PF ER CD */
enum { X87 = 1, YMM = 6, ZMM = 0xe0, TILES = 0x60000, VNNI = 1 << 11, BF16 = 1 << 5 };
enum { AMX = 1 << 22 | 1 << 23 | 1 << 24 };

static const struct {
    const char *what;
    processor p; /* leaf 1 ecx; leaf 7 ebx, ecx, edx; leaf 7.1 eax; xcr0 */
    unsigned sets;
} processors[] = {
    {"no cpuid", {0}, 0},
    {"Core 2", {BIT(9), 0, 0, 0, 0, 0}, 0}, /* SSSE3 */
    {"Nehalem", {SSE42, 0, 0, 0, 0, 0}, HAS_SSE42},
    {"Sandy Bridge", {SSE42 | OS | AVX, 0, 0, 0, 0, X87 | YMM}, HAS_SSE42 | HAS_AVX},
    {"Haswell", {V3, AVX2, 0, 0, 0, X87 | YMM}, AVX2_ALL},
    {"Knights Landing", {V3, KNIGHTS, 0, 0, 0, X87 | YMM | ZMM}, AVX2_ALL},
    {"Skylake-X", {V3, SKYLAKE_X, 0, 0, 0, X87 | YMM | ZMM}, AVX512_ALL},
    {"Ice Lake", {V3, SKYLAKE_X, VNNI, 0, 0, X87 | YMM | ZMM}, AVX512_ALL},
    {"Zen 4", {V3, SKYLAKE_X, VNNI, 0, BF16, X87 | YMM | ZMM}, AVX512_ALL | HAS_BFLOAT16},
    {"Sapphire Rapids",
     {V3, SKYLAKE_X, VNNI, AMX, BF16, X87 | YMM | ZMM | TILES},
     AVX512_ALL | HAS_BFLOAT16 | HAS_AMX},
    {"tiles not saved",
     {V3, SKYLAKE_X, VNNI, AMX, BF16, X87 | YMM | ZMM},
     AVX512_ALL | HAS_BFLOAT16},
    {"AVX-512 hidden by a hypervisor", {V3, AVX2, 0, 0, 0, X87 | YMM | ZMM}, AVX2_ALL},
    {"AVX-512 not saved by the system", {V3, SKYLAKE_X, VNNI, 0, BF16, X87 | YMM}, AVX2_ALL},
    {"half of AVX-512 saved", {V3, SKYLAKE_X, 0, 0, 0, X87 | YMM | 0x60}, AVX2_ALL},
    {"AVX not saved", {V3, SKYLAKE_X, VNNI, AMX, BF16, X87}, HAS_SSE42},
    {"no xgetbv", {V3 & ~OS, SKYLAKE_X, 0, 0, 0, 0}, HAS_SSE42},
    {"AVX2 without FMA", {V3 & ~FMA, SKYLAKE_X, 0, 0, 0, X87 | YMM | ZMM}, HAS_SSE42 | HAS_AVX},
};

static void test_instruction_sets(void)
{
    for (size_t i = 0; i < sizeof processors / sizeof processors[0]; i++) {
        const unsigned sets = processor_sets(&processors[i].p);
        if (sets != processors[i].sets)
            printf("%s: sets %#x, expected %#x\n", processors[i].what, sets, processors[i].sets);
        CU_ASSERT_EQUAL(sets, processors[i].sets);
    }
}

/* The compiler's library asks the same processor. */
static void test_this_processor(void)
{
    const processor p = processor_read();
    const unsigned sets = processor_sets(&p);
#if defined __x86_64__ && defined __GNUC__
    __builtin_cpu_init();
    CU_ASSERT_EQUAL((sets & HAS_SSE42) != 0, __builtin_cpu_supports("sse4.2") != 0);
    CU_ASSERT_EQUAL((sets & HAS_AVX) != 0, __builtin_cpu_supports("avx") != 0);
    CU_ASSERT_EQUAL((sets & HAS_AVX2) != 0,
                    __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
    CU_ASSERT_EQUAL((sets & HAS_AVX512) != 0,
                    __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vl"));
#else
    CU_ASSERT_EQUAL(sets, 0);
#endif
}

static const struct {
    unsigned sets;
    const char *core;    /* in force */
    const char *list[4]; /* what to try, best first */
} choices[] = {
    {0, "Prescott", {NULL}},
    {HAS_SSE42, "Prescott", {"Nehalem"}},
    {HAS_SSE42 | HAS_AVX, "Prescott", {"Sandybridge", "Nehalem"}},
    {AVX2_ALL, "Prescott", {"Haswell", "Sandybridge", "Nehalem"}},
    {AVX512_ALL, "Prescott", {"SkylakeX", "Haswell", "Sandybridge", "Nehalem"}},
    {AVX512_ALL | HAS_BFLOAT16, "Barcelona", {"Cooperlake", "SkylakeX", "Haswell", "Sandybridge"}},
    {AVX512_ALL | HAS_BFLOAT16, "Zen", {"Cooperlake", "SkylakeX"}},
    {AVX512_ALL, "haswell", {"SkylakeX"}},
    {AVX512_ALL | HAS_BFLOAT16, "SkylakeX", {NULL}},
    {AVX512_ALL | HAS_BFLOAT16 | HAS_AMX, "Cooperlake", {NULL}},
    {AVX2_ALL, "Zen", {NULL}},
    {AVX2_ALL, "Excavator", {NULL}},
    {AVX2_ALL, "Nehalem", {"Haswell", "Sandybridge"}},
    {HAS_SSE42 | HAS_AVX, "Bulldozer", {NULL}},
    {AVX512_ALL | HAS_BFLOAT16, "of the future", {NULL}},
    {AVX512_ALL, "", {NULL}},
};

static void test_better_kernels(void)
{
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++)
        for (int n = 0; n < 4; n++) {
            const char *got = processor_better(choices[i].sets, choices[i].core, n);
            const char *want = choices[i].list[n];
            CU_ASSERT(got && want ? !strcmp(got, want) : got == want);
            CU_ASSERT(!got || processor_runs(choices[i].sets, got));
        }
    CU_ASSERT(!processor_runs(AVX2_ALL, "SkylakeX"));
    CU_ASSERT(!processor_runs(AVX512_ALL, "cooperlake"));
    CU_ASSERT(processor_runs(0, "Prescott"));
    CU_ASSERT(processor_runs(0, "of the future"));
}

static const char *fake(const char *name)
{
    static char path[4096];
    const char *build = getenv("ANPE_BUILDDIR");
    snprintf(path, sizeof path, "%s/tests/unit/odd/.libs/%s.so", build ? build : ".", name);
    return path;
}

static int is(const library *l, const char *core, const char *better)
{
    return l->handle && !strcmp(l->core, core) && !strcmp(l->better, better);
}

/* What a library that knows neither processor comes to: openblas_some has Prescott, Haswell and
 * SkylakeX, openblas_old Prescott alone. */
static const struct {
    const char *name, *coretype, *variable;
    unsigned sets;
    const char *core, *better;
} loads[] = {
    {"openblas_some", "auto", NULL, AVX512_ALL | HAS_BFLOAT16, "SkylakeX", ""},
    {"openblas_some", "auto", NULL, AVX512_ALL, "SkylakeX", ""},
    {"openblas_some", "", NULL, AVX2_ALL, "Haswell", ""},
    {"openblas_some", "auto", NULL, HAS_SSE42 | HAS_AVX, "Prescott", "Sandybridge"},
    {"openblas_some", "auto", NULL, 0, "Prescott", ""},
    {"openblas_some", "auto", "Haswell", AVX512_ALL, "Haswell", "SkylakeX"},
    {"openblas_some", "auto", "", AVX512_ALL, "SkylakeX", ""},
    {"openblas_some", "Haswell", NULL, AVX512_ALL, "Haswell", "SkylakeX"},
    {"openblas_some", "Haswell", "SkylakeX", AVX512_ALL, "Haswell", "SkylakeX"},
    {"openblas_some", "nonsense", NULL, AVX2_ALL, "Prescott", "Haswell"},
    {"openblas_old", "auto", NULL, AVX512_ALL | HAS_BFLOAT16, "Prescott", "Cooperlake"},
    {"openblas_old", "auto", NULL, 0, "Prescott", ""},
};

static void set_variable(const char *value)
{
    if (value)
        setenv("OPENBLAS_CORETYPE", value, 1);
    else
        unsetenv("OPENBLAS_CORETYPE");
}

static void test_libraries(void)
{
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++) {
        int (*threads)(void) = NULL;
        set_variable(loads[i].variable);
        setenv("OPENBLAS_NUM_THREADS", "7", 1);
        const library l = library_open(fake(loads[i].name), loads[i].coretype, loads[i].sets);
        if (!is(&l, loads[i].core, loads[i].better))
            printf("%zu: %s, better '%s'; expected %s, '%s'\n", i, l.core, l.better, loads[i].core,
                   loads[i].better);
        CU_ASSERT(is(&l, loads[i].core, loads[i].better));
        CU_ASSERT(!l.resident);
        CU_ASSERT_FATAL(l.handle && library_find(&l, "openblas_get_num_threads", &threads));
        CU_ASSERT_EQUAL(threads(), 1);
        const char *now = getenv("OPENBLAS_CORETYPE"), *before = loads[i].variable;
        CU_ASSERT(now && before ? !strcmp(now, before) : now == before);
        CU_ASSERT_STRING_EQUAL(getenv("OPENBLAS_NUM_THREADS"), "7");
        dlclose(l.handle);
    }
    set_variable(NULL);
    unsetenv("OPENBLAS_NUM_THREADS");
}

/* A program that uses the library itself keeps what it has. */
static void test_library_of_the_program(void)
{
    void *own = dlopen(fake("openblas_some"), RTLD_NOW);
    CU_ASSERT_PTR_NOT_NULL_FATAL(own);
    const library l = library_open(fake("openblas_some"), "auto", AVX512_ALL);
    CU_ASSERT(l.resident);
    CU_ASSERT(is(&l, "Prescott", "SkylakeX"));
    dlclose(l.handle);
    dlclose(own);
    const library none = library_open(fake("openblas_none"), "auto", AVX512_ALL);
    CU_ASSERT_PTR_NULL(none.handle);
    CU_ASSERT(!strcmp(none.core, "") && !strcmp(none.better, ""));
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"instruction sets", test_instruction_sets},
        {"this processor", test_this_processor},
        {"better kernels", test_better_kernels},
        {"libraries", test_libraries},
        {"library of the program", test_library_of_the_program},
    };
    set_variable(NULL);
    return test_run(argc, argv, "openblas", COUNT(tests), tests, NULL, NULL);
}
