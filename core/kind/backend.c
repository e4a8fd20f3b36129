/* Opening a backend, or choosing one: see kind/backend.h. */
#include <config.h>
#include <stdio.h>
#include <string.h>
#include "base/context.h"
#include "kind/backend.h"

static const char *const precision_names[] = {"float", "bfloat16"};

/* The order of `auto`, as measured (docs/PERFORMANCE.md): in float the convolutions of the core
 * with half of the multiplications are ahead of a library's, in bfloat16 oneDNN is. */
static const char *const preferred[][3] = {{"openblas", "onednn", NULL}, {"onednn", NULL, NULL}};

static anpe_status open_one(anpe_ctx *ctx, anpe_settings *settings, const char *name,
                            anpe_number precision, anpe_component *component)
{
    const anpe_backend_setup setup = {sizeof setup, precision};
    const anpe_status status =
        anpe_component_new(ctx, settings, ANPE_BACKEND, "backend", name, &setup, component);
    if (status != ANPE_OK || precision == ANPE_NUMBER_FLOAT ||
        component->plugin->capabilities & ANPE_CAN_BFLOAT16)
        return status;
    name = component->plugin->name;
    anpe_component_clear(component);
    return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                     "backend '%s' computes in float only; compute.precision = \"bfloat16\" needs "
                     "compute.backend = \"onednn\" or \"auto\"",
                     name);
}

/* Not there, or not on this processor: another backend may do. */
static int unavailable(anpe_status status)
{
    return status == ANPE_EPLUGIN || status == ANPE_EUNSUPPORTED;
}

static anpe_status open_preferred(anpe_ctx *ctx, anpe_settings *settings, anpe_number precision,
                                  anpe_component *component)
{
    anpe_status status = ANPE_OK;
    for (const char *const *name = preferred[precision]; *name; name++) {
        status = open_one(ctx, settings, *name, precision, component);
        if (!unavailable(status))
            break;
    }
    return status;
}

anpe_status anpe_backend_open(anpe_ctx *ctx, anpe_settings *settings, const char *name,
                              anpe_number precision, anpe_component *component,
                              anpe_backend *backend)
{
    anpe_status status;
    const int choose = strcmp(name, "auto") == 0;
    if (!choose)
        status = open_one(ctx, settings, name, precision, component);
    else
        status = open_preferred(ctx, settings, precision, component);
    if (choose && precision != ANPE_NUMBER_FLOAT && unavailable(status)) {
        anpe_log(ctx, ANPE_WARNING, "computing in float: %s", anpe_error(ctx));
        precision = ANPE_NUMBER_FLOAT;
        status = open_preferred(ctx, settings, precision, component);
    }
    if (status != ANPE_OK)
        return status;
    anpe_log(ctx, ANPE_DEBUG, "backend %s, %s", component->plugin->name,
             precision_names[precision]);
    *backend = (anpe_backend){component->self, component->ops, precision};
    return ANPE_OK;
}

const char *anpe_backend_kernels(const anpe_component *component, char *text, size_t size)
{
    const anpe_backend_ops *ops = component->ops;
    const char *kernels = ANPE_HAS(ops, kernels) ? ops->kernels(component->self) : NULL;
    snprintf(text, size, "%s%s%s", component->plugin->name, kernels && *kernels ? " " : "",
             kernels ? kernels : "");
    return text;
}
