/* plot/plot_kind.h -- what a file of core/plot that makes one sort of figure gives, and what they
 * share: the choice of labels, grids of panels, legends. */
#ifndef ANPE_CORE_PLOT_KIND_H
#define ANPE_CORE_PLOT_KIND_H
#include "file/hdf5_file.h"
#include "plot/panel.h"
#include "plot/plot.h"
#include "plot/plot_list.h"

/* load reads the files; size says which width and height (mm) suit, draw draws into an area of
 * (0, 0) to (width, height) of a page that is begun. */
typedef struct anpe_plot_kind {
    anpe_status (*load)(anpe_ctx *ctx, const anpe_plot_request *q, void **data);
    void (*size)(const void *data, double *width, double *height);
    anpe_status (*draw)(anpe_ctx *ctx, const anpe_plot_request *q, const void *data, anpe_figure *f,
                        double width, double height, anpe_text *text);
    void (*free)(void *data);
} anpe_plot_kind;

#define X(name, files, help, most) extern const anpe_plot_kind anpe_plot_##name;
ANPE_PLOT_LIST(X)
#undef X

enum { ANPE_COLUMN_MM = 88, ANPE_PAGE_MM = 180 }; /* one column of a journal, two columns */
#define ANPE_TEXT_POINTS 7.0

/* Names and units of labels. */
typedef struct anpe_plot_labels {
    int64_t n;
    char **name, **unit;
} anpe_plot_labels;
/* Attributes of a dataset or group, "labels" or "names" and "units". */
ANPE_MUST_CHECK anpe_status anpe_plot_labels_read(anpe_ctx *ctx, anpe_h5 *f, const char *object,
                                                  const char *names, anpe_plot_labels *out);
void anpe_plot_labels_clear(anpe_plot_labels *l);
/* Those that q->labels asks for: index (malloc'ed, *n of them) into all. */
ANPE_MUST_CHECK anpe_status anpe_plot_labels_choose(anpe_ctx *ctx, const anpe_plot_request *q,
                                                    const char *file, const anpe_plot_labels *all,
                                                    int64_t *n, int64_t **index);

/* Is it HDF5 with this attribute `format`? */
int anpe_plot_is(anpe_ctx *ctx, const char *path, const char *format);
/* Opens an HDF5 file and refuses any other than those of this format. wanted: "a model". */
ANPE_MUST_CHECK anpe_status anpe_plot_open(anpe_ctx *ctx, const anpe_plot_request *q,
                                           const char *path, const char *format, const char *wanted,
                                           anpe_h5 **out);

/* A grid of panels of about equal size: columns that suit the number of panels. */
typedef struct anpe_plot_grid {
    int n, columns, rows;
    double width, height, top;        /* of the area; top: room for title and legend */
    double left, right, below, above; /* room around the box of each panel, mm */
} anpe_plot_grid;
anpe_plot_grid anpe_plot_grid_of(int n);
/* Panels in which a note and the label's name do not stand side by side, nor a long title below. */
int anpe_plot_grid_is_narrow(const anpe_plot_grid *g);
void anpe_plot_grid_size(const anpe_plot_grid *g, double aspect, double *width, double *height);
anpe_box anpe_plot_grid_box(const anpe_plot_grid *g, int k);

/* The title, if there is one, centred at the top; returns the room it took. */
double anpe_plot_title(anpe_figure *f, const anpe_plot_request *q, double width, double height);
/* Name and axis text of a label. */
const char *anpe_plot_axis(char buffer[96], const anpe_plot_labels *l, int64_t k);
/* With a real minus sign; of that many digits, more if it is a large number. */
void anpe_plot_number(char buffer[32], double value, int digits);
#endif
