/* report/report.h -- a page to look at: one HTML file that needs nothing else, no network, no
 * server.
 *
 * The page is page.html, page.css and page.js, compiled in, and data as JSON. All that comes from
 * files (identifiers, names, reasons) is data: it is put on the page as text by the script, never
 * as markup, and "<" is written \u003c in it, so that no name ends the element that holds it. */
#ifndef ANPE_CORE_REPORT_H
#define ANPE_CORE_REPORT_H
#include "base/context.h"
#include <jansson.h>

typedef struct anpe_report_request {
    const char *catalogue; /* any that core/file reads */
    const char *posterior; /* files of the same run (docs/book/files.md), or NULL: */
    const char *predict;
    const char *explain;
    const char *output;
    int64_t n_details; /* stars, from the first on, whose draws, fit and gradients go in */
} anpe_report_request;

typedef struct anpe_report_result {
    int64_t n_stars, n_details;
} anpe_report_result;

/* ANPE_EINVAL: a file of another run, by its number of rows or its identifiers. Written whole or
 * not at all. */
ANPE_MUST_CHECK anpe_status anpe_report_catalogue(anpe_ctx *ctx, const anpe_report_request *request,
                                                  anpe_report_result *result);
/* The page of a model: what page.js shows of {"kind": "model", ...}. */
ANPE_MUST_CHECK anpe_status anpe_report_model(anpe_ctx *ctx, const char *output,
                                              const json_t *page);
#endif
