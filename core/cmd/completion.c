/* anpe completion: what a shell needs to complete command lines, from the tables that parse them.
 */
#include "cmd/command.h"
#include "plot/plot_list.h"
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

/* ---- the first operand ------------------------------------------------------------------- */

/* Words that stand in a command's usage: the first of "list | show NAME" and of "bash|zsh". */
static void put_usage_words(const char *usage)
{
    for (const char *at = usage; at; at = strchr(at, '|')) {
        at += strspn(at, "| ");
        const size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyz");
        if (n && (!at[n] || at[n] == ' ' || at[n] == '|'))
            printf(" %.*s", (int)n, at);
    }
}

static void put_operands(const anpe_command *c)
{
    static const char *const plots[] = {
#define X(name, files, help, most) #name,
        ANPE_PLOT_LIST(X)
#undef X
    };
    static const char *const kinds[] = {
#define X(id, value, text) text,
        ANPE_KIND_LIST(X)
#undef X
    };
    put_usage_words(c->arguments);
    for (size_t i = 0; c == &anpe_command_plot && i < sizeof plots / sizeof *plots; i++)
        printf(" %s", plots[i]);
    for (size_t i = 0; c == &anpe_command_plugins && i < sizeof kinds / sizeof *kinds; i++)
        printf(" %s", kinds[i]);
    if (c == &anpe_command_infer)
        printf(" auto");
}

/* Whether it may be the name of a model: MODEL, CONFIG|MODEL. */
static int takes_model(const anpe_command *c)
{
    const char *at = strstr(c->arguments, "MODEL");
    return at && strcspn(c->arguments, " ") > (size_t)(at - c->arguments);
}

/* The names of the zoo, which are not known before. */
#define MODEL_NAMES "$(anpe zoo list 2>/dev/null | cut -d' ' -f1)"

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
           "    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$word\")); return ;;\n"
           "    esac\n"
           "    words=\n"
           "    case $COMP_CWORD:$command in\n");
    for (int i = 0; i < N_COMMANDS; i++) {
        printf("    2:%s) words=\"", commands[i]->name);
        put_operands(commands[i]);
        printf("%s\" ;;\n", takes_model(commands[i]) ? " " MODEL_NAMES : "");
    }
    printf("    esac\n"
           "    COMPREPLY=($(compgen -f -- \"$word\") $(compgen -W \"$words\" -- \"$word\"))\n"
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
           "_anpe_operand() {\n"
           "    local -a names\n"
           "    names=($@)\n"
           "    (( $#names )) && compadd -a names\n"
           "    _files\n"
           "}\n"
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
        printf(" \\\n            \"1:operand:_anpe_operand");
        put_operands(commands[i]);
        printf("%s\"", takes_model(commands[i]) ? " " MODEL_NAMES : "");
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
