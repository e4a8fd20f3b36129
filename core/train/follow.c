/* See follow.h. */
#include <config.h>
#include "train/follow.h"
#include "base/digest.h"
#include <string.h>

static anpe_status send_parameters(anpe_ctx *ctx, anpe_ranks *ranks, anpe_parameters *p)
{
    return anpe_ranks_broadcast(ctx, ranks, (size_t)p->size * sizeof(float), p->raw);
}

anpe_status anpe_train_order_all(anpe_ctx *ctx, anpe_ranks *ranks, const anpe_train_order *order,
                                 anpe_parameters *parameters)
{
    anpe_train_order o = *order;
    anpe_status status;
    ANPE_TRY(anpe_ranks_broadcast(ctx, ranks, sizeof o, &o));
    if (o.what == ANPE_TRAIN_NEW)
        ANPE_TRY(send_parameters(ctx, ranks, parameters));
out:
    return status;
}

anpe_status anpe_train_follow(anpe_ctx *ctx, anpe_ranks *ranks, anpe_parameters *parameters,
                              anpe_train_share_fn *run_share, void *user)
{
    anpe_train_order o;
    anpe_status status;
    for (;;) {
        ANPE_TRY(anpe_ranks_broadcast(ctx, ranks, sizeof o, &o));
        if (o.what == ANPE_TRAIN_END)
            break;
        if (o.what == ANPE_TRAIN_NEW) {
            ANPE_TRY(send_parameters(ctx, ranks, parameters));
            anpe_parameters_prepare(parameters);
        }
        ANPE_TRY(run_share(user, ctx, &o));
    }
out:
    return status;
}

anpe_status anpe_train_same_start(anpe_ctx *ctx, anpe_ranks *ranks, const char *output, int found,
                                  int complete)
{
    const int32_t mine[2] = {found, complete};
    int32_t first[2] = {found, complete};
    const anpe_status status = anpe_ranks_broadcast(ctx, ranks, sizeof first, first);
    if (status || !memcmp(first, mine, sizeof first))
        return status;
    return ANPE_FAIL(ctx, ANPE_EIO,
                     "%s: not the file that rank 0 has found; all ranks must see the same "
                     "directory",
                     output);
}

anpe_status anpe_train_same_on_all(anpe_ctx *ctx, anpe_ranks *ranks, int64_t n_x, const float *x,
                                   int64_t n_y, const float *y, int64_t n_parameters)
{
    char digest[2][65], mine[160] = "", first[160];
    anpe_digest_memory(x, (size_t)n_x * sizeof *x, digest[0]);
    anpe_digest_memory(y, (size_t)n_y * sizeof *y, digest[1]);
    memcpy(mine, digest[0], 64);
    memcpy(mine + 64, digest[1], 64);
    memcpy(mine + 128, &n_parameters, sizeof n_parameters);
    memcpy(first, mine, sizeof first);
    const anpe_status status = anpe_ranks_broadcast(ctx, ranks, sizeof first, first);
    if (status || !memcmp(first, mine, sizeof first))
        return status;
    return ANPE_FAIL(ctx, ANPE_ECONFIG,
                     "simulated spectra come out other than on rank 0: a file that differs, or a "
                     "processor of another kind, which rounds in another way; a training needs "
                     "nodes of one kind");
}
