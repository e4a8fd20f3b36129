/* Blocks of spectra that several ranks make. Rank 0 has counted the spectra of all files and tells
 * how many each has, so that a block is spectra by number alone; who makes it reads it. */
#include <config.h>
#include "infer/run.h"
#include <stdatomic.h>
#include <string.h>

anpe_status anpe_infer_compare_ranks(anpe_ctx *ctx, anpe_inference *f, int *finished)
{
    const char *mine = f->result->run;
    char first[sizeof f->result->run + 1];
    memcpy(first, mine, sizeof first - 1);
    first[sizeof first - 1] = (char)*finished;
    const anpe_status status = anpe_ranks_broadcast(ctx, f->request->ranks, sizeof first, first);
    *finished = first[sizeof first - 1];
    if (status || !memcmp(first, mine, sizeof first - 1))
        return status;
    return ANPE_FAIL(ctx, ANPE_ECONFIG,
                     "the model, the command line or the list of spectra is another one on rank 0");
}

anpe_status anpe_infer_share_list(anpe_ctx *ctx, anpe_inference *f, int64_t *n)
{
    anpe_ranks *ranks = f->request->ranks;
    const int64_t n_files = f->request->n_files;
    anpe_status status = ANPE_OK;
    if (anpe_ranks_rank(ranks) == 0)
        ANPE_TRY(anpe_infer_count_stars(ctx, f, n));
    else
        ANPE_TRY(ANPE_NEW(ctx, f->count, n_files + 1));
    ANPE_TRY(anpe_ranks_broadcast(ctx, ranks, (size_t)n_files * sizeof *f->count, f->count));
    for (f->n_all = 0, *n = 0; *n < n_files; ++*n)
        f->n_all += f->count[*n];
    *n = f->n_all;
out:
    return status;
}

static anpe_status make_block(void *user, anpe_ctx *ctx, int64_t b)
{
    anpe_inference *f = user;
    anpe_status status;
    f->first = f->from + b * f->block;
    f->replayed = f->came = 0;
    f->row = f->n_rows = 0;
    anpe_infer_start_at(f, f->first);
    ANPE_TRY(anpe_infer_make_block(ctx, f));
    ANPE_TRY(anpe_infer_pack_rows(ctx, f));
out:
    return status;
}

static int block_pieces(void *user, int64_t b, anpe_piece *piece)
{
    (void)b;
    return anpe_infer_block_pieces(user, piece);
}

static anpe_status take_block(void *user, anpe_ctx *ctx, int64_t b, int came, int n,
                              const anpe_piece *piece)
{
    anpe_inference *f = user;
    anpe_status status = ANPE_OK;
    (void)b;
    f->replayed = 0;
    f->came = piece[1].data != f->bytes.data;
    if (f->came)
        ANPE_TRY(anpe_infer_put_block(ctx, f, n, piece));
    if (came) {
        const int64_t done = atomic_fetch_add(&f->n_done, f->n) + f->n;
        anpe_progress(ctx, "inferring", (double)done, (double)(f->to - f->from));
    }
    ANPE_TRY(anpe_infer_finish_block(ctx, f));
out:
    return status;
}

/* The blocks of the journal, which rank 0 has. */
static anpe_status take_stored(anpe_ctx *ctx, anpe_inference *f)
{
    anpe_status status = ANPE_OK;
    while (f->replays && f->first < f->to) {
        memset(f->outside, 0, (size_t)f->block * sizeof *f->outside);
        ANPE_TRY(anpe_infer_take_block(ctx, f));
        if (!f->replayed)
            break;
        ANPE_TRY(anpe_infer_finish_block(ctx, f));
        f->first += f->n;
    }
    if (f->first > f->from && f->first < f->to)
        anpe_log(ctx, ANPE_INFO, "going on after %lld spectra", (long long)(f->first - f->from));
out:
    return status;
}

anpe_status anpe_infer_run_together(anpe_ctx *ctx, anpe_inference *f)
{
    anpe_ranks_work work = {.end = (f->to - f->from + f->block - 1) / f->block,
                            .user = f,
                            .make = make_block,
                            .pieces = block_pieces,
                            .take = take_block};
    anpe_status status = ANPE_OK;
    if (anpe_ranks_rank(f->request->ranks) == 0)
        ANPE_TRY(take_stored(ctx, f));
    work.first = (f->first - f->from + f->block - 1) / f->block;
    ANPE_TRY(anpe_ranks_run(ctx, f->request->ranks, &work));
out:
    return status;
}
