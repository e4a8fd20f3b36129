/* plot/plot.h -- figures of what the other commands wrote: what `anpe plot` does. */
#ifndef ANPE_CORE_PLOT_H
#define ANPE_CORE_PLOT_H
#include "base/context.h"
#include "base/text.h"

typedef struct anpe_plot_request {
    const char *what; /* a name of plot_list.h */
    int n_files;
    const char *const *files;
    const char *output;   /* .png, .pdf or .svg */
    const char *title;    /* or NULL */
    const char *labels;   /* "teff,logg": these, in this order; NULL: all */
    double width, height; /* mm; 0: what suits the plot */
    double dpi;           /* of a PNG */
    int64_t row;          /* spectrum, fit, corner: which spectrum */
    anpe_texts zoom;      /* spectrum, fit: "LO:HI" each */
    anpe_texts truth;     /* corner: "LABEL=VALUE" each, or a catalogue or file of mocks */
    const char *compare;  /* truth: catalogue that a catalogue is compared with */
    anpe_texts columns;   /* truth: "LABEL=COLUMN" of that catalogue */
    const char *id;       /* truth: its column of identifiers */
    int names;            /* spectrum: those of strong lines */
} anpe_plot_request;

typedef struct anpe_plot_result {
    double width, height; /* mm */
    int pages;
    anpe_text text; /* what the figure says in numbers; lines for the user */
} anpe_plot_result;

/* ANPE_EINVAL: no such plot (with the nearest name), wrong number of files, no such label or row.
 * The figure is written whole or not at all. */
ANPE_MUST_CHECK anpe_status anpe_plot_draw(anpe_ctx *ctx, const anpe_plot_request *request,
                                           anpe_plot_result *result);
void anpe_plot_result_clear(anpe_plot_result *r);
#endif
