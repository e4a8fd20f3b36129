/* anpe info of a catalogue: where it comes from, its labels, and which flags how many stars have.
 */
#include "cmd/info_catalogue.h"
#include "file/catalogue.h"
#include "file/catalogue_read.h"
#include "infer/infer.h"
#include "stat/order.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void describe_origin(anpe_ctx *ctx, anpe_cmd *cmd, anpe_catalogue_file *c)
{
    static const char *const key[] = {"CREATOR", "DATE", "MODEL", "MODELSHA", "SEED"};
    static const char *const name[] = {"creator", "created", "model", "digest", "seed"};
    for (size_t k = 0; k < sizeof key / sizeof *key; k++) {
        char *value = anpe_catalogue_read_keyword(ctx, c, key[k]);
        if (!value)
            continue;
        anpe_cmd_say(cmd, "%-14s %s\n", name[k], value);
        json_object_set_new(cmd->result, name[k], json_string(value));
        free(value);
    }
}

/* A label is a column beside which another one has its standard deviation. */
static int is_label(const anpe_catalogue_file *c, const char *name)
{
    char sd[128];
    return snprintf(sd, sizeof sd, "%s_sd", name) < (int)sizeof sd &&
           anpe_catalogue_read_has(c, sd);
}

static anpe_status describe_labels(anpe_ctx *ctx, anpe_cmd *cmd, anpe_catalogue_file *c,
                                   double *value)
{
    json_t *list = json_array();
    const char *title = "labels";
    json_object_set_new(cmd->result, "labels", list);
    for (int k = 0; k < anpe_catalogue_read_n_columns(c); k++) {
        const char *name = anpe_catalogue_read_name(c, k),
                   *unit = anpe_catalogue_read_unit(c, name);
        int64_t n = 0;
        if (!is_label(c, name))
            continue;
        const anpe_status status = anpe_catalogue_read_reals(ctx, c, name, value);
        if (status)
            return status;
        for (int64_t r = 0; r < anpe_catalogue_read_rows(c); r++)
            if (isfinite(value[r]))
                value[n++] = value[r];
        anpe_sort(n, value);
        const double median = n ? anpe_quantile_sorted(n, value, 0.5) : NAN;
        const double low = n ? value[0] : NAN, high = n ? value[n - 1] : NAN;
        anpe_cmd_say(cmd, "%-14s %-10s %-6s median %.6g, %.6g to %.6g\n", title, name, unit, median,
                     low, high);
        json_array_append_new(list,
                              json_pack("{s:s,s:s,s:I,s:o,s:o,s:o}", "name", name, "unit", unit,
                                        "n", (json_int_t)n, "median", anpe_cmd_number(median),
                                        "min", anpe_cmd_number(low), "max", anpe_cmd_number(high)));
        title = "";
    }
    return ANPE_OK;
}

static anpe_status describe_flags(anpe_ctx *ctx, anpe_cmd *cmd, anpe_catalogue_file *c,
                                  double *value)
{
    const int64_t rows = anpe_catalogue_read_rows(c);
    const anpe_status status = anpe_catalogue_read_reals(ctx, c, "flags", value);
    int64_t clean = 0;
    json_t *list = json_object();
    json_object_set_new(cmd->result, "flags", list);
    if (status)
        return status;
    for (int64_t r = 0; r < rows; r++)
        clean += value[r] == 0;
    anpe_cmd_say(cmd, "%-14s %lld without any\n", "flags", (long long)clean);
    for (int b = 0; b < ANPE_N_FLAGS; b++) {
        int64_t n = 0;
        for (int64_t r = 0; r < rows; r++)
            n += isfinite(value[r]) && ((int64_t)value[r] >> b & 1);
        json_object_set_new(list, anpe_flag_names[b], json_integer(n));
        if (n)
            anpe_cmd_say(cmd, "%-14s %lld %s: %s\n", "", (long long)n, anpe_flag_names[b],
                         anpe_flag_help[b]);
    }
    return ANPE_OK;
}

static anpe_status describe(anpe_ctx *ctx, anpe_cmd *cmd, anpe_catalogue_file *c)
{
    const int64_t rows = anpe_catalogue_read_rows(c);
    double *value = NULL;
    anpe_status status;
    ANPE_TRY(ANPE_NEW(ctx, value, rows + 1));
    anpe_cmd_say(cmd, "%-14s catalogue of anpe infer\n", "what");
    anpe_cmd_say(cmd, "%-14s %lld\n", "spectra", (long long)rows);
    json_object_set_new(cmd->result, "what", json_string("catalogue of anpe infer"));
    json_object_set_new(cmd->result, "spectra", json_integer(rows));
    describe_origin(ctx, cmd, c);
    ANPE_TRY(describe_labels(ctx, cmd, c, value));
    ANPE_TRY(describe_flags(ctx, cmd, c, value));
out:
    free(value);
    return status;
}

anpe_status anpe_info_catalogue(anpe_ctx *ctx, anpe_cmd *cmd, const char *path, int *is_one)
{
    static const char *const column[] = {"id", "flags", "chi2"};
    anpe_catalogue_file *c = NULL;
    *is_one = anpe_catalogue_has_name(path) && !anpe_catalogue_read_open(ctx, path, &c);
    for (size_t k = 0; k < sizeof column / sizeof *column && *is_one; k++)
        *is_one = anpe_catalogue_read_has(c, column[k]);
    const anpe_status status = *is_one ? describe(ctx, cmd, c) : ANPE_OK;
    anpe_catalogue_read_close(c);
    return status;
}
