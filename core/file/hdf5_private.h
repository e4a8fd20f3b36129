/* file/hdf5_private.h -- shared by the two halves of hdf5_file.h: datasets and attributes. */
#ifndef ANPE_CORE_HDF5_PRIVATE_H
#define ANPE_CORE_HDF5_PRIVATE_H
#include "base/text.h"
#include "file/hdf5_file.h"
#include "file/output.h"

struct anpe_h5 {
    hid_t id;
    char *path;
    int created; /* written here: `output` is in use */
    int failed;  /* a write failed: must not be closed any more */
    anpe_output output;
};

/* The system's reason from the library's error stack, as ": No space left on device" or "". */
const char *anpe_h5_reason(char reason[128]);
hid_t anpe_h5_memory_type(anpe_real_type type);
hid_t anpe_h5_file_type(anpe_real_type type);
/* anpe_h5_check_stored of an open dataset. */
ANPE_MUST_CHECK anpe_status anpe_h5_check_open_set(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                                   hid_t set, int64_t least);
/* Makes the dataset, without timestamps, with the groups on the way. */
hid_t anpe_h5_make_set(anpe_h5 *f, const char *name, hid_t type, hid_t space, hid_t dcpl);
#endif
