/* train/inputs.h -- the files that go into a model, by their SHA-256: said in it, and asked for
 * again when a training goes on. */
#ifndef ANPE_CORE_TRAIN_INPUTS_H
#define ANPE_CORE_TRAIN_INPUTS_H
#include "base/settings.h"
#include "model/model.h"

typedef struct anpe_train_inputs {
    int n;
    char **row; /* (n) "option SHA-256 path" */
} anpe_train_inputs;

/* The files that the settings name, and data, unless it is NULL. output: the model that is to be
 * written, which may not be one of them; NULL: nothing will be. Once, at the start: what is hashed
 * is what was read. */
ANPE_MUST_CHECK anpe_status anpe_train_inputs_list(anpe_ctx *ctx, const anpe_settings *settings,
                                                   const char *data, const char *output,
                                                   anpe_train_inputs *inputs);
void anpe_train_inputs_clear(anpe_train_inputs *inputs);
/* ANPE_ECONFIG: the unfinished model f was trained with others, wherever they lie now. */
ANPE_MUST_CHECK anpe_status anpe_train_inputs_same(anpe_ctx *ctx, const anpe_train_inputs *inputs,
                                                   const char *model, const anpe_model_file *f);
#endif
