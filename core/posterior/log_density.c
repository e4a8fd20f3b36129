/* posterior/log_density.c -- log q of the labels of one's own choice, for those who embed the
 * library. */
#include <config.h>
#include "posterior/session.h"
#include "posterior/flow_density.h"
#include "base/locale.h"
#include <math.h>

enum { BATCH = 64 };

static int is_outside(const anpe_label_map *m, const double *theta)
{
    for (int64_t d = 0; d < m->n; d++)
        if (!(theta[d] > m->label[d].min && theta[d] < m->label[d].max))
            return 1;
    return 0;
}

/* theta (n, D), n <= BATCH. The flow's coordinates are floats: the Jacobian is taken where they
 * are. */
static void eval(anpe_session *s, int64_t n, double *log_q, const double *theta)
{
    const anpe_label_map *m = s->model->map;
    double jacobian[BATCH];
    for (int64_t k = 0; k < n; k++) {
        double *y = s->density_y + k * m->n;
        anpe_coordinates_forward(&s->coordinates[0], theta + k * m->n, s->y);
        jacobian[k] = anpe_coordinates_inverse(&s->coordinates[0], s->y, y);
        for (int64_t d = 0; d < m->n; d++)
            y[d] = (double)s->y[d];
    }
    anpe_flow_density_eval(s->density, anpe_session_context(s, 0), n, s->density_y, log_q);
    for (int64_t k = 0; k < n; k++)
        log_q[k] = is_outside(m, theta + k * m->n) ? -INFINITY : log_q[k] - jacobian[k];
}

static anpe_status log_density(anpe_session *s, anpe_ctx *ctx, int64_t n, double *log_q,
                               const double *theta)
{
    const int64_t labels = s->model->map->n;
    anpe_status status = ANPE_OK;
    if (!s->inferred)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "no spectrum has been inferred in this session");
    for (int64_t k = 0; k < n * labels; k++)
        if (!isfinite(theta[k]))
            return ANPE_FAIL(ctx, ANPE_EINVAL, "label '%s' of row %lld is not finite",
                             s->model->map->label[k % labels].name, (long long)(k / labels));
    if (!s->density) {
        if (!s->density_y)
            ANPE_TRY(ANPE_NEW(ctx, s->density_y, BATCH, labels));
        ANPE_TRY(anpe_flow_density_new(ctx, s->model->net, labels, BATCH, &s->density));
    }
    for (int64_t first = 0; first < n; first += BATCH)
        eval(s, n - first < BATCH ? n - first : BATCH, log_q + first, theta + first * labels);
out:
    return status;
}

anpe_status anpe_log_density(anpe_session *s, anpe_ctx *ctx, int64_t n, double *log_q,
                             const double *theta)
{
    const locale_t before = anpe_locale_enter();
    const anpe_status status = log_density(s, ctx, n, log_q, theta);
    anpe_locale_leave(before);
    return status;
}
