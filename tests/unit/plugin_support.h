/* Shared by the tests of simulators and priors: a plugin made from a line of configuration. */
#ifndef ANPE_TEST_PLUGIN_SUPPORT_H
#define ANPE_TEST_PLUGIN_SUPPORT_H
#include "allocation_count.h"
#include "base/random.h"
#include "base/text.h"
#include "data_support.h"
#include "kind/component.h"

typedef struct subject {
    anpe_settings *settings;
    anpe_component c;
} subject;

/* `text` is the inside of a group, e.g. plugin = "payne"; clip = true; */
static inline anpe_status subject_new(anpe_kind kind, const void *setup, const char *text,
                                      subject *s)
{
    anpe_text all = {0};
    *s = (subject){0};
    anpe_text_add(&all, "it = { %s };", text);
    anpe_status status = anpe_settings_parse(ctx, all.text, "test", 0, NULL, &s->settings);
    anpe_text_free(&all);
    if (!status)
        status = anpe_component_new(ctx, s->settings, kind, "it", NULL, setup, &s->c);
    if (status)
        s->settings = anpe_settings_free(s->settings);
    return status;
}

static inline void subject_clear(subject *s)
{
    anpe_component_clear(&s->c);
    s->settings = anpe_settings_free(s->settings);
}

/* A simulator's simulate, with scratch of the size that it asks for, which is all that it takes. */
static inline anpe_status subject_simulate(const subject *s, int64_t n, const double *theta,
                                           float *flux)
{
    const anpe_simulator_ops *ops = s->c.ops;
    const size_t size = ops->scratch_size ? ops->scratch_size(s->c.self, n) : 0;
    void *room = anpe_alloc(ctx, size);
    if (!room)
        return ANPE_ENOMEM;
    memset(room, 0xff, size); /* NaN: what is read before it is written would show */
    const long before = n_allocations;
    const anpe_status status = ops->simulate(s->c.self, ctx, n, theta, flux, room);
    CU_ASSERT(status || n_allocations == before);
    anpe_free(room);
    return status;
}

/* A simulator that says what its spectra are, with room for one. */
typedef struct rig {
    subject s;
    const anpe_simulator_ops *ops;
    anpe_simulator_info info;
    float *flux; /* one spectrum */
} rig;

static inline anpe_status rig_open(const anpe_simulator_setup *setup, const char *text, rig *r)
{
    *r = (rig){0};
    const anpe_status status = subject_new(ANPE_SIMULATOR, setup, text, &r->s);
    if (status)
        return status;
    r->ops = r->s.c.ops;
    r->ops->info(r->s.c.self, &r->info);
    r->flux = malloc((size_t)r->info.n_pixels * sizeof *r->flux);
    return r->flux ? ANPE_OK : ANPE_ENOMEM;
}

static inline void rig_clear(rig *r)
{
    subject_clear(&r->s);
    free(r->flux);
    *r = (rig){0};
}

static inline void rig_run(rig *r, const double *theta)
{
    WORKS(subject_simulate(&r->s, 1, theta, r->flux));
}

/* The test data beside the repository, NULL when it is not there. */
static inline const char *shared_file(const char *name)
{
    static char path[4][1024];
    static int turn;
    const char *root = getenv("ANPE_SHARED");
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", root ? root : "/nonexistent", name);
    return access(path[turn], R_OK) == 0 ? path[turn] : NULL;
}
#endif
