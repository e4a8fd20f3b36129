/* prior independent: one density per label, drawn by inverse CDF. Equations in README.md. */
#include "../common/normal.h"
#include <anpe/plugin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum density { UNIFORM, NORMAL, TRUNCATED_NORMAL, LOG_UNIFORM, LOG_NORMAL } density;

typedef struct row {
    const char *name;
    int type;
    double min, max, mean, sd;
} row;

static const anpe_option row_table[] = {
    ANPE_OPT_TEXT(row, name, NULL, "label"),
    ANPE_OPT_ENUM(row, type, UNIFORM, "uniform|normal|truncated_normal|log_uniform|log_normal",
                  "density"),
    ANPE_OPT_REAL_OPTIONAL(row, min, -ANPE_UNBOUNDED, ANPE_UNBOUNDED, "label",
                           "lower end; default: the simulator's"),
    ANPE_OPT_REAL_OPTIONAL(row, max, -ANPE_UNBOUNDED, ANPE_UNBOUNDED, "label",
                           "upper end; default: the simulator's"),
    ANPE_OPT_REAL_OPTIONAL(row, mean, -ANPE_UNBOUNDED, ANPE_UNBOUNDED, "label",
                           "mean of the normal before truncation; log_normal: of ln label"),
    ANPE_OPT_REAL_OPTIONAL(row, sd, 0, ANPE_UNBOUNDED, "label",
                           "standard deviation of the normal before truncation; log_normal: of ln "
                           "label"),
    ANPE_OPT_END};

typedef struct independent_options {
    anpe_rows labels;
} independent_options;

static const anpe_option independent_table[] = {
    ANPE_OPT_ROWS(independent_options, labels, row_table, row, "the labels and their densities"),
    ANPE_OPT_END};

/* What one label needs to be drawn: see draw_one. */
typedef struct marginal {
    density type;
    double mean, sd;
    normal_cut cut;  /* of the normals */
    double constant; /* of the log density */
} marginal;

typedef struct independent {
    int64_t n;
    anpe_label *labels;
    marginal *marginals;
} independent;

static void independent_destroy(void *self)
{
    independent *p = self;
    if (!p)
        return;
    free(p->labels);
    free(p->marginals);
    free(p);
}

static const anpe_label *find_domain(const anpe_prior_setup *setup, const char *name)
{
    for (int64_t i = 0; i < setup->n_labels; i++)
        if (!strcmp(setup->labels[i].name, name))
            return &setup->labels[i];
    return NULL;
}

static anpe_status check_bounds(anpe_ctx *ctx, const row *r, const anpe_label *domain,
                                const anpe_label *l)
{
    if (r->type == UNIFORM || r->type == LOG_UNIFORM) {
        const char *missing = !isfinite(l->min) ? "min" : !isfinite(l->max) ? "max" : NULL;
        if (missing)
            return ANPE_FAIL(ctx, ANPE_ECONFIG,
                             "label %s: %s is missing; the simulator gives no bound to use instead",
                             r->name, missing);
    }
    if (!(l->min < l->max))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "label %s: min %g is not below max %g", r->name, l->min,
                         l->max);
    if (r->type == LOG_NORMAL && !(l->min >= 0))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "label %s: log_normal needs min >= 0, it is %g",
                         r->name, l->min);
    if (r->type == LOG_UNIFORM && !(l->min > 0))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "label %s: log_uniform needs min > 0, it is %g",
                         r->name, l->min);
    if (domain && (l->min < domain->min || l->max > domain->max))
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "label %s: the prior's range [%.10g, %.10g] is outside the simulator's "
                         "[%.10g, %.10g]%s",
                         r->name, l->min, l->max, domain->min, domain->max,
                         r->type == NORMAL ? "; use truncated_normal" : "");
    return ANPE_OK;
}

static anpe_status check_moments(anpe_ctx *ctx, const row *r)
{
    const int wants = r->type != UNIFORM && r->type != LOG_UNIFORM;
    if (wants && isnan(r->mean))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "label %s: mean is missing", r->name);
    if (wants && isnan(r->sd))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "label %s: sd is missing", r->name);
    if (wants && !(r->sd > 0))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "label %s: sd must be positive, it is %g", r->name,
                         r->sd);
    if (!wants && !(isnan(r->mean) && isnan(r->sd)))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "label %s: %s has no mean and no sd", r->name,
                         r->type == UNIFORM ? "uniform" : "log_uniform");
    if (r->type == NORMAL && !(isnan(r->min) && isnan(r->max)))
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "label %s: normal has no min and no max; use truncated_normal", r->name);
    return ANPE_OK;
}

/* Where a label is normal: on its own axis, or on that of its logarithm. */
static double on_axis(const marginal *m, double x)
{
    return m->type == LOG_NORMAL ? log(x) : x;
}

static anpe_status set_marginal(anpe_ctx *ctx, const anpe_prior_setup *setup, const row *r,
                                anpe_label *l, marginal *m)
{
    const anpe_label *domain = find_domain(setup, r->name);
    const int unbounded = r->type == NORMAL || !domain;
    if (strlen(r->name) >= sizeof l->name)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "label '%s' is longer than %zu letters", r->name,
                         sizeof l->name - 1);
    snprintf(l->name, sizeof l->name, "%s", r->name);
    snprintf(l->unit, sizeof l->unit, "%s", domain ? domain->unit : "");
    const double lowest = r->type == LOG_NORMAL ? 0 : -INFINITY;
    l->min = !isnan(r->min) ? r->min : unbounded ? lowest : fmax(domain->min, lowest);
    l->max = !isnan(r->max) ? r->max : unbounded ? INFINITY : domain->max;
    anpe_status status = check_moments(ctx, r);
    if (!status)
        status = check_bounds(ctx, r, domain, l);
    if (status)
        return status;
    m->type = (density)r->type;
    m->mean = r->mean;
    m->sd = r->sd;
    if (m->type == UNIFORM)
        m->constant = -log(l->max - l->min);
    else if (m->type == LOG_UNIFORM)
        m->constant = -log(log(l->max / l->min));
    else {
        m->cut = normal_cut_new((on_axis(m, l->min) - m->mean) / m->sd,
                                (on_axis(m, l->max) - m->mean) / m->sd);
        m->constant = -log(m->sd) - NORMAL_LOG_ROOT_2PI - m->cut.log_mass;
    }
    if (!isfinite(m->constant))
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "label %s: the range [%g, %g] is too narrow, or too far from mean %g with "
                         "sd %g",
                         r->name, l->min, l->max, r->mean, r->sd);
    return ANPE_OK;
}

static anpe_status check_names(anpe_ctx *ctx, const row *rows, int64_t n)
{
    if (n < 1)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "labels is empty");
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < i; k++)
            if (!strcmp(rows[i].name, rows[k].name))
                return ANPE_FAIL(ctx, ANPE_ECONFIG, "label %s is given twice", rows[i].name);
    return ANPE_OK;
}

static anpe_status independent_create(anpe_ctx *ctx, const void *options, const void *setup,
                                      void **self)
{
    const independent_options *o = options;
    const row *rows = o->labels.v;
    anpe_status status = check_names(ctx, rows, o->labels.n);
    if (status)
        return status;
    independent *p;
    if (ANPE_NEW(ctx, p, 1))
        return ANPE_ENOMEM;
    p->n = o->labels.n;
    if (ANPE_NEW(ctx, p->labels, p->n) || ANPE_NEW(ctx, p->marginals, p->n))
        status = ANPE_ENOMEM;
    for (int64_t i = 0; i < o->labels.n && !status; i++)
        status = set_marginal(ctx, setup, &rows[i], &p->labels[i], &p->marginals[i]);
    if (status) {
        independent_destroy(p);
        return status;
    }
    *self = p;
    return ANPE_OK;
}

static void independent_info(const void *self, int64_t *n_labels, const anpe_label **labels)
{
    const independent *p = self;
    *n_labels = p->n;
    *labels = p->labels;
}

/* The quantile u of one label. */
static double draw_one(const marginal *m, const anpe_label *l, double u)
{
    double x;
    if (m->type == UNIFORM)
        x = l->min + u * (l->max - l->min);
    else if (m->type == LOG_UNIFORM)
        x = l->min * exp(u * log(l->max / l->min));
    else
        x = m->mean + m->sd * normal_cut_quantile(&m->cut, u);
    if (m->type == LOG_NORMAL)
        x = exp(x);
    return x < l->min ? l->min : x > l->max ? l->max : x;
}

static anpe_status independent_sample(const void *self, anpe_ctx *ctx, anpe_rng *rng, double *theta)
{
    const independent *p = self;
    (void)ctx;
    for (int64_t i = 0; i < p->n; i++)
        theta[i] = draw_one(&p->marginals[i], &p->labels[i], anpe_uniform(rng));
    return ANPE_OK;
}

static anpe_status independent_quantile(const void *self, anpe_ctx *ctx, const double *u,
                                        double *theta)
{
    const independent *p = self;
    (void)ctx;
    for (int64_t i = 0; i < p->n; i++)
        theta[i] = draw_one(&p->marginals[i], &p->labels[i], u[i]);
    return ANPE_OK;
}

static double independent_log_density(const void *self, const double *theta)
{
    const independent *p = self;
    double sum = 0;
    for (int64_t i = 0; i < p->n; i++) {
        const marginal *m = &p->marginals[i];
        if (!(theta[i] >= p->labels[i].min && theta[i] <= p->labels[i].max) ||
            (m->type == LOG_NORMAL && theta[i] == 0))
            return -INFINITY;
        const double z = (on_axis(m, theta[i]) - m->mean) / m->sd;
        sum += m->constant;
        if (m->type == LOG_UNIFORM || m->type == LOG_NORMAL)
            sum -= log(theta[i]);
        if (m->type != UNIFORM && m->type != LOG_UNIFORM)
            sum -= 0.5 * z * z;
    }
    return sum;
}

static const anpe_prior_ops independent_ops = {sizeof independent_ops, independent_info,
                                               independent_sample, independent_log_density,
                                               independent_quantile};

static const anpe_plugin independent_plugin = {
    .abi = ANPE_ABI,
    .kind = ANPE_PRIOR,
    .name = "independent",
    .version = "1.0",
    .summary = "uniform, normal, truncated normal, log-uniform or log-normal density per label",
    .options = independent_table,
    .options_size = sizeof(independent_options),
    .create = independent_create,
    .destroy = independent_destroy,
    .ops = &independent_ops};

ANPE_PLUGINS(&independent_plugin);
