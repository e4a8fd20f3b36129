/* file/npy.c -- the .npy header is the text of a Python dictionary:
 *     {'descr': '<f8', 'fortran_order': False, 'shape': (336, 3), }
 * after the magic "\x93NUMPY", a version and the header's length. */
#include "file/npy.h"
#include "base/shape.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MOST = 1 << 20 };

const char *anpe_npy_preamble(const uint8_t *b, size_t *start, size_t *length)
{
    if (memcmp(b, "\x93NUMPY", 6))
        return "not in numpy's .npy format";
    if (b[6] < 1 || b[6] > 3)
        return "an unknown version of numpy's .npy format";
    *start = b[6] == 1 ? 10 : 12;
    *length = (size_t)b[8] | (size_t)b[9] << 8;
    if (b[6] > 1)
        *length |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (*length < 10 || *length > HEADER_MOST)
        return "the length of its header is absurd";
    return NULL;
}

/* The text after "'key':", or NULL. */
static const char *value_of(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    if (!at)
        return NULL;
    at += strlen(key);
    while (*at == ' ')
        at++;
    if (*at != ':')
        return NULL;
    do
        at++;
    while (*at == ' ');
    return at;
}

static const char *parse_descr(const char *at, anpe_npy *h)
{
    if (!at)
        return "its header has no 'descr'";
    if (*at == '[') { /* structured array */
        strcpy(h->descr, "record");
        return NULL;
    }
    char quote = *at++;
    const char *end = quote == '\'' || quote == '"' ? strchr(at, quote) : NULL;
    if (!end || end == at || (size_t)(end - at) >= sizeof h->descr)
        return "its header has a damaged 'descr'";
    memcpy(h->descr, at, (size_t)(end - at));
    h->descr[end - at] = '\0';
    const char *d = h->descr;
    char order = strchr("<>|=", *d) ? *d++ : '=';
    if (!*d || !strchr("fiub", *d) || !isdigit((unsigned char)d[1]) || d[2])
        return NULL;
    int size = d[1] - '0';
    int known = *d == 'f'   ? size == 2 || size == 4 || size == 8
                : *d == 'b' ? size == 1
                            : size == 1 || size == 2 || size == 4 || size == 8;
    if (!known)
        return NULL;
    h->type = *d;
    h->size = size;
    h->swapped = order == '>';
    return NULL;
}

static const char *parse_shape(const char *at, anpe_npy *h)
{
    if (!at || *at != '(')
        return "its header has no 'shape'";
    at++;
    for (;;) {
        while (*at == ' ' || *at == ',')
            at++;
        if (*at == ')') {
            h->count = anpe_shape_count(h->rank, h->shape);
            return h->count < 0 ? "its shape is absurd" : NULL;
        }
        if (!isdigit((unsigned char)*at))
            return "its header has a damaged 'shape'";
        char *end;
        long long n = strtoll(at, &end, 10);
        at = *end == 'L' ? end + 1 : end;
        if (h->rank == 4)
            return "it has more than 4 dimensions";
        h->shape[h->rank++] = n;
    }
}

const char *anpe_npy_header(const char *text, size_t length, anpe_npy *h)
{
    *h = (anpe_npy){0};
    char *copy = malloc(length + 1);
    if (!copy)
        return "out of memory";
    memcpy(copy, text, length);
    copy[length] = '\0';
    const char *order = value_of(copy, "'fortran_order'");
    const char *wrong = parse_descr(value_of(copy, "'descr'"), h);
    if (!wrong)
        wrong = parse_shape(value_of(copy, "'shape'"), h);
    if (!wrong && (!order || (strncmp(order, "True", 4) && strncmp(order, "False", 5))))
        wrong = "its header has no 'fortran_order'";
    h->fortran = !wrong && order[0] == 'T';
    free(copy);
    return wrong;
}

/* IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
static double half(uint64_t u)
{
    const int exponent = (int)(u >> 10 & 31);
    const double fraction = (double)(u & 1023);
    const double size = exponent == 31  ? (fraction > 0 ? NAN : INFINITY)
                        : exponent == 0 ? ldexp(fraction, -24)
                                        : ldexp(1024 + fraction, exponent - 25);
    return u >> 15 & 1 ? -size : size;
}

static double element(const anpe_npy *h, const uint8_t *b)
{
    uint64_t u = 0;
    for (int k = 0; k < h->size; k++)
        u |= (uint64_t)b[h->swapped ? h->size - 1 - k : k] << (8 * k);
    union {
        uint64_t u;
        double d;
    } wide = {.u = u};
    union {
        uint32_t u;
        float f;
    } narrow = {.u = (uint32_t)u};
    switch (h->type) {
    case 'f':
        return h->size == 8 ? wide.d : h->size == 4 ? (double)narrow.f : half(u);
    case 'b':
        return u != 0;
    case 'u':
        return (double)u;
    default: /* sign bit down to the element's own place */
        u <<= 64 - 8 * h->size;
        return (double)((int64_t)u >> (64 - 8 * h->size));
    }
}

/* Fortran order: walk the file in its order and step through the row-major output. */
void anpe_npy_convert(const anpe_npy *h, const uint8_t *bytes, double *out)
{
    int64_t stride[4] = {1, 1, 1, 1}, index[4] = {0}, at = 0;
    if (!h->fortran || h->rank < 2) {
        for (int64_t i = 0; i < h->count; i++)
            out[i] = element(h, bytes + i * h->size);
        return;
    }
    for (int k = h->rank - 2; k >= 0; k--)
        stride[k] = stride[k + 1] * h->shape[k + 1];
    for (int64_t i = 0; i < h->count; i++) {
        out[at] = element(h, bytes + i * h->size);
        for (int k = 0; k < h->rank; k++) {
            at += stride[k];
            if (++index[k] < h->shape[k])
                break;
            at -= stride[k] * h->shape[k];
            index[k] = 0;
        }
    }
}
