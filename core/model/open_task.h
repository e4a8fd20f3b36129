/* model/open_task.h -- a task as a configuration or a model describes it. */
#ifndef ANPE_CORE_OPEN_TASK_H
#define ANPE_CORE_OPEN_TASK_H
#include "task/task.h"

/* The task of a configuration or a model for simulating with: these parts of it
 * (anpe_task_parts); ANPE_ECONFIG where its simulator cannot simulate. Of an emulator only
 * ANPE_TASK_BARE. The settings outlive the task. */
ANPE_MUST_CHECK anpe_status anpe_simulate_open(anpe_ctx *ctx, const char *source, int n_sets,
                                               const char *const *sets, unsigned parts,
                                               anpe_settings **settings, anpe_task **task);
#endif
