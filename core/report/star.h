/* report/star.h -- what the files beside a catalogue say of one star, as JSON. */
#ifndef ANPE_CORE_REPORT_STAR_H
#define ANPE_CORE_REPORT_STAR_H
#include "report/page.h"
#include "report/report.h"

typedef struct anpe_report_files anpe_report_files;

/* Opens those that the request names; each must be of n rows, and identifiers, if it has them, id
 * (n).
 */
ANPE_MUST_CHECK anpe_status anpe_report_files_open(anpe_ctx *ctx,
                                                   const anpe_report_request *request, int64_t n,
                                                   char *const *id, anpe_report_files **out);
anpe_report_files *anpe_report_files_close(anpe_report_files *f);
/* Members "wavelength" and "segment" of an object, each with a comma before it: in common. */
ANPE_MUST_CHECK anpe_status anpe_report_files_common(anpe_ctx *ctx, anpe_report_files *f,
                                                     anpe_page *p);
/* The object of a star: "draws", "fit", "gradients", as far as there are any. */
ANPE_MUST_CHECK anpe_status anpe_report_files_star(anpe_ctx *ctx, anpe_report_files *f,
                                                   anpe_page *p, int64_t row);
#endif
