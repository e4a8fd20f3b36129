/* anpe completion: what a shell needs to complete command lines, from the tables that parse them.
 */
#include "cmd/command.h"
#include <stdio.h>
#include <string.h>

#define X(name) &anpe_command_##name,
static const anpe_command *const commands[] = {ANPE_COMMAND_LIST(X)};
#undef X
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

/* Calls `put` for every flag of a command, those that all commands take among them. */
static void for_flags(const anpe_command *c, void (*put)(const anpe_command *c, const anpe_flag *f))
{
    for (const anpe_flag *f = c->flags; f && f->name; f++)
        put(c, f);
    for (const anpe_flag *f = anpe_cmd_ranks_flags; c->ranks && f->name; f++)
        put(c, f);
    for (const anpe_flag *f = anpe_cmd_common_flags; f->name; f++)
        put(c, f);
}

/* ---- bash -------------------------------------------------------------------------------- */

static void put_name(const anpe_command *c, const anpe_flag *f)
{
    (void)c;
    printf(" --%s", f->name);
}

static void put_choices(const anpe_command *c, const anpe_flag *f)
{
    if (f->option.type != ANPE_T_ENUM)
        return;
    printf("    %s:--%s) words=\"", c->name, f->name);
    for (const char *at = f->option.text; *at; at++)
        putchar(*at == '|' ? ' ' : *at);
    printf("\" ;;\n");
}

static void put_bash(void)
{
    printf("# bash completion of anpe, written by 'anpe completion bash'\n"
           "_anpe() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
           "    local command=${COMP_WORDS[1]} words=\n"
           "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
           "        COMPREPLY=($(compgen -W \"--help --version");
    for (int i = 0; i < N_COMMANDS; i++)
        printf(" %s", commands[i]->name);
    printf("\" -- \"$word\"))\n"
           "        return\n"
           "    fi\n"
           "    case $command:$before in\n");
    for (int i = 0; i < N_COMMANDS; i++)
        for_flags(commands[i], put_choices);
    printf("    esac\n"
           "    if [ -n \"$words\" ]; then\n"
           "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
           "        return\n"
           "    fi\n"
           "    case $command in\n");
    for (int i = 0; i < N_COMMANDS; i++) {
        printf("    %s) words=\"", commands[i]->name);
        for_flags(commands[i], put_name);
        printf("\" ;;\n");
    }
    printf("    esac\n"
           "    case $word in\n"
           "    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$word\")) ;;\n"
           "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
           "    esac\n"
           "}\n"
           "complete -o filenames -F _anpe anpe\n");
}

/* ---- zsh --------------------------------------------------------------------------------- */

/* Within single quotes and brackets of an _arguments specification. */
static void put_escaped(const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            printf("'\\'");
        else if (strchr("[]:\\", *text))
            putchar('\\');
        putchar(*text);
    }
}

static void put_value(const anpe_option *o)
{
    if (o->type == ANPE_T_ENUM) {
        printf(":value:(");
        for (const char *at = o->text; *at; at++)
            putchar(*at == '|' ? ' ' : *at);
        printf(")");
    } else if (o->type == ANPE_T_TEXT || o->type == ANPE_T_TEXTS) {
        printf(":");
        put_escaped(o->unit);
        printf(":_files");
    } else {
        printf(":");
        put_escaped(o->unit);
        printf(":");
    }
}

static void put_spec(const anpe_command *c, const anpe_flag *f)
{
    const int value = f->option.type != ANPE_T_BOOL;
    const char *many = f->option.type == ANPE_T_TEXTS ? "*" : "";
    (void)c;
    printf(" \\\n            '%s--%s%s[", many, f->name, value ? "=" : "");
    put_escaped(f->option.help);
    printf("]");
    if (value)
        put_value(&f->option);
    printf("'");
}

static void put_zsh(void)
{
    printf("#compdef anpe\n"
           "# zsh completion of anpe, written by 'anpe completion zsh'\n"
           "local -a commands\n"
           "commands=(\n");
    for (int i = 0; i < N_COMMANDS; i++) {
        printf("    '%s:", commands[i]->name);
        put_escaped(commands[i]->summary);
        printf("'\n");
    }
    printf(")\n"
           "if (( CURRENT == 2 )); then\n"
           "    _describe command commands\n"
           "    return\n"
           "fi\n"
           "local command=$words[2]\n"
           "shift words\n"
           "(( CURRENT-- ))\n"
           "case $command in\n");
    for (int i = 0; i < N_COMMANDS; i++) {
        printf("    %s)\n        _arguments", commands[i]->name);
        for_flags(commands[i], put_spec);
        printf(" \\\n            '*:file:_files'\n        ;;\n");
    }
    printf("esac\n");
}

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    if (cmd->json)
        return anpe_cmd_usage(ctx, cmd, "a script for a shell is no JSON");
    if (!strcmp(cmd->argument[0], "bash"))
        put_bash();
    else if (!strcmp(cmd->argument[0], "zsh"))
        put_zsh();
    else
        return anpe_cmd_usage(ctx, cmd, "'%s' is neither bash nor zsh", cmd->argument[0]);
    return ANPE_OK;
}

const anpe_command anpe_command_completion = {
    "completion",
    "a script that completes command lines in bash or zsh",
    "bash|zsh",
    "Prints it; the installed ones are PREFIX/share/bash-completion/completions/anpe and "
    "PREFIX/share/zsh/site-functions/_anpe.",
    NULL,
    0,
    1,
    1,
    run,
    0};
