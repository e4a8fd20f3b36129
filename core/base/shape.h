/* base/shape.h -- how many elements an array has whose lengths come from a file. */
#ifndef ANPE_CORE_SHAPE_H
#define ANPE_CORE_SHAPE_H
#include <stdint.h>

/* Elements of an array of these lengths; -1 if one is negative or they are too many. Otherwise no
 * product of some of the lengths overflows, not even beside one that is 0, nor times 16 bytes. */
static inline int64_t anpe_shape_count(int rank, const int64_t *shape)
{
    int64_t n = 1, most = 1;
    for (int k = 0; k < rank; k++) {
        const int64_t length = shape[k] ? shape[k] : 1;
        if (length < 0 || __builtin_mul_overflow(most, length, &most) || most > INT64_MAX / 16)
            return -1;
        n *= shape[k];
    }
    return n;
}
#endif
