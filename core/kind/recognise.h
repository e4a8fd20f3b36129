/* kind/recognise.h -- a file of spectra without a word on what it is: which of the installed
 * instruments knows it, and reading it by that one. */
#ifndef ANPE_CORE_RECOGNISE_H
#define ANPE_CORE_RECOGNISE_H
#include "kind/instrument.h"

typedef struct anpe_recognised {
    const anpe_plugin *plugin; /* the instrument that is surest; NULL: none knows it */
    anpe_recognition file;
} anpe_recognised;

/* Asks every installed instrument; the first of the surest by name. Main thread only. */
ANPE_MUST_CHECK anpe_status anpe_recognise(anpe_ctx *ctx, const char *path, anpe_recognised *out);

/* A file as the instrument that knows it reads it, with that instrument's defaults. */
typedef struct anpe_known_file {
    anpe_recognised known;
    anpe_settings *settings;
    anpe_instrument instrument;
    anpe_input input;
    int64_t n; /* spectra */
} anpe_known_file;
/* ANPE_EFORMAT where no instrument knows the file. */
ANPE_MUST_CHECK anpe_status anpe_known_file_open(anpe_ctx *ctx, const char *path,
                                                 anpe_known_file *out);
void anpe_known_file_close(anpe_known_file *f);
#endif
