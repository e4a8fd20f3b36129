/* See cut.h. */
#include <config.h>
#include "zoo/cut.h"
#include "base/text.h"
#include "model/model.h"
#include "posterior/session.h"
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

enum { DIGEST = 64 };

/* The path of a record "option SHA-256 path" that is not its name alone, or NULL. */
static char *path_of(char *record)
{
    const size_t before = strcspn(record, " ") + DIGEST + 2;
    return strlen(record) > before && strchr(record + before, '/') ? record + before : NULL;
}

/* *text with every "PATH", as a whole string of a configuration, by its name. */
static anpe_status cut_text(anpe_ctx *ctx, char **text, const char *path)
{
    const char *from = *text, *at;
    const size_t n = strlen(path);
    anpe_text out = {0};
    while ((at = strstr(from, path)) != NULL) {
        const int whole = at > *text && at[-1] == '"' && at[n] == '"';
        anpe_text_add(&out, "%.*s%s", (int)(at - from), from,
                      whole ? anpe_text_basename(path) : path);
        from = at + n;
    }
    anpe_text_add(&out, "%s", from);
    if (anpe_text_status(ctx, &out)) {
        anpe_text_free(&out);
        return ANPE_ENOMEM;
    }
    free(*text);
    *text = out.text;
    return ANPE_OK;
}

static anpe_status cut_all(anpe_ctx *ctx, char **config, int64_t n, char **inputs, int64_t *some)
{
    anpe_status status = ANPE_OK;
    *some = 0;
    for (int64_t i = 0; i < n && !status; i++) {
        char *path = path_of(inputs[i]);
        if (!path)
            continue;
        ++*some;
        status = cut_text(ctx, config, path);
        const char *name = anpe_text_basename(path);
        memmove(path, name, strlen(name) + 1);
    }
    return status;
}

/* ---- the file ---------------------------------------------------------------------------- */

/* Operators of HDF5's iterations over the links and the attributes of the root. */
static herr_t copy_link(hid_t from, const char *name, const H5L_info_t *info, void *to)
{
    (void)info;
    return H5Ocopy(from, name, *(const hid_t *)to, name, H5P_DEFAULT, H5P_DEFAULT);
}

static herr_t copy_attribute(hid_t from, const char *name, const H5A_info_t *info, void *to)
{
    if (!strcmp(name, "config") || !strcmp(name, "inputs") || !strcmp(name, "digest"))
        return 0; /* are written anew: what is replaced in a file leaves its bytes there */
    const hid_t a = H5Aopen(from, name, H5P_DEFAULT), type = H5Aget_type(a),
                space = H5Aget_space(a);
    const hid_t b = H5Acreate2(*(const hid_t *)to, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    void *data = malloc((size_t)info->data_size + 1);
    const int failed = !data || H5Aread(a, type, data) < 0 || H5Awrite(b, type, data) < 0;
    free(data);
    H5Aclose(a);
    H5Aclose(b);
    H5Tclose(type);
    H5Sclose(space);
    return failed ? -1 : 0;
}

static anpe_status copy_file(anpe_ctx *ctx, anpe_h5 *from, anpe_h5 *to, const char *path)
{
    hid_t id = anpe_h5_id(to);
    if (H5Literate(anpe_h5_id(from), H5_INDEX_NAME, H5_ITER_INC, NULL, copy_link, &id) < 0 ||
        H5Aiterate2(anpe_h5_id(from), H5_INDEX_NAME, H5_ITER_INC, NULL, copy_attribute, &id) < 0)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot be copied", path);
    return ANPE_OK;
}

static anpe_status write_file(anpe_ctx *ctx, const char *path, anpe_model_file *f,
                              const char *config, const char *digest, int64_t n, char **inputs)
{
    static const char validation[] = "validation";
    char *then = NULL;
    anpe_h5 *to;
    anpe_status status = anpe_h5_create_sealed(ctx, path, &to);
    if (status)
        return status;
    ANPE_TRY(copy_file(ctx, f->h5, to, path));
    ANPE_TRY(anpe_h5_put_text(ctx, to, "/", "config", config));
    ANPE_TRY(anpe_h5_put_text(ctx, to, "/", "digest", digest));
    ANPE_TRY(anpe_h5_put_texts(ctx, to, "/", "inputs", n, (const char *const *)inputs));
    if (anpe_h5_has_attribute(to, validation, "digest")) {
        ANPE_TRY(anpe_h5_get_text(ctx, to, validation, "digest", &then));
        if (!strcmp(then, f->digest)) /* else it is of another model, and stays so */
            ANPE_TRY(anpe_h5_put_text(ctx, to, validation, "digest", digest));
    }
out:
    free(then);
    if (!status)
        return anpe_h5_close(ctx, to);
    anpe_h5_abandon(to);
    return status;
}

anpe_status anpe_zoo_cut_paths(anpe_ctx *ctx, const char *path)
{
    anpe_model_file f = {0};
    anpe_model *model = NULL;
    int64_t n = 0, some = 0;
    char **inputs = NULL, *config = NULL, digest[DIGEST + 1];
    anpe_status status = anpe_model_file_open(ctx, path, &f);
    if (status)
        return status;
    ANPE_TRY(anpe_model_file_inputs(ctx, &f, &n, &inputs));
    if (!(config = strdup(f.config))) {
        status = ANPE_NO_MEMORY(ctx, "a configuration");
        goto out;
    }
    ANPE_TRY(cut_all(ctx, &config, n, inputs, &some));
    if (some) {
        ANPE_TRY(anpe_model_open(ctx, path, &model)); /* for its parameters, in their order */
        ANPE_TRY(anpe_model_file_digest(ctx, &f, model->net->parameters, config, digest));
        status = write_file(ctx, path, &f, config, digest, n, inputs);
    }
out:
    anpe_model_close(model);
    anpe_model_file_close(&f);
    free(config);
    anpe_h5_texts_free(n, inputs);
    return status;
}
