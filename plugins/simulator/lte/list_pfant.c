/* Line lists of PFANT (Barbuy et al. 2018) for atoms, two lines of text each:
 *
 *     MN2  14900.021
 *     12.8741 -4.82 3.198895e-32 0 0 0.1 1 0
 *
 * element in columns 1 and 2, stage (1: neutral), wavelength; excitation, log gf, C6 of van der
 * Waals, radiative and Stark widths (0: none), and numbers that are not read. C6 stands for the
 * width at 10^4 K as log C6 = 2.5 log gamma - 12.32, by which these lists are made of VALD's. */
#include "lte.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NO_C6 3e-32 /* what PFANT writes where it knows none */

/* Atomic number of a symbol in capitals; 0: none. */
static int element(const char *symbol)
{
    for (int z = 1; z <= ANPE_LTE_ELEMENTS; z++) {
        const char *known = anpe_lte_elements[z - 1].symbol;
        size_t i = 0;
        while (known[i] && toupper((unsigned char)known[i]) == symbol[i])
            i++;
        if (!known[i] && !symbol[i])
            return z;
    }
    return 0;
}

/* Species index and wavelength of the first of a line's two lines of text; -1: it is none. */
static int head(anpe_ctx *ctx, const anpe_lte_text *text, anpe_lte_lines *l, double *wavelength)
{
    const int mass[5] = {0};
    char symbol[3] = "";
    int z[5] = {0}, stage = 0;
    if (strlen(text->line) > 4) {
        sscanf(text->line, "%2[A-Z ]", symbol);
        char *first = symbol + strspn(symbol, " ");
        first[strcspn(first, " ")] = 0;
        z[0] = element(first);
        stage = text->line[2] - '0';
    }
    const char *at = text->line + (z[0] ? 3 : 0);
    if (z[0] == 0 || stage < 1 || stage > 9 || anpe_lte_text_numbers(&at, 1, wavelength) != 1 ||
        !(*wavelength > 0)) {
        (void)ANPE_LTE_BAD(ctx, text, "a line such as 'FE1  15207.530' expected: %.40s",
                           text->line);
        return -1;
    }
    return anpe_lte_species_add(ctx, l, z, mass, stage - 1);
}

anpe_status anpe_lte_read_pfant(anpe_ctx *ctx, anpe_lte_text *text, const anpe_lte_list_options *o,
                                anpe_lte_lines *l)
{
    anpe_status status = ANPE_OK;
    do {
        double wavelength, v[5];
        if (text->line[strspn(text->line, " \t")] == 0)
            continue;
        const int species = head(ctx, text, l, &wavelength);
        if (species < 0)
            return ANPE_EFORMAT;
        if (!anpe_lte_text_next(text))
            return ANPE_LTE_BAD(ctx, text, "the file ends within a line at %g Angstrom",
                                wavelength);
        const char *at = text->line;
        if (anpe_lte_text_numbers(&at, 5, v) != 5 || !(v[2] > 0))
            return ANPE_LTE_BAD(ctx, text, "excitation, log gf, C6, two widths expected: %.40s",
                                text->line);
        const anpe_lte_line line = {
            .wavelength =
                o->vacuum || wavelength < 2000 ? wavelength : anpe_air_to_vacuum(wavelength),
            .excitation = v[0],
            .log_gf = v[1],
            .radiative = v[3],
            .stark = v[4],
            .waals = fabs(v[2] / NO_C6 - 1) < 1e-6 ? 0 : (log10(v[2]) + 12.32) / 2.5};
        status = anpe_lte_line_add(ctx, o, species, &line, l);
    } while (!status && anpe_lte_text_next(text));
    return status;
}
