/* file/hdf5_private.h -- shared by the two halves of hdf5_file.h: datasets and attributes. */
#ifndef ANPE_CORE_HDF5_PRIVATE_H
#define ANPE_CORE_HDF5_PRIVATE_H
#include "base/text.h"
#include "file/hdf5_file.h"
#include "file/output.h"

/* A dataset of numbers that is open. */
typedef struct anpe_h5_set {
    char *name; /* NULL: a free place */
    hid_t id, type;
    int rank;
    int64_t shape[8], chunk_rows; /* 0: not chunked */
    size_t element;               /* bytes, in the file */
    char *block;                  /* rows [first, first + n), as they are in the file */
    int64_t first, n;
    size_t room;        /* bytes */
    unsigned long used; /* when it was asked for last */
} anpe_h5_set;

enum { ANPE_H5_SETS = 16 };

struct anpe_h5 {
    hid_t id;
    char *path;
    int created; /* written here: `output` is in use */
    int failed;  /* a write failed: must not be closed any more */
    int sealed;  /* has a seal (file/seal.h) */
    anpe_output output;
    anpe_h5_set set[ANPE_H5_SETS];
    unsigned long uses;
};

ANPE_MUST_CHECK anpe_status anpe_h5_cannot(anpe_ctx *ctx, anpe_h5 *f, const char *verb,
                                           const char *name);
/* Closes the datasets that are open, which writes what waits in their caches. */
ANPE_MUST_CHECK anpe_status anpe_h5_close_sets(anpe_ctx *ctx, anpe_h5 *f);
/* Frees their memory without closing them: of a file that is closed, or must not be. */
void anpe_h5_forget_sets(anpe_h5 *f);

/* The system's reason from the library's error stack, as ": No space left on device" or "". */
const char *anpe_h5_reason(char reason[128]);
hid_t anpe_h5_memory_type(anpe_real_type type);
hid_t anpe_h5_file_type(anpe_real_type type);
hid_t anpe_h5_text_type(size_t width); /* to be closed */
/* anpe_h5_check_stored of an open dataset. */
ANPE_MUST_CHECK anpe_status anpe_h5_check_open_set(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                                   hid_t set, int64_t least);
/* Makes the dataset, without timestamps, with the groups on the way. */
hid_t anpe_h5_make_set(anpe_h5 *f, const char *name, hid_t type, hid_t space, hid_t dcpl);
#endif
