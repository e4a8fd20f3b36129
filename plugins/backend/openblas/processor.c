/* Instruction sets by cpuid and xgetbv, as in Intel's Software Developer's Manual, volume 1,
 * chapters 14.3 (AVX), 14.7.1 (AVX2) and 15.2 (AVX-512); AMD's bits are the same. Names of core
 * types as in OpenBLAS, driver/others/dynamic.c. */
#include "processor.h"
#include <stddef.h>
#include <strings.h>
#if defined __x86_64__ && defined __GNUC__
#include <cpuid.h>

/* Which registers are saved; only where cpuid says that the operating system uses xgetbv. */
static unsigned read_xcr0(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

processor processor_read(void)
{
    processor p = {0};
    unsigned a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d))
        p.leaf1_ecx = c;
    if (p.leaf1_ecx >> 27 & 1)
        p.xcr0 = read_xcr0();
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        p.leaf7_ebx = b;
        p.leaf7_ecx = c;
        p.leaf7_edx = d;
        if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d))
            p.leaf7_1_eax = a;
    }
    return p;
}
#else
processor processor_read(void)
{
    return (processor){0};
}
#endif

static int all(unsigned value, unsigned bits)
{
    return (value & bits) == bits;
}

#define BIT(n) (1u << (n))
static const unsigned saves_avx = BIT(1) | BIT(2);             /* xmm, ymm */
static const unsigned saves_avx512 = BIT(5) | BIT(6) | BIT(7); /* k, zmm0..15, zmm16..31 */
static const unsigned osxsave = BIT(27), avx = BIT(28), fused = BIT(12), sse42 = BIT(20);
static const unsigned avx2 = BIT(5);
static const unsigned avx512 = BIT(16) | BIT(17) | BIT(28) | BIT(30) | BIT(31); /* F DQ CD BW VL */
static const unsigned vnni = BIT(11), bf16 = BIT(5);
static const unsigned saves_tiles = BIT(17) | BIT(18), amx = BIT(22) | BIT(23) | BIT(24);

unsigned processor_sets(const processor *p)
{
    unsigned sets = p->leaf1_ecx & sse42 ? HAS_SSE42 : 0;
    if (!sets || !all(p->leaf1_ecx, osxsave | avx) || !all(p->xcr0, saves_avx))
        return sets;
    sets |= HAS_AVX;
    if (!all(p->leaf7_ebx, avx2) || !all(p->leaf1_ecx, fused))
        return sets;
    sets |= HAS_AVX2;
    if (!all(p->leaf7_ebx, avx512) || !all(p->xcr0, saves_avx512))
        return sets;
    sets |= HAS_AVX512;
    if (!all(p->leaf7_ecx, vnni) || !all(p->leaf7_1_eax, bf16))
        return sets;
    sets |= HAS_BFLOAT16;
    return all(p->leaf7_edx, amx) && all(p->xcr0, saves_tiles) ? sets | HAS_AMX : sets;
}

const char *processor_widest(unsigned sets)
{
    return sets & HAS_AVX512 ? "AVX-512"
           : sets & HAS_AVX2 ? "AVX2"
           : sets & HAS_AVX  ? "AVX"
                             : "SSE4.2";
}

/* width: of the registers that the products in float and double use, the measure of better. Of
 * several as wide OpenBLAS's own choice stands. propose: not of one maker's processors alone. */
static const struct {
    const char *name;
    int width, propose;
    unsigned needs;
} cores[] = {
    {"SapphireRapids", 4, 0, HAS_AVX512 | HAS_BFLOAT16 | HAS_AMX},
    {"Cooperlake", 4, 1, HAS_AVX512 | HAS_BFLOAT16},
    {"SkylakeX", 4, 1, HAS_AVX512},
    {"Haswell", 3, 1, HAS_AVX2},
    {"Zen", 3, 0, HAS_AVX2},
    {"Excavator", 3, 0, HAS_AVX2},
    {"Sandybridge", 2, 1, HAS_AVX},
    {"Bulldozer", 2, 0, HAS_AVX},
    {"Piledriver", 2, 0, HAS_AVX},
    {"Steamroller", 2, 0, HAS_AVX},
    {"Nehalem", 1, 1, HAS_SSE42},
    {"Barcelona", 0, 0, 0},
    {"Bobcat", 0, 0, 0},
    {"Dunnington", 0, 0, 0},
    {"Penryn", 0, 0, 0},
    {"Core2", 0, 0, 0},
    {"Atom", 0, 0, 0},
    {"Nano", 0, 0, 0},
    {"Opteron_SSE3", 0, 0, 0},
    {"Opteron", 0, 0, 0},
    {"Athlon", 0, 0, 0},
    {"Prescott", 0, 0, 0},
    {"Northwood", 0, 0, 0},
    {"Banias", 0, 0, 0},
    {"Coppermine", 0, 0, 0},
    {"Katmai", 0, 0, 0},
};
enum { N_CORES = sizeof cores / sizeof cores[0] };

static int find(const char *core)
{
    int i = 0;
    while (i < N_CORES && strcasecmp(cores[i].name, core) != 0)
        i++;
    return i < N_CORES ? i : -1;
}

const char *processor_better(unsigned sets, const char *core, int n)
{
    const int now = find(core);
    for (int i = 0; now >= 0 && i < N_CORES; i++)
        if (cores[i].propose && cores[i].width > cores[now].width && all(sets, cores[i].needs) &&
            n-- == 0)
            return cores[i].name;
    return NULL;
}

int processor_runs(unsigned sets, const char *core)
{
    const int i = find(core);
    return i < 0 || all(sets, cores[i].needs);
}

const char *processor_core(int i)
{
    return i >= 0 && i < N_CORES ? cores[i].name : NULL;
}
