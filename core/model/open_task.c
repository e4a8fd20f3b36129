/* See open_task.h. */
#include "model/open_task.h"
#include "file/spectra_file.h"
#include "model/inputs.h"
#include "model/model.h"

/* Simulations with other files than the model's would be of another problem. */
static anpe_status check_inputs(anpe_ctx *ctx, const anpe_model_file *f,
                                const anpe_settings *settings)
{
    static const char *const groups[] = {"simulator", "prior", "noise"};
    int64_t n;
    char **inputs;
    anpe_status status = anpe_model_file_inputs(ctx, f, &n, &inputs);
    for (int i = 0; i < 3 && !status; i++)
        status = anpe_inputs_check(ctx, settings, n, inputs, groups[i]);
    anpe_h5_texts_free(n, inputs);
    return status;
}

anpe_status anpe_simulate_open(anpe_ctx *ctx, const char *source, int n_sets,
                               const char *const *sets, anpe_task_parts parts,
                               anpe_settings **settings, anpe_task **task)
{
    static const char *const others[] = {
        "train", "network", "featurizer",
        "flow",  "compute", "backend"}; /* groups that simulating does not read */
    anpe_model_file f = {0};
    anpe_status status;
    if (anpe_spectra_file_is_hdf5(source)) {
        ANPE_TRY(anpe_model_file_open(ctx, source, &f));
        ANPE_TRY(anpe_model_file_settings(ctx, &f, n_sets, sets, settings));
        ANPE_TRY(check_inputs(ctx, &f, *settings));
    } else {
        ANPE_TRY(anpe_settings_read(ctx, source, n_sets, sets, settings));
    }
    ANPE_TRY(anpe_task_new(ctx, *settings, parts, f.h5 ? &f.pixels : NULL, task));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        anpe_settings_leave(*settings, others[i]);
    if (parts == ANPE_TASK_OWN_GRID)
        anpe_settings_leave(*settings, "noise");
    ANPE_TRY(anpe_settings_finish(ctx, *settings));
    if (!(*task)->sim.n_pixels)
        status = ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: simulator '%s' cannot simulate", source,
                           (*task)->simulator.plugin->name);
out:
    anpe_model_file_close(&f);
    return status;
}
