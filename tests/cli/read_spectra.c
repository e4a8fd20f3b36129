/* read_spectra CONFIGURATION OUT FILE...: what an instrument's reader makes of files, for programs
 * that compare it with readings of their own. CONFIGURATION: text with a group `instrument`.
 *
 * OUT, in the machine's byte order: for each file the number of its spectra (int64), and for each
 * spectrum its identifier (80 bytes), the number of pixels n (int64), wavelength (n double), flux,
 * sigma (n float each), mask (n bytes). */
#include "base/context.h"
#include "kind/component.h"
#include "spectrum/spectrum.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static anpe_status read_file(anpe_ctx *ctx, const anpe_component *c, const char *path,
                             anpe_spectrum *s, FILE *out)
{
    const anpe_instrument_ops *ops = c->ops;
    anpe_instrument_info info;
    int64_t rows = 1;
    anpe_status status = ops->count ? ops->count(c->self, ctx, path, &rows) : ANPE_OK;
    ops->info(c->self, &info);
    if (!status)
        fwrite(&rows, sizeof rows, 1, out);
    for (int64_t row = 0; !status && row < rows; row++) {
        char id[80] = "";
        const int64_t n = info.n_pixels;
        const size_t size = (size_t)n;
        if ((status = ops->read(c->self, ctx, path, row, s)))
            break;
        snprintf(id, sizeof id, "%s", s->id);
        fwrite(id, sizeof id, 1, out);
        fwrite(&n, sizeof n, 1, out);
        fwrite(info.wavelength, sizeof *info.wavelength, size, out);
        fwrite(s->flux, sizeof *s->flux, size, out);
        fwrite(s->sigma, sizeof *s->sigma, size, out);
        fwrite(s->mask, sizeof *s->mask, size, out);
    }
    return status;
}

static anpe_status read_all(anpe_ctx *ctx, int n, char **argv)
{
    const anpe_instrument_setup setup = {sizeof setup};
    anpe_settings *settings = NULL;
    anpe_component c = {0};
    anpe_instrument_info info;
    anpe_spectrum s = {0};
    FILE *out = fopen(argv[2], "wb");
    anpe_status status = anpe_settings_parse(ctx, argv[1], "configuration", 0, NULL, &settings);
    if (!status)
        status = anpe_component_new(ctx, settings, ANPE_INSTRUMENT, "instrument", NULL, &setup, &c);
    if (!status) {
        ((const anpe_instrument_ops *)c.ops)->info(c.self, &info);
        status = anpe_spectrum_new(ctx, info.n_pixels, &s);
    }
    for (int k = 3; out && !status && k < n; k++)
        status = read_file(ctx, &c, argv[k], &s, out);
    if (!out || fclose(out))
        status = status ? status : ANPE_EIO;
    anpe_spectrum_clear(&s);
    anpe_component_clear(&c);
    anpe_settings_free(settings);
    return status;
}

int main(int argc, char **argv)
{
    anpe_ctx *ctx = anpe_ctx_new();
    if (!ctx || argc < 4)
        return 2;
    const anpe_status status = read_all(ctx, argc, argv);
    if (status)
        fprintf(stderr, "%s\n", anpe_error(ctx));
    anpe_ctx_free(ctx);
    return status != ANPE_OK;
}
