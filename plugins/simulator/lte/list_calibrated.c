/* The line lists that `anpe calibrate` writes: "# anpe lines N", comments from #, a line with the
 * names of the columns, then a line of numbers for each spectral line, in vacuum and with all its
 * widths, so that what is read is what was calibrated. */
#include "lte.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAVELENGTH, EXCITATION, LOG_GF, ACCURACY, RADIATIVE, STARK, WAALS, POWER, COLUMNS };

/* "Fe I", "56Fe I", "12C16O", "C2": atoms with their masses and the charge; 0: it is none. */
static int parse_species(const char *name, int z[5], int mass[5], int *charge)
{
    static const char *const stages[] = {"I", "II", "III"};
    int n = 0;
    *charge = 0;
    while (*name && *name != ' ') {
        char *rest;
        const long number = strtol(name, &rest, 10);
        const size_t size = islower((unsigned char)rest[0] ? (unsigned char)rest[1] : 0) ? 2 : 1;
        if (n == 5 || anpe_lte_formula(rest, size, z + n) != 1)
            return 0;
        mass[n++] = (int)number;
        name = rest + size;
    }
    if (n > 1) /* a molecule */
        return *name == 0;
    for (int i = 0; i < 3; i++)
        if (n == 1 && *name == ' ' && strcmp(name + 1, stages[i]) == 0) {
            *charge = i;
            return 1;
        }
    return 0;
}

static anpe_status read_line(anpe_ctx *ctx, const anpe_lte_text *text,
                             const anpe_lte_list_options *o, anpe_lte_lines *l)
{
    double v[COLUMNS];
    int z[9] = {0}, mass[5] = {0}, charge;
    const char *comma = strchr(text->line, ','), *at = comma ? comma + 1 : "";
    char name[24] = "";
    if (comma && comma - text->line < (ptrdiff_t)sizeof name)
        memcpy(name, text->line, (size_t)(comma - text->line));
    if (!parse_species(name, z, mass, &charge) ||
        anpe_lte_text_numbers(&at, COLUMNS, v) != COLUMNS || !(v[WAVELENGTH] > 0) ||
        v[RADIATIVE] < 0 || v[STARK] < 0 || v[WAALS] < 0)
        return ANPE_LTE_BAD(ctx, text, "a species and %d numbers expected: %.40s", COLUMNS,
                            text->line);
    const anpe_lte_line line = {.wavelength = v[WAVELENGTH],
                                .excitation = v[EXCITATION],
                                .log_gf = v[LOG_GF],
                                .accuracy = v[ACCURACY],
                                .radiative = v[RADIATIVE],
                                .stark = v[STARK],
                                .waals = v[WAALS] > 0 ? log10(v[WAALS]) : 0,
                                .power = v[POWER]};
    return anpe_lte_line_add(ctx, o, anpe_lte_species_add(ctx, l, z, mass, charge), &line, l);
}

anpe_status anpe_lte_read_calibrated(anpe_ctx *ctx, anpe_lte_text *text,
                                     const anpe_lte_list_options *o, anpe_lte_lines *l)
{
    static const char columns[] =
        "species,wavelength,excitation,log_gf,accuracy,radiative,stark,waals,waals_power";
    long long expected = 0, found = 0;
    int titles = 0;
    anpe_status status = ANPE_OK;
    if (sscanf(text->line, "# anpe lines %lld", &expected) != 1 || expected < 0)
        return ANPE_LTE_BAD(ctx, text, "'# anpe lines' and their number expected: %.40s",
                            text->line);
    do {
        if (text->line[0] == '#' || text->line[0] == 0)
            continue;
        if (titles) {
            status = read_line(ctx, text, o, l);
            found++;
        } else if (strncmp(text->line, columns, sizeof columns - 1) == 0)
            titles = 1;
        else
            status = ANPE_LTE_BAD(ctx, text, "the columns %s expected", columns);
    } while (!status && anpe_lte_text_next(text));
    if (!status && found != expected)
        status = ANPE_LTE_BAD(ctx, text, "the file has %lld lines, %lld are missing", found,
                              expected - found);
    return status;
}
