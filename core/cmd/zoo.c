/* anpe zoo: models that have a name. */
#include <config.h>
#include "cmd/zoo.h"
#include "cmd/models.h"
#include "base/text.h"
#include "file/hdf5_file.h"
#include "file/seal.h"
#include "zoo/get.h"
#include "zoo/publish.h"
#include <stdlib.h>
#include <string.h>

static const anpe_flag flags[] = {
    ANPE_FLAG_TEXT(anpe_zoo_options, output, 'o', "output", "MODEL", NULL,
                   "build: the model to write"),
    ANPE_FLAG_TEXT(anpe_zoo_options, from, 'f', "from", "REGISTRY", NULL,
                   "list, show, get: a directory, or https:// of one (without: ANPE_REGISTRY)"),
    ANPE_FLAG_TEXT(anpe_zoo_options, key, 'k', "key", "FILE", NULL,
                   "publish: the secret key to sign with"),
    ANPE_FLAG_TEXT(anpe_zoo_options, name, 0, "name", "NAME", NULL,
                   "publish: what the model is called; trust: what you call the key"),
    ANPE_FLAG_TEXT(anpe_zoo_options, release, 0, "release", "VERSION", NULL,
                   "publish: the version of the model"),
    ANPE_FLAG_TEXT(anpe_zoo_options, licence, 0, "licence", "TEXT", NULL,
                   "publish: under which others may use it"),
    ANPE_FLAG_TEXT(anpe_zoo_options, citation, 0, "citation", "TEXT", NULL,
                   "publish: what to cite"),
    ANPE_FLAG_TEXT(anpe_zoo_options, summary, 0, "summary", "TEXT", NULL,
                   "publish: what it is for, in a line"),
    ANPE_FLAG_TEXTS(anpe_zoo_options, with, 0, "with", "FILE",
                    "publish: a file that the model was made of and needs, such as its emulator"),
    ANPE_FLAG_SWITCH(anpe_zoo_options, remove, 0, "remove", "trust: no longer"),
    ANPE_FLAG_END};

const char *anpe_zoo_registry(const anpe_zoo_options *o)
{
    const char *named = getenv("ANPE_REGISTRY");
    return o->from ? o->from : named && *named ? named : NULL;
}

/* ---- get, verify ------------------------------------------------------------------------- */

static anpe_status run_get(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const char *registry = anpe_zoo_registry(cmd->options);
    anpe_zoo_got got;
    if (!registry)
        return anpe_cmd_usage(ctx, cmd, "get: from which registry? --from or ANPE_REGISTRY");
    const anpe_status status = anpe_zoo_get(ctx, registry, cmd->argument[1], &got);
    if (!status) {
        anpe_cmd_say(cmd, "%s %s: %s, %.1f MB%s\n", got.name, got.version, got.path,
                     (double)got.bytes / 1e6, got.was_here ? ", which was here already" : "");
        json_object_set_new(cmd->result, "name", json_string(got.name));
        json_object_set_new(cmd->result, "version", json_string(got.version));
        json_object_set_new(cmd->result, "path", json_string(got.path));
        json_object_set_new(cmd->result, "bytes", json_integer(got.bytes));
        json_object_set_new(cmd->result, "was_here", json_boolean(got.was_here));
    }
    free(got.path);
    return status;
}

static anpe_status verify_one(anpe_ctx *ctx, anpe_cmd *cmd, const anpe_zoo_model *m, json_t *list)
{
    char *signed_by;
    const anpe_status status = anpe_zoo_verify(ctx, m, &signed_by);
    if (status == ANPE_ENOMEM || status == ANPE_ECANCEL)
        return status;
    json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:b,s:s?}", "name", m->name, "version",
                                          m->version, "path", m->path, "good", !status, "signed_by",
                                          signed_by));
    if (status)
        anpe_log(ctx, ANPE_WARNING, "%s", anpe_error(ctx));
    else if (signed_by)
        anpe_cmd_say(cmd, "%s %s: as it was signed by %s\n", m->name, m->version,
                     *signed_by ? signed_by : "a key without a name");
    else
        anpe_cmd_say(cmd, "%s %s: whole by its seal; not signed\n", m->name, m->version);
    free(signed_by);
    cmd->n_failed += status != ANPE_OK;
    return ANPE_OK;
}

/* All models, or those that are named. One that fails does not hide the others. */
static anpe_status run_verify(anpe_ctx *ctx, anpe_cmd *cmd)
{
    int64_t n;
    anpe_zoo_model *list;
    char hint[160];
    anpe_status status = anpe_zoo_list(ctx, &n, &list);
    if (status)
        return status;
    json_t *results = json_array();
    json_object_set_new(cmd->result, "models", results);
    for (int64_t i = 0; i < n && cmd->n_arguments == 1 && !status; i++)
        status = verify_one(ctx, cmd, &list[i], results);
    for (int i = 1; i < cmd->n_arguments && !status; i++) {
        const anpe_zoo_model *m = anpe_zoo_pick(n, list, cmd->argument[i]);
        status = m ? verify_one(ctx, cmd, m, results)
                   : ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no model of the zoo%s", cmd->argument[i],
                               anpe_zoo_hint(hint, sizeof hint, cmd->argument[i], n, list));
    }
    anpe_zoo_list_free(n, list);
    if (!status && cmd->n_failed)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%d of the models %s not what was signed",
                           cmd->n_failed, cmd->n_failed == 1 ? "is" : "are");
    return status;
}

/* ---- publish, key, trust ----------------------------------------------------------------- */

static anpe_status run_publish(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const anpe_zoo_options *o = cmd->options;
    char pub[65];
    int64_t serial;
    if (!o->key || !o->name || !o->release)
        return anpe_cmd_usage(ctx, cmd, "publish: --key, --name and --release are needed");
    const anpe_zoo_publication p = {.model = cmd->argument[1],
                                    .registry = cmd->argument[2],
                                    .name = o->name,
                                    .version = o->release,
                                    .key = o->key,
                                    .licence = o->licence,
                                    .citation = o->citation,
                                    .summary = o->summary,
                                    .n_with = (int)o->with.n,
                                    .with = o->with.v};
    const anpe_status status = anpe_zoo_publish(ctx, &p, pub, &serial);
    if (status)
        return status;
    anpe_cmd_say(cmd, "%s: %s %s, signed with %s; index number %lld\n", p.registry, p.name,
                 p.version, pub, (long long)serial);
    json_object_set_new(cmd->result, "key", json_string(pub));
    json_object_set_new(cmd->result, "serial", json_integer(serial));
    return ANPE_OK;
}

static anpe_status run_key(anpe_ctx *ctx, anpe_cmd *cmd)
{
    anpe_zoo_key key;
    const anpe_status status = anpe_zoo_key_make(ctx, cmd->argument[1], &key);
    if (!status) {
        anpe_cmd_say(cmd, "%s\n", key.pub);
        json_object_set_new(cmd->result, "key", json_string(key.pub));
    }
    anpe_zoo_key_forget(&key);
    return status;
}

static anpe_status run_trust(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const anpe_zoo_options *o = cmd->options;
    char *lines;
    anpe_status status = ANPE_OK;
    if (cmd->n_arguments == 2)
        status = o->remove ? anpe_zoo_distrust(ctx, cmd->argument[1])
                           : anpe_zoo_trust(ctx, cmd->argument[1], o->name ? o->name : "");
    else if (o->remove)
        return anpe_cmd_usage(ctx, cmd, "trust --remove: which key?");
    if (!status)
        status = anpe_zoo_trusted_list(ctx, &lines);
    if (status)
        return status;
    json_t *list = json_array();
    for (const char *at = lines; *at; at += strcspn(at, "\n"), at += *at == '\n')
        json_array_append_new(list, json_stringn(at, strcspn(at, "\n")));
    json_object_set_new(cmd->result, "trusted", list);
    anpe_cmd_say(cmd, "%s", *lines ? lines : "no key is trusted\n");
    free(lines);
    return ANPE_OK;
}

/* ---- seal -------------------------------------------------------------------------------- */

/* Asked for by name, a file without a seal is opened. */
static anpe_status check_ours(anpe_ctx *ctx, const char *path)
{
    anpe_h5 *f = NULL;
    char *format = NULL;
    anpe_status status;
    ANPE_TRY(anpe_h5_open(ctx, path, &f));
    if (anpe_h5_has_attribute(f, "/", "format"))
        ANPE_TRY(anpe_h5_get_text(ctx, f, "/", "format", &format));
    if (!format || (strcmp(format, "anpe model") && strncmp(format, "anpe emulator", 13)))
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: is %s%s%s, expected an 'anpe model' or an 'anpe emulator'", path,
                           format ? "an '" : "HDF5 without a format of anpe's",
                           format ? format : "", format ? "' file" : "");
out:
    free(format);
    anpe_h5_abandon(f);
    return status;
}

static anpe_status run_seal(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const char *path = cmd->argument[1];
    anpe_status status = anpe_seal_begins(path) ? ANPE_OK : check_ours(ctx, path);
    if (!status)
        status = anpe_seal_add(ctx, path);
    if (!status)
        anpe_cmd_say(cmd, "%s: sealed\n", path);
    return status;
}

/* ------------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    int least, most; /* arguments, the action among them; most < 0: any number */
    anpe_status (*run)(anpe_ctx *ctx, anpe_cmd *cmd);
} actions[] = {{"list", 1, 1, anpe_cmd_zoo_list},
               {"show", 2, 2, anpe_cmd_zoo_show},
               {"get", 2, 2, run_get},
               {"verify", 1, -1, run_verify},
               {"publish", 3, 3, run_publish},
               {"trust", 1, 2, run_trust},
               {"key", 2, 2, run_key},
               {"seal", 2, 2, run_seal},
               {"build", 2, 2, anpe_cmd_zoo_build}};
enum { N_ACTIONS = sizeof actions / sizeof *actions };

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const char *names[N_ACTIONS];
    char hint[128];
    for (int i = 0; i < N_ACTIONS; i++) {
        names[i] = actions[i].name;
        if (strcmp(names[i], cmd->argument[0]) != 0)
            continue;
        if (cmd->n_arguments < actions[i].least)
            return anpe_cmd_usage(ctx, cmd, "%s: too few arguments", names[i]);
        if (actions[i].most > 0 && cmd->n_arguments > actions[i].most)
            return anpe_cmd_usage(ctx, cmd, "%s: unexpected argument '%s'", names[i],
                                  cmd->argument[actions[i].most]);
        return actions[i].run(ctx, cmd);
    }
    return anpe_cmd_usage(ctx, cmd, "'%s' is not what can be done with a zoo%s", cmd->argument[0],
                          anpe_text_hint(hint, sizeof hint, cmd->argument[0], N_ACTIONS, names));
}

const anpe_command anpe_command_zoo = {
    "zoo",
    "models that have a name: list, show, get, verify, publish",
    "list | show NAME | get NAME | verify [NAME...] | trust [KEY] | key FILE | publish MODEL "
    "REGISTRY | build NAME -o MODEL | seal FILE",
    "Where a command wants a MODEL, a name will do: 'anpe infer apogee STAR.fits -o star.csv'. "
    "list\tmodels that are here or, with --from, that a registry has\n"
    "show\twhat a model is for, its labels with their ranges, its validation\n"
    "get\tfetches NAME or NAME@VERSION into your zoo, if a key that you trust has signed it\n"
    "verify\tare the models what was signed?\n"
    "trust\tadds a key to those that you trust, or lists them\n"
    "key\tmakes a secret key for publish, and prints its public one\n"
    "publish\tsigns a validated model and adds it to a registry, a directory to be served\n"
    "build\ttrains and validates a model again, from what it says of itself, and compares\n"
    "seal\tputs a seal on a model of an earlier version, or on one that was changed",
    flags,
    sizeof(anpe_zoo_options),
    1,
    -1,
    run,
    0};
