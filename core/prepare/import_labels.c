/* Names, units and ranges of the labels of an imported emulator, and the Cannon's terms. */
#include "base/text.h"
#include "prepare/import.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The field's terms. Abundances x_h, x_fe and x_m are dex. */
static const struct {
    const char *name, *unit;
} known[] = {{"teff", "K"},      {"log_teff", "dex"}, {"logg", "dex"},    {"m_h", "dex"},
             {"alpha_m", "dex"}, {"vmicro", "km/s"},  {"vmacro", "km/s"}, {"vsini", "km/s"},
             {"rv", "km/s"},     {"c12_c13", ""},     {"mass", "Msun"},   {"radius", "Rsun"},
             {"age", "Gyr"},     {"ebv", "mag"},      {"av", "mag"}};

/* Order of the 25 labels of The Payne (Ting et al. 2019, their section 4). */
static const char payne25[] =
    "teff,logg,vmicro,c_h,n_h,o_h,na_h,mg_h,al_h,si_h,p_h,s_h,k_h,ca_h,ti_h,v_h,cr_h,mn_h,fe_h,"
    "co_h,ni_h,cu_h,ge_h,c12_c13,vmacro";

static const char *unit_of(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(known[i].name, name))
            return known[i].unit;
    const char *end = strrchr(name, '_');
    return end && (!strcmp(end, "_h") || !strcmp(end, "_fe") || !strcmp(end, "_m")) ? "dex" : NULL;
}

static int64_t count_items(const char *list)
{
    int64_t n = 1;
    for (const char *p = list; *p; p++)
        n += *p == ',';
    return n;
}

/* The i-th of comma-separated items, blanks around it cut off. Returns 0 if it does not fit. */
static int item(const char *list, int64_t i, char *out, size_t size)
{
    for (; i > 0; i--)
        list = strchr(list, ',') + 1;
    list += strspn(list, " ");
    size_t length = strcspn(list, ",");
    while (length > 0 && list[length - 1] == ' ')
        length--;
    if (length >= size)
        return 0;
    memcpy(out, list, length);
    out[length] = 0;
    return 1;
}

static anpe_status check_count(anpe_ctx *ctx, const anpe_import_request *r, const char *option,
                               const char *list, int64_t n)
{
    const int64_t have = count_items(list);
    if (have == n)
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EINVAL, "--%s gives %lld, but %s has %lld labels: %s", option,
                     (long long)have, r->file, (long long)n, list);
}

static anpe_status name_label(anpe_ctx *ctx, const char *list, int64_t i, anpe_emulator *e)
{
    anpe_label *l = &e->labels[i];
    const char *letters = "abcdefghijklmnopqrstuvwxyz0123456789_";
    if (!item(list, i, l->name, sizeof l->name) || strspn(l->name, letters) != strlen(l->name) ||
        l->name[0] < 'a' || l->name[0] > 'z')
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "label %lld of '%s': a name is a letter, then letters, digits and '_' "
                         "(lower case, at most %zu)",
                         (long long)i + 1, list, sizeof l->name - 1);
    for (int64_t k = 0; k < i; k++)
        if (!strcmp(e->labels[k].name, l->name))
            return ANPE_FAIL(ctx, ANPE_EINVAL, "label '%s' is given twice: %s", l->name, list);
    return ANPE_OK;
}

static anpe_status set_unit(anpe_ctx *ctx, const anpe_import_request *r, int64_t i, anpe_label *l)
{
    if (r->units && r->units[0]) {
        if (!item(r->units, i, l->unit, sizeof l->unit))
            return ANPE_FAIL(ctx, ANPE_EINVAL, "unit %lld is longer than %zu letters: %s",
                             (long long)i + 1, sizeof l->unit - 1, r->units);
        return ANPE_OK;
    }
    const char *unit = unit_of(l->name);
    if (!unit)
        anpe_log(ctx, ANPE_WARNING, "the unit of label '%s' is not known; see --units", l->name);
    snprintf(l->unit, sizeof l->unit, "%s", unit ? unit : "");
    return ANPE_OK;
}

/* Whether the label's range is inside [lo, hi], to a millionth of that: published limits are
 * floats, and people round them. Then it is put inside. */
static int narrow(double lo, double hi, anpe_label *l)
{
    const double slack = 1e-6 * (hi - lo);
    if (l->min < lo - slack || l->max > hi + slack)
        return 0;
    l->min = fmax(l->min, lo);
    l->max = fmin(l->max, hi);
    return 1;
}

static anpe_status set_range(anpe_ctx *ctx, const anpe_import_request *r, int64_t i,
                             const double *x_min, const double *x_max, anpe_label *l)
{
    char text[64] = "", *end = text;
    l->min = x_min ? x_min[i] : -INFINITY;
    l->max = x_max ? x_max[i] : INFINITY;
    if (r->range && r->range[0]) {
        const int fits = item(r->range, i, text, sizeof text);
        l->min = strtod(text, &end);
        const int colon = fits && end != text && *end == ':';
        char *second = end + 1;
        if (colon)
            l->max = strtod(second, &end);
        if (!colon || end == second || *end || isnan(l->min) || isnan(l->max))
            return ANPE_FAIL(ctx, ANPE_EINVAL, "--range: '%s' of label %s is not MIN:MAX", text,
                             l->name);
    }
    if (x_min && x_max && !narrow(x_min[i], x_max[i], l))
        return ANPE_FAIL(
            ctx, ANPE_EINVAL,
            "--range: '%s' of label %s is wider than [%.9g, %.9g], where %s was trained", text,
            l->name, x_min[i], x_max[i], r->file);
    if (!(l->min < l->max))
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: label %s has the empty range [%g, %g]", r->file,
                         l->name, l->min, l->max);
    return ANPE_OK;
}

anpe_status anpe_import_labels(anpe_ctx *ctx, const anpe_import_request *r, int64_t n,
                               const double *x_min, const double *x_max, anpe_emulator *e)
{
    const char *names = r->labels && r->labels[0]               ? r->labels
                        : n == 25 && !strcmp(r->model, "payne") ? payne25
                                                                : NULL;
    if (!names)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s has %lld labels without names: give them with --labels, for example "
                         "--labels teff,logg,fe_h,mg_fe,vmacro",
                         r->file, (long long)n);
    anpe_status status = check_count(ctx, r, "labels", names, n);
    if (!status && r->units && r->units[0])
        status = check_count(ctx, r, "units", r->units, n);
    if (!status && r->range && r->range[0])
        status = check_count(ctx, r, "range", r->range, n);
    if (status)
        return status;
    e->n_labels = n;
    if (ANPE_NEW(ctx, e->labels, n))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < n && !status; i++) {
        status = name_label(ctx, names, i, e);
        if (!status)
            status = set_unit(ctx, r, i, &e->labels[i]);
        if (!status)
            status = set_range(ctx, r, i, x_min, x_max, &e->labels[i]);
    }
    return status;
}

/* One factor "teff^2" or "teff" of length n into the row of exponents. */
static anpe_status add_factor(anpe_ctx *ctx, const char *text, size_t n, const anpe_emulator *e,
                              double *row)
{
    const size_t name = strcspn(text, "^* \t\n");
    int power = 1, used = 0;
    if (name < n && (sscanf(text + name, "^%2d%n", &power, &used) != 1 || power < 1 ||
                     name + (size_t)used != n))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "--terms: '%.*s' is not LABEL or LABEL^POWER", (int)n,
                         text);
    for (int64_t i = 0; i < e->n_labels; i++)
        if (strlen(e->labels[i].name) == name && !strncmp(e->labels[i].name, text, name)) {
            row[i] += power;
            return ANPE_OK;
        }
    return ANPE_FAIL(ctx, ANPE_EINVAL, "--terms: '%.*s' is not one of the labels", (int)name, text);
}

anpe_status anpe_import_terms(anpe_ctx *ctx, const char *terms, const anpe_emulator *e,
                              int64_t *n_features, double **exponents)
{
    static const char blank[] = " \t\n";
    const int64_t D = e->n_labels;
    int64_t n = 1;
    for (const char *p = terms + strspn(terms, blank); *p; p += strspn(p, blank), n++)
        p += strcspn(p, blank);
    double *x;
    if (ANPE_NEW(ctx, x, n, D))
        return ANPE_ENOMEM;
    double *row = x + D;
    for (const char *p = terms + strspn(terms, blank); *p; p += strspn(p, blank), row += D)
        for (;;) {
            const size_t length = strcspn(p, "* \t\n");
            const anpe_status status = add_factor(ctx, p, length, e, row);
            if (status) {
                free(x);
                return status;
            }
            p += length;
            if (*p != '*')
                break;
            p++;
        }
    *n_features = n;
    *exponents = x;
    return ANPE_OK;
}
