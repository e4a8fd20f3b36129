/* Repeated observations: inference without a catalogue, then the scatter within each star. */
#include "infer/repeats.h"
#include "model/model.h"
#include "infer/identity.h"
#include "infer/infer.h"
#include "validate/recalibration.h"
#include <stdlib.h>

typedef struct visit {
    const anpe_star *star;
    int64_t index, same; /* the first spectrum of that star */
} visit;

/* By star, then in the order of the files, so that equal runs are equal. */
static int by_star(const void *a, const void *b)
{
    const visit *x = a, *y = b;
    return x->same != y->same ? (x->same > y->same) - (x->same < y->same)
                              : (x->index > y->index) - (x->index < y->index);
}

/* Visits that have a posterior, sorted -> v (n_stars); how many -> *n. */
static anpe_status sort_visits(anpe_ctx *ctx, const anpe_infer_result *r, visit *v, int64_t *n)
{
    anpe_identities *x = NULL;
    const char **id = NULL;
    uint8_t *named = NULL;
    anpe_status status = ANPE_NEW(ctx, id, r->n_stars + 1) || ANPE_NEW(ctx, named, r->n_stars + 1)
                             ? ANPE_ENOMEM
                             : ANPE_OK;
    for (int64_t i = 0; i < r->n_stars && !status; i++) {
        id[i] = r->star[i].id;
        named[i] = (uint8_t)r->star[i].named;
    }
    if (!status)
        status = anpe_identities_new(ctx, r->n_stars, id, named, &x);
    *n = 0;
    for (int64_t i = 0; i < r->n_stars && !status; i++)
        if (!r->star[i].failed)
            v[(*n)++] = (visit){&r->star[i], i, anpe_identities_star(x, i)};
    if (!status)
        qsort(v, (size_t)*n, sizeof *v, by_star);
    anpe_identities_free(x);
    free(named);
    free(id);
    return status;
}

static void fill(const anpe_label_map *map, int64_t n, const visit *v, anpe_credible *interval,
                 int64_t *star, anpe_validation *result)
{
    for (int64_t i = 0; i < n; i++)
        star[i] = i && v[i].same == v[i - 1].same ? star[i - 1] : i;
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
                                        .n_sets = q->n_sets,
                                        .sets = q->sets,
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
    const int64_t n = r.n_stars;
    ANPE_TRY(ANPE_NEW(ctx, v, n));
    ANPE_TRY(ANPE_NEW(ctx, interval, n));
    ANPE_TRY(ANPE_NEW(ctx, star, n));
    int64_t n_visits;
    ANPE_TRY(sort_visits(ctx, &r, v, &n_visits));
    fill(model.map, n_visits, v, interval, star, result);
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
