/* Backend `openblas`: matrix products by OpenBLAS, single-threaded.
 *
 * The library is opened at run time and not linked, because it chooses its kernels and starts its
 * threads when it is loaded, by what is in the environment then. */
#include "config.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <anpe/plugin.h>

/* Arguments of CBLAS: order 101 row-major; 111 as it is, 112 transposed. */
enum { ROW_MAJOR = 101, AS_IS = 111, TRANSPOSED = 112 };
typedef void sgemm_fn(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a,
                      int lda, const float *b, int ldb, float beta, float *c, int ldc);
typedef void dgemm_fn(int order, int ta, int tb, int m, int n, int k, double alpha, const double *a,
                      int lda, const double *b, int ldb, double beta, double *c, int ldc);
typedef void threads_fn(int n);
typedef char *corename_fn(void);

typedef struct options {
    const char *coretype;
} options;

static const anpe_option option_table[] = {
    ANPE_OPT_TEXT(
        options, coretype, "auto",
        "kernels of OpenBLAS, as in OPENBLAS_CORETYPE; auto: that variable, else its choice"),
    ANPE_OPT_END};

typedef struct openblas {
    void *library;
    sgemm_fn *sgemm;
    dgemm_fn *dgemm;
} openblas;

/* Sets a variable of the environment; *before is what put_back needs. */
static void set(const char *name, const char *value, char **before)
{
    const char *now = getenv(name);
    *before = now ? strdup(now) : NULL;
    setenv(name, value, 1);
}

static void put_back(const char *name, char *before)
{
    if (before)
        setenv(name, before, 1);
    else
        unsetenv(name);
    free(before);
}

/* Opens the library with one thread and the wanted kernels. */
static void *open_library(const char *coretype)
{
    const int choose = coretype[0] && strcmp(coretype, "auto") != 0;
    char *threads, *core = NULL;
    set("OPENBLAS_NUM_THREADS", "1", &threads);
    if (choose)
        set("OPENBLAS_CORETYPE", coretype, &core);
    void *library = dlopen(ANPE_OPENBLAS_SONAME, RTLD_NOW | RTLD_LOCAL);
    if (choose)
        put_back("OPENBLAS_CORETYPE", core);
    put_back("OPENBLAS_NUM_THREADS", threads);
    return library;
}

/* A function by name; ISO C has no conversion from void * to a function pointer. */
static int find(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static anpe_status create(anpe_ctx *ctx, const void *opts, const void *setup, void **self)
{
    (void)setup;
    openblas *b = calloc(1, sizeof *b);
    threads_fn *threads = NULL;
    corename_fn *corename = NULL;
    if (!b)
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "openblas: out of memory");
    b->library = open_library(((const options *)opts)->coretype);
    if (!b->library) {
        free(b);
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "openblas: cannot open %s: %s (Debian: libopenblas0)",
                         ANPE_OPENBLAS_SONAME, dlerror());
    }
    if (!find(b->library, "cblas_sgemm", &b->sgemm) ||
        !find(b->library, "cblas_dgemm", &b->dgemm) ||
        !find(b->library, "openblas_set_num_threads", &threads)) {
        dlclose(b->library);
        free(b);
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "openblas: %s is not OpenBLAS with CBLAS: %s",
                         ANPE_OPENBLAS_SONAME, dlerror());
    }
    threads(1);
    if (find(b->library, "openblas_get_corename", &corename))
        anpe_log(ctx, ANPE_DEBUG, "openblas: kernels for %s", corename());
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

static const anpe_backend_ops ops = {.size = sizeof ops, .sgemm = sgemm, .dgemm = dgemm};

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
