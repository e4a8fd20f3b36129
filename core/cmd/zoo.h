/* cmd/zoo.h -- the two halves of `anpe zoo`: what shows, and what changes. */
#ifndef ANPE_CMD_ZOO_H
#define ANPE_CMD_ZOO_H
#include "cmd/command.h"

typedef struct anpe_zoo_options {
    const char *output, *from, *key, *name, *release, *licence, *citation, *summary;
    anpe_texts with;
    int remove;
} anpe_zoo_options;

/* The registry that --from or ANPE_REGISTRY names; NULL: none. */
const char *anpe_zoo_registry(const anpe_zoo_options *o);

/* zoo_build.c */
ANPE_MUST_CHECK anpe_status anpe_cmd_zoo_build(anpe_ctx *ctx, anpe_cmd *cmd);
/* zoo_show.c */
ANPE_MUST_CHECK anpe_status anpe_cmd_zoo_list(anpe_ctx *ctx, anpe_cmd *cmd);
ANPE_MUST_CHECK anpe_status anpe_cmd_zoo_show(anpe_ctx *ctx, anpe_cmd *cmd);
#endif
