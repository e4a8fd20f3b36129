/* Statistics of a star's draws, and how well the labels of stars that are known came back. */
#include "infer/run.h"
#include <math.h>
#include <stdlib.h>

void anpe_infer_put_edge(anpe_star *star, int64_t d, double mass, const anpe_label *l)
{
    if (d == 0)
        star->edge_mass = star->told_edge_mass = 0;
    star->edge_mass = fmax(star->edge_mass, mass);
    if (star->label[d].sd < ANPE_TOLD * (l->max - l->min))
        star->told_edge_mass = fmax(star->told_edge_mass, mass);
}

void anpe_infer_summarise(const anpe_inference *f, anpe_star *star, const double *theta,
                          double *column)
{
    const int64_t n = f->request->n_draws, labels = f->result->n_labels;
    for (int64_t d = 0; d < labels; d++) {
        const anpe_label *l = &f->result->label[d];
        for (int64_t k = 0; k < n; k++)
            column[k] = theta[k * labels + d];
        star->label[d] = anpe_infer_label_summary(n, column);
        anpe_infer_put_edge(star, d, anpe_edge_mass(n, column, 1, NULL, star->label[d].sd, l), l);
    }
}

int64_t anpe_infer_count_outside(const anpe_inference *f, const double *theta)
{
    int64_t n = 0;
    for (int64_t k = 0; k < f->request->n_draws; k++) {
        int out = 0;
        for (int64_t d = 0; d < f->result->n_labels; d++) {
            const double t = theta[k * f->result->n_labels + d];
            out |= !(t >= f->result->label[d].min && t <= f->result->label[d].max);
        }
        n += out;
    }
    return n;
}

enum { TRUTH, MEDIAN, MEAN, SD, P16, P84, SCRATCH, COLUMNS };

/* Label d of the stars that are known: k of them. */
static anpe_status gather(anpe_ctx *ctx, const anpe_row_list *rows, int64_t d, double *c, int64_t n,
                          int64_t *k)
{
    const anpe_star *s;
    *k = 0;
    for (int64_t i = 0; i < rows->result->n_stars; i++) {
        const anpe_status status = anpe_row_list_at(ctx, rows, i, &s);
        if (status)
            return status;
        if (!s->has_truth || s->failed || !isfinite(s->truth[d]) || *k == n)
            continue;
        c[TRUTH * n + *k] = s->truth[d];
        c[MEDIAN * n + *k] = s->label[d].median;
        c[MEAN * n + *k] = s->label[d].mean;
        c[SD * n + *k] = s->label[d].sd;
        c[P16 * n + *k] = s->label[d].p16;
        c[P84 * n + (*k)++] = s->label[d].p84;
    }
    return ANPE_OK;
}

/* Medians need all numbers of a label at once, of one label after the other: 56 bytes a star. */
anpe_status anpe_infer_compare_with_truth(anpe_ctx *ctx, const anpe_row_list *rows,
                                          anpe_infer_result *r)
{
    const int64_t n = r->n_truth;
    double *c = NULL;
    anpe_status status;
    if (n < 2)
        return ANPE_OK;
    ANPE_TRY(ANPE_NEW(ctx, r->recovery, r->n_labels));
    ANPE_TRY(ANPE_NEW(ctx, c, COLUMNS, n));
    for (int64_t d = 0; d < r->n_labels; d++) {
        int64_t k;
        ANPE_TRY(gather(ctx, rows, d, c, n, &k));
        r->recovery[d] = anpe_recovery_of(k, c + TRUTH * n, c + MEDIAN * n, c + MEAN * n,
                                          c + SD * n, c + P16 * n, c + P84 * n, c + SCRATCH * n);
    }
out:
    free(c);
    return status;
}
