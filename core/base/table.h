/* base/table.h -- the tables of functions and the descriptors that plugins hand in: structs that
 * start with, or carry, their own size as the plugin was compiled, and grow at the end only. A
 * member is there when the table reaches past it, whatever later versions append. */
#ifndef ANPE_CORE_TABLE_H
#define ANPE_CORE_TABLE_H
#include <stddef.h>

/* Bytes of the table up to and with `member`. */
#define ANPE_SIZE_TO(table, member)                                                                \
    ((size_t)((const char *)(&(table)->member + 1) - (const char *)(table)))

/* An optional member: the table has it and it is not NULL. */
#define ANPE_HAS(table, member) ((table)->size >= ANPE_SIZE_TO(table, member) && (table)->member)
#endif
