/* anpe info of a survey's file: what it is, which instrument reads it, and what that reads. */
#include "cmd/info_spectrum.h"
#include "kind/recognise.h"
#include "spectrum/spectrum.h"
#include "stat/order.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 20 }; /* spectra that are listed */

/* The range of the good pixels, vacuum; how many there are; median of flux / sigma over them. */
typedef struct sight {
    double first, last, snr;
    int64_t n_good;
} sight;

static sight look(const anpe_instrument *i, const anpe_spectrum *s, double *ratio)
{
    sight v = {NAN, NAN, NAN, 0};
    for (int64_t k = 0; k < s->n_pixels; k++) {
        if (s->mask[k])
            continue;
        ratio[v.n_good++] = (double)s->flux[k] / (double)s->sigma[k];
        if (!i->info.wavelength)
            continue;
        v.first = fmin(v.first, i->info.wavelength[k]);
        v.last = fmax(v.last, i->info.wavelength[k]);
    }
    anpe_sort(v.n_good, ratio);
    v.snr = anpe_quantile_sorted(v.n_good, ratio, 0.5);
    return v;
}

static void put_text(anpe_cmd *cmd, const char *name, const char *text)
{
    if (!text[0])
        return;
    anpe_cmd_say(cmd, "%-14s %s\n", name, text);
    json_object_set_new(cmd->result, name, json_string(text));
}

static void describe_file(anpe_cmd *cmd, const anpe_known_file *f)
{
    static const char *const media[] = {"not said", "air", "vacuum"};
    const anpe_recognition *r = &f->known.file;
    put_text(cmd, "what", r->what);
    put_text(cmd, "survey", r->survey);
    put_text(cmd, "instrument", f->known.plugin->name);
    put_text(cmd, "options", r->options);
    put_text(cmd, "object", r->object);
    if (r->n_spectra > 0) {
        anpe_cmd_say(cmd, "%-14s %lld\n", "spectra", (long long)r->n_spectra);
        json_object_set_new(cmd->result, "spectra", json_integer(r->n_spectra));
    }
    put_text(cmd, "medium", media[r->medium]);
    put_text(cmd, "frame", r->frame);
}

static void describe_range(anpe_cmd *cmd, const anpe_recognition *r, const sight *v)
{
    const int stored = isfinite(r->first) && isfinite(r->last);
    const double first = stored ? r->first : v->first, last = stored ? r->last : v->last;
    if (!isfinite(first))
        return;
    anpe_cmd_say(cmd, "%-14s %.2f to %.2f Angstrom%s\n", "range", first, last,
                 stored ? "" : ", vacuum, of the good pixels");
    json_object_set_new(cmd->result, "range",
                        json_pack("[o,o]", anpe_cmd_number(first), anpe_cmd_number(last)));
}

static json_t *describe_spectrum(const anpe_cmd *cmd, int64_t row, const anpe_spectrum *s,
                                 const sight *v)
{
    anpe_cmd_say(cmd, "%-14lld %-30s S/N %-8.4g %lld of %lld pixels good\n", (long long)row, s->id,
                 v->snr, (long long)v->n_good, (long long)s->n_pixels);
    return json_pack("{s:I,s:s,s:o,s:I,s:I}", "row", (json_int_t)row, "id", s->id, "snr",
                     anpe_cmd_number(v->snr), "n_good", (json_int_t)v->n_good, "n_pixels",
                     (json_int_t)s->n_pixels);
}

/* What the instrument reads; a spectrum that it refuses is said to be so. */
static anpe_status describe_spectra(anpe_ctx *ctx, anpe_cmd *cmd, anpe_known_file *f,
                                    anpe_spectrum *s, double *ratio)
{
    json_t *list = json_array();
    json_object_set_new(cmd->result, "read", list);
    for (int64_t row = 0; row < f->n && row < MOST; row++) {
        const anpe_status status = anpe_instrument_read(&f->instrument, ctx, &f->input, row, s);
        if (status == ANPE_ENOMEM)
            return status;
        if (status) {
            anpe_cmd_say(cmd, "%-14lld refused: %s\n", (long long)row, anpe_error(ctx));
            json_array_append_new(
                list, json_pack("{s:I,s:s}", "row", (json_int_t)row, "refused", anpe_error(ctx)));
            continue;
        }
        const sight v = look(&f->instrument, s, ratio);
        if (row == 0)
            describe_range(cmd, &f->known.file, &v);
        json_array_append_new(list, describe_spectrum(cmd, row, s, &v));
    }
    if (f->n > MOST)
        anpe_cmd_say(cmd, "%-14s and %lld more\n", "", (long long)(f->n - MOST));
    return ANPE_OK;
}

anpe_status anpe_info_spectrum(anpe_ctx *ctx, anpe_cmd *cmd, const char *path)
{
    anpe_known_file f = {0};
    anpe_spectrum s = {0};
    double *ratio = NULL;
    anpe_status status;
    ANPE_TRY(anpe_known_file_open(ctx, path, &f));
    ANPE_TRY(anpe_spectrum_new(ctx, anpe_instrument_size(&f.instrument), &s));
    ANPE_TRY(ANPE_NEW(ctx, ratio, s.n_pixels));
    describe_file(cmd, &f);
    ANPE_TRY(describe_spectra(ctx, cmd, &f, &s, ratio));
out:
    free(ratio);
    anpe_spectrum_clear(&s);
    anpe_known_file_close(&f);
    return status;
}
