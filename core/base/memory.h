/* base/memory.h -- memory beside ANPE_NEW and ANPE_GROW of <anpe/plugin.h>. A failure is reported
 * here and answered by NULL or a status; the caller adds nothing. */
#ifndef ANPE_CORE_MEMORY_H
#define ANPE_CORE_MEMORY_H
#include <anpe/plugin.h>

void *anpe_alloc(anpe_ctx *ctx, size_t size); /* zeroed, 64-byte aligned; free with anpe_free */
void anpe_free(void *p);
char *anpe_strdup(anpe_ctx *ctx, const char *text); /* free() */
#endif
