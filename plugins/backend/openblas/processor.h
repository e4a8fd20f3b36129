/* What the processor can execute, and which of OpenBLAS's kernels that makes the best. */
#ifndef OPENBLAS_PROCESSOR_H
#define OPENBLAS_PROCESSOR_H

/* Registers of cpuid and xgetbv; 0 where the processor has no such leaf. */
typedef struct processor {
    unsigned leaf1_ecx, leaf7_ebx, leaf7_ecx, leaf7_edx, leaf7_1_eax;
    unsigned xcr0; /* registers that the operating system saves; 0: it does not say */
} processor;

/* Instruction sets that kernels are made for. Each counts only if the operating system, and a
 * hypervisor below it, keep its registers. */
enum {
    HAS_SSE42 = 1,
    HAS_AVX = 2,
    HAS_AVX2 = 4,      /* with FMA */
    HAS_AVX512 = 8,    /* F, CD, BW, DQ and VL, as of Skylake */
    HAS_BFLOAT16 = 16, /* AVX512_BF16 and AVX512_VNNI, as of Cooper Lake */
    HAS_AMX = 32       /* tiles of bfloat16, and AVX512_FP16, as of Sapphire Rapids */
};

/* Elsewhere than on x86: all 0. */
processor processor_read(void);
unsigned processor_sets(const processor *p);
/* The widest of them in words, "AVX-512" say. */
const char *processor_widest(unsigned sets);

/* Core types of OpenBLAS in force: the n-th (from 0) that a processor with `sets` has wider
 * instructions for than `core` uses, best first; NULL: no more. A name that is not known here is
 * younger than this table and taken to be as good as any. */
const char *processor_better(unsigned sets, const char *core, int n);
/* Whether the kernels of `core` use no instruction that is missing; a name not known here: yes. */
int processor_runs(unsigned sets, const char *core);
/* The i-th known name, best first; NULL past the last. */
const char *processor_core(int i);
#endif
