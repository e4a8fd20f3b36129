/* First fit over intervals: see graph/plan.h. */
#include <config.h>
#include "graph/plan.h"

static int overlap(const anpe_lifetime *a, const anpe_lifetime *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* order[0 .. n): buffers in use at some step, by falling size, then by index. */
static int sort_by_size(int n, const anpe_lifetime *list, int *order)
{
    int used = 0;
    for (int i = 0; i < n; i++) {
        if (list[i].last < list[i].first || list[i].size == 0)
            continue;
        int j = used++;
        for (; j > 0 && list[order[j - 1]].size < list[i].size; j--)
            order[j] = order[j - 1];
        order[j] = i;
    }
    return used;
}

/* Lowest offset where list[i] meets none of the placed buffers that live with it. */
static size_t lowest(const anpe_lifetime *list, int i, int placed, const int *order)
{
    size_t offset = 0;
    for (int moved = 1; moved;) {
        moved = 0;
        for (int j = 0; j < placed; j++) {
            const anpe_lifetime *b = &list[order[j]];
            if (overlap(b, &list[i]) && offset < b->offset + b->size &&
                b->offset < offset + list[i].size) {
                offset = b->offset + b->size;
                moved = 1;
            }
        }
    }
    return offset;
}

size_t anpe_plan(int n, anpe_lifetime *list, int *order)
{
    size_t total = 0;
    for (int i = 0; i < n; i++)
        list[i].size = (list[i].size + 63) / 64 * 64;
    const int used = sort_by_size(n, list, order);
    for (int k = 0; k < used; k++) {
        anpe_lifetime *x = &list[order[k]];
        x->offset = lowest(list, order[k], k, order);
        if (x->offset + x->size > total)
            total = x->offset + x->size;
    }
    return total;
}
