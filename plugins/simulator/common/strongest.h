/* common/strongest.h -- the deepest lines, as anpe_simulator_ops.lines wants them. */
#ifndef ANPE_SIMULATOR_STRONGEST_H
#define ANPE_SIMULATOR_STRONGEST_H
#include <anpe/plugin.h>

/* Puts one line at its place among *n, the deepest first, of which there are never more than
 * `room`; one without depth is none. Of equal ones the earlier stays before. */
static inline void anpe_simulator_line_keep(const anpe_simulator_line *one, int64_t room,
                                            anpe_simulator_line *line, int64_t *n)
{
    if (!(one->depth > 0) || room < 1 || (*n == room && one->depth <= line[*n - 1].depth))
        return;
    int64_t k = *n < room ? (*n)++ : *n - 1;
    for (; k > 0 && line[k - 1].depth < one->depth; k--)
        line[k] = line[k - 1];
    line[k] = *one;
}
#endif
