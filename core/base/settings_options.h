/* base/settings_options.h -- one group of values into the struct of an option table; private to
 * core/base. */
#ifndef ANPE_CORE_SETTINGS_OPTIONS_H
#define ANPE_CORE_SETTINGS_OPTIONS_H
#include "base/settings_tree.h"

typedef struct anpe_filling {
    anpe_ctx *ctx;
    anpe_settings *s;
    const char *path, *owner; /* "simulator", "payne" */
    const char *where;        /* of the group, for options that are missing */
} anpe_filling;

/* prefix: "" or "labels[2]." for messages; given: the user's group or NULL; resolved: where the
 * values that were used are recorded. */
anpe_status anpe_options_fill(const anpe_filling *f, const char *prefix, anpe_value *given,
                              anpe_value *resolved, const anpe_option *table, void *options);
/* The child `name` of the group, made when it is not there, emptied when it is. */
anpe_value *anpe_value_put(anpe_ctx *ctx, anpe_settings *s, anpe_value *group, const char *name,
                           anpe_node_type type);
#endif
