/* Reading survey files from a warm cache: opened, counted, read and judged as `anpe infer` does it,
 * by the instrument that knows them, on one core. */
#include "bench/bench.h"
#include "base/text.h"
#include "kind/recognise.h"
#include "spectrum/spectrum.h"
#include <stdio.h>

typedef struct reader {
    anpe_ctx *ctx;
    anpe_known_file file;
    anpe_spectrum s;
    const char *path;
    anpe_status status;
} reader;

static void read_once(void *user)
{
    reader *r = user;
    anpe_input in = {0};
    int64_t n = 0;
    if (!r->status)
        r->status = anpe_input_open(&r->file.instrument, r->ctx, r->path, &in);
    if (!r->status)
        r->status = anpe_instrument_count(&r->file.instrument, r->ctx, &in, &n);
    if (!r->status)
        r->status = anpe_instrument_read(&r->file.instrument, r->ctx, &in, 0, &r->s);
    anpe_input_close(&in);
}

anpe_status bench_reading(bench *b)
{
    anpe_status status = ANPE_OK;
    for (int i = 0; i < b->n_surveys && !status; i++) {
        reader r = {.ctx = b->ctx, .path = b->surveys[i]};
        if (anpe_known_file_open(b->ctx, r.path, &r.file))
            continue;                    /* nobody's */
        anpe_input_close(&r.file.input); /* which holds the file in memory */
        status = anpe_spectrum_new(b->ctx, anpe_instrument_size(&r.file.instrument), &r.s);
        if (!status) {
            const double t = bench_core_seconds(b, read_once, &r);
            status = r.status;
            bench_report(b, "reading", 1 / t, "files/s", 1, NAN, "%s, %s",
                         r.file.known.plugin->name, anpe_text_basename(r.path));
        }
        anpe_spectrum_clear(&r.s);
        anpe_known_file_close(&r.file);
    }
    return status;
}
