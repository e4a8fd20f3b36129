/* base/settings_tree.h -- the tree of values behind anpe_settings; private to core/base.
 *
 * Two such trees make one configuration: what the user gave, and what the program asked for. All
 * memory belongs to the settings and lives until anpe_settings_free. */
#ifndef ANPE_CORE_SETTINGS_TREE_H
#define ANPE_CORE_SETTINGS_TREE_H
#include "base/settings.h"

typedef enum anpe_node_type {
    ANPE_NODE_GROUP,
    ANPE_NODE_LIST,
    ANPE_NODE_BOOL,
    ANPE_NODE_INT,
    ANPE_NODE_REAL,
    ANPE_NODE_TEXT,
    ANPE_NODE_UNSET /* an optional value that was left out: known, but not printed */
} anpe_node_type;

typedef struct anpe_value {
    anpe_node_type type;
    const char *name; /* NULL in a list */
    int64_t integer;  /* BOOL, INT */
    double real;
    const char *text;
    const char *where;     /* "FILE:LINE", "--set PATH"; NULL: a default */
    const char *directory; /* that relative files start from */
    int asked;             /* the program has read it */
    int n, capacity;
    struct anpe_value **child; /* GROUP, LIST */
} anpe_value;

typedef struct anpe_used_file {
    const char *option, *path;
} anpe_used_file;

struct anpe_settings {
    void **block; /* all memory handed out by anpe_settings_keep */
    int64_t n_blocks, block_capacity;
    const char *origin; /* the file's name in messages */
    int stored;         /* it is a file of data, not a configuration that the user wrote */
    anpe_value *given, *resolved;
    anpe_used_file *file;
    int n_files;
    int64_t file_capacity;
};

/* Zeroed memory that lives as long as s. */
void *anpe_settings_keep(anpe_ctx *ctx, anpe_settings *s, size_t size);
const char *anpe_settings_print(anpe_ctx *ctx, anpe_settings *s, const char *format, ...)
    ANPE_PRINTF(3, 4);
/* A new child at the end of parent (NULL: a root). */
anpe_value *anpe_value_add(anpe_ctx *ctx, anpe_settings *s, anpe_value *parent, const char *name,
                           anpe_node_type type);
anpe_value *anpe_value_child(const anpe_value *group, const char *name);
void anpe_value_leave(anpe_value *v); /* it and all below it count as asked for */
/* One step of a path: at *path "name" or "[3]"; *path moves past it and its dot. Answers the
 * length of the step, its start in *step, its number in *index (-1 for a name). */
int anpe_path_step(const char **path, const char **step, int *index);
/* The value at path or NULL; *nearest (may be NULL) gets the deepest one on the way. A group
 * stands for the only element [0] of a list. */
anpe_value *anpe_value_find(anpe_value *root, const char *path, anpe_value **nearest);
/* "the text 'x'", "a group", "3.5": for messages. */
const char *anpe_value_show(const anpe_value *v, char *buffer, size_t size);

/* settings_read.c: the user's text into s->given. */
anpe_status anpe_settings_load(anpe_ctx *ctx, anpe_settings *s, const char *path, const char *text);
anpe_status anpe_settings_override(anpe_ctx *ctx, anpe_settings *s, const char *set);
#endif
