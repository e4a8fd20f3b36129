/* IRAF's dispersion functions. */
#include <config.h>
#include "iraf_spec.h"
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINEAR, LOG_LINEAR, NON_LINEAR }; /* dtype */
enum { DTYPE = 2, W1, DW, NW, Z, FUNCTIONS = 9 };
enum { CHEBYSHEV = 1, LEGENDRE, CUBIC_SPLINE, LINEAR_SPLINE, PIXEL_ARRAY, SAMPLED_ARRAY };
enum { MOST_VALUES = 1000000 };

/* ---- one function: v points at its type; *used values belong to it ---------------------- */

/* sum of c_k x_k, x the polynomials of Chebyshev or Legendre on [-1, 1] */
static double polynomial(int type, int64_t order, const double *c, double x)
{
    double before = 1, now = x, sum = c[0];
    for (int64_t k = 1; k < order; k++) {
        sum += c[k] * now;
        const double next =
            type == CHEBYSHEV
                ? 2 * x * now - before
                : ((double)(2 * k + 1) * x * now - (double)k * before) / (double)(k + 1);
        before = now;
        now = next;
    }
    return sum;
}

/* Piece j of s, and how far into it: a + b = 1. */
static int64_t piece(int64_t n, double s, double *a, double *b)
{
    int64_t j = (int64_t)floor(s);
    j = j < 0 ? 0 : j > n - 1 ? n - 1 : j;
    *b = s - (double)j;
    *a = 1 - *b;
    return j;
}

static double spline(int type, int64_t pieces, const double *c, double s)
{
    double a, b;
    const int64_t j = piece(pieces, s, &a, &b);
    if (type == LINEAR_SPLINE)
        return c[j] * a + c[j + 1] * b;
    return c[j] * a * a * a + c[j + 1] * (1 + 3 * a * (1 + a * b)) +
           c[j + 2] * (1 + 3 * b * (1 + a * b)) + c[j + 3] * b * b * b;
}

/* Between the pairs (p_k, w_k), p ascending. */
static double sampled(int64_t n, const double *v, double p)
{
    int64_t k = 0;
    if (!(p >= v[0] && p <= v[2 * (n - 1)]))
        return NAN;
    while (k < n - 2 && p > v[2 * (k + 1)])
        k++;
    const double *l = v + 2 * k, t = (p - l[0]) / (l[2] - l[0]);
    return l[1] + t * (l[3] - l[1]);
}

static double in_array(int64_t n, const double *w, double p)
{
    double a, b;
    if (!(p >= 1 && p <= (double)n))
        return NAN;
    if (n == 1)
        return w[0];
    const int64_t j = piece(n - 1, p - 1, &a, &b);
    return w[j] * a + w[j + 1] * b;
}

/* Values of one function after weight and offset, its type among them; 0: not one. */
static int64_t function_length(int64_t left, const double *v)
{
    if (left < 2 || !(v[1] >= 1 && v[1] <= MOST_VALUES) || v[1] != floor(v[1]))
        return 0;
    const int64_t n = (int64_t)v[1];
    int64_t length = 0;
    if (v[0] == CHEBYSHEV || v[0] == LEGENDRE)
        length = 4 + n;
    else if (v[0] == CUBIC_SPLINE)
        length = 4 + n + 3;
    else if (v[0] == LINEAR_SPLINE)
        length = 4 + n + 1;
    else if (v[0] == PIXEL_ARRAY)
        length = 2 + n;
    else if (v[0] == SAMPLED_ARRAY && n >= 2)
        length = 2 + 2 * n;
    return length <= left ? length : 0;
}

static double function_value(const double *v, double p)
{
    const int type = (int)v[0];
    const int64_t n = (int64_t)v[1];
    if (type == PIXEL_ARRAY)
        return in_array(n, v + 2, p);
    if (type == SAMPLED_ARRAY)
        return sampled(n, v + 2, p);
    const double low = v[2], high = v[3];
    /* half a pixel beyond the fitted range is the last pixel's outer half */
    if (!(p >= low - 0.5 && p <= high + 0.5))
        return NAN;
    if (type == CHEBYSHEV || type == LEGENDRE)
        return polynomial(type, n, v + 4, (p - 0.5 * (low + high)) / (0.5 * (high - low)));
    return spline(type, n, v + 4, (p - low) / (high - low) * (double)n);
}

/* ---- the specification ------------------------------------------------------------------ */

static anpe_status check(anpe_ctx *ctx, const iraf_spec *s, const char *where)
{
    const double *v = s->value;
    int functions = 0;
    if (s->n < FUNCTIONS)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s has %lld values; expected 9 or more", where,
                         (long long)s->n);
    if (v[DTYPE] == -1)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s has no wavelengths: dispersion type -1", where);
    if (v[DTYPE] != LINEAR && v[DTYPE] != LOG_LINEAR && v[DTYPE] != NON_LINEAR)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s has dispersion type %g; expected 0, 1 or 2", where,
                         v[DTYPE]);
    if (!(v[Z] > -1))
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s has redshift %g", where, v[Z]);
    if (v[DTYPE] != NON_LINEAR)
        return ANPE_OK;
    for (int64_t k = FUNCTIONS; k < s->n; functions++) {
        const int64_t n = s->n - k > 2 ? function_length(s->n - k - 2, v + k + 2) : 0;
        if (!n)
            return ANPE_FAIL(ctx, ANPE_EFORMAT,
                             "%s: its dispersion function %d is not one of types 1 to 6 with all "
                             "its coefficients",
                             where, functions + 1);
        const double *f = v + k + 2;
        if (f[0] <= LINEAR_SPLINE && !(f[2] < f[3]))
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: a dispersion function from pixel %g to %g",
                             where, f[2], f[3]);
        k += 2 + n;
    }
    return functions ? ANPE_OK
                     : ANPE_FAIL(ctx, ANPE_EFORMAT, "%s has no dispersion function", where);
}

anpe_status iraf_spec_parse(anpe_ctx *ctx, const char *text, const char *where, iraf_spec *out)
{
    *out = (iraf_spec){0};
    const int64_t most = (int64_t)strlen(text) / 2 + 2; /* a number and a blank */
    locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    anpe_status status = c ? ANPE_NEW(ctx, out->value, most) : ANPE_NO_MEMORY(ctx, where);
    for (const char *p = text; !status && *(p += strspn(p, " \t"));) {
        char *end;
        out->value[out->n] = strtod_l(p, &end, c);
        if (end == p || (*end && !strchr(" \t", *end)))
            status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: '%.20s' is not a number", where, p);
        else if (!isfinite(out->value[out->n++]))
            status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: value %lld is not finite", where,
                               (long long)out->n);
        p = end;
    }
    if (c)
        freelocale(c);
    if (!status)
        status = check(ctx, out, where);
    if (status)
        iraf_spec_clear(out);
    return status;
}

void iraf_spec_clear(iraf_spec *s)
{
    free(s->value);
    *s = (iraf_spec){0};
}

double iraf_spec_wavelength(const iraf_spec *s, double p)
{
    const double *v = s->value;
    double sum = 0;
    if (p < 0.5 || p > v[NW] + 0.5)
        return NAN;
    if (v[DTYPE] != NON_LINEAR) {
        const double w = v[W1] + v[DW] * (p - 1);
        return (v[DTYPE] == LINEAR ? w : pow(10, w)) / (1 + v[Z]);
    }
    for (int64_t k = FUNCTIONS; k < s->n; k += 2 + function_length(s->n - k - 2, v + k + 2))
        sum += v[k] * (v[k + 1] + function_value(v + k + 2, p));
    return sum / (1 + v[Z]);
}

char *iraf_spec_find(const char *wat, int64_t order)
{
    char key[40];
    snprintf(key, sizeof key, "spec%lld", (long long)order);
    const size_t n = strlen(key);
    for (const char *p = wat; (p = strstr(p, key)); p += n) {
        const char *q = p + n;
        if (p > wat && !strchr(" \t", p[-1]))
            continue; /* the end of another word */
        q += strspn(q, " \t");
        if (*q++ != '=')
            continue;
        q += strspn(q, " \t");
        if (*q++ != '"')
            continue;
        return strndup(q, strcspn(q, "\""));
    }
    return NULL;
}
