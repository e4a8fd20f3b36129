/* kernel_types: the core types of OpenBLAS that this processor can run and that this OpenBLAS has,
 * one a line, worst first. kernel_types --own: the one that OpenBLAS takes by itself and, if the
 * processor has wider instructions, one that would be better. */
#include <config.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../plugins/backend/openblas/library.h"
#include "../../plugins/backend/openblas/processor.h"

static unsigned sets(void)
{
    const processor p = processor_read();
    return processor_sets(&p);
}

static int list(void)
{
    static const char *const types[] = {"Prescott", "Nehalem",  "Sandybridge", "Haswell",
                                        "Zen",      "SkylakeX", "Cooperlake",  "SapphireRapids"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (!processor_runs(sets(), types[i]))
            continue;
        const library l = library_open(ANPE_OPENBLAS_SONAME, types[i], sets());
        if (!l.handle)
            return EXIT_FAILURE;
        if (!strcmp(l.core, types[i]))
            puts(types[i]);
        dlclose(l.handle);
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    unsetenv("OPENBLAS_CORETYPE");
    if (argc == 1)
        return list();
    if (argc != 2 || strcmp(argv[1], "--own"))
        return 2;
    const library l = library_open(ANPE_OPENBLAS_SONAME, "auto", 0);
    const char *better = processor_better(sets(), l.core, 0);
    printf("%s %s\n", l.core, better ? better : "");
    return l.handle ? EXIT_SUCCESS : EXIT_FAILURE;
}
