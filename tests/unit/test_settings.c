/* Configuration: every option type, every message, origins, and reading back what was resolved. */
#include <config.h>
#include "base_support.h"
#include "base/random.h"
#include "base/settings.h"

#include <math.h>

typedef struct label {
    const char *name;
    double min, max;
} label;

typedef struct subject {
    const char *name, *file;
    double snr, tolerance;
    int64_t steps;
    int clip, mode;
    anpe_reals list;
    anpe_texts channels;
    anpe_rows labels;
} subject;

static const anpe_option label_options[] = {
    ANPE_OPT_TEXT(label, name, NULL, "name of the label"),
    ANPE_OPT_REAL(label, min, ANPE_REQUIRED, -ANPE_UNBOUNDED, ANPE_UNBOUNDED, "", "lowest value"),
    ANPE_OPT_REAL_OPTIONAL(label, max, -10, 1e5, "", "highest value"), ANPE_OPT_END};

static const anpe_option options[] = {
    ANPE_OPT_TEXT(subject, name, "plain", "a text"),
    ANPE_OPT_FILE(subject, file, "", "a file"),
    ANPE_OPT_REAL(subject, snr, 1.0 / 3, 0, 600, "1/pixel", "signal to noise"),
    ANPE_OPT_REAL_OPTIONAL(subject, tolerance, 0, ANPE_UNBOUNDED, "", "left out or not"),
    ANPE_OPT_INT(subject, steps, 7, 1, 1e12, "", "how many"),
    ANPE_OPT_BOOL(subject, clip, 1, "yes or no"),
    ANPE_OPT_ENUM(subject, mode, 1, "fast|exact|none", "a choice"),
    ANPE_OPT_REALS(subject, list, "1 2.5", -1, 10, "km/s", "numbers"),
    ANPE_OPT_TEXTS(subject, channels, "flux mask", "texts"),
    ANPE_OPT_ROWS(subject, labels, label_options, label, "groups"),
    ANPE_OPT_END};

typedef struct needy {
    int64_t n;
    double x;
    const char *file;
    anpe_reals list;
} needy;
static const anpe_option need_n[] = {ANPE_OPT_INT(needy, n, ANPE_REQUIRED, 0, 9, "", "how many"),
                                     ANPE_OPT_END};
static const anpe_option need_x[] = {ANPE_OPT_REAL(needy, x, ANPE_REQUIRED, 0, 9, "", "how far"),
                                     ANPE_OPT_END};
static const anpe_option need_file[] = {ANPE_OPT_FILE(needy, file, NULL, "the emulator"),
                                        ANPE_OPT_END};
static const anpe_option need_list[] = {ANPE_OPT_REALS(needy, list, NULL, 0, 1, "", "some"),
                                        ANPE_OPT_END};

static anpe_settings *s;
static subject *o;

/* Parses text with one --set (or NULL) and fills `it`. */
static anpe_status fill(const char *text, const char *set)
{
    void *out;
    s = anpe_settings_free(s);
    anpe_status status = anpe_settings_parse(ctx, text, "test", set != NULL, &set, &s);
    if (!status)
        status = anpe_settings_fill(ctx, s, "it", options, sizeof(subject), &out);
    if (!status)
        status = anpe_settings_finish(ctx, s);
    o = status ? NULL : out;
    return status;
}

static void check_defaults(void)
{
    CU_ASSERT(!strcmp(o->name, "plain") && !strcmp(o->file, ""));
    CU_ASSERT(o->snr == 1.0 / 3 && isnan(o->tolerance) && o->steps == 7);
    CU_ASSERT(o->clip == 1 && o->mode == 1);
    CU_ASSERT(o->list.n == 2 && o->list.v[0] == 1 && o->list.v[1] == 2.5);
    CU_ASSERT(o->channels.n == 2 && !strcmp(o->channels.v[1], "mask"));
    CU_ASSERT(o->labels.n == 0);
}

static void test_defaults(void)
{
    WORKS(fill("", NULL));
    check_defaults();
    WORKS(fill("it : { };", NULL));
    check_defaults();
    char *text = anpe_settings_resolved(ctx, s, 1);
    CU_ASSERT_STRING_EQUAL(text, "it = {\n"
                                 "    name = \"plain\"; # default\n"
                                 "    file = \"\"; # default\n"
                                 "    snr = 0.3333333333333333; # default\n"
                                 "    steps = 7; # default\n"
                                 "    clip = true; # default\n"
                                 "    mode = \"exact\"; # default\n"
                                 "    list = (1.0, 2.5); # default\n"
                                 "    channels = (\"flux\", \"mask\"); # default\n"
                                 "    labels = (); # default\n"
                                 "};\n");
    free(text);
}

static const char *const full =
    "it = {\n"
    "  name = \"a \\\"b\\\" \\\\ c\"; file = \"/x/y.npz\";\n"
    "  snr = 300; tolerance = 1e-9; steps = 5000000000L; clip = false; mode = \"none\";\n"
    "  list = [1, 2, 3]; channels = (\"flux\");\n"
    "  labels = ( { name = \"teff\"; min = 3500; }, { name = \"logg\"; min = -0.5; max = 5; } );\n"
    "};\n";

static void check_full(void)
{
    CU_ASSERT_STRING_EQUAL(o->name, "a \"b\" \\ c");
    CU_ASSERT_STRING_EQUAL(o->file, "/x/y.npz");
    CU_ASSERT(o->snr == 300 && o->tolerance == 1e-9 && o->steps == 5000000000);
    CU_ASSERT(o->clip == 0 && o->mode == 2);
    CU_ASSERT(o->list.n == 3 && o->list.v[2] == 3);
    CU_ASSERT(o->channels.n == 1 && !strcmp(o->channels.v[0], "flux"));
    const label *l = o->labels.v;
    CU_ASSERT_EQUAL_FATAL(o->labels.n, 2);
    CU_ASSERT(!strcmp(l[0].name, "teff") && l[0].min == 3500 && isnan(l[0].max));
    CU_ASSERT(!strcmp(l[1].name, "logg") && l[1].min == -0.5 && l[1].max == 5);
}

/* What is printed reads back as the same values, and prints the same again. */
static void test_round_trip(void)
{
    WORKS(fill(full, NULL));
    check_full();
    char *first = anpe_settings_resolved(ctx, s, 0);
    WORKS(fill(first, NULL));
    check_full();
    char *second = anpe_settings_resolved(ctx, s, 0);
    CU_ASSERT_STRING_EQUAL(first, second);
    char *origins = anpe_settings_resolved(ctx, s, 1); /* comments do no harm */
    WORKS(fill(origins, NULL));
    check_full();
    free(first);
    free(second);
    free(origins);
}

static void test_round_trip_reals(void)
{
    char text[64];
    anpe_rng r = anpe_rng_make(1, ANPE_FOR_MOCKS, 0, 0);
    for (int i = 0; i < 1000; i++) {
        const double x = ldexp(anpe_uniform(&r), (int)anpe_integer(&r, 600) - 300);
        snprintf(text, sizeof text, "it = { tolerance = %.17e; };", x);
        WORKS(fill(text, NULL));
        CU_ASSERT_EQUAL(o->tolerance, x);
        char *again = anpe_settings_resolved(ctx, s, 0);
        WORKS(fill(again, NULL));
        CU_ASSERT_EQUAL(o->tolerance, x);
        free(again);
    }
    WORKS(fill("it = { tolerance = 1e999; };", NULL));
    CU_ASSERT(isinf(o->tolerance));
    char *again = anpe_settings_resolved(ctx, s, 0);
    WORKS(fill(again, NULL));
    CU_ASSERT(isinf(o->tolerance));
    free(again);
}

/* A list of one may be written without its brackets. */
static void test_single_values(void)
{
    WORKS(
        fill("it = { list = 4; channels = \"x\"; labels = { name = \"rv\"; min = 1; }; };", NULL));
    CU_ASSERT(o->list.n == 1 && o->list.v[0] == 4);
    CU_ASSERT(o->channels.n == 1 && !strcmp(o->channels.v[0], "x"));
    CU_ASSERT(o->labels.n == 1 && !strcmp(((const label *)o->labels.v)->name, "rv"));
    WORKS(fill("it = { list = []; channels = (); labels = (); };", NULL));
    CU_ASSERT(o->list.n == 0 && o->channels.n == 0 && o->labels.n == 0);
}

static void test_messages(void)
{
    static const struct {
        const char *inside, *message;
    } cases[] = {
        {"nane = \"x\";", "test:1: it: unknown option 'nane'; did you mean 'name'?"},
        {"zzzzzzz = 1;", "test:1: it: unknown option 'zzzzzzz'"},
        {"\n\nsnr = 700;", "test:3: it: option 'snr' = 700 is outside [0, 600] 1/pixel"},
        {"snr = -1e-30;", "test:1: it: option 'snr' = -1e-30 is outside [0, 600] 1/pixel"},
        {"steps = 0;", "test:1: it: option 'steps' = 0 is outside [1, 1e+12]"},
        {"steps = 2.0;", "test:1: it: option 'steps' must be an integer, not 2.0"},
        {"snr = \"3\";", "test:1: it: option 'snr' must be a number, not the text '3'"},
        {"snr = true;", "test:1: it: option 'snr' must be a number, not true"},
        {"clip = 1;", "test:1: it: option 'clip' must be true or false, not 1"},
        {"name = 3;", "test:1: it: option 'name' must be text, not 3"},
        {"name = ( );", "test:1: it: option 'name' must be text, not a list"},
        {"file = { };", "test:1: it: option 'file' must be text, not a group { ... }"},
        {"mode = \"fsat\";",
         "test:1: it: option 'mode' must be one of fast|exact|none, not 'fsat'; "
         "did you mean 'fast'?"},
        {"mode = 1;", "test:1: it: option 'mode' must be text, not 1"},
        {"list = [1, 11];", "test:1: it: option 'list[1]' = 11 is outside [-1, 10] km/s"},
        {"list = (1, \"x\");",
         "test:1: it: option 'list' must be a list of numbers, not the text 'x'"},
        {"channels = [1];", "test:1: it: option 'channels' must be a list of texts, not 1"},
        {"labels = 3;",
         "test:1: it: option 'labels' must be a list of groups ( { ... }, ... ), not 3"},
        {"labels = (3);",
         "test:1: it: option 'labels' must be a list of groups ( { ... }, ... ), not 3"},
        {"labels = ( { name = \"a\"; } );",
         "test:1: it: option 'labels[0].min' is required (lowest value)"},
        {"labels = ( { name = \"a\"; min = 1; },\n { min = 1; } );",
         "test:2: it: option 'labels[1].name' is required (name of the label)"},
        {"labels = ( { name = \"a\"; min = 1; mx = 2; } );",
         "test:1: it: unknown option 'labels[0].mx'; did you mean 'max'?"},
        {"labels = ( { name = \"a\"; min = 1; max = -11; } );",
         "test:1: it: option 'labels[0].max' = -11 is outside [-10, 100000]"},
        {"snr = 5000000000;", "test:1: 5000000000 needs more than 32 bits: write 5000000000L"},
        {"steps = 3; steps = 4;", "test:1: duplicate setting name"},
        {"\nsteps = ;", "test:2: syntax error"},
    };
    char text[512];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text, "it = { %s };", cases[i].inside);
        SAYS(fill(text, NULL), ANPE_ECONFIG, cases[i].message);
    }
    SAYS(fill("it = 3;", NULL), ANPE_ECONFIG, "test:1: 'it' must be a group { ... }, not 3");
    SAYS(fill("it = ({}, {});", NULL), ANPE_ECONFIG,
         "test:1: 'it' must be a group { ... }, not a list");
    SAYS(fill("it = {};\nti = {};", NULL), ANPE_ECONFIG,
         "test:2: unknown group 'ti'; did you mean 'it'?");
    SAYS(fill("it = { plugin = \"x\"; };", NULL), ANPE_ECONFIG,
         "test:1: unknown option 'plugin' in 'it'");
    SAYS(fill("speed = 3;", NULL), ANPE_ECONFIG, "test:1: unknown option 'speed'");
}

static void test_not_confused(void)
{
    /* numbers in texts, comments and names are not the parser's long integers */
    WORKS(fill("/* 99999999999\n */ it = { name = \"99999999999 \\\" 99999999999\"; # 99999999999\n"
               "snr = 1.5e2; // 99999999999\n};",
               NULL));
    CU_ASSERT_EQUAL(o->snr, 150);
}

static void test_required(void)
{
    static const struct {
        const anpe_option *table;
        const char *message;
    } cases[] = {{need_n, "test:2: payne: option 'n' is required (how many)"},
                 {need_x, "test:2: payne: option 'x' is required (how far)"},
                 {need_file, "test:2: payne: option 'file' is required (the emulator)"},
                 {need_list, "test:2: payne: option 'list' is required (some)"}};
    const char *name;
    void *out;
    s = anpe_settings_free(s);
    WORKS(anpe_settings_parse(ctx, "\nsim = { plugin = \"payne\"; };", "test", 0, NULL, &s));
    WORKS(anpe_settings_text(ctx, s, "sim.plugin", NULL, &name));
    CU_ASSERT_STRING_EQUAL(name, "payne");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        SAYS(anpe_settings_fill(ctx, s, "sim", cases[i].table, sizeof(needy), &out), ANPE_ECONFIG,
             cases[i].message);
    WORKS(anpe_settings_finish(ctx, s));
    SAYS(anpe_settings_fill(ctx, s, "none", need_x, sizeof(needy), &out), ANPE_ECONFIG,
         "test: none: option 'x' is required (how far)");
    SAYS(anpe_settings_text(ctx, s, "none.plugin", NULL, &name), ANPE_ECONFIG,
         "test: 'none.plugin' is missing");
    WORKS(anpe_settings_text(ctx, s, "none.plugin", "fallback", &name));
    CU_ASSERT_STRING_EQUAL(name, "fallback");
}

/* ---- set --------------------------------------------------------------------------------- */

static void test_sets(void)
{
    WORKS(fill(full, "it.snr=12.5"));
    CU_ASSERT_EQUAL(o->snr, 12.5);
    WORKS(fill(full, "it.name=bare-word"));
    CU_ASSERT_STRING_EQUAL(o->name, "bare-word");
    WORKS(fill(full, "it.name=\"quoted text\""));
    CU_ASSERT_STRING_EQUAL(o->name, "quoted text");
    WORKS(fill(full, "it.name="));
    CU_ASSERT_STRING_EQUAL(o->name, "");
    WORKS(fill(full, "it.steps=6000000000"));
    CU_ASSERT_EQUAL(o->steps, 6000000000);
    WORKS(fill(full, "it.clip=true"));
    CU_ASSERT_EQUAL(o->clip, 1);
    WORKS(fill(full, "it.list=(7, 8.5)"));
    CU_ASSERT(o->list.n == 2 && o->list.v[1] == 8.5);
    WORKS(fill(full, "it.list.[1]=9"));
    CU_ASSERT(o->list.n == 3 && o->list.v[1] == 9);
    WORKS(fill(full, "it.labels.[1].max=6"));
    CU_ASSERT_EQUAL(((const label *)o->labels.v)[1].max, 6);
    WORKS(fill(full, "it.labels.[2]={ name = \"new\"; min = 0; }"));
    CU_ASSERT_EQUAL(o->labels.n, 3);
    WORKS(fill("", "it.snr=3")); /* makes the group */
    CU_ASSERT_EQUAL(o->snr, 3);
    char *text = anpe_settings_resolved(ctx, s, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "snr = 3.0; # command line\n"));
    free(text);
    WORKS(fill(full, NULL));
    text = anpe_settings_resolved(ctx, s, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "snr = 300.0; # test:3\n"));
    free(text);
}

static void test_set_messages(void)
{
    static const struct {
        const char *set, *message;
    } cases[] = {
        {"it.snr", "--set it.snr: expected PATH=VALUE"},
        {"=3", "--set =3: expected PATH=VALUE"},
        {"it..snr=3", "--set it..snr: a path is names and [indices] joined by dots"},
        {"it.s r=3", "--set it.s r: a path is names and [indices] joined by dots"},
        {"it.snr=700", "--set it.snr: it: option 'snr' = 700 is outside [0, 600] 1/pixel"},
        {"it.snr=x", "--set it.snr: it: option 'snr' must be a number, not the text 'x'"},
        {"it.srn=1", "--set it.srn: it: unknown option 'srn'; did you mean 'snr'?"},
        {"it.snr.x=1", "--set it.snr.x: cannot set 'x' in 300"},
        {"it.labels.[3].min=1", "--set it.labels.[3].min: no element [3], the list has 2"},
        {"it.list=[1, 2", "--set it.list: '[1, 2' is not a value: syntax error"},
        {"it.list=[1, 2.5]",
         "--set it.list: '[1, 2.5]' is not a value: mismatched element type in array"},
        {"it.list=[1]; x = 3", "--set it.list: '[1]; x = 3' is not a value: more than one"},
        {"ti.snr=3", "--set ti.snr: unknown group 'ti'; did you mean 'it'?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        SAYS(fill(full, cases[i].set), ANPE_ECONFIG, cases[i].message);
}

/* ---- files ------------------------------------------------------------------------------- */

static void write_text(const char *name, const char *text)
{
    write_bytes(in_scratch(name), text, strlen(text));
}

static anpe_status read_it(const char *name, const char *set)
{
    void *out;
    s = anpe_settings_free(s);
    anpe_status status = anpe_settings_read(ctx, name, set != NULL, &set, &s);
    if (!status)
        status = anpe_settings_fill(ctx, s, "it", options, sizeof(subject), &out);
    o = status ? NULL : out;
    return status;
}

static void test_file_paths(void)
{
    char expected[1024], here[512];
    const char *option;
    write_text("a.cfg", "it = { file = \"x.npz\"; };");
    WORKS(read_it(in_scratch("a.cfg"), NULL));
    CU_ASSERT_STRING_EQUAL(o->file, in_scratch("x.npz"));
    CU_ASSERT_STRING_EQUAL(anpe_settings_file(s, 0, &option), in_scratch("x.npz"));
    CU_ASSERT_STRING_EQUAL(option, "it.file");
    CU_ASSERT_PTR_NULL(anpe_settings_file(s, 1, &option));
    CU_ASSERT_PTR_NULL(anpe_settings_file(s, -1, NULL));
    WORKS(read_it(in_scratch("a.cfg"), "it.file=y.npz"));
    snprintf(expected, sizeof expected, "%s/y.npz", getcwd(here, sizeof here));
    CU_ASSERT_STRING_EQUAL(o->file, expected);
    CU_ASSERT_EQUAL_FATAL(chdir(scratch), 0); /* a bare file name is in the working directory */
    WORKS(read_it("a.cfg", NULL));
    CU_ASSERT_STRING_EQUAL(o->file, in_scratch("x.npz"));
    CU_ASSERT_EQUAL_FATAL(chdir(here), 0);
}

static void test_where(void)
{
    write_text("b.cfg", "\nit = {\n snr = 3;\n};");
    WORKS(read_it(in_scratch("b.cfg"), "it.steps=3"));
    char expected[600];
    snprintf(expected, sizeof expected, "%s:3", in_scratch("b.cfg"));
    CU_ASSERT_STRING_EQUAL(anpe_settings_where(s, "it.snr"), expected);
    snprintf(expected, sizeof expected, "%s:2", in_scratch("b.cfg"));
    CU_ASSERT_STRING_EQUAL(anpe_settings_where(s, "it.name"), expected);
    CU_ASSERT_STRING_EQUAL(anpe_settings_where(s, "other.name"), in_scratch("b.cfg"));
    CU_ASSERT_STRING_EQUAL(anpe_settings_where(s, "it.steps"), "--set it.steps");
    CU_ASSERT(anpe_settings_has(s, "it.snr") && !anpe_settings_has(s, "it.name"));
}

static void test_include(void)
{
    char message[700];
    write_text("top.cfg", "@include \"part.cfg\"\n");
    write_text("part.cfg", "it = { file = \"x.npz\";\n snr = 700; };");
    snprintf(message, sizeof message, "%s:2: it: option 'snr' = 700 is outside [0, 600] 1/pixel",
             in_scratch("part.cfg"));
    SAYS(read_it(in_scratch("top.cfg"), NULL), ANPE_ECONFIG, message);
    WORKS(read_it(in_scratch("top.cfg"), "it.snr=7"));
    CU_ASSERT_STRING_EQUAL(o->file, in_scratch("x.npz"));
    write_text("top.cfg", "\n@include \"nosuch.cfg\"\n");
    snprintf(message, sizeof message, "%s:2: @include: %s: No such file or directory",
             in_scratch("top.cfg"), in_scratch("nosuch.cfg"));
    SAYS(read_it(in_scratch("top.cfg"), NULL), ANPE_EIO, message);
    write_text("top.cfg", "@include \"top.cfg\"\n");
    snprintf(message, sizeof message, "%s: @include goes deeper than 10 files",
             in_scratch("top.cfg"));
    SAYS(read_it(in_scratch("top.cfg"), NULL), ANPE_ECONFIG, message);
}

/* libconfig would end the program when it is told to include a directory. */
static void test_include_refused(void)
{
    char message[700];
    SAYS(fill("\n@include \"x\"", NULL), ANPE_ECONFIG, "test:2: @include is for files only");
    write_text("top.cfg", "@include \"\"\n");
    snprintf(message, sizeof message, "%s:1: @include: %s/: not a regular file",
             in_scratch("top.cfg"), scratch);
    SAYS(read_it(in_scratch("top.cfg"), NULL), ANPE_EIO, message);
    write_text("top.cfg", "@include \"a\\b\"\n");
    snprintf(message, sizeof message, "%s:1: @include of a name with a backslash",
             in_scratch("top.cfg"));
    SAYS(read_it(in_scratch("top.cfg"), NULL), ANPE_ECONFIG, message);
}

static void test_bad_files(void)
{
    char message[600];
    SAYS(read_it("/nonexistent/a.cfg", NULL), ANPE_EIO,
         "/nonexistent/a.cfg: No such file or directory");
    snprintf(message, sizeof message, "%s: not a regular file", scratch);
    SAYS(read_it(scratch, NULL), ANPE_EIO, message);
    write_bytes(in_scratch("binary"), "\x89HDF\0\0", 6);
    snprintf(message, sizeof message, "%s: not a text file", in_scratch("binary"));
    SAYS(read_it(in_scratch("binary"), NULL), ANPE_EFORMAT, message);
    write_text("empty.cfg", "");
    WORKS(read_it(in_scratch("empty.cfg"), NULL));
    check_defaults();
}

/* ---- several of a kind ------------------------------------------------------------------- */

static const char *const priors = "prior = ( { plugin = \"table\"; it = 3; },\n"
                                  "          { plugin = \"independent\"; } );";

static void test_lists(void)
{
    const char *name;
    s = anpe_settings_free(s);
    WORKS(anpe_settings_parse(ctx, priors, "test", 0, NULL, &s));
    CU_ASSERT_EQUAL(anpe_settings_count(s, "prior"), 2);
    CU_ASSERT_EQUAL(anpe_settings_count(s, "noise"), 0);
    CU_ASSERT(anpe_settings_has(s, "prior.[1]") && !anpe_settings_has(s, "prior.[2]"));
    WORKS(anpe_settings_text(ctx, s, "prior.[1].plugin", NULL, &name));
    CU_ASSERT_STRING_EQUAL(name, "independent");
    SAYS(anpe_settings_finish(ctx, s), ANPE_ECONFIG, "test:1: one element too many in 'prior'");
    WORKS(anpe_settings_text(ctx, s, "prior.[0].plugin", NULL, &name));
    SAYS(anpe_settings_finish(ctx, s), ANPE_ECONFIG, "test:1: unknown option 'it' in 'prior[0]'");
    char *text = anpe_settings_resolved(ctx, s, 0);
    CU_ASSERT_STRING_EQUAL(text, "prior = (\n"
                                 "    {\n        plugin = \"table\";\n    },\n"
                                 "    {\n        plugin = \"independent\";\n    });\n");
    free(text);
    /* a single group is a list of one */
    s = anpe_settings_free(s);
    WORKS(anpe_settings_parse(ctx, "prior = { plugin = \"table\"; };", "test", 0, NULL, &s));
    CU_ASSERT_EQUAL(anpe_settings_count(s, "prior"), 1);
    WORKS(anpe_settings_text(ctx, s, "prior.[0].plugin", NULL, &name));
    CU_ASSERT_STRING_EQUAL(name, "table");
    WORKS(anpe_settings_finish(ctx, s));
}

/* ---- tables that are wrong themselves ---------------------------------------------------- */

static void check_table(const anpe_option *row, const char *message)
{
    const anpe_option table[] = {*row, ANPE_OPT_END};
    SAYS(anpe_options_check(ctx, "x", table, sizeof(subject)), ANPE_EPLUGIN, message);
}

static void test_table_check(void)
{
    WORKS(anpe_options_check(ctx, "x", options, sizeof(subject)));
    const anpe_option good = options[2];
    anpe_option bad = good;
    bad.dflt = 601;
    check_table(&bad, "x: option 'snr': its default is outside its range");
    bad = good, bad.min = 700;
    check_table(&bad, "x: option 'snr': its minimum is above its maximum");
    bad = good, bad.help = "";
    check_table(&bad, "x: option 'snr': it has no help");
    bad = good, bad.unit = NULL;
    check_table(&bad, "x: option 'snr': its unit is NULL: \"\" where there is none");
    bad = good, bad.name = "S-N";
    check_table(&bad, "x: option 'S-N': its name is not in a-z, 0-9, _");
    bad = good, bad.name = "plugin";
    check_table(&bad, "x: option 'plugin': 'plugin' is the core's own");
    bad = good, bad.offset = sizeof(subject) - 4;
    check_table(&bad, "x: option 'snr': it lies outside its struct");
    bad = good, bad.type = (anpe_type)77;
    check_table(&bad, "x: option 'snr': its type is unknown");
    bad = options[4], bad.dflt = 1.5;
    check_table(&bad, "x: option 'steps': its default is not an integer");
    bad = options[6], bad.dflt = 3;
    check_table(&bad, "x: option 'mode': its default is not one of its choices");
    bad = options[7], bad.text = "1 11";
    check_table(&bad, "x: option 'list': its default is outside its range");
    bad = options[7], bad.text = "1 x";
    check_table(&bad, "x: option 'list': its default is not a list of numbers");
    bad = options[9], bad.rows = NULL;
    check_table(&bad, "x: option 'labels': it has no table of rows");
    const anpe_option twice[] = {good, good, ANPE_OPT_END};
    SAYS(anpe_options_check(ctx, "x", twice, sizeof(subject)), ANPE_EPLUGIN,
         "x: option 'snr': its name is there twice");
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"defaults", test_defaults},
        {"round trip", test_round_trip},
        {"reals", test_round_trip_reals},
        {"single values", test_single_values},
        {"messages", test_messages},
        {"not confused", test_not_confused},
        {"required", test_required},
        {"--set", test_sets},
        {"--set messages", test_set_messages},
        {"file paths", test_file_paths},
        {"where", test_where},
        {"@include", test_include},
        {"@include refused", test_include_refused},
        {"bad files", test_bad_files},
        {"lists", test_lists},
        {"option tables", test_table_check},
    };
    const int status = run_suite(argc, argv, "settings", COUNT(tests), tests);
    s = anpe_settings_free(s);
    return status;
}
