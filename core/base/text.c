/* Nearest names by Damerau-Levenshtein distance (optimal string alignment), growing text. */
#include <config.h>
#include "base/text.h"
#include "base/memory.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { WORD = 64 }; /* longer names are compared by their first 64 letters */

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int distance(const char *a, const char *b)
{
    const int n = smaller((int)strlen(a), WORD), m = smaller((int)strlen(b), WORD);
    int d[WORD + 1][WORD + 1];
    for (int i = 0; i <= n; i++)
        d[i][0] = i;
    for (int j = 0; j <= m; j++)
        d[0][j] = j;
    for (int i = 1; i <= n; i++)
        for (int j = 1; j <= m; j++) {
            const int change = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            d[i][j] = smaller(change, smaller(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = smaller(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n][m];
}

const char *anpe_text_nearest(const char *word, int n, const char *const *candidates)
{
    const int length = (int)strlen(word);
    int limit = length / 3 < 2 ? 2 : length / 3;
    const char *best = NULL;
    for (int i = 0; i < n; i++) {
        if (!candidates[i])
            continue;
        const int d = distance(word, candidates[i]);
        /* A name that shares no letter is no hint, however short. */
        if (d <= limit && d < length && d < (int)strlen(candidates[i])) {
            best = candidates[i];
            limit = d - 1;
        }
    }
    return best;
}

const char *anpe_text_hint(char *buffer, size_t size, const char *word, int n,
                           const char *const *candidates)
{
    const char *near = anpe_text_nearest(word, n, candidates);
    if (near)
        snprintf(buffer, size, "; did you mean '%s'?", near);
    else if (size)
        buffer[0] = 0;
    return buffer;
}

void anpe_text_add(anpe_text *t, const char *format, ...)
{
    if (t->failed)
        return;
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    const int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    if (t->length + (size_t)n + 1 > t->capacity) {
        const size_t capacity = 2 * (t->length + (size_t)n + 128);
        char *text = realloc(t->text, capacity);
        if (text) {
            t->text = text;
            t->capacity = capacity;
        } else {
            t->failed = 1;
        }
    }
    if (!t->failed) {
        vsnprintf(t->text + t->length, t->capacity - t->length, format, again);
        t->length += (size_t)n;
    }
    va_end(again);
}

anpe_status anpe_text_status(anpe_ctx *ctx, const anpe_text *t)
{
    return t->failed ? ANPE_NO_MEMORY(ctx, "text") : ANPE_OK;
}

void anpe_text_free(anpe_text *t)
{
    free(t->text);
    *t = (anpe_text){0};
}

const char *anpe_text_basename(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int anpe_text_has_extension(const char *path, const char *extension)
{
    const size_t n = strlen(path), m = strlen(extension);
    return n > m && path[n - m - 1] != '/' && !strcasecmp(path + n - m, extension);
}

int anpe_text_character(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    if (*p < 0x80)
        return *p >= ' ' || *p == '\t' || *p == '\n';
    const int n = *p >= 0xf0 && *p < 0xf5 ? 4 : *p >= 0xe0 && *p < 0xf0 ? 3 : *p >= 0xc2 ? 2 : 0;
    for (int k = 1; k < n; k++)
        if ((p[k] & 0xc0) != 0x80)
            return 0;
    const int surrogate = *p == 0xed && p[1] >= 0xa0, overlong = *p == 0xe0 && p[1] < 0xa0;
    const int outside = (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] >= 0x90);
    const int reserved = *p == 0xef && p[1] == 0xbf && p[2] >= 0xbe;
    return *p >= 0xf5 || surrogate || overlong || outside || reserved ? 0 : n;
}

void anpe_text_utc(char text[24])
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    const time_t now = epoch && *epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
    struct tm utc;
    strftime(text, 24, "%Y-%m-%dT%H:%M:%S", gmtime_r(&now, &utc));
}
