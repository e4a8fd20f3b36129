/* anpe: chooses the subcommand, runs it, turns its status into an exit status. */
#include <config.h>
#include "cmd/command.h"
#include "base/locale.h"
#include "base/text.h"
#include "file/hdf5_file.h"
#include "file/temporary.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2, EXIT_BUG = 3, EXIT_PARTLY = 4, EXIT_SIGNAL = 128 };

#define X(name) &anpe_command_##name,
static const anpe_command *const commands[] = {ANPE_COMMAND_LIST(X)};
#undef X
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

/* ---- signals ----------------------------------------------------------------------------- */

static anpe_ctx *interrupted;          /* what the signal handler cancels */
static volatile sig_atomic_t received; /* the signal that asked for an orderly end */
static const int orderly[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU};
enum { N_ORDERLY = sizeof orderly / sizeof *orderly };

static void end_at_once(int number)
{
    anpe_temporary_remove_all();
    signal(number, SIG_DFL);
    raise(number); /* is held back until the handler returns */
}

static void on_signal(int number)
{
    if (received == number && (number == SIGINT || number == SIGTERM))
        end_at_once(number);
    received = number;
    anpe_ctx_cancel(interrupted);
}

static void catch_signal(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;
    sigfillset(&action.sa_mask);
    if (number == SIGHUP && !sigaction(number, NULL, &old) && old.sa_handler == SIG_IGN)
        return; /* nohup */
    sigaction(number, &action, NULL);
}

/* The first ctrl-C asks for an orderly end, the second ends the run at once; so does ctrl-\. A
 * hangup and the limit on processor time come more than once by themselves: each asks for an
 * orderly end. Whichever way, no temporary file stays. */
static void catch_signals(anpe_ctx *ctx)
{
    static const int at_once[] = {SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2};
    interrupted = ctx;
    for (int i = 0; i < N_ORDERLY; i++)
        catch_signal(orderly[i], on_signal);
    for (size_t i = 0; i < sizeof at_once / sizeof *at_once; i++)
        catch_signal(at_once[i], end_at_once);
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error of write */
    signal(SIGPIPE, SIG_IGN); /* and so is a reader that has gone */
}

/* The context goes: from here on there is nothing to keep, and nothing to wait for. */
static void release_signals(void)
{
    for (int i = 0; i < N_ORDERLY; i++)
        catch_signal(orderly[i], end_at_once);
}

/* ------------------------------------------------------------------------------------------ */

static void print_usage(FILE *out)
{
    fprintf(out, "Usage: anpe COMMAND ...\n\n"
                 "Posteriors of stellar labels from spectra.\n\n"
                 "Commands:\n");
    for (int i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-10s  %s\n", commands[i]->name, commands[i]->summary);
    fprintf(out, "\n'anpe COMMAND --help' explains one; 'anpe --version' prints the version.\n");
}

static void print_error(const anpe_ctx *ctx, const anpe_cmd *cmd, anpe_status status)
{
    const char *debug = getenv("ANPE_DEBUG");
    int line;
    if (cmd->ranks && status == ANPE_ECANCEL && received == SIGTERM)
        fprintf(stderr,
                "anpe: one of the %d ranks is gone, or the run was asked to end: mpirun ends "
                "them all\n",
                anpe_ranks_count(cmd->ranks));
    const char *file = anpe_error_file(ctx, &line);
    if (cmd->bad_usage)
        fprintf(stderr, "anpe %s: %s\nTry 'anpe %s --help'.\n", cmd->command->name, anpe_error(ctx),
                cmd->command->name);
    else if (debug && !strcmp(debug, "1"))
        fprintf(stderr, "anpe: %s (%s:%d, %s)\n", anpe_error(ctx), file, line,
                anpe_status_name(status));
    else
        fprintf(stderr, "anpe: %s\n", anpe_error(ctx));
}

static int exit_status(const anpe_cmd *cmd, anpe_status status)
{
    if (cmd->bad_usage)
        return EXIT_USAGE;
    if (status == ANPE_ECANCEL)
        return EXIT_SIGNAL + (int)received;
    if (status == ANPE_EINTERNAL)
        return EXIT_BUG;
    if (status)
        return EXIT_FAILURE;
    return cmd->n_failed ? EXIT_PARTLY : EXIT_SUCCESS;
}

static int output_is_lost(void)
{
    return fflush(stdout) || ferror(stdout);
}

/* What was printed has to reach the file or pipe it was meant for. */
static anpe_status finish_output(anpe_ctx *ctx, const anpe_cmd *cmd, anpe_status status)
{
    if (cmd->json && status) {
        json_object_clear(cmd->result);
        json_object_set_new(cmd->result, "error", json_string(anpe_error(ctx)));
        json_object_set_new(cmd->result, "status", json_string(anpe_status_name(status)));
    }
    if (cmd->json) {
        json_dumpf(cmd->result, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
        putchar('\n');
    }
    if (output_is_lost() && !status)
        return ANPE_FAIL(ctx, ANPE_EIO, "cannot write to standard output");
    return status;
}

/* Only rank 0 does, also where the others could not be opened. */
static int speaks(const anpe_cmd *cmd)
{
    const int alone = !cmd->ranks && !strcmp(cmd->how, "none");
    return alone || (cmd->ranks ? anpe_ranks_rank(cmd->ranks) : anpe_ranks_launched_as()) == 0;
}

/* With the other processes of the run, if there are any. */
static anpe_status run_together(anpe_ctx *ctx, anpe_cmd *cmd)
{
    anpe_status status = anpe_ranks_open(ctx, cmd->how, &cmd->ranks);
    catch_signals(ctx);
    anpe_h5_own_process();
    if (speaks(cmd)) {
        anpe_terminal_start(ctx, cmd->quiet);
    } else {
        cmd->json = 0;
        cmd->quiet = 1;
    }
    if (!status)
        status = cmd->command->run(ctx, cmd);
    anpe_terminal_end();
    return finish_output(ctx, cmd, status);
}

/* A run that has failed ends everywhere, once rank 0 has said why. */
static int part(anpe_ctx *ctx, anpe_cmd *cmd, anpe_status status)
{
    if (!status) {
        status = anpe_ranks_close(ctx, cmd->ranks);
        cmd->ranks = status ? cmd->ranks : NULL;
    }
    if (status && speaks(cmd))
        print_error(ctx, cmd, status);
    const int code = exit_status(cmd, status);
    if (status && cmd->ranks && speaks(cmd))
        anpe_ranks_end(cmd->ranks, code);
    else if (status)
        anpe_ranks_fail(ctx, cmd->ranks, status);
    return code;
}

/* What --help and --version print has to arrive, too. */
static int printed(void)
{
    if (!output_is_lost())
        return EXIT_SUCCESS;
    fprintf(stderr, "anpe: cannot write to standard output\n");
    return EXIT_FAILURE;
}

static int run_command(const anpe_command *command, int argc, char **argv)
{
    anpe_cmd cmd;
    const anpe_parsed parsed = anpe_cmd_parse(&cmd, command, argc, argv);
    if (parsed) {
        anpe_cmd_clear(&cmd);
        return parsed == ANPE_PARSED_HELP    ? printed()
               : parsed == ANPE_PARSED_USAGE ? EXIT_USAGE
                                             : EXIT_FAILURE;
    }
    anpe_ctx *ctx = anpe_ctx_new();
    if (!ctx) {
        fprintf(stderr, "anpe: out of memory\n");
        anpe_cmd_clear(&cmd);
        return EXIT_FAILURE;
    }
    const int code = part(ctx, &cmd, run_together(ctx, &cmd));
    anpe_cmd_clear(&cmd);
    release_signals();
    anpe_ctx_free(ctx);
    return code;
}

static int unknown_command(const char *name)
{
    const char *names[N_COMMANDS];
    char hint[128];
    for (int i = 0; i < N_COMMANDS; i++)
        names[i] = commands[i]->name;
    fprintf(stderr, "anpe: unknown %s '%s'%s\nTry 'anpe --help'.\n",
            name[0] == '-' ? "option" : "command", name,
            anpe_text_hint(hint, sizeof hint, name, N_COMMANDS, names));
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    (void)anpe_locale_enter(); /* whatever a library sets later */
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("anpe %s\n", anpe_version());
        return printed();
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        print_usage(stdout);
        return printed();
    }
    for (int i = 0; i < N_COMMANDS; i++)
        if (!strcmp(argv[1], commands[i]->name))
            return run_command(commands[i], argc - 1, argv + 1);
    return unknown_command(argv[1]);
}
