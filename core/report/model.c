/* report/model.c -- a model's page: its data is made by who has the validation and the figures. */
#include <config.h>
#include "report/report.h"
#include "report/page.h"

anpe_status anpe_report_model(anpe_ctx *ctx, const char *output, const json_t *data)
{
    anpe_page page;
    anpe_status status = anpe_page_begin(ctx, &page, output);
    if (status)
        return status;
    anpe_page_block(&page, "data");
    status = anpe_page_json(ctx, &page, data);
    anpe_page_block_end(&page);
    if (!status)
        return anpe_page_end(ctx, &page);
    anpe_page_abandon(&page);
    return status;
}
