/* Repeated observations: inference without a catalogue, then the scatter within each star. */
#include "infer/repeats.h"
#include "model/model.h"
#include "infer/infer.h"
#include "validate/recalibration.h"
#include <stdlib.h>
#include <string.h>

typedef struct visit {
    const anpe_star *star;
    int64_t index;
} visit;

/* By identifier, then in the order of the files, so that equal runs are equal. */
static int by_star(const void *a, const void *b)
{
    const visit *x = a, *y = b;
    const int order = strcmp(x->star->id, y->star->id);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* Visits that have a posterior, sorted; returns how many. */
static int64_t sort_visits(const anpe_infer_result *r, visit *v)
{
    int64_t n = 0;
    for (int64_t i = 0; i < r->n_stars; i++)
        if (!r->star[i].failed)
            v[n++] = (visit){&r->star[i], i};
    qsort(v, (size_t)n, sizeof *v, by_star);
    return n;
}

static void fill(const anpe_label_map *map, const anpe_infer_result *r, visit *v,
                 anpe_credible *interval, int64_t *star, anpe_validation *result)
{
    const int64_t n = sort_visits(r, v);
    for (int64_t i = 0; i < n; i++)
        star[i] = i && !strcmp(v[i].star->id, v[i - 1].star->id) ? star[i - 1] : i;
    for (int64_t d = 0; d < map->n; d++) {
        for (int64_t i = 0; i < n; i++) {
            const anpe_label_summary *s = &v[i].star->label[d];
            interval[i] = anpe_interval_on_line(map, d, s->median, s->p16, s->p84);
        }
        result->repeat_temperature[d] =
            anpe_temperature_of_repeats(n, interval, star, &result->n_repeats);
    }
}

anpe_status anpe_repeats_temperature(anpe_ctx *ctx, const anpe_validate_request *q,
                                     anpe_validation *result)
{
    const anpe_infer_request request = {.model = q->model,
                                        .n_files = q->n_repeats,
                                        .files = q->repeats,
                                        .n_draws = q->n_draws,
                                        .seed = q->seed,
                                        .threads = q->threads};
    anpe_infer_result r = {0};
    anpe_model_file model = {0};
    visit *v = NULL;
    anpe_credible *interval = NULL;
    int64_t *star = NULL;
    anpe_status status;
    ANPE_TRY(anpe_model_file_open(ctx, q->model, &model));
    ANPE_TRY(anpe_infer_files(ctx, &request, &r));
    const size_t n = (size_t)r.n_stars;
    v = malloc(n * sizeof *v);
    interval = malloc(n * sizeof *interval);
    star = malloc(n * sizeof *star);
    if (!v || !interval || !star) {
        status = ANPE_FAIL(ctx, ANPE_ENOMEM, "repeats: out of memory");
        goto out;
    }
    fill(model.map, &r, v, interval, star, result);
    if (result->n_repeats < 1)
        status =
            ANPE_FAIL(ctx, ANPE_EINVAL, "--repeats: no identifier comes twice among %lld spectra",
                      (long long)r.n_stars);
out:
    anpe_model_file_close(&model);
    free(v);
    free(interval);
    free(star);
    anpe_infer_result_clear(&r);
    return status;
}
