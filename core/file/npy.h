/* file/npy.h -- numpy's .npy format (versions 1 to 3): one array, header first. */
#ifndef ANPE_CORE_NPY_H
#define ANPE_CORE_NPY_H
#include "base/context.h"

typedef struct anpe_npy {
    char type;   /* 'f' real, 'i' signed, 'u' unsigned, 'b' bool; 0: not numbers */
    int size;    /* bytes per element: 1, 2 (a real: half precision), 4, 8 */
    int swapped; /* big-endian */
    int fortran; /* first index fastest */
    int rank;
    int64_t shape[4];
    int64_t count;  /* elements */
    char descr[32]; /* as written, for messages */
} anpe_npy;

/* Bytes of the preamble (magic, version, length) and then of the header that follows it. */
enum { ANPE_NPY_MAGIC = 12 };
/* From the first ANPE_NPY_MAGIC bytes: where the header text starts and how long it is. NULL:
 * success, else what is wrong (static text). */
const char *anpe_npy_preamble(const uint8_t *bytes, size_t *start, size_t *length);
/* Parses the header text. NULL: success, else what is wrong. Text and object arrays parse (type
 * 0), so that the caller can say which member they are. */
const char *anpe_npy_header(const char *text, size_t length, anpe_npy *header);
/* count elements from `bytes`, in the header's order, to row-major doubles. */
void anpe_npy_convert(const anpe_npy *header, const uint8_t *bytes, double *out);
#endif
