/* kind/component.h -- a plugin that has been configured and created: the one way the core gets a
 * simulator, prior, instrument, noise model, featurizer, flow or backend. */
#ifndef ANPE_CORE_COMPONENT_H
#define ANPE_CORE_COMPONENT_H
#include "base/loader.h"
#include "base/settings.h"
#include "base/table.h" /* ANPE_HAS(ops, member) */

typedef struct anpe_component {
    const anpe_plugin *plugin; /* NULL: not there */
    const void *ops;
    void *self;
} anpe_component;

/* Reads PATH.plugin and the options of the group at `path`, loads and creates. fallback: name of
 * the plugin when the group does not say; NULL: it must. Messages are prefixed "NAME: ". */
ANPE_MUST_CHECK anpe_status anpe_component_new(anpe_ctx *ctx, anpe_settings *settings,
                                               anpe_kind kind, const char *path,
                                               const char *fallback, const void *setup,
                                               anpe_component *out);
void anpe_component_clear(anpe_component *c);
#endif
