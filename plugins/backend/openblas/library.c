/* OpenBLAS looks at the processor and at the environment once, when it is loaded. A processor that
 * it does not know gets its oldest kernels. What it has taken can only be asked afterwards, so it
 * is loaded, asked, and where the processor has wider instructions unloaded and loaded again with a
 * core type by name. Whether that name was understood is asked again: an OpenBLAS that has no such
 * kernels says nothing and takes others. */
#include <config.h>
#include "library.h"
#include "processor.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef char *corename_fn(void);

static const char coretype_variable[] = "OPENBLAS_CORETYPE";

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

int library_find(const library *l, const char *name, void *function)
{
    void *symbol = dlsym(l->handle, name);
    memcpy(function, &symbol, sizeof symbol); /* ISO C has no cast from object to function */
    return symbol != NULL;
}

/* Loads it with one thread; coretype NULL: by the environment as it is. */
static void load(library *l, const char *name, const char *coretype)
{
    char *threads, *core = NULL;
    corename_fn *corename;
    set("OPENBLAS_NUM_THREADS", "1", &threads);
    if (coretype)
        set(coretype_variable, coretype, &core);
    l->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (coretype)
        put_back(coretype_variable, core);
    put_back("OPENBLAS_NUM_THREADS", threads);
    l->core[0] = 0;
    if (l->handle && library_find(l, "openblas_get_corename", &corename))
        snprintf(l->core, sizeof l->core, "%s", corename());
}

/* Whether it is in the process, loaded by whom ever. */
static int present(const char *name)
{
    void *handle = dlopen(name, RTLD_NOW | RTLD_NOLOAD);
    if (handle)
        dlclose(handle);
    return handle != NULL;
}

/* Loads it anew; 0: it stays in the process as it was. */
static int reload(library *l, const char *name, const char *coretype)
{
    dlclose(l->handle);
    const int stays = present(name);
    load(l, name, coretype);
    return l->handle && !stays;
}

/* Tries the core types that are better than what is there, best first. */
static void improve(library *l, const char *name, unsigned sets)
{
    const char *wanted;
    char own[sizeof l->core];
    memcpy(own, l->core, sizeof own);
    for (int i = 0; (wanted = processor_better(sets, own, i)); i++) {
        if (!reload(l, name, wanted) || !strcasecmp(l->core, wanted))
            return;
    }
    if (strcmp(l->core, own) != 0)
        (void)reload(l, name, NULL);
}

library library_open(const char *name, const char *coretype, unsigned sets)
{
    library l = {.resident = present(name)};
    const char *variable = getenv(coretype_variable);
    const int named = coretype[0] && strcmp(coretype, "auto") != 0;
    l.by_variable = variable && *variable;
    load(&l, name, named ? coretype : NULL);
    if (l.handle && !named && !l.by_variable && !l.resident)
        improve(&l, name, sets);
    const char *better = processor_better(sets, l.core, 0);
    snprintf(l.better, sizeof l.better, "%s", better ? better : "");
    return l;
}
