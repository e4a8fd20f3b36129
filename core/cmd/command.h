/* cmd/command.h -- the frame that every subcommand of anpe stands in.
 *
 * To add `anpe thing`: write core/cmd/thing.c with
 *
 *     typedef struct options { const char *output; int64_t n; anpe_texts set; } options;
 *     static const anpe_flag flags[] = {
 *         ANPE_FLAG_TEXT_REQUIRED(options, output, 'o', "output", "FILE", "where to write"),
 *         ANPE_FLAG_INT(options, n, 'n', "number", "N", 10, 1, 1e9, "how many"),
 *         ANPE_FLAG_TEXTS(options, set, 0, "set", "PATH=VALUE", "overrides the configuration"),
 *         ANPE_FLAG_END};
 *     static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd) {
 *         const options *o = cmd->options;
 *         ... cmd->argument[0] ... cmd->threads ...
 *         anpe_cmd_say(cmd, "%d spectra written\n", n);
 *         json_object_set_new(cmd->result, "n", json_integer(n));
 *         return ANPE_OK;
 *     }
 *     const anpe_command anpe_command_thing = {
 *         .name = "thing", .summary = "one line", .arguments = "CONFIG -o FILE",
 *         .description = "more lines", .flags = flags, .options_size = sizeof(options),
 *         .min_arguments = 1, .max_arguments = 1, .run = run};
 *
 * then add X(thing) to ANPE_COMMAND_LIST below and core/cmd/thing.c to anpe_SOURCES in local.mk.
 * The frame parses, prints --help, reports errors, and turns the status into the exit status:
 * 0 success, 1 the user's data or configuration, 2 usage, 3 our bug, 4 finished but some spectra
 * failed, 130 cancelled. */
#ifndef ANPE_CMD_COMMAND_H
#define ANPE_CMD_COMMAND_H
#include "base/context.h"
#include "ranks/ranks.h"
#include <jansson.h>

#define ANPE_COMMAND_LIST(X)                                                                       \
    X(train)                                                                                       \
    X(infer)                                                                                       \
    X(merge)                                                                                       \
    X(watch)                                                                                       \
    X(simulate)                                                                                    \
    X(synth)                                                                                       \
    X(emulate)                                                                                     \
    X(calibrate)                                                                                   \
    X(validate)                                                                                    \
    X(import)                                                                                      \
    X(noise)                                                                                       \
    X(plot)                                                                                        \
    X(report)                                                                                      \
    X(info)                                                                                        \
    X(zoo)                                                                                         \
    X(plugins)                                                                                     \
    X(completion)

/* A flag of the command line is an option like a plugin's (anpe/plugin.h): the same types, ranges
 * and defaults. BOOL: a switch, 1 when it is given. TEXT: NULL when it is not given and has no
 * default. TEXTS: every time that it is given. option.unit is what --help calls the value, "FILE".
 */
typedef struct anpe_flag {
    char letter;      /* 0: only --name */
    const char *name; /* NULL: the end */
    int required;
    anpe_option option;
} anpe_flag;

/* clang-format off */
/* S: the options struct, f: its field, c: the letter or 0, n: the name, v: what the value is called */
#define ANPE_FLAG_SWITCH(S, f, c, n, h) {c, n, 0, ANPE_OPT_BOOL(S, f, 0, h)}
#define ANPE_FLAG_INT(S, f, c, n, v, d, lo, hi, h) {c, n, 0, ANPE_OPT_INT(S, f, d, lo, hi, v, h)}
#define ANPE_FLAG_REAL(S, f, c, n, v, d, lo, hi, h) {c, n, 0, ANPE_OPT_REAL(S, f, d, lo, hi, v, h)}
#define ANPE_FLAG_TEXT_(S, f, c, n, v, r, t, d, h) \
    {c, n, r, {t, #f, v, h, offsetof(S, f), 0, 0, 0, d, NULL, 0}}
#define ANPE_FLAG_TEXT(S, f, c, n, v, d, h) ANPE_FLAG_TEXT_(S, f, c, n, v, 0, ANPE_T_TEXT, d, h)
#define ANPE_FLAG_TEXT_REQUIRED(S, f, c, n, v, h) \
    ANPE_FLAG_TEXT_(S, f, c, n, v, 1, ANPE_T_TEXT, NULL, h)
#define ANPE_FLAG_TEXTS(S, f, c, n, v, h) ANPE_FLAG_TEXT_(S, f, c, n, v, 0, ANPE_T_TEXTS, NULL, h)
/* choices: "a|b", of which the first is taken when it is not given; stores the index, an int */
#define ANPE_FLAG_CHOICE(S, f, c, n, choices, h) \
    ANPE_FLAG_TEXT_(S, f, c, n, choices, 0, ANPE_T_ENUM, choices, h)
#define ANPE_FLAG_END {0, NULL, 0, ANPE_OPT_END}
/* clang-format on */

/* What a command gets and gives. */
typedef struct anpe_cmd {
    const struct anpe_command *command;
    const void *options; /* the struct that `flags` filled */
    int n_arguments;
    char **argument; /* what is left of the command line */
    int json, quiet; /* --json, --quiet */
    int threads;     /* --threads, 0: all usable cores */
    int seed_given;  /* --seed was given */
    uint32_t seed;   /* 0 when not given */
    int n_failed;    /* set by run: spectra that failed; exit status 4 */
    int bad_usage;   /* set by anpe_cmd_usage */
    json_t *result;  /* object printed by --json; run fills it */
    char **kept;     /* (n_kept) paths of models, cmd/models.h */
    int64_t n_kept, room_kept;
    const char *how;   /* --ranks: as anpe_ranks_open takes it */
    anpe_ranks *ranks; /* the other processes, where command->ranks; NULL: alone */
} anpe_cmd;

typedef struct anpe_command {
    const char *name, *summary;
    const char *arguments;   /* "CONFIG -o MODEL [--set PATH=VALUE]..." */
    const char *description; /* paragraphs for --help */
    const anpe_flag *flags;  /* ends with {0}; may be NULL */
    size_t options_size;
    int min_arguments, max_arguments; /* max < 0: any number */
    anpe_status (*run)(anpe_ctx *ctx, anpe_cmd *cmd);
    int ranks; /* 1: several processes can work on it together, by cmd->ranks. `run` is then called
                * in each; those of rank 0 alone print, and write what it has not done by then. */
} anpe_command;

/* Text for the user on standard output; nothing with --json or --quiet. */
void anpe_cmd_say(const anpe_cmd *cmd, const char *format, ...) ANPE_PRINTF(2, 3);
/* return anpe_cmd_usage(ctx, cmd, "..."): a wrong command line, exit status 2. */
anpe_status anpe_cmd_usage(anpe_ctx *ctx, anpe_cmd *cmd, const char *format, ...) ANPE_PRINTF(3, 4);

/* A number for --json; null where it is not finite, which JSON has no word for. */
json_t *anpe_cmd_number(double x);

/* What every command takes besides its own, and every one with `ranks`. */
extern const anpe_flag anpe_cmd_common_flags[], anpe_cmd_ranks_flags[];
/* command.c: the command line into cmd, or why the command does not run; what is to be said then
 * has been printed. */
typedef enum anpe_parsed {
    ANPE_PARSED,
    ANPE_PARSED_HELP,
    ANPE_PARSED_USAGE, /* the command line is wrong */
    ANPE_PARSED_MEMORY /* there is none left */
} anpe_parsed;
anpe_parsed anpe_cmd_parse(anpe_cmd *cmd, const anpe_command *command, int argc, char **argv);
void anpe_cmd_clear(anpe_cmd *cmd);

/* terminal.c: log lines and a progress bar on standard error. */
void anpe_terminal_start(anpe_ctx *ctx, int quiet);
void anpe_terminal_end(void); /* the bar's line is finished */

#define X(name) extern const anpe_command anpe_command_##name;
ANPE_COMMAND_LIST(X)
#undef X
#endif
