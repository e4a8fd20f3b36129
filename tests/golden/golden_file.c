#include "golden/golden.h"
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST 100000000.0 /* values in a tensor: more is no golden file but a damaged one */

static anpe_status read_attributes(anpe_ctx *ctx, golden *g)
{
    static const struct {
        const char *name;
        size_t offset;
        int64_t min, max;
    } table[] = {
#define A(f, min, max) {#f, offsetof(golden, f), min, max}
        A(length, 1, 1000000), A(channels, 1, 10000), A(labels, 1, 1000),  A(depth, 1, 24),
        A(conv_min, 1, 65536), A(conv_max, 1, 65536), A(nlayer, 1, 64),    A(kernel, 1, 1023),
        A(n_rnn, 0, 16),       A(cond, 1, 65536),     A(hidden, 1, 65536), A(num_blocks, 1, 256),
        A(n_mog, 1, 256),      A(batch, 1, 100000)};
#undef A
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int64_t v = 0;
        anpe_status status =
            anpe_h5_get_numbers(ctx, g->file, "/", table[i].name, ANPE_H5_INT64, 1, &v);
        if (status)
            return anpe_fail_prefix(ctx, status, "not a golden file of a network");
        if (v < table[i].min || v > table[i].max)
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: attribute '%s' is %lld, not in [%lld, %lld]",
                             anpe_h5_path(g->file), table[i].name, (long long)v,
                             (long long)table[i].min, (long long)table[i].max);
        memcpy((char *)g + table[i].offset, &v, sizeof v);
    }
    if ((double)g->batch * (double)g->length * (double)g->channels > LARGEST)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: an input of batch x length x channels is too large",
                         anpe_h5_path(g->file));
    return anpe_h5_get_numbers(ctx, g->file, "/", "clamp", ANPE_H5_DOUBLE, 2, g->clamp);
}

anpe_status golden_read(anpe_ctx *ctx, const golden *g, const char *name, int64_t n, double **out)
{
    if (ANPE_NEW(ctx, *out, n))
        return ANPE_ENOMEM;
    const anpe_status status = anpe_h5_read(ctx, g->file, name, ANPE_H5_DOUBLE, n, *out);
    if (status) {
        free(*out);
        *out = NULL;
    }
    return status;
}

void golden_transpose(const golden *g, const double *from, double *to)
{
    for (int64_t b = 0; b < g->batch; b++)
        for (int64_t c = 0; c < g->channels; c++)
            for (int64_t l = 0; l < g->length; l++)
                to[(b * g->length + l) * g->channels + c] =
                    from[(b * g->channels + c) * g->length + l];
}

static anpe_status read_inputs(anpe_ctx *ctx, golden *g)
{
    const int64_t n = g->batch * g->length * g->channels, rows = g->batch * g->labels;
    double *x = NULL;
    anpe_status status = golden_read(ctx, g, "input", n, &x);
    if (!status && !(g->input = malloc((size_t)n * sizeof *g->input)))
        status = ANPE_FAIL(ctx, ANPE_ENOMEM, "out of memory");
    if (!status && !(g->u = calloc((size_t)rows, sizeof *g->u)))
        status = ANPE_FAIL(ctx, ANPE_ENOMEM, "out of memory");
    if (!status)
        golden_transpose(g, x, g->input);
    free(x);
    if (!status)
        status = golden_read(ctx, g, "labels", rows, &g->target);
    if (!status)
        status = golden_read(ctx, g, "z", rows, &g->z);
    if (!status)
        status = golden_read(ctx, g, "component", rows, &g->k);
    for (int64_t i = 0; !status && i < rows; i++)
        if (!(g->k[i] >= 0 && g->k[i] < (double)g->n_mog))
            status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: component[%lld] is %g of %lld",
                               anpe_h5_path(g->file), (long long)i, g->k[i], (long long)g->n_mog);
    return status;
}

/* 0 where there is no such group, or no file: what reads the tensors says so. */
static int64_t links(hid_t file, const char *group)
{
    H5G_info_t info;
    return file >= 0 && H5Gget_info_by_name(file, group, &info, H5P_DEFAULT) >= 0
               ? (int64_t)info.nlinks
               : 0;
}

anpe_status golden_open(anpe_ctx *ctx, const char *path, golden *g)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    *g = (golden){.n_weights = links(file, "weights"),
                  .n_gradients = links(file, "grad"),
                  .n_permutations = links(file, "permutation")};
    if (file >= 0)
        H5Fclose(file);
    anpe_status status = anpe_h5_open(ctx, path, &g->file);
    if (!status)
        status = read_attributes(ctx, g);
    if (!status)
        status = read_inputs(ctx, g);
    if (status)
        golden_close(g);
    return status;
}

void golden_close(golden *g)
{
    anpe_h5_abandon(g->file); /* read only: there is nothing to lose */
    free(g->input);
    free(g->target);
    free(g->z);
    free(g->k);
    free(g->u);
    *g = (golden){0};
}

void golden_name(const char *group, const char *parameter, char *name, size_t size)
{
    int i, n = 0;
    if (sscanf(parameter, "flow.permutation.%d%n", &i, &n) == 1 && !parameter[n])
        snprintf(name, size, "permutation/%d", i);
    else if (sscanf(parameter, "featurizer.gru.%d.%n", &i, &n) == 1 && n > 0)
        snprintf(name, size, "%s/featurizer.gru.%s_l%d", group, parameter + n, i);
    else
        snprintf(name, size, "%s/%s", group, parameter);
}

anpe_status golden_network(anpe_ctx *ctx, const golden *g, const char *backend, fixture *f)
{
    char config[1024];
    const fixture_shape shape = {g->batch, g->length, g->channels, g->labels, g->cond, 1};
    snprintf(config, sizeof config,
             "featurizer = { plugin = \"resnet_gru\"; depth = %d; conv_min = %d; conv_max = %d;"
             " nlayer = %d; kernel = %d; n_rnn = %d; };\n"
             "flow = { plugin = \"maf\"; num_blocks = %d; hidden = %d; n_mog = %d;"
             " clamp = [%.17e, %.17e]; direct = false; };\n"
             "backend = { plugin = \"%s\"; };\n",
             (int)g->depth, (int)g->conv_min, (int)g->conv_max, (int)g->nlayer, (int)g->kernel,
             (int)g->n_rnn, (int)g->num_blocks, (int)g->hidden, (int)g->n_mog, g->clamp[0],
             g->clamp[1], backend);
    return fixture_build(ctx, config, &shape, f);
}

/* Dimensions other than 1 must agree in order: (8, 1, 1) is (8), but (2, 8) is not (8, 2). */
static anpe_status check_shape(anpe_ctx *ctx, const golden *g, const char *name,
                               const anpe_parameter *p)
{
    int rank = 0, i = 0, j = 0;
    int64_t shape[8];
    const anpe_status status = anpe_h5_shape(ctx, g->file, name, &rank, shape);
    if (status)
        return status;
    for (;;) {
        while (i < rank && shape[i] == 1)
            i++;
        while (j < p->rank && p->shape[j] == 1)
            j++;
        if (i == rank || j == p->rank || shape[i] != p->shape[j])
            break;
        i++;
        j++;
    }
    if (i < rank || j < p->rank)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %s has not the shape of the network's %s (%lld)",
                         anpe_h5_path(g->file), name, p->name, (long long)p->size);
    return ANPE_OK;
}

/* A tensor in the file that the network lacks would go unnoticed otherwise. */
static anpe_status check_number(anpe_ctx *ctx, const golden *g, const char *group, int64_t have,
                                int64_t want)
{
    if (have <= want) /* one that is missing has its own message when it is read */
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: group '%s' has %lld tensors, the network only %lld",
                     anpe_h5_path(g->file), group, (long long)have, (long long)want);
}

anpe_status golden_load(anpe_ctx *ctx, const golden *g, fixture *f)
{
    int64_t trained = 0;
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < f->parameters->n && !status; i++) {
        const anpe_parameter *p = &f->parameters->table[i];
        char name[256];
        double *v = NULL;
        golden_name("weights", p->name, name, sizeof name);
        trained += p->transform != ANPE_BUFFER;
        status = check_shape(ctx, g, name, p);
        if (!status)
            status = golden_read(ctx, g, name, p->size, &v);
        for (int64_t j = 0; j < p->size && !status; j++) /* a mask may hide it from all results */
            if (!isfinite(v[j]))
                status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %s has the value %g",
                                   anpe_h5_path(g->file), name, v[j]);
        if (!status)
            status = fixture_set_parameter(ctx, f, p->name, p->size, v);
        free(v);
    }
    if (!status)
        status = check_number(ctx, g, "weights", g->n_weights, trained);
    if (!status)
        status = check_number(ctx, g, "grad", g->n_gradients, trained);
    if (!status)
        status = check_number(ctx, g, "permutation", g->n_permutations, g->num_blocks);
    return status;
}
