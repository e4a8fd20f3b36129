/* cmd/inferred.h -- what `anpe infer` and `anpe merge` say of a catalogue that they have written.
 */
#ifndef ANPE_CMD_INFERRED_H
#define ANPE_CMD_INFERRED_H
#include "cmd/command.h"
#include "infer/infer.h"

void anpe_cmd_inferred(anpe_cmd *cmd, const anpe_infer_request *request,
                       const anpe_infer_result *result);
#endif
