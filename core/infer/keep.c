/* What becomes of a block's rows: they are counted, kept in memory and in the store, and told of
 * where they failed. */
#include "infer/rows.h"
#include "infer/run.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most reasons start with the name of the file. */
static void warn_failed(anpe_ctx *ctx, const anpe_star *s)
{
    const char *name = s->id[0] ? s->id : s->file;
    if (strncmp(s->reason, name, strlen(name)))
        anpe_log(ctx, ANPE_WARNING, "%s: %s", name, s->reason);
    else
        anpe_log(ctx, ANPE_WARNING, "%s", s->reason);
}

/* Warns of the block's stars that failed. The run's first one waits until another has worked: if
 * none does, it is the run's error. */
void anpe_infer_report_failures(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_infer_result *r = f->result;
    if (f->first == 0 && f->star[0].failed) {
        f->holding = 1;
        f->held = f->star[0];
        f->first_failure = f->failure;
        if (!f->held.id[0])
            snprintf(f->held.id, sizeof f->held.id, "%s", f->held.file);
    }
    if (f->holding && (r->n_failed < r->n_stars || f->part)) {
        warn_failed(ctx, &f->held);
        f->holding = 0;
    }
    for (int64_t b = f->first == 0; b < f->n; b++)
        if (f->star[b].failed)
            warn_failed(ctx, &f->star[b]);
}

/* A row that stays in memory. That of a block that was made before names its file there. */
static anpe_status keep_star(anpe_ctx *ctx, anpe_inference *f, const anpe_star *from)
{
    anpe_infer_result *r = f->result;
    const size_t labels = (size_t)r->n_labels;
    if (f->request->n_kept && r->n_kept >= f->request->n_kept)
        return ANPE_OK;
    if (ANPE_GROW(ctx, r->star, f->kept_room, r->n_kept + 1))
        return ANPE_ENOMEM;
    anpe_star *to = &r->star[r->n_kept++];
    *to = *from;
    to->label = NULL;
    to->truth = NULL;
    if (ANPE_NEW(ctx, to->label, r->n_labels) || ANPE_NEW(ctx, to->truth, r->n_labels))
        return ANPE_ENOMEM;
    memcpy(to->label, from->label, labels * sizeof *to->label);
    memcpy(to->truth, from->truth, labels * sizeof *to->truth);
    if (!f->replayed && !f->came)
        return ANPE_OK;
    if (!r->n_names || strcmp(r->name[r->n_names - 1], from->file)) {
        if (ANPE_GROW(ctx, r->name, f->names_room, r->n_names + 1) ||
            !(r->name[r->n_names] = anpe_strdup(ctx, from->file)))
            return ANPE_ENOMEM;
        r->n_names++;
    }
    to->file = r->name[r->n_names - 1];
    return ANPE_OK;
}

/* What the result says of all stars. */
static void count_star(anpe_infer_result *r, const anpe_star *s)
{
    r->n_stars++;
    r->n_failed += s->failed;
    r->n_truth += s->has_truth && !s->failed;
    r->n_exact += s->exact;
    for (int k = 0; k < ANPE_N_RUNGS; k++)
        r->n_rung[k] += s->exact && !strcmp(s->rung, anpe_rung_names[k]);
    r->n_evaluations += s->n_evaluations;
    r->file_width = anpe_infer_widest(r->file_width, s->file);
}

anpe_status anpe_infer_pack_rows(anpe_ctx *ctx, anpe_inference *f)
{
    anpe_status status = ANPE_OK;
    f->bytes.n = 0;
    for (int64_t b = 0; b < f->n && !status; b++)
        status = anpe_row_pack(ctx, &f->bytes, &f->star[b], f->result->n_labels);
    return status;
}

anpe_status anpe_infer_keep_rows(anpe_ctx *ctx, anpe_inference *f)
{
    anpe_status status = ANPE_OK;
    for (int64_t b = 0; b < f->n; b++) {
        count_star(f->result, &f->star[b]);
        f->result->n_outside += f->outside[b];
        ANPE_TRY(keep_star(ctx, f, &f->star[b]));
    }
    if (f->store || f->replays)
        ANPE_TRY(anpe_infer_pack_rows(ctx, f));
    if (f->store)
        ANPE_TRY(anpe_store_add(ctx, f->store, &f->bytes));
out:
    return status;
}
