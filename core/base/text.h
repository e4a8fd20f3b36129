/* base/text.h -- small text helpers. */
#ifndef ANPE_CORE_TEXT_H
#define ANPE_CORE_TEXT_H
#include <anpe/plugin.h>
/* The candidate nearest to `word` (Damerau-Levenshtein distance at most a third of its length,
 * at least 2), or NULL. */
const char *anpe_text_nearest(const char *word, int n, const char *const *candidates);
/* "; did you mean 'x'?" or "" in buffer; returns buffer. */
const char *anpe_text_hint(char *buffer, size_t size, const char *word, int n,
                           const char *const *candidates);
/* Growing text: anpe_text_add(&t, "%d", 1); t.text is NUL-terminated; anpe_text_free. `failed`
 * is set when memory ran out. */
typedef struct anpe_text {
    char *text;
    size_t length, capacity;
    int failed;
} anpe_text;
void anpe_text_add(anpe_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What became of it: ANPE_ENOMEM is reported. */
anpe_status anpe_text_status(anpe_ctx *ctx, const anpe_text *t);
void anpe_text_free(anpe_text *t);
/* The path after its last slash. */
const char *anpe_text_basename(const char *path);
/* The path ends in this extension (".h5"), in any case, with a name before it. */
int anpe_text_has_extension(const char *path, const char *extension);
/* Bytes of the UTF-8 character at text that XML, too, may hold; 0: there is none, such as a control
 * character, half a character, or one of another encoding. */
int anpe_text_character(const char *text);
/* Now, in UTC, as ISO 8601; with SOURCE_DATE_EPOCH in the environment that time instead, so that
 * equal runs give equal bytes (reproducible-builds.org). */
void anpe_text_utc(char text[24]);
#endif
