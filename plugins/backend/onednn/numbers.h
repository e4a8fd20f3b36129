/* numbers.h -- whole tensors of one type of number into another. */
#ifndef ONEDNN_NUMBERS_H
#define ONEDNN_NUMBERS_H
#include <stddef.h>
#include <stdint.h>

/* ROUNDED: floats that bfloat16 holds exactly, with which its products are emulated. */
typedef enum number { FLOAT, BFLOAT16, ROUNDED } number;

static inline size_t number_size(number type)
{
    return type == BFLOAT16 ? sizeof(uint16_t) : sizeof(float);
}

/* n numbers `from` -> `to`; where, of the same type as `from`, if given: zero where it is not
 * positive. `to` may be `from` if it is of the same size. */
void numbers_convert(int64_t n, number from_type, const void *from, const void *where,
                     number to_type, void *to);
/* sum += x; neither is ROUNDED. */
void numbers_add(int64_t n, number x_type, const void *x, number sum_type, void *sum);
#endif
