/* report/page.h -- the page around its data, and data as JSON that may stand in HTML. */
#ifndef ANPE_CORE_REPORT_PAGE_H
#define ANPE_CORE_REPORT_PAGE_H
#include "file/output.h"
#include <jansson.h>
#include <stdio.h>

typedef struct anpe_page {
    FILE *file;
    anpe_output output;
} anpe_page;

/* The head of the page; then blocks of data, then the end, which puts the file in place. */
ANPE_MUST_CHECK anpe_status anpe_page_begin(anpe_ctx *ctx, anpe_page *p, const char *path);
/* <script type="application/json" id="ID"> ... </script>: lazily parsed by page.js. */
void anpe_page_block(anpe_page *p, const char *id);
void anpe_page_block_end(anpe_page *p);
ANPE_MUST_CHECK anpe_status anpe_page_end(anpe_ctx *ctx, anpe_page *p);
void anpe_page_abandon(anpe_page *p);

void anpe_page_text(anpe_page *p, const char *text); /* a JSON string; what is no UTF-8 is '?' */
void anpe_page_number(anpe_page *p, double value);   /* ten digits; null where not finite */
ANPE_MUST_CHECK anpe_status anpe_page_json(anpe_ctx *ctx, anpe_page *p, const json_t *value);
/* Bytes as a JSON string in base64. */
void anpe_page_bytes(anpe_page *p, size_t n, const unsigned char *bytes);
#endif
