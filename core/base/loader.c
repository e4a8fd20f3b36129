/* Finds plugins by exact name and opens them with libltdl.
 *
 * libltdl answers "file not found" whatever went wrong and binds lazily, so a file is first tried
 * with dlopen(RTLD_NOW), whose message names the missing symbol; and before that its ELF headers
 * are compared with its length, because the dynamic linker maps a truncated file and dies of
 * SIGBUS. */
#include <config.h>
#include "base/loader.h"
#include "base/settings.h"
#include "base/table.h"
#include "base/text.h"
#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <link.h>
#include <ltdl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_LENGTH = 4096, MAX_PER_FILE = 64 };

static const struct {
    anpe_kind kind;
    const char *name;
} kinds[] = {
#define X(id, value, text) {id, text},
    ANPE_KIND_LIST(X)
#undef X
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

const char *anpe_kind_name(anpe_kind kind)
{
    for (int i = 0; i < N_KINDS; i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return "unknown kind";
}

anpe_kind anpe_kind_of(const char *name)
{
    for (int i = 0; i < N_KINDS; i++)
        if (!strcmp(kinds[i].name, name))
            return kinds[i].kind;
    return (anpe_kind)0;
}

/* ---- the search path --------------------------------------------------------------------- */

static const char *search_path(void)
{
    const char *path = getenv("ANPE_PLUGIN_PATH");
    return path && *path ? path : ANPE_PLUGINDIR;
}

/* The next directory of *path; 0 past the end. */
static int next_directory(const char **path, char directory[PATH_LENGTH])
{
    if (!*path)
        return 0;
    const int n = (int)strcspn(*path, ":");
    snprintf(directory, PATH_LENGTH, "%.*s", n ? n : PATH_LENGTH - 1, n ? *path : ANPE_PLUGINDIR);
    *path = (*path)[n] ? *path + n + 1 : NULL;
    return 1;
}

/* The shared object that DIRECTORY/STEM stands for, libtool's build directory included. */
static int find_object(const char *directory, const char *stem, char object[PATH_LENGTH])
{
    static const char *const form[] = {"%s/%s.so", "%s/.libs/%s.so"};
    for (int i = 0; i < 2; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        const int n = snprintf(object, PATH_LENGTH, form[i], directory, stem);
#pragma GCC diagnostic pop
        if (n < PATH_LENGTH && !access(object, F_OK))
            return 1;
    }
    return 0;
}

/* ---- opening one file -------------------------------------------------------------------- */

/* Whether every loaded segment lies inside the file. Says nothing of files that are not ELF of
 * this machine: dlopen describes those well. */
static anpe_status check_whole(anpe_ctx *ctx, const char *object)
{
    struct stat st;
    ElfW(Ehdr) head;
    FILE *f = fopen(object, "rb");
    if (!f || fstat(fileno(f), &st) || fread(&head, sizeof head, 1, f) != 1 ||
        memcmp(head.e_ident, ELFMAG, SELFMAG) || head.e_phentsize != sizeof(ElfW(Phdr)) ||
        fseek(f, (long)head.e_phoff, SEEK_SET)) {
        if (f)
            fclose(f);
        return ANPE_OK;
    }
    unsigned long long end = 0;
    ElfW(Phdr) segment;
    for (int i = 0; i < head.e_phnum && fread(&segment, sizeof segment, 1, f) == 1; i++)
        if (segment.p_type == PT_LOAD && segment.p_offset + segment.p_filesz > end)
            end = segment.p_offset + segment.p_filesz;
    fclose(f);
    if (end > (unsigned long long)st.st_size)
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "%s: truncated: %lld bytes of at least %llu", object,
                         (long long)st.st_size, end);
    return ANPE_OK;
}

static void start_ltdl(void)
{
    (void)lt_dlinit();
}

static anpe_status open_object(anpe_ctx *ctx, const char *object, anpe_plugin_get_fn **get)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    lt_dladvise advise;
    pthread_once(&once, start_ltdl);
    anpe_status status = check_whole(ctx, object);
    if (status)
        return status;
    void *probe = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    if (!probe) {
        const char *why = dlerror(); /* usually begins with the file's name */
        const int named = why && !strncmp(why, object, strlen(object));
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "%s%s%s", named ? "" : object, named ? "" : ": ",
                         why ? why : "cannot be loaded");
    }
    /* The file that was looked at, not the .la, which may lead to another. */
    lt_dlhandle handle = NULL;
    if (!lt_dladvise_init(&advise)) {
        if (!lt_dladvise_local(&advise) && !lt_dladvise_resident(&advise))
            handle = lt_dlopenadvise(object, advise);
        lt_dladvise_destroy(&advise);
    }
    dlclose(probe);
    if (!handle)
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "%s: libltdl: %s", object, lt_dlerror());
    void *symbol = lt_dlsym(handle, ANPE_PLUGIN_ENTRY);
    if (!symbol)
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "%s: not an anpe plugin: it exports no %s", object,
                         ANPE_PLUGIN_ENTRY);
    memcpy(get, &symbol, sizeof symbol); /* ISO C has no cast from object to function pointer */
    return ANPE_OK;
}

/* ---- what a file says of itself ---------------------------------------------------------- */

static anpe_status check_abi(anpe_ctx *ctx, const char *object, const anpe_plugin *p)
{
    if (p->abi.major != ANPE_ABI_MAJOR)
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "%s: plugin ABI %u.%u, anpe has %u.%u: rebuild it",
                         object, (unsigned)p->abi.major, (unsigned)p->abi.minor, ANPE_ABI_MAJOR,
                         ANPE_ABI_MINOR);
    if (p->abi.minor > ANPE_ABI_MINOR)
        return ANPE_FAIL(ctx, ANPE_EPLUGIN,
                         "%s: plugin ABI %u.%u is newer than anpe's %u.%u: install a newer anpe",
                         object, (unsigned)p->abi.major, (unsigned)p->abi.minor, ANPE_ABI_MAJOR,
                         ANPE_ABI_MINOR);
    if (p->abi.size < ANPE_SIZE_TO(p, ops)) /* the last member that all have */
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "%s: a descriptor of %u bytes, at least %zu expected",
                         object, (unsigned)p->abi.size, ANPE_SIZE_TO(p, ops));
    return ANPE_OK;
}

static int plain_name(const char *name)
{
    return *name && strlen(name) < 64 &&
           !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")];
}

/* Operations that the host calls without asking whether they are there. */
static const struct {
    anpe_kind kind;
    const char *name;
    size_t offset;
} needed[] = {
#define NEEDED(KIND, OPS, MEMBER)                                                                  \
    {                                                                                              \
        KIND, #MEMBER, offsetof(OPS, MEMBER)                                                       \
    }
    NEEDED(ANPE_SIMULATOR, anpe_simulator_ops, info),
    NEEDED(ANPE_SIMULATOR, anpe_simulator_ops, simulate),
    NEEDED(ANPE_PRIOR, anpe_prior_ops, info),
    NEEDED(ANPE_PRIOR, anpe_prior_ops, sample),
    NEEDED(ANPE_PRIOR, anpe_prior_ops, log_density),
    NEEDED(ANPE_INSTRUMENT, anpe_instrument_ops, info),
    NEEDED(ANPE_NOISE, anpe_noise_ops, draw),
    NEEDED(ANPE_FEATURIZER, anpe_featurizer_ops, build),
    NEEDED(ANPE_FLOW, anpe_flow_ops, build),
    NEEDED(ANPE_FLOW, anpe_flow_ops, sampler_new),
    NEEDED(ANPE_FLOW, anpe_flow_ops, sampler_free),
    NEEDED(ANPE_FLOW, anpe_flow_ops, sample),
    NEEDED(ANPE_BACKEND, anpe_backend_ops, sgemm),
    NEEDED(ANPE_BACKEND, anpe_backend_ops, dgemm),
#undef NEEDED
};

/* Every table of operations begins with its size. */
static anpe_status check_operations(anpe_ctx *ctx, const char *object, const anpe_plugin *p)
{
    size_t size;
    memcpy(&size, p->ops, sizeof size);
    for (size_t k = 0; k < sizeof needed / sizeof *needed; k++) {
        void (*operation)(void) = NULL;
        if (needed[k].kind != p->kind)
            continue;
        if (size >= needed[k].offset + sizeof operation)
            memcpy(&operation, (const char *)p->ops + needed[k].offset, sizeof operation);
        if (!operation)
            return ANPE_FAIL(ctx, ANPE_EPLUGIN, "%s: %s/%s lacks the operation %s", object,
                             anpe_kind_name(p->kind), p->name, needed[k].name);
    }
    return ANPE_OK;
}

static anpe_status check_plugin(anpe_ctx *ctx, const char *object, const anpe_plugin *p)
{
    const anpe_status status = check_abi(ctx, object, p);
    if (status)
        return status;
    if ((int)p->kind < 1 || (int)p->kind > N_KINDS || !p->name || !plain_name(p->name))
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "%s: a descriptor without a known kind and a name",
                         object);
    if (!p->version || !p->summary || !p->create || !p->destroy || !p->ops)
        return ANPE_FAIL(ctx, ANPE_EPLUGIN,
                         "%s: %s/%s lacks version, summary, create, destroy or ops", object,
                         anpe_kind_name(p->kind), p->name);
    if (anpe_options_check(ctx, p->name, p->options, p->options_size))
        return anpe_fail_prefix(ctx, ANPE_EPLUGIN, "%s", object);
    return check_operations(ctx, object, p);
}

/* All descriptors of one file, checked. */
static anpe_status open_checked(anpe_ctx *ctx, const char *object, anpe_plugin_get_fn **get)
{
    const anpe_plugin *p;
    int n = 0;
    anpe_status status = open_object(ctx, object, get);
    for (; !status && n < MAX_PER_FILE && (p = (*get)(anpe_host(), n)); n++)
        status = check_plugin(ctx, object, p);
    if (!status && !n)
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "%s: linked to another copy of libanpe", object);
    return status;
}

/* Files that were opened stay in memory, so what they said holds: to look again for each spectrum
 * of a survey would cost more than reading it. Spectra are read by several threads, hence the
 * lock. */
static struct {
    pthread_mutex_t lock;
    struct opened_file {
        char *object;
        anpe_plugin_get_fn *get;
    } * file;
    int64_t n, room;
} opened = {.lock = PTHREAD_MUTEX_INITIALIZER};

static anpe_status open_once(anpe_ctx *ctx, const char *object, anpe_plugin_get_fn **get)
{
    for (int64_t i = 0; i < opened.n; i++)
        if (!strcmp(opened.file[i].object, object)) {
            *get = opened.file[i].get;
            return ANPE_OK;
        }
    const anpe_status status = open_checked(ctx, object, get);
    if (status)
        return status;
    struct opened_file f = {anpe_strdup(ctx, object), *get};
    if (!f.object || ANPE_GROW(ctx, opened.file, opened.room, opened.n + 1)) {
        free(f.object);
        return ANPE_ENOMEM;
    }
    opened.file[opened.n++] = f;
    return ANPE_OK;
}

static anpe_status read_object(anpe_ctx *ctx, const char *object, int *n,
                               const anpe_plugin *list[MAX_PER_FILE])
{
    anpe_plugin_get_fn *get = NULL;
    *n = 0;
    pthread_mutex_lock(&opened.lock);
    const anpe_status status = open_once(ctx, object, &get);
    pthread_mutex_unlock(&opened.lock);
    while (!status && *n < MAX_PER_FILE && (list[*n] = get(anpe_host(), *n)))
        ++*n;
    return status;
}

/* ---- every file there is ----------------------------------------------------------------- */

typedef struct names {
    char **name;
    int n;
} names;

static void free_names(names *list)
{
    for (int i = 0; i < list->n; i++)
        free(list->name[i]);
    free(list->name);
    *list = (names){0};
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Stems "simulator_payne" in one directory (with or without ".so", ".la"), sorted, once each. */
static void scan_directory(const char *directory, names *list)
{
    DIR *d = opendir(directory);
    for (struct dirent *e; d && (e = readdir(d));) {
        char stem[256];
        snprintf(stem, sizeof stem, "%s", e->d_name);
        char *dot = strrchr(stem, '.'), *under = strchr(stem, '_');
        if (!dot || !under || (strcmp(dot, ".so") && strcmp(dot, ".la")))
            continue;
        *dot = *under = 0;
        if (!anpe_kind_of(stem) || !plain_name(under + 1))
            continue;
        *under = '_';
        char **name = realloc(list->name, (size_t)(list->n + 1) * sizeof *name);
        if (name)
            list->name = name;
        if (name && (name[list->n] = strdup(stem)))
            list->n++;
    }
    if (d)
        closedir(d);
    int kept = 0;
    if (list->n)
        qsort(list->name, (size_t)list->n, sizeof *list->name, compare_names);
    for (int i = 0; i < list->n; i++)
        if (kept && !strcmp(list->name[kept - 1], list->name[i]))
            free(list->name[i]);
        else
            list->name[kept++] = list->name[i];
    list->n = kept;
}

static int compare_plugins(const void *a, const void *b)
{
    const anpe_plugin *p = *(const anpe_plugin *const *)a, *q = *(const anpe_plugin *const *)b;
    return p->kind != q->kind ? (int)p->kind - (int)q->kind : strcmp(p->name, q->name);
}

static anpe_status append(anpe_ctx *ctx, anpe_kind kind, int *n, const anpe_plugin ***list,
                          const anpe_plugin *p)
{
    if (kind && p->kind != kind)
        return ANPE_OK;
    for (int i = 0; i < *n; i++) /* the first on the path wins, as in anpe_loader_get */
        if (!compare_plugins(&(*list)[i], &p))
            return ANPE_OK;
    int64_t room = *n;
    if (ANPE_GROW(ctx, *list, room, *n + 1))
        return ANPE_ENOMEM;
    (*list)[(*n)++] = p;
    return ANPE_OK;
}

/* Whether the file KIND_NAME may hold plugins of the kind, 0: of any. Noise models come with
 * others. */
static int may_hold(const char *stem, anpe_kind kind)
{
    const char *name = kind ? anpe_kind_name(kind) : "";
    return !kind || kind == ANPE_NOISE ||
           (!strncmp(stem, name, strlen(name)) && stem[strlen(name)] == '_');
}

static anpe_status list_directory(anpe_ctx *ctx, anpe_kind kind, const char *directory, int *n,
                                  const anpe_plugin ***list)
{
    names found = {0};
    anpe_status status = ANPE_OK;
    scan_directory(directory, &found);
    for (int i = 0; !status && i < found.n; i++) {
        char object[PATH_LENGTH];
        const anpe_plugin *in_file[MAX_PER_FILE];
        int n_in_file = 0;
        if (!may_hold(found.name[i], kind) || !find_object(directory, found.name[i], object))
            continue;
        if (read_object(ctx, object, &n_in_file, in_file)) {
            anpe_log(ctx, ANPE_WARNING, "%s", anpe_error(ctx));
            continue;
        }
        for (int j = 0; !status && j < n_in_file; j++)
            status = append(ctx, kind, n, list, in_file[j]);
    }
    free_names(&found);
    return status;
}

anpe_status anpe_loader_list(anpe_ctx *ctx, anpe_kind kind, int *n, const anpe_plugin ***list)
{
    char directory[PATH_LENGTH];
    anpe_status status = ANPE_OK;
    *n = 0;
    *list = NULL;
    for (const char *path = search_path(); !status && next_directory(&path, directory);)
        status = list_directory(ctx, kind, directory, n, list);
    if (status) {
        free(*list);
        *list = NULL;
        *n = 0;
    } else if (*n) {
        qsort(*list, (size_t)*n, sizeof **list, compare_plugins);
    }
    return status;
}

/* ---- one plugin by name ------------------------------------------------------------------ */

static anpe_status not_found(anpe_ctx *ctx, anpe_kind kind, const char *name)
{
    char directory[PATH_LENGTH], hint[160];
    const char *candidates[256];
    names found[32] = {{0}};
    int n = 0, n_directories = 0;
    const size_t skip = strlen(anpe_kind_name(kind)) + 1;
    for (const char *path = search_path();
         n_directories < 32 && next_directory(&path, directory);) {
        names *here = &found[n_directories++];
        scan_directory(directory, here);
        for (int i = 0; i < here->n && n < 256; i++)
            if (!strncmp(here->name[i], anpe_kind_name(kind), skip - 1) &&
                here->name[i][skip - 1] == '_')
                candidates[n++] = here->name[i] + skip;
    }
    anpe_text_hint(hint, sizeof hint, name, n, candidates);
    for (int i = 0; i < n_directories; i++)
        free_names(&found[i]);
    return ANPE_FAIL(ctx, ANPE_EPLUGIN, "no %s '%s' in %s%s", anpe_kind_name(kind), name,
                     search_path(), hint);
}

/* Looks for kind/name in the file KINDNAME_NAME; *out stays NULL when no such file exists. */
static anpe_status get_from(anpe_ctx *ctx, const char *file_kind, anpe_kind kind, const char *name,
                            int must_have, const anpe_plugin **out)
{
    char stem[128], directory[PATH_LENGTH], object[PATH_LENGTH];
    const anpe_plugin *list[MAX_PER_FILE];
    int n;
    snprintf(stem, sizeof stem, "%s_%s", file_kind, name);
    for (const char *path = search_path(); next_directory(&path, directory);) {
        if (!find_object(directory, stem, object))
            continue;
        const anpe_status status = read_object(ctx, object, &n, list);
        if (status)
            return status;
        for (int i = 0; i < n; i++)
            if (list[i]->kind == kind && !strcmp(list[i]->name, name))
                *out = list[i];
        if (!*out && must_have)
            return ANPE_FAIL(ctx, ANPE_EPLUGIN, "%s: holds %s '%s', not %s '%s'", object,
                             anpe_kind_name(list[0]->kind), list[0]->name, anpe_kind_name(kind),
                             name);
        return ANPE_OK;
    }
    return ANPE_OK;
}

anpe_status anpe_loader_get(anpe_ctx *ctx, anpe_kind kind, const char *name,
                            const anpe_plugin **out)
{
    *out = NULL;
    if (!plain_name(name))
        return ANPE_FAIL(ctx, ANPE_EPLUGIN,
                         "%s '%s': a plugin's name is made of a-z, 0-9 and _, it is not a path",
                         anpe_kind_name(kind), name);
    anpe_status status = get_from(ctx, anpe_kind_name(kind), kind, name, 1, out);
    if (!status && !*out && kind == ANPE_NOISE)
        status = get_from(ctx, "instrument", kind, name, 0, out);
    if (!status && !*out)
        status = not_found(ctx, kind, name);
    return status;
}
