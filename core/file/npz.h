/* file/npz.h -- numpy's .npz: a zip archive of .npy members. */
#ifndef ANPE_CORE_NPZ_H
#define ANPE_CORE_NPZ_H
#include "base/context.h"

/* The member `key` (without ".npy"); key NULL or "": the only one. See anpe_array_read. */
ANPE_MUST_CHECK anpe_status anpe_npz_read(anpe_ctx *ctx, const char *path, const char *key,
                                          double **data, int *rank, int64_t shape[4]);
/* A single array in a .npy file. */
ANPE_MUST_CHECK anpe_status anpe_npy_read(anpe_ctx *ctx, const char *path, double **data, int *rank,
                                          int64_t shape[4]);
/* Names of the members without ".npy", in the archive's order; free with anpe_npz_names_free. */
ANPE_MUST_CHECK anpe_status anpe_npz_names(anpe_ctx *ctx, const char *path, int *n, char ***names);
void anpe_npz_names_free(int n, char **names);
#endif
