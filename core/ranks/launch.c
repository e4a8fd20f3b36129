/* Whether this process is one of several, and which plugin carries their messages. */
#include <config.h>
#include "base/loader.h"
#include "base/table.h"
#include "ranks/ranks.h"
#include <stdlib.h>
#include <string.h>

/* The first of the variables that is set, -1: none is. */
static long variable(int n, const char *const *name)
{
    for (int i = 0; i < n; i++) {
        const char *text = getenv(name[i]);
        if (text && *text)
            return strtol(text, NULL, 10);
    }
    return -1;
}

/* Open MPI's mpirun; that of MPICH and its like; srun, which starts for either. */
static long launched_with(void)
{
    static const char *const size[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    static const char *const managed[] = {"PMIX_RANK", "PMI_RANK"};
    static const char *const tasks[] = {"SLURM_STEP_NUM_TASKS"};
    const long n = variable(2, size);
    return n >= 0 || variable(2, managed) < 0 ? n : variable(1, tasks);
}

int anpe_ranks_launched_as(void)
{
    static const char *const rank[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
    const long k = variable(3, rank);
    return k > 0 ? (int)k : 0;
}

static anpe_status get_plugin(anpe_ctx *ctx, const char *name, int asked, const anpe_plugin **out)
{
    const anpe_status status = anpe_loader_get(ctx, ANPE_RANKS, name, out);
    if (status && !asked)
        return anpe_fail_prefix(ctx, status,
                                "started as %ld processes, for which MPI is needed (Debian: "
                                "libopenmpi-dev, then build anpe again; --ranks none: each process "
                                "for itself)",
                                launched_with());
    if (!status && !ANPE_HAS((const anpe_ranks_ops *)(*out)->ops, end))
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "ranks '%s': its table of operations is too short",
                         name);
    return status;
}

anpe_status anpe_ranks_open(anpe_ctx *ctx, const char *how, anpe_ranks **out)
{
    const int asked = strcmp(how, "auto") != 0;
    const anpe_plugin *plugin = NULL;
    void *self = NULL;
    anpe_status status;
    *out = NULL;
    if (!strcmp(how, "none") || (!asked && launched_with() < 2))
        return ANPE_OK;
    ANPE_TRY(get_plugin(ctx, asked ? how : "mpi", asked, &plugin));
    ANPE_TRY(plugin->create(ctx, NULL, NULL, &self));
    status = anpe_ranks_new(ctx, plugin->ops, self, plugin->destroy, out);
    if (status) {
        plugin->destroy(self);
        goto out;
    }
    if (anpe_ranks_count(*out) < 2) {
        anpe_ranks *one = *out;
        *out = NULL;
        status = anpe_ranks_close(ctx, one);
    }
out:
    return status;
}
