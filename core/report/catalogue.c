/* report/catalogue.c -- a catalogue as the data of a page: its columns whole, one after the other,
 * and of some stars what the files beside it say. */
#include <config.h>
#include "report/report.h"
#include "report/page.h"
#include "report/star.h"
#include "base/text.h"
#include "file/catalogue_read.h"
#include "infer/rows.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_STARS = 200000 }; /* what a browser can be asked to hold */

/* A table without identifiers has none to compare. */
static anpe_status read_ids(anpe_ctx *ctx, anpe_catalogue_file *c, char ***id)
{
    *id = NULL;
    return anpe_catalogue_read_has(c, "id") ? anpe_catalogue_read_texts(ctx, c, "id", id) : ANPE_OK;
}

static void put_texts(anpe_page *p, int64_t n, char *const *texts)
{
    for (int64_t r = 0; r < n; r++) {
        fputs(r ? "," : "", p->file);
        anpe_page_text(p, texts[r]);
    }
}

/* A whole number beyond what a double holds is a text. */
static anpe_status put_values(anpe_ctx *ctx, anpe_catalogue_file *c, const char *name,
                              anpe_catalogue_kind kind, anpe_page *p)
{
    const int64_t n = anpe_catalogue_read_rows(c);
    double *real = NULL;
    char **texts = NULL;
    int is_text = kind == ANPE_CATALOGUE_TEXTS;
    anpe_status status = ANPE_OK;
    if (!is_text) {
        ANPE_TRY(ANPE_NEW(ctx, real, n + 1));
        ANPE_TRY(anpe_catalogue_read_reals(ctx, c, name, real));
        for (int64_t r = 0; r < n; r++)
            is_text |= isfinite(real[r]) && real[r] == floor(real[r]) && fabs(real[r]) >= 0x1p53 &&
                       fabs(real[r]) < 0x1p64;
    }
    if (is_text)
        ANPE_TRY(anpe_catalogue_read_texts(ctx, c, name, &texts));
    fprintf(p->file, ",\"text\":%s,\"values\":[", is_text ? "true" : "false");
    if (is_text)
        put_texts(p, n, texts);
    for (int64_t r = 0; r < n && !is_text; r++) {
        fputs(r ? "," : "", p->file);
        anpe_page_number(p, real[r]);
    }
    fputs("]}", p->file);
out:
    free(real);
    anpe_catalogue_texts_free(n, texts);
    return status;
}

static anpe_status put_columns(anpe_ctx *ctx, anpe_catalogue_file *c, anpe_page *p)
{
    anpe_status status = ANPE_OK;
    const char *comma = "";
    fputs(",\"columns\":[", p->file);
    for (int k = 0; k < anpe_catalogue_read_n_columns(c); k++) {
        const char *name = anpe_catalogue_read_name(c, k);
        const anpe_catalogue_kind kind = anpe_catalogue_read_kind(c, k);
        if (kind == ANPE_CATALOGUE_OTHER)
            continue;
        fprintf(p->file, "%s{\"name\":", comma);
        anpe_page_text(p, name);
        fputs(",\"unit\":", p->file);
        anpe_page_text(p, anpe_catalogue_read_unit(c, name));
        fputs(",\"help\":", p->file);
        anpe_page_text(p, anpe_infer_describe(name));
        ANPE_TRY(put_values(ctx, c, name, kind, p));
        comma = ",";
    }
    fputc(']', p->file);
out:
    return status;
}

/* What the file says of itself, as far as anpe writes it. */
static void put_keywords(anpe_ctx *ctx, anpe_catalogue_file *c, anpe_page *p)
{
    static const char *const keys[] = {"CREATOR", "DATE", "MODEL", "MODELSHA", "SEED",
                                       "SET0",    "SET1", "SET2",  "MODEL2",   "MODEL3"};
    const char *comma = "";
    fputs(",\"keywords\":[", p->file);
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        char *value = anpe_catalogue_read_keyword(ctx, c, keys[k]);
        if (!value)
            continue;
        fprintf(p->file, "%s[\"%s\",", comma, keys[k]);
        anpe_page_text(p, value);
        fputc(']', p->file);
        comma = ",";
        free(value);
    }
    fputc(']', p->file);
}

static void put_flags(anpe_page *p)
{
    fputs(",\"flags\":[", p->file);
    for (int b = 0; b < ANPE_N_FLAGS; b++) {
        fprintf(p->file, "%s[\"%s\",", b ? "," : "", anpe_flag_names[b]);
        anpe_page_text(p, anpe_flag_help[b]);
        fputc(']', p->file);
    }
    fputc(']', p->file);
}

static anpe_status put_all(anpe_ctx *ctx, const anpe_report_request *q, anpe_catalogue_file *c,
                           anpe_report_files *files, anpe_page *p, anpe_report_result *result)
{
    char id[32];
    anpe_status status;
    anpe_page_block(p, "data");
    fputs("{\"kind\":\"catalogue\",\"title\":", p->file);
    anpe_page_text(p, anpe_text_basename(q->catalogue));
    fprintf(p->file, ",\"n\":%lld,\"details\":%lld", (long long)result->n_stars,
            (long long)result->n_details);
    put_keywords(ctx, c, p);
    put_flags(p);
    ANPE_TRY(put_columns(ctx, c, p));
    if (result->n_details)
        ANPE_TRY(anpe_report_files_common(ctx, files, p));
    fputc('}', p->file);
    anpe_page_block_end(p);
    for (int64_t r = 0; r < result->n_details; r++) {
        snprintf(id, sizeof id, "star-%lld", (long long)r);
        anpe_page_block(p, id);
        ANPE_TRY(anpe_report_files_star(ctx, files, p, r));
        anpe_page_block_end(p);
        anpe_progress(ctx, "stars", (double)r + 1, (double)result->n_details);
        if (anpe_cancelled(ctx))
            return ANPE_FAIL(ctx, ANPE_ECANCEL, "cancelled");
    }
out:
    return status;
}

/* The page is no file that it is made of. */
static anpe_status check_apart(anpe_ctx *ctx, const anpe_report_request *q)
{
    const char *const input[] = {q->catalogue, q->posterior, q->predict, q->explain};
    anpe_status status = anpe_output_check(ctx, q->output);
    for (int k = 0; k < 4 && !status; k++)
        if (input[k])
            status = anpe_output_differs(ctx, q->output, input[k]);
    return status;
}

anpe_status anpe_report_catalogue(anpe_ctx *ctx, const anpe_report_request *q,
                                  anpe_report_result *result)
{
    anpe_catalogue_file *c = NULL;
    anpe_report_files *files = NULL;
    anpe_page page = {0};
    char **id = NULL;
    int64_t n = 0;
    const int with_files = q->posterior || q->predict || q->explain;
    anpe_status status;
    *result = (anpe_report_result){0};
    ANPE_TRY(check_apart(ctx, q));
    ANPE_TRY(anpe_catalogue_read_open(ctx, q->catalogue, &c));
    n = anpe_catalogue_read_rows(c);
    if (n > MOST_STARS) {
        status =
            ANPE_FAIL(ctx, ANPE_EUNSUPPORTED, "%s: %lld rows; a page holds %d: cut the table first",
                      q->catalogue, (long long)n, MOST_STARS);
        goto out;
    }
    result->n_stars = n;
    result->n_details = !with_files ? 0 : n < q->n_details ? n : q->n_details;
    ANPE_TRY(read_ids(ctx, c, &id));
    ANPE_TRY(anpe_report_files_open(ctx, q, n, id, &files));
    ANPE_TRY(anpe_page_begin(ctx, &page, q->output));
    ANPE_TRY(put_all(ctx, q, c, files, &page, result));
    ANPE_TRY(anpe_page_end(ctx, &page));
out:
    if (status)
        anpe_page_abandon(&page);
    anpe_report_files_close(files);
    anpe_catalogue_texts_free(n, id);
    anpe_catalogue_read_close(c);
    return status;
}
