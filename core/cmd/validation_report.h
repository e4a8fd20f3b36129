/* cmd/validation_report.h -- a validation as text and as JSON: for anpe validate and anpe info. */
#ifndef ANPE_CMD_VALIDATION_REPORT_H
#define ANPE_CMD_VALIDATION_REPORT_H
#include "base/text.h"
#include "cmd/command.h"
#include "validate/record.h"

/* Everything, splits included. labels (D): for names and units. text: appended to; out: filled. */
ANPE_MUST_CHECK anpe_status anpe_validation_report(anpe_ctx *ctx, const anpe_validation *v,
                                                   const anpe_label *labels, anpe_text *text,
                                                   json_t *out);
/* A few lines for anpe info. */
ANPE_MUST_CHECK anpe_status anpe_validation_brief(anpe_ctx *ctx, const anpe_validation *v,
                                                  const anpe_label *labels, anpe_text *text,
                                                  json_t *out);
#endif
