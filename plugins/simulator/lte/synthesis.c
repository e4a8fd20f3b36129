/* A spectrum: continuum at nodes, lines between them, transfer. */
#include <config.h>
#include "lte.h"
#include "../common/strongest.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 128 };
#define NODE 1e-3 /* distance of nodes in ln lambda */

void anpe_lte_points_set(anpe_lte_points *p, double first, double step, int64_t n)
{
    p->first = first;
    p->step = step;
    p->n = n;
    p->node_step = (int64_t)fmax(1, floor(NODE / step));
    p->n_nodes = (n - 1 + p->node_step - 1) / p->node_step + 1;
    p->n_nodes = p->n_nodes < 2 ? 2 : p->n_nodes;
}

anpe_lte_lines anpe_lte_lines_part(const anpe_lte_lines *l, int64_t first, int64_t n)
{
    return (anpe_lte_lines){.n = n,
                            .n_species = l->n_species,
                            .species = l->species,
                            .wavelength = l->wavelength + first,
                            .excitation = l->excitation + first,
                            .log_gf = l->log_gf + first,
                            .accuracy = l->accuracy + first,
                            .radiative = l->radiative + first,
                            .stark = l->stark + first,
                            .waals = l->waals + first,
                            .waals_power = l->waals_power + first,
                            .of = l->of + first};
}

static double node_wavelength(const anpe_lte_points *p, int64_t node)
{
    return exp(p->first + p->step * (double)(node * p->node_step));
}

/* ---- scratch ----------------------------------------------------------------------------- */

typedef struct work {
    anpe_lte_line_work line;
    anpe_lte_depth depth;
    float *absorption, *scattering, *planck, *mean; /* (nodes, layers) */
    double *continuum;                              /* (nodes) flux without lines */
    float *opacity;                                 /* (layers, stride) of lines */
    int64_t stride;
} work;

static size_t take(size_t *used, size_t size)
{
    const size_t at = *used;
    *used += (size + 63) / 64 * 64;
    return at;
}

static int64_t row(const anpe_lte_problem *p)
{
    return (p->points.n + 31) / 16 * 16;
}

/* Lays the arrays out in scratch, or only counts when it is NULL. */
static size_t lay_out(const anpe_lte_problem *p, char *scratch, work **out)
{
    size_t used = 0;
    const size_t layers = (size_t)p->n, nodes = (size_t)p->points.n_nodes * layers;
    const size_t species = (size_t)p->lines->n_species * layers * sizeof(float);
    const size_t head = take(&used, sizeof(work)), doppler = take(&used, species),
                 amount = take(&used, species);
    size_t tables[4];
    for (int i = 0; i < 4; i++)
        tables[i] = take(&used, nodes * sizeof(float));
    const size_t continuum = take(&used, (size_t)p->points.n_nodes * sizeof(double));
    const size_t opacity = take(&used, (size_t)row(p) * layers * sizeof(float));
    if (!scratch)
        return used;
    work *w = (work *)(void *)(scratch + head);
    w->line.inverse_doppler = (float *)(void *)(scratch + doppler);
    w->line.amount = (float *)(void *)(scratch + amount);
    w->absorption = (float *)(void *)(scratch + tables[0]);
    w->scattering = (float *)(void *)(scratch + tables[1]);
    w->planck = (float *)(void *)(scratch + tables[2]);
    w->mean = (float *)(void *)(scratch + tables[3]);
    w->continuum = (double *)(void *)(scratch + continuum);
    w->opacity = (float *)(void *)(scratch + opacity);
    w->stride = row(p);
    w->line.continuum = w->absorption;
    w->line.opacity = w->opacity;
    w->line.stride = w->stride;
    *out = w;
    return used;
}

/* Behind the arrays of all spectra: the bounds of the lines. */
size_t anpe_lte_synthesis_scratch(int rows, const anpe_lte_problem *p)
{
    const size_t bounds = anpe_lte_bounds_floats(&p->points, p->lines->n_species);
    size_t used = (size_t)rows * lay_out(p, NULL, NULL);
    take(&used, bounds * sizeof(float));
    return used;
}

/* ---- continuum at the nodes -------------------------------------------------------------- */

static void source_at(float absorption, float scattering, float planck, float mean, float *opacity,
                      float *source)
{
    *opacity = absorption + scattering;
    *source = (absorption * planck + scattering * mean) / *opacity;
}

static double out_flux(const anpe_lte_problem *p, const work *w, int64_t m, int64_t stride,
                       const float *opacity, const float *source, double *flux)
{
    if (p->mu > 0)
        anpe_lte_intensity(&w->depth, p->mu, m, stride, opacity, source, flux);
    else
        anpe_lte_flux(&w->depth, m, stride, opacity, source, flux);
    return flux[0];
}

static void continuum_node(const anpe_lte_problem *p, work *w, int64_t node)
{
    const double wavelength = node_wavelength(&p->points, node);
    float opacity[ANPE_LTE_LAYERS], source[ANPE_LTE_LAYERS];
    double tau[ANPE_LTE_LAYERS], planck[ANPE_LTE_LAYERS], albedo[ANPE_LTE_LAYERS],
        mean[ANPE_LTE_LAYERS];
    for (int j = 0; j < p->n; j++) {
        double absorption, scattering;
        anpe_lte_continuum(&p->state[j], wavelength, &absorption, &scattering);
        opacity[j] = (float)(absorption + scattering);
        albedo[j] = scattering / (absorption + scattering);
        planck[j] = anpe_lte_planck(wavelength, p->state[j].t);
        w->absorption[node * p->n + j] = (float)absorption;
        w->scattering[node * p->n + j] = (float)scattering;
        w->planck[node * p->n + j] = (float)planck[j];
    }
    anpe_lte_optical_depth(&w->depth, opacity, tau);
    anpe_lte_mean_intensity(p->n, tau, planck, albedo, mean);
    for (int j = 0; j < p->n; j++) {
        w->mean[node * p->n + j] = (float)mean[j];
        source[j] = (float)((1 - albedo[j]) * planck[j] + albedo[j] * mean[j]);
    }
    out_flux(p, w, 1, 1, opacity, source, &w->continuum[node]);
}

/* ---- all --------------------------------------------------------------------------------- */

/* Opacity and source function of points first .. first + m: lines and, between the nodes, the
 * continuum. */
CLONES
static void gather(const anpe_lte_problem *p, const work *w, int64_t first, int64_t m,
                   float (*opacity)[CHUNK], float (*source)[CHUNK])
{
    const int64_t nodes = p->points.n_nodes, step = p->points.node_step;
    for (int64_t k = 0; k < m;) {
        const int64_t node = (first + k) / step < nodes - 1 ? (first + k) / step : nodes - 2;
        const int64_t end = node == nodes - 2               ? m
                            : (node + 1) * step - first < m ? (node + 1) * step - first
                                                            : m;
        for (int j = 0; j < p->n; j++) {
            const int64_t at = node * p->n + j, next = at + p->n;
            const float a = w->absorption[at], rise_a = w->absorption[next] - a;
            const float s = w->scattering[at], rise_s = w->scattering[next] - s;
            const float b = w->planck[at], rise_b = w->planck[next] - b;
            const float i = w->mean[at], rise_i = w->mean[next] - i;
            const float *lines = w->opacity + j * w->stride + first;
            const float start = (float)(first - node * step);
            for (int l = (int)k; l < (int)end; l++) {
                const float x = (start + (float)l) / (float)step;
                source_at(a + x * rise_a + lines[l], s + x * rise_s, b + x * rise_b, i + x * rise_i,
                          &opacity[j][l], &source[j][l]);
            }
        }
        k = end;
    }
}

static void finish(const anpe_lte_problem *p, const work *w, float *flux, float *continuum)
{
    float opacity[ANPE_LTE_LAYERS][CHUNK], source[ANPE_LTE_LAYERS][CHUNK];
    double out[CHUNK];
    const int64_t step = p->points.node_step;
    for (int64_t first = 0; first < p->points.n; first += CHUNK) {
        const int64_t m = p->points.n - first < CHUNK ? p->points.n - first : CHUNK;
        gather(p, w, first, m, opacity, source);
        out_flux(p, w, m, CHUNK, opacity[0], source[0], out);
        for (int64_t k = 0; k < m; k++) {
            int64_t node = (first + k) / step;
            node = node < p->points.n_nodes - 1 ? node : p->points.n_nodes - 2;
            const double x = (double)(first + k - node * step) / (double)step;
            const double smooth =
                w->continuum[node] + x * (w->continuum[node + 1] - w->continuum[node]);
            flux[first + k] = (float)(out[k] / smooth);
            if (continuum)
                continuum[first + k] = (float)smooth;
        }
    }
}

/* The continuum at the nodes, and what lines need of the layers. */
static work *begin(const anpe_lte_problem *p, void *scratch)
{
    work *w;
    lay_out(p, scratch, &w);
    anpe_lte_depth_set(&w->depth, p->n, p->depth, p->reference);
    for (int64_t node = 0; node < p->points.n_nodes; node++)
        continuum_node(p, w, node);
    anpe_lte_line_work_set(p->lines, p->n, p->state, p->vmicro, p->c12_c13, &w->line);
    w->line.log_gf = p->log_gf;
    w->line.log_waals = p->log_waals;
    return w;
}

static void add_lines(int rows, const anpe_lte_problem *p, work *const *w, float *room)
{
    anpe_lte_bounds bounds;
    const anpe_lte_line_work *line[ANPE_LTE_ROWS] = {0};
    for (int r = 0; r < rows; r++)
        line[r] = &w[r]->line;
    anpe_lte_bounds_set(&p->points, p->cut, rows, line, p->lines->n_species, room, &bounds);
    anpe_lte_line_opacity(p->lines, p->voigt, &p->points, p->cut, &bounds, rows, line);
}

void anpe_lte_synthesise(int rows, const anpe_lte_problem *p, void *scratch, float *flux,
                         float *continuum)
{
    work *w[ANPE_LTE_ROWS];
    char *at = scratch;
    for (int r = 0; r < rows; r++, at += lay_out(p, NULL, NULL)) {
        w[r] = begin(&p[r], at);
        memset(w[r]->opacity, 0, (size_t)w[r]->stride * (size_t)p->n * sizeof *w[r]->opacity);
    }
    add_lines(rows, p, w, (float *)(void *)at);
    for (int r = 0; r < rows; r++) {
        if (p->hydrogen)
            anpe_lte_hydrogen_opacity(p->hydrogen, p->n, p[r].state, p->vmicro, &p->points, p->cut,
                                      w[r]->absorption, w[r]->stride, w[r]->opacity);
        finish(&p[r], w[r], flux + r * p->points.n, continuum ? continuum + r * p->points.n : NULL);
    }
}

/* ---- one line ---------------------------------------------------------------------------- */

static float between(const float *node, int layers, double x)
{
    return node[0] + (float)x * (node[layers] - node[0]);
}

/* The line as a list of its own, on a grid of one point, its centre. */
static double depth_of(const anpe_lte_problem *p, work *w, int64_t i)
{
    const anpe_lte_lines *l = p->lines, one = anpe_lte_lines_part(l, i, 1);
    const anpe_lte_points centre = {log(l->wavelength[i]), p->points.step, 1, 1, 2};
    const int64_t nodes = p->points.n_nodes;
    const double at =
        (centre.first - p->points.first) / (p->points.step * (double)p->points.node_step);
    const int64_t node = at < 0 ? 0 : at < (double)(nodes - 1) ? (int64_t)at : nodes - 2;
    const double x = fmin(fmax(at - (double)node, 0), 1);
    float absorption[2 * ANPE_LTE_LAYERS], line[ANPE_LTE_LAYERS] = {0}, opacity[ANPE_LTE_LAYERS],
                                           source[ANPE_LTE_LAYERS];
    double bare, flux;
    for (int j = 0; j < p->n; j++)
        absorption[j] = absorption[p->n + j] = between(w->absorption + node * p->n + j, p->n, x);
    anpe_lte_line_work alone = w->line;
    alone.continuum = absorption;
    alone.opacity = line;
    alone.stride = 1;
    const anpe_lte_line_work *lines[1] = {&alone};
    if (!anpe_lte_line_opacity(&one, p->voigt, &centre, p->cut, NULL, 1, lines))
        return 0;
    for (int with = 0; with < 2; with++) {
        for (int j = 0; j < p->n; j++) {
            const int64_t k = node * p->n + j;
            source_at(absorption[j] + (with ? line[j] : 0), between(w->scattering + k, p->n, x),
                      between(w->planck + k, p->n, x), between(w->mean + k, p->n, x), &opacity[j],
                      &source[j]);
        }
        out_flux(p, w, 1, 1, opacity, source, with ? &flux : &bare);
    }
    return 1 - flux / bare;
}

void anpe_lte_identify(const anpe_lte_problem *p, void *scratch, double low, double high,
                       int64_t room, anpe_simulator_line *line, int64_t *n)
{
    const anpe_lte_lines *l = p->lines;
    work *w = begin(p, scratch);
    for (int64_t i = 0; i < l->n; i++) {
        if (l->wavelength[i] < low || l->wavelength[i] > high)
            continue;
        anpe_simulator_line one = {.wavelength = l->wavelength[i],
                                   .excitation = (double)l->excitation[i],
                                   .log_gf = (double)l->log_gf[i],
                                   .depth = depth_of(p, w, i)};
        memcpy(one.species, l->species[l->of[i]].name, sizeof one.species);
        anpe_simulator_line_keep(&one, room, line, n);
    }
}
