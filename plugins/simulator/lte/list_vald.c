/* Line lists of VALD (Ryabchikova et al. 2015, Phys. Scr. 90, 054005), short and long, "extract
 * all" and "extract stellar".
 *
 * What a column holds is read from the line of titles, so that all variants are one reader. In the
 * long form each line is followed by lines in quotes with terms and references, which are passed
 * over. */
#include "lte.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CM_EV 1.239841984e-4 /* eV per cm-1 */

typedef enum column {
    SKIP,
    WAVELENGTH,
    LOG_GF,
    EXCITATION,
    RADIATIVE,
    STARK,
    WAALS,
    N_KINDS
} column;

static const struct {
    const char *title;
    column kind;
} titles[] = {{"WL_", WAVELENGTH},   {"log gf", LOG_GF},      {"E_low", EXCITATION},
              {"Excit", EXCITATION}, {"Exc. lo", EXCITATION}, {"Vmic", SKIP},
              {"J lo", SKIP},        {"E_up", SKIP},          {"J up", SKIP},
              {"lower", SKIP},       {"upper", SKIP},         {"mean", SKIP},
              {"Rad.", RADIATIVE},   {"Stark", STARK},        {"Waals", WAALS},
              {"factor", SKIP},      {"depth", SKIP}};

typedef struct layout {
    int n, at[N_KINDS]; /* number of columns; place of each kind, -1 */
    int vacuum;
    double wavelength_unit, energy_unit; /* to Angstrom, to eV */
} layout;

/* Columns in the order of their titles; 0 unless all that is needed is there. */
static int read_titles(const char *line, layout *l)
{
    const char *place[sizeof titles / sizeof titles[0]];
    *l = (layout){.wavelength_unit = 1, .energy_unit = 1};
    for (int k = 0; k < N_KINDS; k++)
        l->at[k] = -1;
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        place[i] = strstr(line, titles[i].title);
    for (;;) {
        int next = -1;
        for (int i = 0; i < (int)(sizeof titles / sizeof titles[0]); i++)
            if (place[i] && (next < 0 || place[i] < place[next]))
                next = i;
        if (next < 0)
            break;
        if (titles[next].kind != SKIP)
            l->at[titles[next].kind] = l->n;
        l->n++;
        place[next] = NULL;
    }
    l->vacuum = strstr(line, "WL_vac") != NULL;
    l->wavelength_unit = strstr(line, "(nm)") ? 10 : 1;
    l->energy_unit = strstr(line, "cm") ? CM_EV : 1;
    for (int k = WAVELENGTH; k < N_KINDS; k++)
        if (l->at[k] < 0)
            return 0;
    return 1;
}

/* 'Fe 2' */
static int species_of(anpe_ctx *ctx, const anpe_lte_text *text, anpe_lte_lines *lines,
                      const char **after)
{
    const int mass[5] = {0};
    int z[5], stage = 0, end = 0;
    char formula[16];
    if (sscanf(text->line, " '%15[A-Za-z0-9] %d'%n", formula, &stage, &end) != 2 || end == 0 ||
        stage < 1 || !anpe_lte_formula(formula, strlen(formula), z)) {
        (void)ANPE_LTE_BAD(ctx, text, "a species such as 'Fe 2' expected: %.20s", text->line);
        return -1;
    }
    *after = text->line + end;
    int sorted[5] = {0};
    for (int i = 0; i < 5 && z[i]; i++) { /* ascending */
        int k = i;
        for (; k > 0 && sorted[k - 1] > z[i]; k--)
            sorted[k] = sorted[k - 1];
        sorted[k] = z[i];
    }
    return anpe_lte_species_add(ctx, lines, sorted, mass, stage - 1);
}

static anpe_status read_line(anpe_ctx *ctx, const anpe_lte_text *text, const layout *l,
                             const anpe_lte_list_options *o, anpe_lte_lines *lines)
{
    double v[24];
    const char *at;
    const int species = species_of(ctx, text, lines, &at);
    if (species < 0)
        return ANPE_EFORMAT;
    /* depth and what follows may be missing */
    const int found = anpe_lte_text_numbers(&at, 24, v);
    for (int k = WAVELENGTH; k < N_KINDS; k++)
        if (l->at[k] >= found || !isfinite(v[l->at[k]]))
            return ANPE_LTE_BAD(ctx, text, "%d numbers expected after the species, %d found", l->n,
                                found);
    const double wavelength = v[l->at[WAVELENGTH]] * l->wavelength_unit;
    if (!(wavelength > 0))
        return ANPE_LTE_BAD(ctx, text, "wavelength %g", wavelength);
    anpe_lte_line line = {.excitation = v[l->at[EXCITATION]] * l->energy_unit,
                          .log_gf = v[l->at[LOG_GF]]};
    line.wavelength = l->vacuum || wavelength < 2000 ? wavelength : anpe_air_to_vacuum(wavelength);
    line.radiative = v[l->at[RADIATIVE]] == 0 ? 0 : pow(10, v[l->at[RADIATIVE]]);
    line.stark = v[l->at[STARK]] == 0 ? 0 : pow(10, v[l->at[STARK]]);
    line.waals = v[l->at[WAALS]];
    return anpe_lte_line_add(ctx, o, species, &line, lines);
}

/* A data line: a quoted species and then a number. */
static int is_data(const char *line)
{
    int end = 0;
    char word[3];
    return line[strspn(line, " ")] == '\'' &&
           sscanf(line, " '%*[A-Za-z0-9] %*d' , %n%2[-+.0-9]", &end, word) == 1;
}

anpe_status anpe_lte_read_vald(anpe_ctx *ctx, anpe_lte_text *text, const anpe_lte_list_options *o,
                               anpe_lte_lines *lines)
{
    layout l = {0};
    int64_t n = 0;
    int scaled = -1;
    do {
        if (!l.n && strstr(text->line, "WL_")) {
            if (!read_titles(text->line, &l))
                return ANPE_LTE_BAD(
                    ctx, text, "titles of wavelength, log gf, E_low, Rad., Stark, Waals expected");
        } else if (l.n && is_data(text->line)) {
            const anpe_status status = read_line(ctx, text, &l, o, lines);
            if (status)
                return status;
            n++;
        } else if (strstr(text->line, "oscillator strengths were"))
            scaled = strstr(text->line, "NOT") == NULL;
        if (strstr(text->line, "References:"))
            break;
    } while (anpe_lte_text_next(text));
    if (n == 0)
        return ANPE_LTE_BAD(ctx, text, "the file ends without a line of VALD");
    if (scaled == 0)
        anpe_log(ctx, ANPE_WARNING,
                 "lte: %s: log gf is not scaled by the isotopes' fractions, which VALD does not "
                 "name: its isotopic "
                 "lines come out too strong",
                 text->path);
    return ANPE_OK;
}
