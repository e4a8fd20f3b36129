/* See identity.h. Equal texts are found by sorting, near positions by sorting in declination; both
 * join sets of entries (Galler & Fischer 1964, with the first entry as the root). */
#include "infer/identity.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEAR_DEGREES (1.0 / 3600)

typedef struct entry {
    const char *id; /* from its first character that is no blank */
    size_t length;  /* to the last one */
    int64_t index;
} entry;

typedef struct position {
    double ra, dec;
    int64_t index;
} position;

struct anpe_identities {
    int64_t n, n_texts, n_positions;
    entry *text;    /* (n_texts) sorted */
    position *near; /* (n_positions) by declination */
    int64_t *star;  /* (n) an earlier entry of the same star, or the entry itself */
    int64_t *count; /* (n) of the first entry of each star */
};

/* ---- positions --------------------------------------------------------------------------- */

/* ddmmss[.sss] at *p into degrees (or hours), with at least `digits` digits after the point. */
static int read_sixty(const char **p, int digits, double *out)
{
    int part[3], after = 0;
    double scale = 1, fraction = 0;
    for (int k = 0; k < 3; k++, *p += 2) {
        if (!isdigit((unsigned char)(*p)[0]) || !isdigit((unsigned char)(*p)[1]))
            return 0;
        part[k] = 10 * ((*p)[0] - '0') + (*p)[1] - '0';
    }
    if (**p == '.')
        for (++*p; isdigit((unsigned char)**p); ++*p, after++)
            fraction += (**p - '0') * (scale /= 10);
    *out = part[0] + part[1] / 60.0 + (part[2] + fraction) / 3600.0;
    return after >= digits && part[1] < 60 && part[2] < 60;
}

int anpe_identity_position(const char *id, double *ra, double *dec)
{
    const char *p = strrchr(id, 'J');
    double hours, degrees;
    if (!p || !read_sixty((++p, &p), 1, &hours) || !(*p == '+' || *p == '-'))
        return 0;
    const double sign = *p++ == '-' ? -1 : 1;
    if (!read_sixty(&p, 0, &degrees) || hours >= 24 || degrees > 90)
        return 0;
    *ra = 15 * hours;
    *dec = sign * degrees;
    return p[strspn(p, " ")] == '\0';
}

static int are_near(const position *a, double ra, double dec)
{
    const double across = remainder(a->ra - ra, 360) * cos(dec * 3.14159265358979323846 / 180);
    return hypot(across, a->dec - dec) <= NEAR_DEGREES;
}

static int by_declination(const void *a, const void *b)
{
    const position *x = a, *y = b;
    return x->dec != y->dec ? (x->dec > y->dec) - (x->dec < y->dec)
                            : (x->index > y->index) - (x->index < y->index);
}

/* ---- texts ------------------------------------------------------------------------------- */

static entry entry_of(const char *id, int64_t index)
{
    const char *first = id + strspn(id, " ");
    size_t n = strlen(first);
    while (n && first[n - 1] == ' ')
        n--;
    return (entry){first, n, index};
}

static int compare_texts(const entry *a, const entry *b)
{
    const size_t n = a->length < b->length ? a->length : b->length;
    const int order = memcmp(a->id, b->id, n);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

static int by_text(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    const int order = compare_texts(x, y);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* ---- stars ------------------------------------------------------------------------------- */

int64_t anpe_identities_star(const anpe_identities *x, int64_t i)
{
    while (x->star[i] != i)
        i = x->star[i];
    return i;
}

static void join(anpe_identities *x, int64_t a, int64_t b)
{
    a = anpe_identities_star(x, a);
    b = anpe_identities_star(x, b);
    if (a < b)
        x->star[b] = a;
    else
        x->star[a] = b;
}

int64_t anpe_identities_count(const anpe_identities *x, int64_t i)
{
    return x->count[anpe_identities_star(x, i)];
}

static void join_all(anpe_identities *x)
{
    for (int64_t i = 1; i < x->n_texts; i++)
        if (!compare_texts(&x->text[i], &x->text[i - 1]))
            join(x, x->text[i].index, x->text[i - 1].index);
    for (int64_t i = 1; i < x->n_positions; i++) {
        const position *p = &x->near[i];
        for (int64_t j = i - 1; j >= 0 && p->dec - x->near[j].dec <= NEAR_DEGREES; j--)
            if (are_near(&x->near[j], p->ra, p->dec))
                join(x, p->index, x->near[j].index);
    }
    for (int64_t i = 0; i < x->n; i++) /* shorten the chains, then count */
        x->star[i] = anpe_identities_star(x, i);
    for (int64_t i = 0; i < x->n; i++)
        x->count[x->star[i]]++;
}

anpe_status anpe_identities_new(anpe_ctx *ctx, int64_t n, const char *const *id,
                                const uint8_t *named, anpe_identities **out)
{
    anpe_identities *x;
    if (ANPE_NEW(ctx, x, 1) || ANPE_NEW(ctx, x->text, n) || ANPE_NEW(ctx, x->near, n) ||
        ANPE_NEW(ctx, x->star, n) || ANPE_NEW(ctx, x->count, n)) {
        *out = anpe_identities_free(x);
        return ANPE_ENOMEM;
    }
    *out = x;
    x->n = n;
    for (int64_t i = 0; i < n; i++) {
        const entry e = entry_of(id[i], i);
        position *p = &x->near[x->n_positions];
        x->star[i] = i;
        if (!e.length || (named && !named[i]))
            continue;
        x->text[x->n_texts++] = e;
        p->index = i;
        x->n_positions += anpe_identity_position(id[i], &p->ra, &p->dec);
    }
    qsort(x->text, (size_t)x->n_texts, sizeof *x->text, by_text);
    qsort(x->near, (size_t)x->n_positions, sizeof *x->near, by_declination);
    join_all(x);
    return ANPE_OK;
}

anpe_identities *anpe_identities_free(anpe_identities *x)
{
    if (x) {
        free(x->text);
        free(x->near);
        free(x->star);
        free(x->count);
    }
    free(x);
    return NULL;
}

static int64_t find_near(const anpe_identities *x, double ra, double dec)
{
    int64_t low = 0, high = x->n_positions;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (x->near[middle].dec < dec - NEAR_DEGREES)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < x->n_positions && x->near[low].dec - dec <= NEAR_DEGREES; low++)
        if (are_near(&x->near[low], ra, dec))
            return x->near[low].index;
    return -1;
}

int64_t anpe_identities_find(const anpe_identities *x, const char *id)
{
    const entry e = entry_of(id, 0);
    double ra, dec;
    int64_t low = 0, high = x->n_texts;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (compare_texts(&x->text[middle], &e) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (e.length && low < x->n_texts && !compare_texts(&x->text[low], &e))
        return x->text[low].index;
    return anpe_identity_position(id, &ra, &dec) ? find_near(x, ra, dec) : -1;
}
