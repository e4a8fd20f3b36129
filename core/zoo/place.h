/* zoo/place.h -- where models lie that have a name: PLACE/NAME/VERSION/NAME.h5, with what belongs
 * to the model beside it. The places, in the order in which they are looked at: the directories of
 * ANPE_ZOO, the user's zoo ($XDG_DATA_HOME/anpe/zoo), the installed one ($(pkgdatadir)/zoo). */
#ifndef ANPE_CORE_PLACE_H
#define ANPE_CORE_PLACE_H
#include "base/context.h"

enum { ANPE_ZOO_NAME = 64 }; /* bytes of a name or a version, with the NUL */

typedef struct anpe_zoo_model {
    char name[ANPE_ZOO_NAME], version[ANPE_ZOO_NAME];
    char *directory; /* PLACE/NAME/VERSION */
    char *path;      /* the model */
    int place;       /* 0: the first that is looked at */
} anpe_zoo_model;

/* Lower-case letters, digits and '_'. */
int anpe_zoo_is_name(const char *text);
/* Letters, digits, '.', '_' and '-', the first a letter or a digit: a version, the name of a file.
 */
int anpe_zoo_is_plain(const char *text);
/* The user's zoo, which need not be there yet; malloc'ed. */
ANPE_MUST_CHECK anpe_status anpe_zoo_user(anpe_ctx *ctx, char **directory);
/* Every model that can be found, by place, then by name, then by version with the newest first
 * (numbers in versions count as numbers). Release with anpe_zoo_list_free. */
ANPE_MUST_CHECK anpe_status anpe_zoo_list(anpe_ctx *ctx, int64_t *n, anpe_zoo_model **list);
void anpe_zoo_list_free(int64_t n, anpe_zoo_model *list);
/* The one that NAME or NAME@VERSION stands for, of a list; NULL: there is none. */
const anpe_zoo_model *anpe_zoo_pick(int64_t n, const anpe_zoo_model *list, const char *text);
/* "; did you mean 'apogee'?", of the names in the list, or "". */
const char *anpe_zoo_hint(char *buffer, size_t size, const char *text, int64_t n,
                          const anpe_zoo_model *list);
#endif
