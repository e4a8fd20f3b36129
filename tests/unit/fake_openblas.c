/* An OpenBLAS of which only the choice of kernels is there, made as that of
 * driver/others/dynamic.c: OPENBLAS_CORETYPE is read when the library is loaded, a name that it
 * does not have is passed over without a word, and a processor that it does not know gets Prescott.
 * KERNELS: the names it has. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

char *openblas_get_corename(void);
int openblas_get_num_threads(void);

static char core[32] = "Prescott";
static int n_threads = 64;

__attribute__((constructor)) static void choose(void)
{
    static const char *const kernels[] = {KERNELS};
    const char *wanted = getenv("OPENBLAS_CORETYPE"), *threads = getenv("OPENBLAS_NUM_THREADS");
    for (size_t i = 0; wanted && i < sizeof kernels / sizeof kernels[0]; i++)
        if (!strcasecmp(wanted, kernels[i]))
            memcpy(core, kernels[i], strlen(kernels[i]) + 1);
    if (threads)
        n_threads = atoi(threads);
}

__attribute__((visibility("default"))) char *openblas_get_corename(void)
{
    return core;
}

__attribute__((visibility("default"))) int openblas_get_num_threads(void)
{
    return n_threads;
}
