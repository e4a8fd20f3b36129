/* Plugins found, taken and refused; components; the option tables of all plugins that were built.
 */
#include <config.h>
#include "base_support.h"
#include "base/text.h"
#include "kind/component.h"

#include <sys/stat.h>

static char odd[512], built[4096]; /* plugins made for this test; those of the package */

static void use_path(const char *path)
{
    CU_ASSERT_EQUAL(setenv("ANPE_PLUGIN_PATH", path, 1), 0);
}

static const char *object(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/.libs/%s.so", odd, name);
    return path;
}

static void refused(const char *name, const char *format)
{
    char message[2048];
    char stem[64];
    const anpe_plugin *p;
    snprintf(stem, sizeof stem, "simulator_%s", name);
    snprintf(message, sizeof message, "%s: %s", object(stem), format);
    SAYS(anpe_loader_get(ctx, ANPE_SIMULATOR, name, &p), ANPE_EPLUGIN, message);
    CU_ASSERT_PTR_NULL(p);
}

static void test_kinds(void)
{
    CU_ASSERT_STRING_EQUAL(anpe_kind_name(ANPE_BACKEND), "backend");
    CU_ASSERT_EQUAL(anpe_kind_of("simulator"), ANPE_SIMULATOR);
    CU_ASSERT_EQUAL(anpe_kind_of("simulators"), 0);
    CU_ASSERT_STRING_EQUAL(anpe_kind_name((anpe_kind)99), "unknown kind");
}

static void test_good(void)
{
    const anpe_plugin *p, *again;
    use_path(odd);
    WORKS(anpe_loader_get(ctx, ANPE_SIMULATOR, "good", &p));
    CU_ASSERT(p->kind == ANPE_SIMULATOR && !strcmp(p->name, "good"));
    WORKS(anpe_loader_get(ctx, ANPE_SIMULATOR, "good", &again));
    CU_ASSERT_PTR_EQUAL(p, again);
}

static void test_refused(void)
{
    use_path(odd);
    char message[96];
    snprintf(message, sizeof message, "plugin ABI %u.%u, anpe has %u.%u: rebuild it",
             ANPE_ABI_MAJOR + 1, ANPE_ABI_MINOR, ANPE_ABI_MAJOR, ANPE_ABI_MINOR);
    refused("major", message);
    snprintf(message, sizeof message,
             "plugin ABI %u.%u is newer than anpe's %u.%u: install a newer anpe", ANPE_ABI_MAJOR,
             ANPE_ABI_MINOR + 1, ANPE_ABI_MAJOR, ANPE_ABI_MINOR);
    refused("minor", message);
    refused("name", "holds simulator 'other', not simulator 'name'");
    refused("table", "table: option 'level': its default is outside its range");
    refused("symbol", "undefined symbol: anpe_test_nobody_has_this");
    refused("no_entry", "not an anpe plugin: it exports no anpe_plugin_get");
    refused("no_create", "simulator/no_create lacks version, summary, create, destroy or ops");
    refused("no_simulate", "simulator/no_simulate lacks the operation simulate");
    refused("no_draw", "noise/no_draw lacks the operation draw");
    refused("stranger", "linked to another copy of libanpe");
}

static void test_unknown(void)
{
    char message[1024];
    const anpe_plugin *p;
    use_path(odd);
    snprintf(message, sizeof message, "no simulator 'godo' in %s; did you mean 'good'?", odd);
    SAYS(anpe_loader_get(ctx, ANPE_SIMULATOR, "godo", &p), ANPE_EPLUGIN, message);
    snprintf(message, sizeof message, "no flow 'good' in %s", odd); /* no hint from other kinds */
    SAYS(anpe_loader_get(ctx, ANPE_FLOW, "good", &p), ANPE_EPLUGIN, message);
    use_path("/nonexistent");
    SAYS(anpe_loader_get(ctx, ANPE_SIMULATOR, "good", &p), ANPE_EPLUGIN,
         "no simulator 'good' in /nonexistent");
}

static void test_names_are_not_paths(void)
{
    static const char *const names[] = {"../good", "/tmp/x", "good.so", "a:b", "", "Good", "g d"};
    char message[256];
    const anpe_plugin *p;
    use_path(odd);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(message, sizeof message,
                 "simulator '%s': a plugin's name is made of a-z, 0-9 and _, it is not a path",
                 names[i]);
        SAYS(anpe_loader_get(ctx, ANPE_SIMULATOR, names[i], &p), ANPE_EPLUGIN, message);
    }
}

/* A noise model may come in the file of its instrument; an instrument's file has to hold one. */
static void test_bundle(void)
{
    char message[1200];
    const anpe_plugin *p;
    use_path(odd);
    WORKS(anpe_loader_get(ctx, ANPE_NOISE, "bundle", &p));
    CU_ASSERT(p->kind == ANPE_NOISE && !strcmp(p->name, "bundle"));
    snprintf(message, sizeof message, "%s: holds simulator 'bundle', not instrument 'bundle'",
             object("instrument_bundle"));
    SAYS(anpe_loader_get(ctx, ANPE_INSTRUMENT, "bundle", &p), ANPE_EPLUGIN, message);
}

/* The dynamic linker itself would die of SIGBUS on most of these. */
static void test_truncated(void)
{
    size_t n;
    const anpe_plugin *p;
    char *bytes = read_bytes(object("simulator_good"), &n), stem[64];
    empty_scratch();
    use_path(scratch);
    for (int i = 0; i < 40; i++) {
        snprintf(stem, sizeof stem, "simulator_cut%d.so", i);
        write_bytes(in_scratch(stem), bytes, n / 2 * (size_t)i / 40);
        snprintf(stem, sizeof stem, "cut%d", i);
        CU_ASSERT_EQUAL(anpe_loader_get(ctx, ANPE_SIMULATOR, stem, &p), ANPE_EPLUGIN);
    }
    char message[256];
    snprintf(message, sizeof message, "%s: file too short", in_scratch("simulator_cut0.so"));
    SAYS(anpe_loader_get(ctx, ANPE_SIMULATOR, "cut0", &p), ANPE_EPLUGIN, message);
    snprintf(message, sizeof message, "%s: truncated: %zu bytes of at least ",
             in_scratch("simulator_cut30.so"), n / 2 * 30 / 40);
    FAILS(anpe_loader_get(ctx, ANPE_SIMULATOR, "cut30", &p), ANPE_EPLUGIN, message);
    write_bytes(in_scratch("simulator_text.so"),
                "not a library, but long enough to look at it once "
                "more, and then some",
                69);
    snprintf(message, sizeof message, "%s: invalid ELF header", in_scratch("simulator_text.so"));
    SAYS(anpe_loader_get(ctx, ANPE_SIMULATOR, "text", &p), ANPE_EPLUGIN, message);
    free(bytes);
    empty_scratch();
}

static void test_search_order(void)
{
    char path[1200];
    const anpe_plugin *p;
    use_path(odd);
    /* a directory without the plugin is passed over, as are empty entries and missing ones */
    snprintf(path, sizeof path, "%s::/nonexistent:%s", scratch, odd);
    use_path(path);
    WORKS(anpe_loader_get(ctx, ANPE_SIMULATOR, "good", &p));
    /* the first file of that name counts, also when it is a bad one */
    write_bytes(in_scratch("simulator_good.so"), "", 0);
    CU_ASSERT_EQUAL(anpe_loader_get(ctx, ANPE_SIMULATOR, "good", &p), ANPE_EPLUGIN);
    empty_scratch();
}

static int n_warnings;
static void count_warnings(void *user, anpe_level level, const char *line)
{
    (void)user, (void)line;
    n_warnings += level == ANPE_WARNING;
}

static void test_list(void)
{
    const anpe_plugin **list;
    int n;
    use_path(odd);
    n_warnings = 0;
    anpe_ctx_set_log(ctx, count_warnings, NULL);
    WORKS(anpe_loader_list(ctx, (anpe_kind)0, &n, &list));
    anpe_ctx_set_log(ctx, NULL, NULL);
    CU_ASSERT_EQUAL(n_warnings, 9); /* major minor table symbol no_entry no_create no_simulate
                                       no_draw stranger */
    for (int i = 1; i < n; i++)
        CU_ASSERT(
            list[i - 1]->kind < list[i]->kind ||
            (list[i - 1]->kind == list[i]->kind && strcmp(list[i - 1]->name, list[i]->name) < 0));
    int good = 0;
    for (int i = 0; i < n; i++)
        good += list[i]->kind == ANPE_SIMULATOR && !strcmp(list[i]->name, "good");
    CU_ASSERT_EQUAL(good, 1);
    free(list);
    WORKS(anpe_loader_list(ctx, ANPE_SIMULATOR, &n, &list));
    for (int i = 0; i < n; i++)
        CU_ASSERT_EQUAL(list[i]->kind, ANPE_SIMULATOR);
    CU_ASSERT(n > 0);
    free(list);
    WORKS(anpe_loader_list(ctx, ANPE_FLOW, &n, &list));
    CU_ASSERT(n == 0 && !list);
    use_path("/nonexistent");
    WORKS(anpe_loader_list(ctx, (anpe_kind)0, &n, &list));
    CU_ASSERT(n == 0 && !list);
}

/* ---- components -------------------------------------------------------------------------- */

static anpe_status component(const char *text, const char *fallback, anpe_component *c)
{
    anpe_settings *s;
    anpe_status status = anpe_settings_parse(ctx, text, "test", 0, NULL, &s);
    if (!status)
        status = anpe_component_new(ctx, s, ANPE_SIMULATOR, "sim", fallback, NULL, c);
    anpe_settings_free(s);
    return status;
}

static void test_component(void)
{
    anpe_component c;
    use_path(odd);
    WORKS(component("sim = { plugin = \"good\"; level = 0.25; };", NULL, &c));
    CU_ASSERT(*(const double *)c.self == 0.25 && c.ops == c.plugin->ops);
    anpe_component_clear(&c);
    CU_ASSERT(!c.plugin && !c.self);
    anpe_component_clear(&c);
    WORKS(component("", "good", &c));
    CU_ASSERT_EQUAL(*(const double *)c.self, 1);
    anpe_component_clear(&c);
}

static void test_component_messages(void)
{
    char message[1024];
    anpe_component c;
    use_path(odd);
    SAYS(component("", NULL, &c), ANPE_ECONFIG, "test: 'sim.plugin' is missing");
    SAYS(component("\nsim = { };", NULL, &c), ANPE_ECONFIG, "test:2: 'sim.plugin' is missing");
    SAYS(component("sim = { plugin = 3; };", NULL, &c), ANPE_ECONFIG,
         "test:1: 'sim.plugin' must be text, not 3");
    snprintf(message, sizeof message, "test:2: no simulator 'goood' in %s; did you mean 'good'?",
             odd);
    SAYS(component("\nsim = { plugin = \"goood\"; };", NULL, &c), ANPE_EPLUGIN, message);
    SAYS(component("sim = { plugin = \"good\";\n levle = 1; };", NULL, &c), ANPE_ECONFIG,
         "test:2: good: unknown option 'levle'; did you mean 'level'?");
    SAYS(component("sim = { plugin = \"good\"; level = 2; };", NULL, &c), ANPE_ECONFIG,
         "test:1: good: option 'level' = 2 is outside [0, 1]");
    SAYS(component("\nsim = { plugin = \"good\"; refuse = \"v\"; };", NULL, &c), ANPE_EINVAL,
         "test:2: good: a bad value: v");
    SAYS(component("sim = { plugin = \"good\"; refuse = \"n\"; };", NULL, &c), ANPE_EINVAL,
         "test:1: good: named itself: n");
    SAYS(component("sim = { plugin = \"good\"; refuse = \"x.npz: gone\"; };", NULL, &c), ANPE_EIO,
         "good: x.npz: gone");
    CU_ASSERT_PTR_NULL(c.plugin);
}

/* ---- every plugin of the package --------------------------------------------------------- */

/* Defaults fill the struct and read back, or an option is required and says so. */
static void walk_options(const anpe_plugin *p)
{
    anpe_settings *s, *again;
    void *out;
    WORKS(anpe_options_check(ctx, p->name, p->options, p->options_size));
    WORKS(anpe_settings_parse(ctx, "", "test", 0, NULL, &s));
    const anpe_status status = anpe_settings_fill(ctx, s, "it", p->options, p->options_size, &out);
    if (status) {
        CU_ASSERT_EQUAL(status, ANPE_ECONFIG);
        CU_ASSERT_PTR_NOT_NULL(strstr(anpe_error(ctx), "' is required ("));
    } else {
        char *first = anpe_settings_resolved(ctx, s, 0);
        WORKS(anpe_settings_parse(ctx, first, "test", 0, NULL, &again));
        WORKS(anpe_settings_fill(ctx, again, "it", p->options, p->options_size, &out));
        WORKS(anpe_settings_finish(ctx, again));
        char *second = anpe_settings_resolved(ctx, again, 0);
        CU_ASSERT_STRING_EQUAL(first, second);
        free(first);
        free(second);
        anpe_settings_free(again);
    }
    anpe_settings_free(s);
}

static void test_all_plugins(void)
{
    const anpe_plugin **list;
    int n;
    use_path(built);
    n_warnings = 0;
    anpe_ctx_set_log(ctx, count_warnings, NULL);
    WORKS(anpe_loader_list(ctx, (anpe_kind)0, &n, &list));
    anpe_ctx_set_log(ctx, NULL, NULL);
    CU_ASSERT_EQUAL(n_warnings, 0);
    CU_ASSERT(n >= 1);
    for (int i = 0; i < n; i++) {
        const anpe_plugin *p;
        walk_options(list[i]);
        WORKS(anpe_loader_get(ctx, list[i]->kind, list[i]->name, &p)); /* the file has its name */
        CU_ASSERT_PTR_EQUAL(p, list[i]);
        CU_ASSERT(*p->summary && p->summary[strlen(p->summary) - 1] != '.');
    }
    free(list);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"kinds", test_kinds},
        {"good", test_good},
        {"refused", test_refused},
        {"unknown", test_unknown},
        {"names are not paths", test_names_are_not_paths},
        {"bundle", test_bundle},
        {"truncated", test_truncated},
        {"search order", test_search_order},
        {"list", test_list},
        {"component", test_component},
        {"component messages", test_component_messages},
        {"all plugins", test_all_plugins},
    };
    const char *build = getenv("ANPE_BUILDDIR"), *path = getenv("ANPE_PLUGIN_PATH");
    snprintf(odd, sizeof odd, "%s/tests/unit/odd", build ? build : ".");
    snprintf(built, sizeof built, "%s", path ? path : "plugins");
    return run_suite(argc, argv, "loader", COUNT(tests), tests);
}
