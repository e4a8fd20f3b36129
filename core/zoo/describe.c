/* What an index says of a model; see publish.h. */
#include "zoo/publish.h"
#include "model/model.h"
#include "validate/record.h"
#include "zoo/choose.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *labels_json(const anpe_label_map *m)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < m->n; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:o,s:o}", "name", m->label[i].name, "unit",
                                              m->label[i].unit, "min", number(m->label[i].min),
                                              "max", number(m->label[i].max)));
    return list;
}

static anpe_status put_texts(anpe_ctx *ctx, anpe_h5 *f, const char *name, json_t *out)
{
    int64_t n;
    char **texts;
    if (!anpe_h5_has_attribute(f, "/", name))
        return ANPE_OK;
    const anpe_status status = anpe_h5_get_texts(ctx, f, "/", name, &n, &texts);
    if (status)
        return status;
    json_t *list = json_array();
    for (int64_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(texts[i]));
    json_object_set_new(out, name, list);
    anpe_h5_texts_free(n, texts);
    return ANPE_OK;
}

static json_t *certificate_json(const anpe_validation *v, const anpe_validation_part *all,
                                const anpe_label_map *m)
{
    json_t *labels = json_array();
    for (int64_t d = 0; d < m->n; d++) {
        const anpe_recovery *r = &all->label[d].recovery;
        json_array_append_new(
            labels, json_pack("{s:s,s:o,s:o,s:o,s:o,s:o}", "name", m->label[d].name, "r2",
                              number(r->r2), "bias", number(r->bias), "scatter", number(r->scatter),
                              "cover68", number(r->cover68), "sbc_p", number(all->label[d].sbc_p)));
    }
    return json_pack("{s:I,s:b,s:o,s:o,s:s,s:o}", "mocks", (json_int_t)v->n, "passes",
                     anpe_validation_passes(v, all), "hpd_p", number(all->hpd.p), "tarp_p",
                     number(all->tarp.p), "created", v->created, "labels", labels);
}

/* The validation of these weights; without one there is no member `certificate`. */
static anpe_status put_certificate(anpe_ctx *ctx, const anpe_model_file *f, json_t *out)
{
    anpe_validation *v = NULL;
    anpe_validation_part all = {0};
    anpe_status status;
    ANPE_TRY(anpe_validation_read(ctx, f->h5, &v));
    if (!v || v->n_labels != f->map->n || strcmp(v->digest, f->digest) != 0)
        goto out;
    ANPE_TRY(anpe_validation_summarise(ctx, v, NULL, 1, 0, INFINITY, &all));
    json_object_set_new(out, "certificate", certificate_json(v, &all, f->map));
out:
    anpe_validation_part_clear(&all);
    anpe_validation_free(v);
    return status;
}

anpe_status anpe_zoo_describe(anpe_ctx *ctx, const char *model, json_t **out)
{
    anpe_model_file f = {0};
    char *instrument = NULL, *created = NULL;
    json_t *o = json_object();
    anpe_status status;
    *out = NULL;
    ANPE_TRY(anpe_zoo_instrument(ctx, model, &instrument));
    ANPE_TRY(anpe_model_file_open(ctx, model, &f));
    json_object_set_new(o, "instrument", json_string(instrument));
    json_object_set_new(o, "labels", labels_json(f.map));
    json_object_set_new(o, "needs_simulator", json_boolean(f.channels->start != NULL));
    json_object_set_new(o, "complete", json_boolean(f.complete));
    json_object_set_new(o, "digest", json_string(f.digest));
    ANPE_TRY(anpe_h5_get_text(ctx, f.h5, "/", "created", &created));
    json_object_set_new(o, "created", json_string(created));
    ANPE_TRY(put_texts(ctx, f.h5, "plugins", o));
    ANPE_TRY(put_certificate(ctx, &f, o));
    *out = o;
    o = NULL;
out:
    json_decref(o);
    free(instrument);
    free(created);
    anpe_model_file_close(&f);
    return status;
}
