/* One table of flags drives getopt_long, --help and the messages about usage. */
#include <config.h>
#include "cmd/command.h"
#include "base/text.h"
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FLAGS = 64 };

typedef struct common {
    int json, quiet, help;
    int64_t threads, seed;
    int ranks;
} common;

const anpe_flag anpe_cmd_common_flags[] = {
    ANPE_FLAG_INT(common, threads, 0, "threads", "N", 0, 0, 1024,
                  "threads to use (default: all cores)"),
    ANPE_FLAG_INT(common, seed, 0, "seed", "N", -1, 0, 4294967295.0, "seed of all random numbers"),
    ANPE_FLAG_SWITCH(common, json, 0, "json",
                     "print one JSON object and nothing else on standard output"),
    ANPE_FLAG_SWITCH(common, quiet, 'q', "quiet",
                     "no progress, no messages but warnings and errors"),
    ANPE_FLAG_SWITCH(common, help, 'h', "help", "print this help"),
    ANPE_FLAG_END};

static const char *const ranks_names[] = {"auto", "mpi", "none"};
const anpe_flag anpe_cmd_ranks_flags[] = {
    ANPE_FLAG_CHOICE(common, ranks, 0, "ranks", "auto|mpi|none",
                     "work together with the other processes that mpirun has started; auto: if it "
                     "has"),
    ANPE_FLAG_END};

/* The command's flags and the common ones, with the struct that each fills. */
typedef struct flag_set {
    int n;
    const anpe_flag *flag[MAX_FLAGS];
    char *base[MAX_FLAGS];
    int given[MAX_FLAGS];
} flag_set;

static void collect(flag_set *set, const anpe_flag *flags, void *base)
{
    for (; flags && flags->name && set->n < MAX_FLAGS; flags++) {
        set->flag[set->n] = flags;
        set->base[set->n++] = base;
    }
}

static void set_default(const anpe_option *o, char *at)
{
    if (o->type == ANPE_T_INT)
        *(int64_t *)(void *)at = (int64_t)o->dflt;
    else if (o->type == ANPE_T_REAL)
        *(double *)(void *)at = o->dflt;
    else if (o->type == ANPE_T_TEXT)
        *(const char **)(void *)at = o->text;
}

/* ---- messages ---------------------------------------------------------------------------- */

void anpe_cmd_say(const anpe_cmd *cmd, const char *format, ...)
{
    if (cmd->json || cmd->quiet)
        return;
    va_list ap;
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
}

json_t *anpe_cmd_number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

anpe_status anpe_cmd_usage(anpe_ctx *ctx, anpe_cmd *cmd, const char *format, ...)
{
    char message[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(message, sizeof message, format, ap);
    va_end(ap);
    cmd->bad_usage = 1;
    return ANPE_FAIL(ctx, ANPE_EINVAL, "%s", message);
}

static anpe_parsed out_of_memory(void)
{
    fprintf(stderr, "anpe: out of memory\n");
    return ANPE_PARSED_MEMORY;
}

static anpe_parsed usage_error(const anpe_cmd *cmd, const char *format, ...) ANPE_PRINTF(2, 3);
static anpe_parsed usage_error(const anpe_cmd *cmd, const char *format, ...)
{
    va_list ap;
    fprintf(stderr, "anpe %s: ", cmd->command->name);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fprintf(stderr, "\nTry 'anpe %s --help'.\n", cmd->command->name);
    return ANPE_PARSED_USAGE;
}

/* What is taken when the flag is not given, unless that is nothing: 0, or a number that stands for
 * "not given" by being out of range. */
static void print_default(const anpe_option *o)
{
    const int number = o->type == ANPE_T_INT || o->type == ANPE_T_REAL;
    if (number && o->dflt != 0 && o->dflt >= o->min && o->dflt <= o->max)
        printf(" (default %.15g)", o->dflt);
    if (o->type == ANPE_T_ENUM)
        printf(" (default %.*s)", (int)strcspn(o->text, "|"), o->text);
}

static void print_flags(const anpe_flag *flags)
{
    for (; flags && flags->name; flags++) {
        char left[64], letter[8] = "   ";
        const anpe_option *o = &flags->option;
        if (flags->letter)
            snprintf(letter, sizeof letter, "-%c,", flags->letter);
        snprintf(left, sizeof left, "%s --%s%s%s", letter, flags->name, *o->unit ? " " : "",
                 o->unit);
        printf("  %-26s  %s%s", left, o->help, flags->required ? " (required)" : "");
        print_default(o);
        printf("\n");
    }
}

static void print_help(const anpe_command *c)
{
    printf("Usage: anpe %s %s\n\n%s\n\n%s%sOptions:\n", c->name, c->arguments, c->summary,
           c->description ? c->description : "", c->description ? "\n\n" : "");
    print_flags(c->flags);
    if (c->ranks)
        print_flags(anpe_cmd_ranks_flags);
    print_flags(anpe_cmd_common_flags);
}

/* ---- values ------------------------------------------------------------------------------ */

typedef struct reading { /* one flag that was given */
    const anpe_cmd *cmd;
    const anpe_flag *flag;
    void *at;
    const char *text; /* its value; NULL for a switch */
} reading;

static anpe_parsed out_of_range(const reading *r, const char *what)
{
    const anpe_option *o = &r->flag->option;
    return usage_error(r->cmd, "--%s must be %s in [%.15g, %.15g], not '%s'", r->flag->name, what,
                       o->min, o->max, r->text);
}

static int is_good(const reading *r, const char *end, double x)
{
    const anpe_option *o = &r->flag->option;
    return *r->text && !*end && !errno && x >= o->min && x <= o->max;
}

static anpe_parsed set_switch(const reading *r)
{
    *(int *)r->at = 1;
    return ANPE_PARSED;
}

static anpe_parsed set_integer(const reading *r)
{
    char *end;
    errno = 0;
    const long long x = strtoll(r->text, &end, 10);
    *(int64_t *)r->at = x;
    return is_good(r, end, (double)x) ? ANPE_PARSED : out_of_range(r, "an integer");
}

static anpe_parsed set_real(const reading *r)
{
    char *end;
    errno = 0;
    const double x = *(double *)r->at = strtod(r->text, &end);
    return is_good(r, end, x) ? ANPE_PARSED : out_of_range(r, "a number");
}

static anpe_parsed set_text(const reading *r)
{
    *(const char **)r->at = r->text;
    return ANPE_PARSED;
}

static anpe_parsed set_texts(const reading *r)
{
    anpe_texts *list = r->at;
    const char **v = malloc((size_t)(list->n + 1) * sizeof *v);
    if (!v)
        return out_of_memory();
    for (int64_t i = 0; i < list->n; i++)
        v[i] = list->v[i];
    v[list->n] = r->text;
    free((void *)(uintptr_t)list->v);
    *list = (anpe_texts){list->n + 1, v};
    return ANPE_PARSED;
}

static anpe_parsed set_choice(const reading *r)
{
    const size_t length = strlen(r->text);
    int i = 0;
    for (const char *word = r->flag->option.text; word; i++) {
        if (strcspn(word, "|") == length && !strncmp(word, r->text, length)) {
            *(int *)r->at = i;
            return ANPE_PARSED;
        }
        const char *bar = strchr(word, '|');
        word = bar ? bar + 1 : NULL;
    }
    return usage_error(r->cmd, "--%s must be one of %s, not '%s'", r->flag->name,
                       r->flag->option.text, r->text);
}

static anpe_parsed (*const setters[])(const reading *r) = {
    [ANPE_T_BOOL] = set_switch, [ANPE_T_INT] = set_integer, [ANPE_T_REAL] = set_real,
    [ANPE_T_TEXT] = set_text,   [ANPE_T_ENUM] = set_choice, [ANPE_T_TEXTS] = set_texts};

/* ---- getopt_long ------------------------------------------------------------------------- */

static anpe_parsed unknown_flag(const anpe_cmd *cmd, const flag_set *set, const char *text)
{
    const char *names[MAX_FLAGS];
    char name[64], hint[128], dashed[128] = "";
    if (optopt)
        return usage_error(cmd, "unknown option '-%c'", optopt);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text + 2, "="), text + 2);
    for (int i = 0; i < set->n; i++)
        names[i] = set->flag[i]->name;
    const char *near = anpe_text_nearest(name, set->n, names);
    if (near)
        snprintf(dashed, sizeof dashed, "--%s", near);
    snprintf(hint, sizeof hint, near ? "; did you mean '%s'?" : "%s", dashed);
    return usage_error(cmd, "unknown option '--%s'%s", name, hint);
}

static anpe_parsed read_flags(const anpe_cmd *cmd, flag_set *set, int argc, char **argv)
{
    struct option longs[MAX_FLAGS + 1] = {{0}};
    char shorts[2 * MAX_FLAGS + 2] = ":", *s = shorts + 1;
    for (int i = 0; i < set->n; i++) {
        const anpe_flag *f = set->flag[i];
        const int value = f->option.type != ANPE_T_BOOL;
        longs[i] = (struct option){f->name, value ? required_argument : no_argument, NULL, 256 + i};
        if (f->letter)
            *s++ = f->letter;
        if (f->letter && value)
            *s++ = ':';
    }
    optind = 0; /* glibc: start afresh */
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        const char *text = argv[optind - 1];
        if (c == ':')
            return usage_error(cmd, "option '%s' needs a value", text);
        if (c == '?' && optopt >= 256)
            return usage_error(cmd, "option '--%s' takes no value", set->flag[optopt - 256]->name);
        if (c == '?')
            return unknown_flag(cmd, set, text);
        int i = c - 256;
        for (int j = 0; c < 256 && j < set->n; j++)
            if (set->flag[j]->letter == c)
                i = j;
        set->given[i] = 1;
        const anpe_option *o = &set->flag[i]->option;
        const anpe_parsed wrong =
            setters[o->type](&(reading){cmd, set->flag[i], set->base[i] + o->offset, optarg});
        if (wrong)
            return wrong;
    }
    return ANPE_PARSED;
}

static anpe_parsed check_arguments(const anpe_cmd *cmd, const flag_set *set)
{
    const anpe_command *c = cmd->command;
    for (int i = 0; i < set->n; i++)
        if (set->flag[i]->required && !set->given[i])
            return usage_error(cmd, "option '--%s' is required", set->flag[i]->name);
    if (cmd->n_arguments < c->min_arguments)
        return usage_error(cmd, "%d argument%s given, %d needed: %s", cmd->n_arguments,
                           cmd->n_arguments == 1 ? "" : "s", c->min_arguments, c->arguments);
    if (c->max_arguments >= 0 && cmd->n_arguments > c->max_arguments)
        return usage_error(cmd, "unexpected argument '%s'", cmd->argument[c->max_arguments]);
    return ANPE_PARSED;
}

anpe_parsed anpe_cmd_parse(anpe_cmd *cmd, const anpe_command *command, int argc, char **argv)
{
    common values = {0};
    flag_set set = {0};
    void *options = calloc(1, command->options_size ? command->options_size : 1);
    *cmd = (anpe_cmd){.command = command, .options = options, .result = json_object()};
    if (!options || !cmd->result)
        return out_of_memory();
    collect(&set, command->flags, options);
    if (command->ranks)
        collect(&set, anpe_cmd_ranks_flags, &values);
    collect(&set, anpe_cmd_common_flags, &values);
    for (int i = 0; i < set.n; i++)
        set_default(&set.flag[i]->option, set.base[i] + set.flag[i]->option.offset);
    const anpe_parsed wrong = read_flags(cmd, &set, argc, argv);
    if (wrong)
        return wrong;
    if (values.help) {
        print_help(command);
        return ANPE_PARSED_HELP;
    }
    cmd->n_arguments = argc - optind;
    cmd->argument = argv + optind;
    cmd->json = values.json;
    cmd->quiet = values.quiet;
    cmd->threads = (int)values.threads;
    cmd->how = command->ranks ? ranks_names[values.ranks] : "none";
    cmd->seed_given = values.seed >= 0;
    cmd->seed = values.seed >= 0 ? (uint32_t)values.seed : 0;
    return check_arguments(cmd, &set);
}

void anpe_cmd_clear(anpe_cmd *cmd)
{
    for (const anpe_flag *f = cmd->command->flags; cmd->options && f && f->name; f++)
        if (f->option.type == ANPE_T_TEXTS) {
            const anpe_texts *list = (const void *)((const char *)cmd->options + f->option.offset);
            free((void *)(uintptr_t)list->v);
        }
    free((void *)(uintptr_t)cmd->options);
    for (int64_t i = 0; i < cmd->n_kept; i++)
        free(cmd->kept[i]);
    free(cmd->kept);
    json_decref(cmd->result);
    *cmd = (anpe_cmd){.command = cmd->command};
}
