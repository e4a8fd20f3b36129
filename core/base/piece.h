/* base/piece.h -- numbers in memory that are kept or sent as they are, as a list of such pieces. */
#ifndef ANPE_CORE_PIECE_H
#define ANPE_CORE_PIECE_H
#include <stddef.h>

typedef struct anpe_piece {
    void *data;
    size_t size;
} anpe_piece;
#endif
