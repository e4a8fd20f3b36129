/* file/file_list.h -- names of files of spectra: one by one, from lists, from folders. */
#ifndef ANPE_CORE_FILE_LIST_H
#define ANPE_CORE_FILE_LIST_H
#include "base/context.h"
#include <stdio.h>

typedef struct anpe_file_list {
    int64_t n, capacity;
    char **path; /* (n) */
} anpe_file_list;

/* A file by its literal name, whatever is in it; a folder stands for the files of spectra in it and
 * below it, in the order of their names: .fits, .fit, .fz, .h5, .hdf5, .csv, .ecsv, .txt, .dat,
 * also with .gz; hidden ones and others are left out, and how many is logged. A folder without any
 * stays in the list, for its reader to refuse. */
ANPE_MUST_CHECK anpe_status anpe_file_list_add(anpe_ctx *ctx, anpe_file_list *list,
                                               const char *path);
/* A name a line, to be added; empty lines and those that begin with # are none. `name` of the
 * stream is for messages; relative names are from the working directory. */
ANPE_MUST_CHECK anpe_status anpe_file_list_read(anpe_ctx *ctx, anpe_file_list *list, FILE *stream,
                                                const char *name);
/* Everything in a folder that is not hidden, in the order of the names. */
ANPE_MUST_CHECK anpe_status anpe_file_list_folder(anpe_ctx *ctx, anpe_file_list *list,
                                                  const char *folder);
/* Whether a file in a folder would be taken for one of spectra, by its name. */
int anpe_file_list_is_of_spectra(const char *path);
void anpe_file_list_clear(anpe_file_list *list);
#endif
