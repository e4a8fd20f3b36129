/* infer/store.h -- rows of a run as bytes, as a journal keeps them and as they wait in a file
 * without a name until all are known, and the catalogue can be written: memory does not grow with
 * them. */
#ifndef ANPE_CORE_INFER_STORE_H
#define ANPE_CORE_INFER_STORE_H
#include "infer/infer.h"

typedef struct anpe_row_bytes {
    char *data;
    int64_t n, room;
} anpe_row_bytes;

/* Adds a row: the star, its labels, its truth, its file. */
ANPE_MUST_CHECK anpe_status anpe_row_pack(anpe_ctx *ctx, anpe_row_bytes *to, const anpe_star *star,
                                          int64_t n_labels);
/* The row at *at, which is moved behind it, into a star whose label and truth have room; its file
 * is within the bytes. 0: what stands there up to `end` is no row. */
int anpe_row_unpack(const char **at, const char *end, int64_t n_labels, anpe_star *star);

typedef struct anpe_store anpe_store;
/* An empty one, in the directory of the file `beside`; it is gone with the process, however that
 * ends. */
ANPE_MUST_CHECK anpe_status anpe_store_new(anpe_ctx *ctx, const char *beside, int64_t n_labels,
                                           anpe_store **out);
anpe_store *anpe_store_free(anpe_store *s);
/* Rows behind those that are there. */
ANPE_MUST_CHECK anpe_status anpe_store_add(anpe_ctx *ctx, anpe_store *s,
                                           const anpe_row_bytes *rows);

/* The rows of a result, in order: of a store, or of memory where store is NULL. */
typedef struct anpe_row_list {
    const anpe_infer_result *result;
    anpe_store *store;
} anpe_row_list;
/* Row i, until the next call. Rows are asked for in order, from row 0 on as often as wanted. */
ANPE_MUST_CHECK anpe_status anpe_row_list_at(anpe_ctx *ctx, const anpe_row_list *rows, int64_t i,
                                             const anpe_star **star);
/* The result as a catalogue, in request->output once `out` is committed. */
ANPE_MUST_CHECK anpe_status anpe_row_list_catalogue(anpe_ctx *ctx,
                                                    const anpe_infer_request *request,
                                                    const anpe_row_list *rows, anpe_output *out);
#endif
