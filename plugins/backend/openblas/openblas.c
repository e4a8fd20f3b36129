/* Backend `openblas`: matrix products by OpenBLAS, single-threaded.
 *
 * The library is opened at run time and not linked, because it chooses its kernels and starts its
 * threads when it is loaded (library.h). */
#include <config.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <anpe/plugin.h>
#include "library.h"
#include "processor.h"

/* Arguments of CBLAS: order 101 row-major; 111 as it is, 112 transposed. */
enum { ROW_MAJOR = 101, AS_IS = 111, TRANSPOSED = 112 };
typedef void sgemm_fn(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a,
                      int lda, const float *b, int ldb, float beta, float *c, int ldc);
typedef void dgemm_fn(int order, int ta, int tb, int m, int n, int k, double alpha, const double *a,
                      int lda, const double *b, int ldb, double beta, double *c, int ldc);
typedef void threads_fn(int n);

typedef struct options {
    const char *coretype;
} options;

static const anpe_option option_table[] = {
    ANPE_OPT_TEXT(
        options, coretype, "auto",
        "kernels of OpenBLAS, as in OPENBLAS_CORETYPE; auto: that variable if it is set, else the "
        "choice of OpenBLAS, or better ones if the processor and OpenBLAS have them"),
    ANPE_OPT_END};

typedef struct openblas {
    library library;
    sgemm_fn *sgemm;
    dgemm_fn *dgemm;
} openblas;

/* A core type that the processor lacks instructions for would end the process. */
static const char *allowed(anpe_ctx *ctx, const char *coretype, unsigned sets)
{
    if (processor_runs(sets, coretype))
        return coretype;
    anpe_log(ctx, ANPE_WARNING,
             "openblas: coretype = \"%s\" needs instructions that this processor does not have; "
             "auto is taken",
             coretype);
    return "auto";
}

/* What has become of a core type that was asked for by name. */
static anpe_status check_named(anpe_ctx *ctx, const char *coretype, const library *l)
{
    const char *known;
    int i = 0;
    if (!l->core[0] || !strcasecmp(coretype, l->core))
        return ANPE_OK;
    while ((known = processor_core(i)) && strcasecmp(known, coretype) != 0)
        i++;
    if (!known && !l->resident)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "coretype = \"%s\": OpenBLAS has no such kernels; expected auto or a name "
                         "of its own, as Haswell or SkylakeX",
                         coretype);
    anpe_log(ctx, ANPE_WARNING, "openblas: coretype = \"%s\" has no effect: %s with kernels for %s",
             coretype,
             l->resident ? "this process has OpenBLAS already," : "OpenBLAS has none, it computes",
             l->core);
    return ANPE_OK;
}

/* Slower than need be, and nobody asked for it. */
static void warn_poor(anpe_ctx *ctx, const library *l, unsigned sets)
{
    anpe_log(
        ctx, ANPE_WARNING, "openblas: kernels for %s, slow on this processor, which has %s: %s",
        l->core, processor_widest(sets),
        l->resident ? "this process had loaded OpenBLAS before; set OPENBLAS_CORETYPE before it "
                      "starts"
                    : "this OpenBLAS has none for it; a newer one may");
}

static anpe_status open_library(anpe_ctx *ctx, const char *coretype, library *l)
{
    const processor p = processor_read();
    const unsigned sets = processor_sets(&p);
    int named = coretype[0] && strcmp(coretype, "auto") != 0;
    if (named)
        coretype = allowed(ctx, coretype, sets);
    named = named && strcmp(coretype, "auto") != 0;
    *l = library_open(ANPE_OPENBLAS_SONAME, coretype, sets);
    if (!l->handle)
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "openblas: cannot open %s: %s (Debian: libopenblas0)",
                         ANPE_OPENBLAS_SONAME, dlerror());
    anpe_log(ctx, ANPE_DEBUG, "openblas: kernels for %s", l->core);
    if (named)
        return check_named(ctx, coretype, l);
    if (l->better[0] && !l->by_variable)
        warn_poor(ctx, l, sets);
    return ANPE_OK;
}

static anpe_status create(anpe_ctx *ctx, const void *opts, const void *setup, void **self)
{
    (void)setup;
    openblas *b;
    threads_fn *threads = NULL;
    if (ANPE_NEW(ctx, b, 1))
        return ANPE_ENOMEM;
    const anpe_status status = open_library(ctx, ((const options *)opts)->coretype, &b->library);
    if (status) {
        if (b->library.handle)
            dlclose(b->library.handle);
        free(b);
        return status;
    }
    if (!library_find(&b->library, "cblas_sgemm", &b->sgemm) ||
        !library_find(&b->library, "cblas_dgemm", &b->dgemm) ||
        !library_find(&b->library, "openblas_set_num_threads", &threads)) {
        dlclose(b->library.handle);
        free(b);
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "openblas: %s is not OpenBLAS with CBLAS: %s",
                         ANPE_OPENBLAS_SONAME, dlerror());
    }
    threads(1);
    *self = b;
    return ANPE_OK;
}

/* The library stays open: it has started and may be in use by another instance. */
static void destroy(void *self)
{
    free(self);
}

static int op(int transposed)
{
    return transposed ? TRANSPOSED : AS_IS;
}

static void sgemm(const void *self, int ta, int tb, int64_t m, int64_t n, int64_t k, float alpha,
                  const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
                  int64_t ldc)
{
    const openblas *o = self;
    o->sgemm(ROW_MAJOR, op(ta), op(tb), (int)m, (int)n, (int)k, alpha, a, (int)lda, b, (int)ldb,
             beta, c, (int)ldc);
}

static void dgemm(const void *self, int ta, int tb, int64_t m, int64_t n, int64_t k, double alpha,
                  const double *a, int64_t lda, const double *b, int64_t ldb, double beta,
                  double *c, int64_t ldc)
{
    const openblas *o = self;
    o->dgemm(ROW_MAJOR, op(ta), op(tb), (int)m, (int)n, (int)k, alpha, a, (int)lda, b, (int)ldb,
             beta, c, (int)ldc);
}

static const char *kernels(const void *self)
{
    return ((const openblas *)self)->library.core;
}

static const anpe_backend_ops ops = {
    .size = sizeof ops, .sgemm = sgemm, .dgemm = dgemm, .kernels = kernels};

static const anpe_plugin plugin = {
    .abi = ANPE_ABI,
    .kind = ANPE_BACKEND,
    .name = "openblas",
    .version = "1.0",
    .summary = "matrix products by OpenBLAS, single-threaded, in float and double",
    .options = option_table,
    .options_size = sizeof(options),
    .create = create,
    .destroy = destroy,
    .ops = &ops,
};
ANPE_PLUGINS(&plugin);
