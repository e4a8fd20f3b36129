/* The model spectrum and its derivatives. */
#include <config.h>
#include "task/tangent.h"
#include "kind/simulator.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The simulator's labels have the first rows, in its order, so that one product takes them all. */
static void number_rows(anpe_tangent *g)
{
    const anpe_task *t = g->task;
    int64_t next = 1 + t->sim.n_labels;
    for (int64_t j = 0; j < t->sim.n_labels; j++)
        g->row[t->sim_label[j]] = 1 + j;
    for (int64_t i = 0; i < t->prior->n_labels; i++)
        if (!g->row[i])
            g->row[i] = next++;
}

anpe_status anpe_tangent_new(anpe_ctx *ctx, const anpe_task *t, anpe_tangent **out)
{
    *out = NULL;
    if (!anpe_simulator_has_derivatives(&t->simulator))
        return ANPE_OK;
    anpe_tangent *g;
    if (ANPE_NEW(ctx, g, 1))
        return ANPE_ENOMEM;
    const size_t n_sim = (size_t)t->sim.n_labels, n_prior = (size_t)t->prior->n_labels;
    g->task = t;
    g->sim_theta = anpe_alloc(ctx, n_sim * sizeof *g->sim_theta);
    g->raw = anpe_alloc(ctx, (1 + n_sim) * (size_t)t->sim.n_pixels * sizeof *g->raw);
    g->flux = anpe_alloc(ctx, (1 + n_prior) * (size_t)anpe_task_size(t) * sizeof *g->flux);
    if (!g->sim_theta || !g->raw || !g->flux || ANPE_NEW(ctx, g->row, t->prior->n_labels)) {
        anpe_tangent_free(g);
        return ANPE_ENOMEM;
    }
    number_rows(g);
    *out = g;
    return ANPE_OK;
}

anpe_tangent *anpe_tangent_free(anpe_tangent *g)
{
    if (!g)
        return NULL;
    anpe_free(g->sim_theta);
    anpe_free(g->raw);
    anpe_free(g->flux);
    free(g->row);
    free(g);
    return NULL;
}

static float *slope_of(const anpe_tangent *g, int64_t label)
{
    return g->flux + g->row[label] * anpe_task_size(g->task);
}

static anpe_status check_finite(const anpe_tangent *g, anpe_ctx *ctx)
{
    const anpe_task *t = g->task;
    const int64_t n = t->sim.n_pixels;
    for (int64_t i = 0; i < (1 + t->sim.n_labels) * n; i++)
        if (!isfinite(g->raw[i]))
            return ANPE_FAIL(ctx, ANPE_ENUMERIC,
                             "simulator '%s' gives %g for %s%s in its pixel %lld",
                             t->simulator.plugin->name, (double)g->raw[i],
                             i < n ? "the flux" : "the derivative with respect to ",
                             i < n ? "" : t->sim.labels[i / n - 1].name, (long long)(i % n));
    return ANPE_OK;
}

anpe_status anpe_tangent_run(anpe_tangent *g, anpe_ctx *ctx, const double *theta, void *scratch)
{
    const anpe_task *t = g->task;
    const anpe_simulator_ops *ops = t->simulator.ops;
    const int64_t size = anpe_task_size(t), n = t->sim.n_labels;
    for (int64_t j = 0; j < n; j++)
        g->sim_theta[j] = theta[t->sim_label[j]];
    anpe_status status = ops->derivatives(t->simulator.self, ctx, g->sim_theta, g->raw, scratch);
    if (status)
        return anpe_fail_prefix(ctx, status, "%s", t->simulator.plugin->name);
    status = check_finite(g, ctx);
    if (status)
        return status;
    const int64_t others = t->prior->n_labels - n;
    memset(g->flux + (1 + n) * size, 0, (size_t)(others * size) * sizeof *g->flux);
    if (!t->projector) {
        memcpy(g->flux, g->raw, (size_t)((1 + n) * size) * sizeof *g->flux);
        return ANPE_OK;
    }
    anpe_task_project(t, 1 + n, theta, 1, NULL, g->raw, g->flux, scratch);
    if (t->rv >= 0)
        anpe_task_slope(t, theta, g->raw, slope_of(g, t->rv), scratch);
    for (int k = 0; k < ANPE_N_BROADENINGS; k++) {
        const anpe_broadening slope = (anpe_broadening)k;
        if (t->broadening[k] >= 0)
            anpe_task_project(t, 1, theta, 1, &slope, g->raw, slope_of(g, t->broadening[k]),
                              scratch);
    }
    return ANPE_OK;
}
