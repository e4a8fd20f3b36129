/* base/settings.h -- the user's libconfig file, checked against option tables.
 *
 * anpe_settings is one configuration: a file (or the text stored in a model) plus --set
 * overrides. Each consumer asks for its group with a table of options (anpe_option) and gets a
 * filled struct. Every value that was handed out is remembered with its origin, so the resolved
 * configuration can be printed and stored. At the end anpe_settings_finish reports what nobody
 * asked for, with file, line and the nearest known name. */
#ifndef ANPE_CORE_SETTINGS_H
#define ANPE_CORE_SETTINGS_H
#include "base/context.h"

typedef struct anpe_settings anpe_settings;

/* sets: "path.to.value=VALUE" (libconfig scalar or list syntax; a bare word is text; list rows by
 * index: prior.[0].labels.[2].min=1). Relative ANPE_T_FILE paths: from the file's directory for
 * values in a file, from the working directory for --set. "@include" works. */
ANPE_MUST_CHECK anpe_status anpe_settings_read(anpe_ctx *ctx, const char *path, int n_sets,
                                               const char *const *sets, anpe_settings **out);
/* From text (a model's resolved configuration); `origin` names it in messages. */
ANPE_MUST_CHECK anpe_status anpe_settings_parse(anpe_ctx *ctx, const char *text, const char *origin,
                                                int n_sets, const char *const *sets,
                                                anpe_settings **out);
anpe_settings *anpe_settings_free(anpe_settings *s);
/* The configuration comes from a file that is data (a model), which must not start programs; what
 * was said of it. */
void anpe_settings_set_stored(anpe_settings *s);
int anpe_settings_stored(const anpe_settings *s);

/* Whether the group (or list) at `path` ("noise", "prior.[1]") is given by the user. */
int anpe_settings_has(const anpe_settings *s, const char *path);
/* Elements of the list at path; 0 if absent; a single group counts as 1 and is then itself. */
int anpe_settings_count(const anpe_settings *s, const char *path);
/* The text at path, e.g. "simulator.plugin"; `fallback` if absent (NULL: error naming the path
 * and where it was expected). Recorded as resolved. Valid until anpe_settings_free. */
ANPE_MUST_CHECK anpe_status anpe_settings_text(anpe_ctx *ctx, anpe_settings *s, const char *path,
                                               const char *fallback, const char **out);
/* Fills a new struct of `size` bytes from the group at path (absent: all defaults); owned by s.
 * The key "plugin" of the group is left to anpe_settings_text. Errors:
 * "FILE:LINE: payne: unknown option 'fiel'; did you mean 'file'?", wrong type, out of range. */
ANPE_MUST_CHECK anpe_status anpe_settings_fill(anpe_ctx *ctx, anpe_settings *s, const char *path,
                                               const anpe_option *table, size_t size, void **out);
/* The group at path, if it is there, is for somebody else: finish does not complain about it. */
void anpe_settings_leave(anpe_settings *s, const char *path);
/* Takes the option at path out of the text that a model stored, if it is there: an earlier version
 * had it, to no effect. One given by --set stays, and is unknown. */
void anpe_settings_retire(anpe_settings *s, const char *path);
/* Error at the first top-level group or value nobody asked for. */
ANPE_MUST_CHECK anpe_status anpe_settings_finish(anpe_ctx *ctx, const anpe_settings *s);
/* "FILE:LINE" of a path (of its nearest existing parent), for messages of other modules. */
const char *anpe_settings_where(const anpe_settings *s, const char *path);

/* The resolved configuration as libconfig text that can be read again (files as absolute paths).
 * origins: a comment after each value: default, FILE:LINE or command line. Caller frees. */
char *anpe_settings_resolved(anpe_ctx *ctx, const anpe_settings *s, int origins);
/* Every ANPE_T_FILE value in use: i-th path or NULL past the end (for SHA-256 in provenance);
 * *option is "simulator.file". */
const char *anpe_settings_file(const anpe_settings *s, int i, const char **option);
/* Checks a table itself: defaults inside their ranges, names, sizes (tests and `anpe plugins`). */
ANPE_MUST_CHECK anpe_status anpe_options_check(anpe_ctx *ctx, const char *owner,
                                               const anpe_option *table, size_t size);
#endif
