/* Results of a validation: memory, the group in the model file, and their summary. */
#include <config.h>
#include "validate/record.h"
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every array of doubles, once: memory and file are both made from this table. */
enum shape { PER_MOCK_AND_LABEL, PER_MOCK, PER_LABEL };
static const struct {
    const char *name;
    enum shape shape;
    size_t offset;
} array[] = {
#define ARRAY(member, shape)                                                                       \
    {                                                                                              \
#member, shape, offsetof(anpe_validation, member)                                          \
    }
    ARRAY(truth, PER_MOCK_AND_LABEL),
    ARRAY(median, PER_MOCK_AND_LABEL),
    ARRAY(mean, PER_MOCK_AND_LABEL),
    ARRAY(sd, PER_MOCK_AND_LABEL),
    ARRAY(p16, PER_MOCK_AND_LABEL),
    ARRAY(p84, PER_MOCK_AND_LABEL),
    ARRAY(hpd, PER_MOCK),
    ARRAY(tarp, PER_MOCK),
    ARRAY(log_q_truth, PER_MOCK),
    ARRAY(snr, PER_MOCK),
    ARRAY(bad_fraction, PER_MOCK),
    ARRAY(ess, PER_MOCK),
    ARRAY(khat, PER_MOCK),
    ARRAY(evaluations, PER_MOCK),
    ARRAY(reached, PER_MOCK),
    ARRAY(context_distance, PER_MOCK),
    ARRAY(residual_score, PER_MOCK),
    ARRAY(edge_mass, PER_MOCK),
    ARRAY(contraction, PER_LABEL),
    {"recalibration/temperature", PER_LABEL, offsetof(anpe_validation, temperature)},
    {"recalibration/cover68_before", PER_LABEL, offsetof(anpe_validation, cover_before)},
    {"recalibration/cover68_after", PER_LABEL, offsetof(anpe_validation, cover_after)},
    {"recalibration/repeat_temperature", PER_LABEL, offsetof(anpe_validation, repeat_temperature)}};
enum { N_ARRAYS = sizeof array / sizeof array[0] };
/* Of the group in the file; what has another one was made by another version. */
enum { LAYOUT = 3 };

static double **member(const anpe_validation *v, int i)
{
    return (double **)(void *)((uintptr_t)v + array[i].offset);
}

static int64_t length(const anpe_validation *v, int i)
{
    return (array[i].shape == PER_LABEL ? 1 : v->n) *
           (array[i].shape == PER_MOCK ? 1 : v->n_labels);
}

anpe_status anpe_validation_new(anpe_ctx *ctx, int64_t n, int64_t n_labels, anpe_validation **out)
{
    anpe_validation *v;
    *out = NULL;
    if (ANPE_NEW(ctx, v, 1))
        return ANPE_ENOMEM;
    v->n = n;
    v->n_labels = n_labels;
    anpe_status status = ANPE_NEW(ctx, v->rank, n, n_labels);
    for (int i = 0; !status && i < N_ARRAYS; i++) {
        double *x;
        status = ANPE_NEW(ctx, x, length(v, i));
        for (int64_t k = 0; !status && k < length(v, i); k++)
            x[k] = NAN;
        *member(v, i) = x;
    }
    *out = status ? anpe_validation_free(v) : v;
    return status;
}

int anpe_validation_pieces(const anpe_validation *v, int64_t first, int64_t n, anpe_piece *piece)
{
    _Static_assert((int)N_ARRAYS < (int)ANPE_VALIDATION_PIECES, "no room for every array's piece");
    const int64_t labels = v->n_labels;
    int k = 0;
    piece[k++] = (anpe_piece){v->rank + first * labels, (size_t)(n * labels) * sizeof *v->rank};
    for (int i = 0; i < N_ARRAYS; i++) {
        const int64_t width = array[i].shape == PER_MOCK ? 1 : labels;
        if (array[i].shape != PER_LABEL)
            piece[k++] =
                (anpe_piece){*member(v, i) + first * width, (size_t)(n * width) * sizeof(double)};
    }
    return k;
}

anpe_validation *anpe_validation_free(anpe_validation *v)
{
    if (!v)
        return NULL;
    for (int i = 0; i < N_ARRAYS; i++)
        free(*member(v, i));
    free(v->rank);
    anpe_misfit_free(v->misfit);
    anpe_validation_free(v->exact);
    free(v);
    return NULL;
}

/* ---- in the model file ------------------------------------------------------------------- */

static const char root[] = "validation", exact_root[] = "validation/exact";

typedef struct dataset {
    char path[128];
} dataset;

static dataset in_group(const char *group, const char *name)
{
    dataset p;
    snprintf(p.path, sizeof p.path, "%s/%s", group, name);
    return p;
}

static anpe_status write_arrays(anpe_ctx *ctx, anpe_h5 *f, const char *group,
                                const anpe_validation *v)
{
    const int64_t both[2] = {v->n, v->n_labels};
    anpe_status status;
    for (int i = 0; i < N_ARRAYS; i++)
        ANPE_TRY(anpe_h5_write(ctx, f, in_group(group, array[i].name).path, ANPE_H5_DOUBLE,
                               array[i].shape == PER_MOCK_AND_LABEL ? 2 : 1,
                               array[i].shape == PER_LABEL ? both + 1 : both, *member(v, i)));
    ANPE_TRY(anpe_h5_write(ctx, f, in_group(group, "rank").path, ANPE_H5_INT64, 2, both, v->rank));
    status = anpe_h5_put_numbers(ctx, f, group, "n_draws", ANPE_H5_INT64, 1, &v->n_draws);
out:
    return status;
}

static anpe_status write_all(anpe_ctx *ctx, anpe_h5 *f, const anpe_validation *v)
{
    const int64_t number[] = {LAYOUT, v->seed, v->n_learned, v->n_repeats};
    static const char *const name[] = {"layout", "seed", "n_learned", "n_repeats"};
    anpe_status status;
    ANPE_TRY(anpe_h5_remove(ctx, f, root));
    ANPE_TRY(write_arrays(ctx, f, root, v));
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++)
        ANPE_TRY(anpe_h5_put_numbers(ctx, f, root, name[i], ANPE_H5_INT64, 1, &number[i]));
    ANPE_TRY(anpe_h5_put_text(ctx, f, root, "digest", v->digest));
    ANPE_TRY(anpe_h5_put_text(ctx, f, root, "created", v->created));
    ANPE_TRY(anpe_h5_put_text(ctx, f, root, "anpe_version", v->version));
    if (v->exact)
        ANPE_TRY(write_arrays(ctx, f, exact_root, v->exact));
    if (v->misfit)
        ANPE_TRY(anpe_misfit_write(ctx, f, v->misfit));
out:
    return status;
}

anpe_status anpe_validation_write(anpe_ctx *ctx, const char *path, const anpe_validation *v)
{
    anpe_h5 *f = NULL;
    anpe_status status;
    ANPE_TRY(anpe_h5_update(ctx, path, &f));
    ANPE_TRY(write_all(ctx, f, v));
    status = anpe_h5_close(ctx, f);
    f = NULL;
out:
    anpe_h5_abandon(f);
    return status;
}

static anpe_status read_text(anpe_ctx *ctx, anpe_h5 *f, const char *name, char *to, size_t size)
{
    char *text = NULL;
    anpe_status status = anpe_h5_get_text(ctx, f, "validation", name, &text);
    if (!status)
        snprintf(to, size, "%s", text);
    free(text);
    return status;
}

static anpe_status read_number(anpe_ctx *ctx, anpe_h5 *f, const char *name, int64_t *value)
{
    return anpe_h5_get_numbers(ctx, f, root, name, ANPE_H5_INT64, 1, value);
}

static anpe_status read_arrays(anpe_ctx *ctx, anpe_h5 *f, const char *group, anpe_validation **out)
{
    const dataset truth = in_group(group, "truth"), rank = in_group(group, "rank");
    anpe_validation *v = NULL;
    anpe_status status;
    int dimensions;
    int64_t shape[8];
    ANPE_TRY(anpe_h5_shape(ctx, f, truth.path, &dimensions, shape));
    if (dimensions != 2 || shape[0] < 1 || shape[1] < 1)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: '%s' is not (mocks, labels)", anpe_h5_path(f),
                         truth.path);
    ANPE_TRY(anpe_validation_new(ctx, shape[0], shape[1], &v));
    *out = v;
    ANPE_TRY(anpe_h5_get_numbers(ctx, f, group, "n_draws", ANPE_H5_INT64, 1, &v->n_draws));
    for (int i = 0; i < N_ARRAYS; i++)
        ANPE_TRY(anpe_h5_read(ctx, f, in_group(group, array[i].name).path, ANPE_H5_DOUBLE,
                              length(v, i), *member(v, i)));
    ANPE_TRY(anpe_h5_read(ctx, f, rank.path, ANPE_H5_INT64, v->n * v->n_labels, v->rank));
    for (int64_t i = 0; i < v->n * v->n_labels; i++)
        if (v->rank[i] < 0 || v->rank[i] > v->n_draws)
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: a rank is %lld of %lld draws", anpe_h5_path(f),
                             (long long)v->rank[i], (long long)v->n_draws);
out:
    return status;
}

static int is_readable(anpe_ctx *ctx, anpe_h5 *f)
{
    int64_t layout = 0;
    if (!anpe_h5_has(f, "validation"))
        return 0;
    if (!read_number(ctx, f, "layout", &layout) && layout == LAYOUT)
        return 1;
    anpe_log(ctx, ANPE_WARNING,
             "%s: the validation in it was made by another version and does not count; run anpe "
             "validate again",
             anpe_h5_path(f));
    return 0;
}

anpe_status anpe_validation_read(anpe_ctx *ctx, anpe_h5 *f, anpe_validation **out)
{
    anpe_validation *v = NULL;
    anpe_status status = ANPE_OK;
    int64_t seed = 0;
    *out = NULL;
    if (!is_readable(ctx, f))
        return ANPE_OK;
    ANPE_TRY(read_arrays(ctx, f, root, &v));
    ANPE_TRY(read_number(ctx, f, "seed", &seed));
    ANPE_TRY(read_number(ctx, f, "n_learned", &v->n_learned));
    ANPE_TRY(read_number(ctx, f, "n_repeats", &v->n_repeats));
    v->seed = (uint32_t)seed;
    ANPE_TRY(read_text(ctx, f, "digest", v->digest, sizeof v->digest));
    ANPE_TRY(read_text(ctx, f, "created", v->created, sizeof v->created));
    ANPE_TRY(read_text(ctx, f, "anpe_version", v->version, sizeof v->version));
    if (anpe_h5_has(f, exact_root))
        ANPE_TRY(read_arrays(ctx, f, exact_root, &v->exact));
    if (anpe_h5_has(f, "validation/thresholds"))
        ANPE_TRY(anpe_misfit_read(ctx, f, &v->misfit));
out:
    if (status)
        v = anpe_validation_free(v);
    *out = v;
    return status;
}

/* ---- is it there? ------------------------------------------------------------------------- */

/* Bit for bit, NAN included. Thresholds are learned from the rest at a rate. */
static int are_equal(const anpe_validation *a, const anpe_validation *b)
{
    if (!a || !b)
        return a == b;
    int equal = a->n == b->n && a->n_labels == b->n_labels && a->n_draws == b->n_draws;
    for (int i = 0; equal && i < N_ARRAYS; i++)
        equal = !memcmp(*member(a, i), *member(b, i), (size_t)length(a, i) * sizeof(double));
    return equal && !memcmp(a->rank, b->rank, (size_t)(a->n * a->n_labels) * sizeof *a->rank) &&
           are_equal(a->exact, b->exact);
}

anpe_status anpe_validation_is_stored(anpe_ctx *ctx, const char *path, const anpe_validation *v,
                                      int *is)
{
    anpe_h5 *f = NULL;
    anpe_validation *have = NULL;
    anpe_status status;
    *is = 0;
    ANPE_TRY(anpe_h5_open(ctx, path, &f));
    ANPE_TRY(anpe_validation_read(ctx, f, &have));
    const double rate[2] = {v->misfit ? v->misfit->rate : 0,
                            have && have->misfit ? have->misfit->rate : 0};
    *is = have && are_equal(have, v) && rate[0] == rate[1] && have->seed == v->seed &&
          have->n_learned == v->n_learned && have->n_repeats == v->n_repeats &&
          !strcmp(have->digest, v->digest) && !strcmp(have->version, v->version);
out:
    anpe_validation_free(have);
    anpe_h5_abandon(f);
    return status;
}

/* ---- in numbers -------------------------------------------------------------------------- */

enum { TRUTH, MEDIAN, MEAN, SD, P16, P84, PIT, SCRATCH, COLUMNS };

/* The m mocks `chosen`, label d. c (COLUMNS, n), rank (n): scratch. */
static void summarise_label(const anpe_validation *v, int64_t d, int64_t m, const int64_t *chosen,
                            double *c, int64_t *rank, anpe_validation_label *out)
{
    const double *from[] = {v->truth, v->median, v->mean, v->sd, v->p16, v->p84};
    const int64_t n = v->n;
    for (int64_t i = 0; i < m; i++) {
        const int64_t at = chosen[i] * v->n_labels + d;
        for (int k = 0; k <= P84; k++)
            c[k * n + i] = from[k][at];
        rank[i] = v->rank[at];
        c[PIT * n + i] = ((double)rank[i] + 0.5) / (double)(v->n_draws + 1);
    }
    out->recovery = anpe_recovery_of(m, c + TRUTH * n, c + MEDIAN * n, c + MEAN * n, c + SD * n,
                                     c + P16 * n, c + P84 * n, c + SCRATCH * n);
    out->sbc_p = anpe_rank_p(m, rank, 1, v->n_draws, &out->bins, out->count);
    const anpe_level_test pit = anpe_level_test_of(m, c + PIT * n, v->n_draws, c + SCRATCH * n);
    out->pit_mean = pit.mean;
    out->pit_p = anpe_kolmogorov_survival(m, pit.distance);
}

static anpe_level_test test_levels(const anpe_validation *v, int64_t m, const int64_t *chosen,
                                   const double *level, double *c, double *scratch)
{
    for (int64_t i = 0; i < m; i++)
        c[i] = level[chosen[i]];
    return anpe_level_test_of(m, c, v->n_draws, scratch);
}

anpe_status anpe_validation_summarise(anpe_ctx *ctx, const anpe_validation *v, const double *by,
                                      int64_t stride, double min, double max,
                                      anpe_validation_part *part)
{
    const int64_t n = v->n;
    double *c = NULL, log_q = 0;
    int64_t *chosen = NULL, m = 0;
    memset(part, 0, sizeof *part);
    if (ANPE_NEW(ctx, c, COLUMNS, n) || ANPE_NEW(ctx, chosen, 2, n) ||
        ANPE_NEW(ctx, part->label, v->n_labels)) {
        free(c);
        free(chosen);
        anpe_validation_part_clear(part);
        return ANPE_ENOMEM;
    }
    for (int64_t i = 0; i < v->n; i++) {
        const double x = by ? by[i * stride] : 0;
        if (by && !(x >= min && (x < max || isinf(max))))
            continue;
        chosen[m++] = i;
        log_q += v->log_q_truth[i];
    }
    part->n = m;
    part->min = min;
    part->max = max;
    part->log_q_truth = m ? log_q / (double)m : NAN;
    for (int64_t d = 0; d < v->n_labels; d++)
        summarise_label(v, d, m, chosen, c, chosen + n, &part->label[d]);
    part->hpd = test_levels(v, m, chosen, v->hpd, c, c + n);
    part->tarp = test_levels(v, m, chosen, v->tarp, c, c + n);
    free(c);
    free(chosen);
    return ANPE_OK;
}

void anpe_validation_part_clear(anpe_validation_part *part)
{
    free(part->label);
    part->label = NULL;
}

int anpe_validation_passes(const anpe_validation *v, const anpe_validation_part *all)
{
    int pass = all->hpd.p > ANPE_VALIDATION_P && all->tarp.p > ANPE_VALIDATION_P;
    for (int64_t d = 0; d < v->n_labels; d++)
        pass = pass && all->label[d].sbc_p > ANPE_VALIDATION_P / (double)v->n_labels;
    return pass;
}
