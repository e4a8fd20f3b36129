/* report/page.c -- see page.h. */
#include <config.h>
#include "report/page.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the files beside this one: tools/bytes in local.mk. */
static const char html[] = {
#include "report/page_html.inc"
    '\0'};
static const char css[] = {
#include "report/page_css.inc"
    '\0'};
static const char js[] = {
#include "report/page_js.inc"
    '\0'};

/* page.html with "@css@" replaced, up to "@data@"; the script follows the data. */
anpe_status anpe_page_begin(anpe_ctx *ctx, anpe_page *p, const char *path)
{
    char reason[128];
    *p = (anpe_page){0};
    const anpe_status status = anpe_output_begin(ctx, &p->output, path);
    if (status)
        return status;
    if (!(p->file = fopen(p->output.temporary, "w"))) {
        const int error = errno;
        anpe_output_abandon(&p->output);
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot write: %s", path,
                         anpe_errno_text(error, reason, sizeof reason));
    }
    const char *at_css = strstr(html, "@css@"), *at_data = strstr(html, "@data@");
    fwrite(html, 1, (size_t)(at_css - html), p->file);
    fputs(css, p->file);
    fwrite(at_css + 5, 1, (size_t)(at_data - at_css - 5), p->file);
    return ANPE_OK;
}

anpe_status anpe_page_end(anpe_ctx *ctx, anpe_page *p)
{
    char reason[128];
    const char *rest = strstr(html, "@data@") + 6, *at_js = strstr(rest, "@js@");
    fwrite(rest, 1, (size_t)(at_js - rest), p->file);
    fputs(js, p->file);
    fputs(at_js + 4, p->file);
    errno = 0;
    int failed = fflush(p->file) || ferror(p->file), error = errno;
    failed |= fclose(p->file);
    p->file = NULL;
    if (!failed)
        return anpe_output_commit(ctx, &p->output);
    const anpe_status status =
        ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot write: %s", p->output.path,
                  anpe_errno_text(error ? error : errno, reason, sizeof reason));
    anpe_output_abandon(&p->output);
    return status;
}

void anpe_page_abandon(anpe_page *p)
{
    if (p->file)
        fclose(p->file);
    p->file = NULL;
    anpe_output_abandon(&p->output);
}

void anpe_page_block(anpe_page *p, const char *id)
{
    fprintf(p->file, "<script type=\"application/json\" id=\"%s\">", id);
}

void anpe_page_block_end(anpe_page *p)
{
    fputs("</script>\n", p->file);
}

/* ---- JSON -------------------------------------------------------------------------------- */

void anpe_page_text(anpe_page *p, const char *text)
{
    fputc('"', p->file);
    while (*text) {
        const int n = anpe_text_character(text);
        if (!n)
            fputc('?', p->file);
        else if (*text == '"' || *text == '\\')
            fprintf(p->file, "\\%c", *text);
        else if (*text == '<' || *text == '\n' || *text == '\t')
            fprintf(p->file, "\\u%04x", (unsigned)*text);
        else
            fwrite(text, 1, (size_t)n, p->file);
        text += n ? n : 1;
    }
    fputc('"', p->file);
}

void anpe_page_number(anpe_page *p, double value)
{
    if (isfinite(value) && value == floor(value) && fabs(value) < 0x1p53)
        fprintf(p->file, "%.0f", value); /* an identifier, to its last digit */
    else if (isfinite(value))
        fprintf(p->file, "%.10g", value);
    else
        fputs("null", p->file);
}

anpe_status anpe_page_json(anpe_ctx *ctx, anpe_page *p, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(10) | JSON_ENCODE_ANY);
    if (!text)
        return ANPE_NO_MEMORY(ctx, "JSON");
    for (const char *at = text; *at; at++) /* which stands in strings alone */
        if (*at == '<')
            fputs("\\u003c", p->file);
        else
            fputc(*at, p->file);
    free(text);
    return ANPE_OK;
}

void anpe_page_bytes(anpe_page *p, size_t n, const unsigned char *b)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    fputc('"', p->file);
    for (size_t i = 0; i < n; i += 3) {
        const unsigned second = i + 1 < n ? b[i + 1] : 0, third = i + 2 < n ? b[i + 2] : 0;
        const unsigned all = (unsigned)b[i] << 16 | second << 8 | third;
        const char four[4] = {letters[all >> 18], letters[all >> 12 & 63],
                              i + 1 < n ? letters[all >> 6 & 63] : '=',
                              i + 2 < n ? letters[all & 63] : '='};
        fwrite(four, 1, 4, p->file);
    }
    fputc('"', p->file);
}
