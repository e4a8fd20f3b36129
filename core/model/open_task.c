/* See open_task.h. */
#include "model/open_task.h"
#include "file/hdf5_file.h"
#include "file/spectra_file.h"
#include "kind/as_simulator.h"
#include "model/inputs.h"
#include "model/model.h"
#include <stdlib.h>
#include <string.h>

/* Simulations with other files than the model's would be of another problem. What is not used, the
 * survey's noise for spectra without any, need not be here. */
static anpe_status check_inputs(anpe_ctx *ctx, const anpe_model_file *f,
                                const anpe_settings *settings, unsigned parts)
{
    static const char *const groups[] = {"simulator", "prior", "instrument", "noise"};
    const int n_groups = parts & ANPE_TASK_NOISE ? 4 : 3;
    int64_t n;
    char **inputs;
    anpe_status status = anpe_model_file_inputs(ctx, f, &n, &inputs);
    for (int i = 0; i < n_groups && !status; i++)
        status = anpe_inputs_check(ctx, settings, n, inputs, groups[i]);
    anpe_h5_texts_free(n, inputs);
    return status;
}

/* *found: it is an emulator, whose settings are these. */
static anpe_status open_emulator(anpe_ctx *ctx, const char *path, int n_sets,
                                 const char *const *sets, anpe_settings **settings, int *found)
{
    anpe_h5 *h5 = NULL;
    char *format = NULL, *kind = NULL;
    anpe_status status;
    *found = 0;
    ANPE_TRY(anpe_h5_open(ctx, path, &h5));
    if (!anpe_h5_has_attribute(h5, "/", "format") || !anpe_h5_has_attribute(h5, "/", "kind"))
        goto out;
    ANPE_TRY(anpe_h5_get_text(ctx, h5, "/", "format", &format));
    ANPE_TRY(anpe_h5_get_text(ctx, h5, "/", "kind", &kind));
    *found = !strncmp(format, "anpe emulator", strlen("anpe emulator"));
    if (*found)
        status = anpe_as_simulator_settings(ctx, strcmp(kind, "cannon") ? "payne" : "cannon", path,
                                            n_sets, sets, settings);
out:
    free(format);
    free(kind);
    anpe_h5_abandon(h5);
    return status;
}

static void leave_unread(anpe_settings *settings, unsigned parts)
{
    static const char *const others[] = {
        "train",   "network", "featurizer", "flow",
        "compute", "backend", "calibrate"}; /* groups that simulating does not read */
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        anpe_settings_leave(settings, others[i]);
    if (!(parts & ANPE_TASK_NOISE))
        anpe_settings_leave(settings, "noise");
    if (parts == ANPE_TASK_BARE)
        anpe_settings_leave(settings, "prior");
}

anpe_status anpe_simulate_open(anpe_ctx *ctx, const char *source, int n_sets,
                               const char *const *sets, unsigned parts, anpe_settings **settings,
                               anpe_task **task)
{
    anpe_model_file f = {0};
    anpe_status status = ANPE_OK;
    int emulator = 0;
    if (anpe_spectra_file_is_hdf5(ctx, source) && parts == ANPE_TASK_BARE)
        ANPE_TRY(open_emulator(ctx, source, n_sets, sets, settings, &emulator));
    if (emulator) {
        status = ANPE_OK;
    } else if (anpe_spectra_file_is_hdf5(ctx, source)) {
        ANPE_TRY(anpe_model_file_open(ctx, source, &f));
        ANPE_TRY(anpe_model_file_settings(ctx, &f, n_sets, sets, settings));
        ANPE_TRY(check_inputs(ctx, &f, *settings, parts));
    } else {
        ANPE_TRY(anpe_settings_read(ctx, source, n_sets, sets, settings));
    }
    ANPE_TRY(anpe_task_new(ctx, *settings, parts, f.h5 ? &f.pixels : NULL, task));
    leave_unread(*settings, parts);
    ANPE_TRY(anpe_settings_finish(ctx, *settings));
    if (!(*task)->sim.n_pixels)
        status = ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: simulator '%s' cannot simulate", source,
                           (*task)->simulator.plugin->name);
out:
    anpe_model_file_close(&f);
    return status;
}
