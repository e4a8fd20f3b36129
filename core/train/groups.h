/* train/groups.h -- the groups of a configuration that belong to the core and not to a plugin. */
#ifndef ANPE_CORE_GROUPS_H
#define ANPE_CORE_GROUPS_H
#include <anpe/plugin.h>

typedef struct anpe_group {
    const char *path, *summary;
    const anpe_option *table;
} anpe_group;

/* The i-th group, or NULL past the end: what documentation and tests loop over. */
const anpe_group *anpe_group_at(int i);
#endif
