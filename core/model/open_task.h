/* model/open_task.h -- a task as a configuration or a model describes it. */
#ifndef ANPE_CORE_OPEN_TASK_H
#define ANPE_CORE_OPEN_TASK_H
#include "task/task.h"

/* The task of a configuration or a model for simulating with, all of it (ANPE_TASK_ALL) or for
 * the simulator's own spectra (ANPE_TASK_OWN_GRID); ANPE_ECONFIG where its simulator cannot
 * simulate. The settings outlive the task. */
ANPE_MUST_CHECK anpe_status anpe_simulate_open(anpe_ctx *ctx, const char *source, int n_sets,
                                               const char *const *sets, anpe_task_parts parts,
                                               anpe_settings **settings, anpe_task **task);
#endif
