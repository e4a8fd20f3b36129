/* file/hdf5_file.h -- HDF5 in the few shapes that anpe uses; all errors with file and dataset.
 *
 * Output files are written under a temporary name in the same directory and renamed by close, so
 * that a file that exists is whole. Object timestamps are off: equal content gives equal bytes.
 * While a file is open the HDF5 library prints no errors; a host program's own error stack and
 * handler come back when the last one closes. Texts are strings of fixed length, for a damaged
 * string of variable length can crash HDF5; both are read. Not thread-safe: main thread only. */
#ifndef ANPE_CORE_HDF5_FILE_H
#define ANPE_CORE_HDF5_FILE_H
#include "base/context.h"
#include "file/output.h"
#include <hdf5.h>

typedef enum anpe_real_type {
    ANPE_H5_FLOAT,
    ANPE_H5_DOUBLE,
    ANPE_H5_INT64,
    ANPE_H5_UINT8
} anpe_real_type;

typedef struct anpe_h5 anpe_h5;
/* HDF5 does not survive a failed write: closing that file, or the library's own clean-up at exit,
 * crashes on what could not be flushed. So such a file is let go without being closed, and a
 * program that writes and owns all use of HDF5 says so here, before its first file: no clean-up at
 * exit. Not for a library: a host may rely on it. */
void anpe_h5_own_process(void);
/* The one door: a file that has a seal (file/seal.h) is shown to HDF5 only if it is true. */
ANPE_MUST_CHECK anpe_status anpe_h5_open(anpe_ctx *ctx, const char *path, anpe_h5 **out);
/* The same of a file that must have one, which is a `what` ("model"). */
ANPE_MUST_CHECK anpe_status anpe_h5_open_sealed(anpe_ctx *ctx, const char *path, const char *what,
                                                anpe_h5 **out);
/* Writes to a temporary file beside path. */
ANPE_MUST_CHECK anpe_status anpe_h5_create(anpe_ctx *ctx, const char *path, anpe_h5 **out);
/* The same; close puts a seal before what was written. */
ANPE_MUST_CHECK anpe_status anpe_h5_create_sealed(anpe_ctx *ctx, const char *path, anpe_h5 **out);
/* A copy of the file under a temporary name, to be changed; close puts it in the file's place, with
 * a seal if it had one. */
ANPE_MUST_CHECK anpe_status anpe_h5_update(anpe_ctx *ctx, const char *path, anpe_h5 **out);
/* Takes an object and all below it out of a file that is being updated; absent is fine. */
ANPE_MUST_CHECK anpe_status anpe_h5_remove(anpe_ctx *ctx, anpe_h5 *f, const char *name);
/* Flushes and renames into place (created files), or only closes. On failure the temporary file
 * is removed. */
ANPE_MUST_CHECK anpe_status anpe_h5_close(anpe_ctx *ctx, anpe_h5 *f);
/* The same without the rename: what was written, to be committed with other files of the run. */
ANPE_MUST_CHECK anpe_status anpe_h5_finish(anpe_ctx *ctx, anpe_h5 *f, anpe_output *out);
/* Gives up: removes the temporary file. Takes NULL, returns NULL. */
anpe_h5 *anpe_h5_abandon(anpe_h5 *f);
const char *anpe_h5_path(const anpe_h5 *f);
hid_t anpe_h5_id(const anpe_h5 *f); /* for what is not covered here */

int anpe_h5_has(anpe_h5 *f, const char *name); /* dataset, group */
int anpe_h5_has_attribute(anpe_h5 *f, const char *object, const char *name);
/* Shape of a dataset of numbers. It can be relied on: no product of its lengths overflows
 * (base/shape.h), and what it declares is stored, as below, beyond 64 MiB. */
ANPE_MUST_CHECK anpe_status anpe_h5_shape(anpe_ctx *ctx, anpe_h5 *f, const char *name, int *rank,
                                          int64_t shape[8]);
/* Refuses a dataset that declares more than `least` bytes and a thousand times what the file holds
 * of them (chunks count as they are before compression): a file of some KB, which may declare any
 * shape, must not take the memory of the machine. Not known, and not refused, of datasets whose
 * data lies in other files (virtual, external) and of files that are being written. */
ANPE_MUST_CHECK anpe_status anpe_h5_check_stored(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                                 int64_t least);
/* Whole dataset into caller's memory of exactly n elements, converted to `type`. */
ANPE_MUST_CHECK anpe_status anpe_h5_read(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                         anpe_real_type type, int64_t n, void *data);
/* Rows [start, start + n_rows) of the first dimension, which must be of n_values elements each. */
ANPE_MUST_CHECK anpe_status anpe_h5_read_rows(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                              anpe_real_type type, int64_t start, int64_t n_rows,
                                              int64_t n_values, void *data);
/* The same of a mask of any numbers: 0 where it is 0, else 1 (NaN too). */
ANPE_MUST_CHECK anpe_status anpe_h5_read_mask(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                              int64_t start, int64_t n_rows, int64_t n_values,
                                              uint8_t *mask);
/* What the file says of the instrument it was made for, if it says it, must be this one: the
 * attribute `instrument` (name NULL: not compared) and `wavelength` (n; NULL: not compared), to
 * 1e-3 of a pixel. */
ANPE_MUST_CHECK anpe_status anpe_h5_made_for(anpe_ctx *ctx, anpe_h5 *f, const char *name, int64_t n,
                                             const double *wavelength);
/* Writes a whole dataset; missing groups in name ("a/b/c") are made. */
ANPE_MUST_CHECK anpe_status anpe_h5_write(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                          anpe_real_type type, int rank, const int64_t *shape,
                                          const void *data);
/* The same of floats, stored in half precision (IEEE 754 binary16), to the nearest. */
ANPE_MUST_CHECK anpe_status anpe_h5_write_half(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                               int rank, const int64_t *shape, const float *data);
/* A chunked dataset that grows along its first dimension: shape[0] ignored; then append rows. */
ANPE_MUST_CHECK anpe_status anpe_h5_create_rows(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                                anpe_real_type type, int rank,
                                                const int64_t *shape);
ANPE_MUST_CHECK anpe_status anpe_h5_append_rows(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                                anpe_real_type type, int64_t n_rows,
                                                const void *data);
/* A dataset of n numbers, or of n texts of `width` bytes, whose rows are written afterwards, each
 * once. */
ANPE_MUST_CHECK anpe_status anpe_h5_make_column(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                                anpe_real_type type, int64_t n);
ANPE_MUST_CHECK anpe_status anpe_h5_write_column_at(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                                    anpe_real_type type, int64_t first, int64_t n,
                                                    const void *data);
ANPE_MUST_CHECK anpe_status anpe_h5_make_texts(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                               int64_t n, size_t width);
ANPE_MUST_CHECK anpe_status anpe_h5_write_texts_at(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                                   int64_t first, int64_t n, size_t width,
                                                   const char *texts);
/* A dataset of n texts, each `width` bytes padded with NUL (a text may fill the width). */
ANPE_MUST_CHECK anpe_status anpe_h5_write_texts(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                                int64_t n, size_t width, const char *texts);
/* A dataset of n texts, of fixed or variable length; each malloc'ed, also those made before a
 * failure (the rest stays as it was). */
ANPE_MUST_CHECK anpe_status anpe_h5_read_texts(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                               int64_t n, char **texts);
/* Attributes on object ("/" = root). Texts are malloc'ed by the get functions. */
ANPE_MUST_CHECK anpe_status anpe_h5_put_text(anpe_ctx *ctx, anpe_h5 *f, const char *object,
                                             const char *name, const char *text);
ANPE_MUST_CHECK anpe_status anpe_h5_get_text(anpe_ctx *ctx, anpe_h5 *f, const char *object,
                                             const char *name, char **text);
ANPE_MUST_CHECK anpe_status anpe_h5_put_texts(anpe_ctx *ctx, anpe_h5 *f, const char *object,
                                              const char *name, int64_t n,
                                              const char *const *texts);
/* Names of labels as the attribute `name`, their units as "units". */
ANPE_MUST_CHECK anpe_status anpe_h5_put_labels(anpe_ctx *ctx, anpe_h5 *f, const char *object,
                                               const char *name, int64_t n,
                                               const anpe_label *label);
ANPE_MUST_CHECK anpe_status anpe_h5_get_texts(anpe_ctx *ctx, anpe_h5 *f, const char *object,
                                              const char *name, int64_t *n, char ***texts);
void anpe_h5_texts_free(int64_t n, char **texts);
ANPE_MUST_CHECK anpe_status anpe_h5_put_numbers(anpe_ctx *ctx, anpe_h5 *f, const char *object,
                                                const char *name, anpe_real_type type, int64_t n,
                                                const void *v);
ANPE_MUST_CHECK anpe_status anpe_h5_get_numbers(anpe_ctx *ctx, anpe_h5 *f, const char *object,
                                                const char *name, anpe_real_type type, int64_t n,
                                                void *v);
#endif
