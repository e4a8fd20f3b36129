/* The files that a run writes: checked before it, put in place after it, all or none. */
#include "infer/run.h"
#include "base/text.h"
#include "file/catalogue.h"
#include "file/output.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Neither the model, nor a spectrum, nor the catalogue compared with, nor one of the other outputs.
 */
static anpe_status check_apart(anpe_ctx *ctx, const anpe_infer_request *q, const char *path,
                               int n_others, const char *const *other)
{
    anpe_status status;
    ANPE_TRY(anpe_output_differs(ctx, path, q->model));
    for (int i = 0; i < q->n_files; i++)
        ANPE_TRY(anpe_output_differs(ctx, path, q->files[i]));
    for (int i = 0; i < q->n_parts; i++)
        ANPE_TRY(anpe_output_differs(ctx, path, q->parts[i]));
    if (q->compare)
        ANPE_TRY(anpe_output_differs(ctx, path, q->compare));
    for (int i = 0; i < n_others; i++)
        if (other[i])
            ANPE_TRY(anpe_output_differs(ctx, path, other[i]));
out:
    return status;
}

/* Files with a catalogue's name beside the catalogue would be taken for one. */
static anpe_status check_name(anpe_ctx *ctx, const char *path)
{
    if (anpe_catalogue_has_name(path) && !anpe_text_has_extension(path, ".h5") &&
        !anpe_text_has_extension(path, ".hdf5"))
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s: draws, model spectra and gradients are HDF5: choose a name in .h5",
                         path);
    return ANPE_OK;
}

anpe_status anpe_infer_check_outputs(anpe_ctx *ctx, const anpe_infer_request *q, int n,
                                     const char *const *path)
{
    anpe_status status;
    if (!q->output)
        return ANPE_OK;
    ANPE_TRY(anpe_catalogue_check(ctx, q->output));
    for (int k = 0; k < n; k++)
        if (path[k]) {
            ANPE_TRY(check_name(ctx, path[k]));
            ANPE_TRY(anpe_output_check(ctx, path[k]));
            ANPE_TRY(anpe_output_differs(ctx, path[k], q->output));
            ANPE_TRY(check_apart(ctx, q, path[k], k, path));
        }
    ANPE_TRY(check_apart(ctx, q, q->output, 0, NULL));
out:
    return status;
}

anpe_status anpe_infer_check_inputs(anpe_ctx *ctx, const anpe_inference *f, int n,
                                    const char *const *path)
{
    const char *option, *file;
    anpe_status status = ANPE_OK;
    for (int i = 0; (file = anpe_settings_file(f->model->settings, i, &option)); i++) {
        if (f->request->output)
            ANPE_TRY(anpe_output_differs(ctx, f->request->output, file));
        for (int k = 0; k < n; k++)
            if (path[k])
                ANPE_TRY(anpe_output_differs(ctx, path[k], file));
    }
out:
    return status;
}

anpe_status anpe_infer_output(anpe_ctx *ctx, anpe_inference *f, const char *path,
                              const char *format, anpe_h5 **out)
{
    anpe_status status;
    assert(f->n_outputs < ANPE_INFER_MAX_EXTRAS);
    ANPE_TRY(anpe_h5_create(ctx, path, out));
    f->output[f->n_outputs++] = *out;
    ANPE_TRY(anpe_h5_put_text(ctx, *out, "/", "format", format));
out:
    return status;
}

anpe_status anpe_infer_put_pixels(anpe_ctx *ctx, const anpe_inference *f, anpe_h5 *file)
{
    const anpe_instrument_info *inst = &f->model->task->instrument.info;
    const int64_t n_bounds = inst->n_segments + 1;
    anpe_status status;
    if (inst->wavelength) {
        ANPE_TRY(anpe_h5_write(ctx, file, "wavelength", ANPE_H5_DOUBLE, 1, &inst->n_pixels,
                               inst->wavelength));
        ANPE_TRY(anpe_h5_put_text(ctx, file, "wavelength", "unit", "Angstrom, vacuum"));
    }
    ANPE_TRY(anpe_h5_write(ctx, file, "segment", ANPE_H5_INT64, 1, &n_bounds, inst->segment));
out:
    return status;
}

anpe_status anpe_infer_put_ids(anpe_ctx *ctx, const anpe_row_list *rows, anpe_h5 *file)
{
    enum { WIDTH = sizeof rows->result->star->id, PIECE = 1024 };
    const int64_t n = rows->result->n_stars;
    const anpe_star *star;
    char *text;
    anpe_status status;
    if (ANPE_NEW(ctx, text, PIECE, WIDTH))
        return ANPE_ENOMEM;
    ANPE_TRY(anpe_h5_make_texts(ctx, file, "id", n, WIDTH));
    for (int64_t at = 0; at < n; at += PIECE) {
        const int64_t here = n - at < PIECE ? n - at : PIECE;
        for (int64_t i = 0; i < here; i++) {
            ANPE_TRY(anpe_row_list_at(ctx, rows, at + i, &star));
            memcpy(text + i * WIDTH, star->id, WIDTH);
        }
        ANPE_TRY(anpe_h5_write_texts_at(ctx, file, "id", at, here, WIDTH, text));
    }
out:
    free(text);
    return status;
}

anpe_status anpe_infer_commit(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_row_list rows = {f->result, f->store};
    anpe_output o[ANPE_INFER_MAX_EXTRAS + 1] = {0};
    anpe_status status = ANPE_OK;
    int n = 0;
    for (; n < f->n_outputs && !status; n++) {
        anpe_h5 *file = f->output[n];
        f->output[n] = NULL;
        status = anpe_h5_finish(ctx, file, &o[n]);
    }
    if (!status && f->request->output)
        status = anpe_row_list_catalogue(ctx, f->request, &rows, &o[n++]);
    if (!status)
        return anpe_output_commit_all(ctx, n, o);
    for (int k = 0; k < n; k++)
        anpe_output_abandon(&o[k]);
    return status;
}
