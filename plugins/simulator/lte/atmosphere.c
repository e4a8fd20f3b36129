/* Readers of model atmospheres: ATLAS decks (Kurucz 1970, 1993; Castelli & Kurucz 2003), MARCS .mod
 * (Gustafsson et al. 2008), and a grid in one HDF5 file. */
#include "lte.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static anpe_status append(anpe_ctx *ctx, anpe_lte_models *models, anpe_lte_atmosphere **out)
{
    if (ANPE_GROW(ctx, models->model, models->room, models->n + 1))
        return ANPE_ENOMEM;
    *out = &models->model[models->n++];
    **out = (anpe_lte_atmosphere){.teff = NAN, .logg = NAN, .m_h = NAN, .vmicro = NAN};
    for (int i = 0; i < ANPE_LTE_ELEMENTS; i++)
        (*out)->abundance[i] = -99;
    return ANPE_OK;
}

void anpe_lte_models_free(anpe_lte_models *models)
{
    free(models->model);
    *models = (anpe_lte_models){0};
}

/* Positive, finite and, for the column mass, ascending: what every reader's layers must be. */
static anpe_status check_layers(anpe_ctx *ctx, const char *path, const anpe_lte_atmosphere *a)
{
    for (int i = 0; i < a->n; i++) {
        const double v[4] = {a->rhox[i], a->t[i], a->p[i], a->ne[i]};
        static const char *const names[4] = {"column mass", "temperature", "gas pressure",
                                             "electron density"};
        for (int k = 0; k < 4; k++)
            if (!(v[k] > 0) || !isfinite(v[k]))
                return ANPE_FAIL(ctx, ANPE_EFORMAT,
                                 "%s: layer %d of the model %g K, log g %g: %s %g", path, i + 1,
                                 a->teff, a->logg, names[k], v[k]);
        if (i > 0 && (!(v[0] > a->rhox[i - 1]) || !(a->tau[i] > a->tau[i - 1])))
            return ANPE_FAIL(ctx, ANPE_EFORMAT,
                             "%s: layer %d of the model %g K, log g %g: the column mass or the "
                             "optical depth does "
                             "not grow inwards",
                             path, i + 1, a->teff, a->logg);
    }
    return ANPE_OK;
}

/* ---- ATLAS ------------------------------------------------------------------------------- */

/* " ABUNDANCE CHANGE  3 -10.94  4 -10.64": pairs; H and He as fractions, others log10 N/Ntot. */
static void read_changes(const char *at, double scale, anpe_lte_atmosphere *a)
{
    double pair[2];
    while (anpe_lte_text_numbers(&at, 2, pair) == 2) {
        const int z = (int)pair[0];
        if (z == 1 || z == 2)
            a->abundance[z - 1] = log10(pair[1]);
        else if (z > 2 && z <= ANPE_LTE_ELEMENTS)
            a->abundance[z - 1] = pair[1] > -19 ? pair[1] + log10(scale) : -99;
    }
}

/* log tau_Ross = log of the integral of ABROSS over RHOX, in steps that are exact for power laws'
 * logs to second order: trapezoids in ln RHOX. */
static void rosseland(anpe_lte_atmosphere *a, const double *abross)
{
    double tau = abross[0] * a->rhox[0];
    for (int i = 0; i < a->n; i++) {
        if (i > 0)
            tau += 0.5 * (abross[i] * a->rhox[i] + abross[i - 1] * a->rhox[i - 1]) *
                   log(a->rhox[i] / a->rhox[i - 1]);
        a->tau[i] = log10(tau);
    }
}

static anpe_status read_deck(anpe_ctx *ctx, anpe_lte_text *text, anpe_lte_atmosphere *a)
{
    double abross[ANPE_LTE_LAYERS], n;
    const char *at = strstr(text->line, "DECK6") + 5;
    if (anpe_lte_text_numbers(&at, 1, &n) != 1 || n < 3 || n > ANPE_LTE_LAYERS)
        return ANPE_LTE_BAD(ctx, text, "READ DECK6 with the number of layers, 3 to %d, expected",
                            ANPE_LTE_LAYERS);
    a->n = (int)n;
    for (int i = 0; i < a->n; i++) {
        double v[7];
        if (!anpe_lte_text_next(text))
            return ANPE_LTE_BAD(ctx, text, "the deck ends after %d of %d layers", i, a->n);
        at = text->line;
        const int found = anpe_lte_text_numbers(&at, 7, v);
        if (found < 5)
            return ANPE_LTE_BAD(ctx, text, "RHOX, T, P, XNE, ABROSS expected in layer %d of %d",
                                i + 1, a->n);
        a->rhox[i] = v[0], a->t[i] = v[1], a->p[i] = v[2], a->ne[i] = v[3], abross[i] = v[4];
        if (found == 7 && i == 0)
            a->vmicro = v[6] * 1e-5;
    }
    rosseland(a, abross);
    for (int z = 2; z < ANPE_LTE_ELEMENTS; z++) /* from N/Ntot to N(H) = 12 */
        a->abundance[z] += a->abundance[z] > -90 ? 12 - a->abundance[0] : 0;
    a->abundance[1] += 12 - a->abundance[0];
    a->abundance[0] = 12;
    return check_layers(ctx, text->path, a);
}

static anpe_status read_atlas(anpe_ctx *ctx, anpe_lte_text *text, anpe_lte_models *models)
{
    anpe_lte_atmosphere *a = NULL;
    double scale = 1;
    do {
        const char *line = text->line, *at = line + strspn(line, " "), *found;
        if (strncmp(at, "TEFF", 4) == 0) {
            const anpe_status status = append(ctx, models, &a);
            if (status)
                return status;
            const char *gravity = strstr(at, "GRAVITY");
            at += 4;
            if (!gravity || anpe_lte_text_numbers(&at, 1, &a->teff) != 1 ||
                (gravity += 7, anpe_lte_text_numbers(&gravity, 1, &a->logg) != 1))
                return ANPE_LTE_BAD(ctx, text, "TEFF and GRAVITY with numbers expected");
            scale = 1;
        } else if (a && (found = strstr(line, "ABUNDANCE SCALE"))) {
            found += strlen("ABUNDANCE SCALE");
            if (anpe_lte_text_numbers(&found, 1, &scale) != 1 || !(scale > 0))
                return ANPE_LTE_BAD(ctx, text, "ABUNDANCE SCALE with a positive number expected");
            a->m_h = log10(scale);
        }
        if (a && (found = strstr(text->line, "ABUNDANCE CHANGE")))
            read_changes(found + strlen("ABUNDANCE CHANGE"), scale, a);
        if (strstr(text->line, "READ DECK6")) {
            if (!a || a->n)
                return ANPE_LTE_BAD(ctx, text, "READ DECK6 without TEFF and GRAVITY before it");
            const anpe_status status = read_deck(ctx, text, a);
            if (status)
                return status;
        }
    } while (anpe_lte_text_next(text));
    if (!a || !a->n)
        return ANPE_LTE_BAD(ctx, text, "the file ends without READ DECK6");
    return ANPE_OK;
}

/* ---- MARCS ------------------------------------------------------------------------------- */

static anpe_status marcs_abundances(anpe_ctx *ctx, anpe_lte_text *text, anpe_lte_atmosphere *a)
{
    for (int n = 0; n < ANPE_LTE_ELEMENTS;) {
        if (!anpe_lte_text_next(text))
            return ANPE_LTE_BAD(ctx, text, "the file ends after %d of %d abundances", n,
                                ANPE_LTE_ELEMENTS);
        const char *at = text->line;
        const int found = anpe_lte_text_numbers(&at, ANPE_LTE_ELEMENTS - n, a->abundance + n);
        if (found == 0)
            return ANPE_LTE_BAD(ctx, text, "%d abundances expected, %d found", ANPE_LTE_ELEMENTS,
                                n);
        n += found;
    }
    return ANPE_OK;
}

/* One of the two tables of the structure: rows of `columns` numbers, the first of which is the
 * layer's. */
static anpe_status marcs_table(anpe_ctx *ctx, anpe_lte_text *text, int n, int columns,
                               double (*rows)[10])
{
    for (int i = 0; i < n; i++) {
        if (!anpe_lte_text_next(text))
            return ANPE_LTE_BAD(ctx, text, "the file ends after %d of %d layers", i, n);
        const char *at = text->line;
        if (anpe_lte_text_numbers(&at, columns, rows[i]) != columns || (int)rows[i][0] != i + 1)
            return ANPE_LTE_BAD(ctx, text, "layer %d with %d columns expected", i + 1, columns);
    }
    return ANPE_OK;
}

/* The next line that holds `word`; its first number goes to *value unless that is NULL. */
static anpe_status marcs_find(anpe_ctx *ctx, anpe_lte_text *text, const char *word, double *value)
{
    while (anpe_lte_text_next(text))
        if (strstr(text->line, word)) {
            const char *at = text->line;
            if (value && anpe_lte_text_numbers(&at, 1, value) != 1)
                return ANPE_LTE_BAD(ctx, text, "a number before '%s' expected", word);
            return ANPE_OK;
        }
    return ANPE_LTE_BAD(ctx, text, "the file ends without a line '%s'", word);
}

static anpe_status read_marcs(anpe_ctx *ctx, anpe_lte_text *text, anpe_lte_models *models)
{
    static const char layers[] = "Number of depth points";
    double rows[ANPE_LTE_LAYERS][10], gravity, n;
    anpe_lte_atmosphere *a;
    anpe_status status = append(ctx, models, &a);
    if (status || (status = marcs_find(ctx, text, "Teff", &a->teff)) ||
        (status = marcs_find(ctx, text, "urface gravity", &gravity)) ||
        (status = marcs_find(ctx, text, "icroturbulence", &a->vmicro)) ||
        (status = marcs_find(ctx, text, "Logarithmic chemical number abundances", NULL)) ||
        (status = marcs_abundances(ctx, text, a)) || (status = marcs_find(ctx, text, layers, &n)))
        return status;
    if (!(gravity > 0) || !(n >= 3 && n <= ANPE_LTE_LAYERS))
        return ANPE_LTE_BAD(ctx, text, "surface gravity %g, %g layers", gravity, n);
    a->logg = log10(gravity);
    a->m_h = a->abundance[25] - 7.45; /* the scale of MARCS: Grevesse, Asplund & Sauval 2007 */
    a->n = (int)n;
    if ((status = marcs_find(ctx, text, "lgTauR  lgTau5", NULL)) ||
        (status = marcs_table(ctx, text, a->n, 9, rows)))
        return status;
    for (int i = 0; i < a->n; i++) {
        a->tau[i] = rows[i][1], a->t[i] = rows[i][4], a->p[i] = rows[i][6];
        a->ne[i] = rows[i][5] / (ANPE_LTE_BOLTZMANN * rows[i][4]);
    }
    if ((status = marcs_find(ctx, text, "RHOX", NULL)) ||
        (status = marcs_table(ctx, text, a->n, 8, rows)))
        return status;
    for (int i = 0; i < a->n; i++)
        a->rhox[i] = rows[i][7];
    return check_layers(ctx, text->path, a);
}

/* ---- grid in HDF5 ------------------------------------------------------------------------ */

static anpe_status read_array(anpe_ctx *ctx, const char *path, const char *key, int rank,
                              double **v, int64_t shape[4])
{
    int found;
    const anpe_status status = anpe_array_read(ctx, path, key, v, &found, shape);
    if (status)
        return status;
    if (found != rank)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: dataset %s has %d dimensions, %d expected", path,
                         key, found, rank);
    return ANPE_OK;
}

static anpe_status take_grid(anpe_ctx *ctx, const char *path, int64_t n, int layers,
                             const double *node, const double *v, const double *abundance,
                             anpe_lte_models *models)
{
    for (int64_t i = 0; i < n; i++, v += (size_t)layers * 5) {
        anpe_lte_atmosphere *a;
        anpe_status status = append(ctx, models, &a);
        if (status)
            return status;
        a->n = layers;
        a->teff = node[4 * i], a->logg = node[4 * i + 1], a->m_h = node[4 * i + 2],
        a->vmicro = node[4 * i + 3];
        for (int k = 0; k < layers; k++) {
            const double *row = v + 5 * k;
            a->tau[k] = row[0], a->rhox[k] = row[1], a->t[k] = row[2], a->p[k] = row[3],
            a->ne[k] = row[4];
        }
        for (int z = 0; z < ANPE_LTE_ELEMENTS; z++)
            a->abundance[z] = z < 2 || abundance[z] < -90 ? abundance[z] : abundance[z] + a->m_h;
        if ((status = check_layers(ctx, path, a)))
            return status;
    }
    return ANPE_OK;
}

static anpe_status read_hdf5(anpe_ctx *ctx, const char *path, anpe_lte_models *models)
{
    double *node = NULL, *structure = NULL, *abundance = NULL;
    int64_t n[4], s[4], z[4];
    anpe_status status = read_array(ctx, path, "node", 2, &node, n);
    if (!status)
        status = read_array(ctx, path, "structure", 3, &structure, s);
    if (!status)
        status = read_array(ctx, path, "abundance", 1, &abundance, z);
    if (!status && (n[0] < 1 || n[0] != s[0] || n[1] != 4 || s[1] < 3 || s[1] > ANPE_LTE_LAYERS ||
                    s[2] != 5 || z[0] != ANPE_LTE_ELEMENTS))
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: node (N, 4), structure (N, layers, 5) and abundance (%d) expected",
                           path, ANPE_LTE_ELEMENTS);
    if (!status)
        status = take_grid(ctx, path, n[0], (int)s[1], node, structure, abundance, models);
    free(node);
    free(structure);
    free(abundance);
    return status;
}

static int ends_with(const char *path, const char *end)
{
    const size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

anpe_status anpe_lte_models_read(anpe_ctx *ctx, const char *path, anpe_lte_models *models)
{
    if (ends_with(path, ".h5") || ends_with(path, ".hdf5"))
        return read_hdf5(ctx, path, models);
    anpe_lte_text text;
    anpe_status status = anpe_lte_text_open(ctx, path, &text);
    if (status)
        return status;
    if (!anpe_lte_text_next(&text))
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: an empty file", path);
    else if (strncmp(text.line + strspn(text.line, " "), "TEFF", 4) == 0)
        status = read_atlas(ctx, &text, models);
    else
        status = read_marcs(ctx, &text, models);
    anpe_lte_text_close(&text);
    return status;
}
