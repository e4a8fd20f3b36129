/* options.c -- writes the option reference of anpe.cfg(5), in roff, from the option tables
 * themselves.
 *
 * `make man-options` puts its output into the page; tests/cli/test_man.sh compares, so that the
 * page and the tables cannot diverge.
 */
#include "base/loader.h"
#include "prepare/calibrate.h"
#include "train/groups.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text as roff shows it literally. */
static void put(const char *text)
{
    for (; *text; text++)
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
}

static void put_number(double x)
{
    char text[40];
    snprintf(text, sizeof text, "%.10g", x);
    put(text);
}

static const char *type_name(anpe_type type)
{
    static const char *const names[] = {
        [ANPE_T_BOOL] = "true or false",    [ANPE_T_INT] = "integer",
        [ANPE_T_REAL] = "number",           [ANPE_T_TEXT] = "text",
        [ANPE_T_ENUM] = "one of",           [ANPE_T_FILE] = "file",
        [ANPE_T_REALS] = "list of numbers", [ANPE_T_TEXTS] = "list of texts",
        [ANPE_T_ROWS] = "list of groups",
    };
    return names[type];
}

static void put_choice(const char *choices, int k)
{
    for (; k > 0 && choices; k--)
        choices = strchr(choices, '|') ? strchr(choices, '|') + 1 : NULL;
    const size_t n = choices ? strcspn(choices, "|") : 0;
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)n, choices ? choices : "");
    put(text);
}

static void put_default(const anpe_option *o)
{
    switch (o->type) {
    case ANPE_T_BOOL:
        put(o->dflt != 0 ? "true" : "false");
        break;
    case ANPE_T_INT:
    case ANPE_T_REAL:
        if (!isnan(o->dflt))
            put_number(o->dflt);
        else
            put(o->text ? "not set" : "must be given");
        break;
    case ANPE_T_ENUM:
        put_choice(o->text, (int)o->dflt);
        break;
    case ANPE_T_ROWS:
        put("none");
        break;
    default:
        put(!o->text ? "must be given" : *o->text ? o->text : "empty");
    }
}

static void put_range(const anpe_option *o)
{
    const int low = !isinf(o->min), high = !isinf(o->max);
    if ((o->type != ANPE_T_INT && o->type != ANPE_T_REAL && o->type != ANPE_T_REALS) ||
        !(low || high))
        return;
    put(low && high ? ", from " : low ? ", at least " : ", at most ");
    if (low)
        put_number(o->min);
    if (low && high)
        put(" to ");
    if (high)
        put_number(o->max);
}

static void put_table(const anpe_option *o)
{
    for (; o->type != ANPE_T_END; o++) {
        printf(".TP\n\\fB");
        put(o->name);
        printf("\\fP (");
        put(type_name(o->type));
        if (o->type == ANPE_T_ENUM) {
            putchar(' ');
            put(o->text);
        }
        put_range(o);
        if (o->unit && *o->unit) {
            printf("; ");
            put(o->unit);
        }
        if (o->type == ANPE_T_ROWS) {
            printf(")\n");
            put(o->help);
            printf(", each with:\n.RS\n");
            put_table(o->rows);
            printf(".RE\n");
            continue;
        }
        printf("; default: ");
        put_default(o);
        printf(")\n");
        put(o->help);
        putchar('\n');
    }
}

static void put_group(const anpe_group *g)
{
    printf(".SS %s\n", g->path);
    put(g->summary);
    printf(".\n");
    put_table(g->table);
}

static void put_plugin(const anpe_plugin *p)
{
    printf(".SS %s \\(dq%s\\(dq\n", anpe_kind_name(p->kind), p->name);
    put(p->summary);
    printf(".\n");
    if (!p->options || p->options->type == ANPE_T_END)
        printf("No options.\n");
    else
        put_table(p->options);
}

int main(void)
{
    int n = 0;
    const anpe_plugin **list = NULL;
    anpe_ctx *ctx = anpe_ctx_new();
    if (!ctx || anpe_loader_list(ctx, (anpe_kind)0, &n, &list)) {
        fprintf(stderr, "%s\n", ctx ? anpe_error(ctx) : "out of memory");
        anpe_ctx_free(ctx);
        return EXIT_FAILURE;
    }
    printf(".SH GROUPS OF THE CORE\n");
    for (int i = 0; anpe_group_at(i); i++)
        put_group(anpe_group_at(i));
    put_group(&(anpe_group){.path = "calibrate",
                            .summary = "stars and settings of `anpe calibrate`",
                            .table = anpe_calibrate_table});
    printf(".SH PLUGINS\n");
    for (int i = 0; i < n; i++)
        if (list[i]->kind != ANPE_RANKS) /* how a run is started is no matter of configuration */
            put_plugin(list[i]);
    free(list);
    anpe_ctx_free(ctx);
    return ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
