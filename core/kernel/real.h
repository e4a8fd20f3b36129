/* kernel/real.h -- one source for float and double.
 *
 * Kernel files are compiled twice, with and without ANPE_REAL_DOUBLE; REAL(name) is name_d or
 * name_f. Loops marked ANPE_CLONES are compiled for several instruction sets and chosen when the
 * library is loaded, so a build runs on any processor of its architecture. */
#ifndef ANPE_CORE_REAL_H
#define ANPE_CORE_REAL_H
#include <math.h>
#include <anpe/plugin.h>
#include <anpe/vecmath.h>

#ifdef ANPE_REAL_DOUBLE
typedef double real;
#define REAL(name) name##_d
#define ANPE_GEMM  dgemm
#define real_exp   exp
#define real_log   log
#define real_tanh  tanh
static inline double real_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}
#else
typedef float real;
#define REAL(name)   name##_f
#define ANPE_GEMM    sgemm
#define real_exp     anpe_expf
#define real_log     logf
#define real_tanh    anpe_tanhf
#define real_sigmoid anpe_sigmoidf
#endif

/* The sanitizers' run-time starts after ifunc resolvers run. */
#if defined ANPE_HAVE_TARGET_CLONES && !defined ANPE_SANITIZE
#define ANPE_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define ANPE_CLONES
#endif
#define ANPE_INLINE static inline __attribute__((always_inline))

/* Row-major C (m, n) = op(A) op(B) + beta C with the backend of the call. */
ANPE_INLINE void real_gemm(const anpe_call *c, int ta, int tb, int64_t m, int64_t n, int64_t k,
                           const real *a, int64_t lda, const real *b, int64_t ldb, real beta,
                           real *out, int64_t ldc)
{
    const anpe_backend_ops *ops = c->backend_ops;
    ops->ANPE_GEMM(c->backend, ta, tb, m, n, k, 1, a, lda, b, ldb, beta, out, ldc);
}

ANPE_INLINE int64_t real_rows(const anpe_call *c) /* rows of the first input */
{
    return c->batch * c->in_length[0];
}
#endif
