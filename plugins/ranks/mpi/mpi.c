/* Ranks by MPI (Message Passing Interface Forum, version 3): what `mpirun -n N anpe ...` started.
 *
 * One communicator of our own, calls that return at once, one thread. */
#include <config.h>
#include <anpe/plugin.h>
#include <mpi.h>
#include <stdlib.h>

typedef struct mpi_options {
    char none; /* C has no empty struct */
} mpi_options;

static const anpe_option options[] = {ANPE_OPT_END};

typedef struct ranks {
    MPI_Comm world;
    int rank, n;
    int64_t room;
    MPI_Request *job;  /* (room) MPI_REQUEST_NULL: free */
    uint8_t *incoming; /* (room) 1: a receive */
} ranks;

static anpe_status failed(anpe_ctx *ctx, const char *call, int error)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int n;
    MPI_Error_string(error, text, &n);
    return ANPE_FAIL(ctx, ANPE_EIO, "%s: %s", call, text);
}

/* return CHECK(ctx, MPI_Call(...)); */
#define CHECK(ctx, call) check((ctx), #call, (call))
static anpe_status check(anpe_ctx *ctx, const char *call, int error)
{
    return error == MPI_SUCCESS ? ANPE_OK : failed(ctx, call, error);
}

static anpe_status join(anpe_ctx *ctx, ranks *r)
{
    int level, before;
    anpe_status status;
    ANPE_TRY(CHECK(ctx, MPI_Initialized(&before)));
    /* Open MPI reads messages out of the memory of the process that sends them, and aborts where
     * that has been killed: rank 0 could not leave in order. Without it they are copied twice. */
    if (!before)
        (void)setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0);
    if (!before)
        ANPE_TRY(CHECK(ctx, MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level)));
    ANPE_TRY(CHECK(ctx, MPI_Comm_dup(MPI_COMM_WORLD, &r->world)));
    ANPE_TRY(CHECK(ctx, MPI_Comm_set_errhandler(r->world, MPI_ERRORS_RETURN)));
    ANPE_TRY(CHECK(ctx, MPI_Comm_rank(r->world, &r->rank)));
    ANPE_TRY(CHECK(ctx, MPI_Comm_size(r->world, &r->n)));
out:
    return status;
}

static anpe_status create(anpe_ctx *ctx, const void *opts, const void *setup, void **self)
{
    ranks *r;
    (void)opts, (void)setup;
    if (ANPE_NEW(ctx, r, 1))
        return ANPE_ENOMEM;
    const anpe_status status = join(ctx, r);
    if (status)
        free(r);
    else
        *self = r;
    return status;
}

static void destroy(void *self)
{
    ranks *r = self;
    if (!r)
        return;
    MPI_Comm_free(&r->world);
    MPI_Finalize();
    free(r->job);
    free(r->incoming);
    free(r);
}

static void place(const void *self, int *rank, int *n)
{
    const ranks *r = self;
    *rank = r->rank;
    *n = r->n;
}

static anpe_status new_job(anpe_ctx *ctx, ranks *r, int incoming, int *job)
{
    int64_t i = 0, room = r->room;
    while (i < r->room && r->job[i] != MPI_REQUEST_NULL)
        i++;
    if (i == r->room) {
        if (ANPE_GROW(ctx, r->job, room, i + 1))
            return ANPE_ENOMEM;
        for (int64_t k = i; k < room; k++)
            r->job[k] = MPI_REQUEST_NULL;
        room = r->room;
        if (ANPE_GROW(ctx, r->incoming, room, i + 1))
            return ANPE_ENOMEM;
        r->room = room;
    }
    r->incoming[i] = (uint8_t)incoming;
    *job = (int)i;
    return ANPE_OK;
}

static anpe_status send(void *self, anpe_ctx *ctx, int to, int tag, const void *data, size_t bytes,
                        int *job)
{
    ranks *r = self;
    const anpe_status status = new_job(ctx, r, 0, job);
    return status ? status
                  : CHECK(ctx,
                          MPI_Isend(data, (int)bytes, MPI_BYTE, to, tag, r->world, &r->job[*job]));
}

static anpe_status receive(void *self, anpe_ctx *ctx, int from, int tag, void *data, size_t bytes,
                           int *job)
{
    ranks *r = self;
    const anpe_status status = new_job(ctx, r, 1, job);
    return status ? status
                  : CHECK(ctx, MPI_Irecv(data, (int)bytes, MPI_BYTE, from, tag, r->world,
                                         &r->job[*job]));
}

static anpe_status test(void *self, anpe_ctx *ctx, int job, int *done)
{
    ranks *r = self;
    return CHECK(ctx, MPI_Test(&r->job[job], done, MPI_STATUS_IGNORE));
}

/* Nothing is waited for: the other side may be gone. What is half received would go on only in
 * calls that come no more: the run ends. */
static void forget(void *self, int job)
{
    ranks *r = self;
    if (r->job[job] == MPI_REQUEST_NULL)
        return;
    if (r->incoming[job])
        MPI_Cancel(&r->job[job]);
    MPI_Request_free(&r->job[job]);
}

static anpe_status probe(void *self, anpe_ctx *ctx, int tag, int *from, size_t *bytes)
{
    ranks *r = self;
    MPI_Status found;
    int there, n = 0;
    anpe_status status;
    *from = -1;
    ANPE_TRY(CHECK(ctx, MPI_Iprobe(MPI_ANY_SOURCE, tag, r->world, &there, &found)));
    if (!there)
        goto out;
    ANPE_TRY(CHECK(ctx, MPI_Get_count(&found, MPI_BYTE, &n)));
    *from = found.MPI_SOURCE;
    *bytes = (size_t)n;
out:
    return status;
}

static void end(void *self, int exit_status)
{
    MPI_Abort(((ranks *)self)->world, exit_status);
}

static const anpe_ranks_ops ops = {sizeof ops, place, send, receive, test, forget, probe, end};

ANPE_PLUGIN(ANPE_RANKS, "mpi", "1.0", "the processes that mpirun has started", mpi_options,
            destroy);
