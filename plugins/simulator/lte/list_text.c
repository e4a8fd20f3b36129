/* Line lists of Turbospectrum (Plez 2012), MOOG (Sneden 1973) and Kurucz (atoms: gfall; molecules).
 */
#include "lte.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CM_EV 1.239841984e-4 /* eV per cm-1 */

static double to_vacuum(const anpe_lte_list_options *o, double wavelength)
{
    return o->vacuum || wavelength < 2000 ? wavelength : anpe_air_to_vacuum(wavelength);
}

static int is_blank(const char *line)
{
    return line[strspn(line, " \t")] == 0;
}

/* Atomic numbers from the digits of a code: 26, 607, 10108; pairs from the right. Ascending, as
 * codes are. */
static int atoms_of(long code, int z[5])
{
    int n = 0, reversed[5] = {0};
    memset(z, 0, 5 * sizeof *z);
    for (; code > 0 && n < 5; code /= 100)
        reversed[n++] = (int)(code % 100);
    for (int i = 0; i < n; i++) {
        z[i] = reversed[n - 1 - i];
        if (z[i] < 1 || z[i] > ANPE_LTE_ELEMENTS)
            return 0;
    }
    return code > 0 ? 0 : n;
}

/* ---- Turbospectrum: '0607.012014 '  1  5591 / 'name' / lines ----------------------------- */

static int turbospectrum_species(anpe_ctx *ctx, const anpe_lte_text *text, anpe_lte_lines *l,
                                 double *count)
{
    char code[32], isotopes[24] = "";
    int z[5], mass[5] = {0}, end = 0;
    double v[2];
    if (sscanf(text->line, " '%31[^']'%n", code, &end) != 1 || end == 0) {
        (void)ANPE_LTE_BAD(ctx, text, "a species in quotes expected: %.40s", text->line);
        return -1;
    }
    const char *at = text->line + end;
    char *rest;
    const long digits = strtol(code, &rest, 10);
    const int n = atoms_of(digits, z);
    if (n == 0 || *rest != '.' || anpe_lte_text_numbers(&at, 2, v) != 2 ||
        !(v[0] >= 1 && v[0] <= 9) || !(v[1] >= 0)) {
        (void)ANPE_LTE_BAD(
            ctx, text, "a species such as '26.000', its stage and number of lines expected: %.40s",
            text->line);
        return -1;
    }
    sscanf(rest + 1, "%23[0-9]", isotopes);
    for (int i = 0; i < n && (int)strlen(isotopes) >= 3 * (i + 1); i++) {
        const char part[4] = {isotopes[3 * i], isotopes[3 * i + 1], isotopes[3 * i + 2], 0};
        mass[i] = atoi(part);
    }
    *count = v[1];
    return anpe_lte_species_add(ctx, l, z, mass, (int)v[0] - 1);
}

/* wavelength, E_low, log gf, fdamp, g_up, gamma_rad[, log gamma_Stark] 'letters' ... */
static anpe_status turbospectrum_line(anpe_ctx *ctx, const anpe_lte_text *text,
                                      const anpe_lte_list_options *o, int species,
                                      anpe_lte_lines *l)
{
    double v[8];
    const char *at = text->line;
    const int found = anpe_lte_text_numbers(&at, 8, v);
    if (found < 6 || !(v[0] > 0))
        return ANPE_LTE_BAD(ctx, text,
                            "wavelength, E_low, log gf, damping, g_up, gamma_rad expected: %.60s",
                            text->line);
    char low = 0, up = 0;
    sscanf(at, " '%c' '%c'", &low, &up);
    const anpe_lte_line line = {.wavelength = to_vacuum(o, v[0]),
                                .excitation = v[1],
                                .log_gf = v[2],
                                .orbital = {low, up},
                                .radiative = v[5],
                                .stark = found > 6 && v[6] < 0 ? pow(10, v[6]) : 0,
                                .waals = v[3]};
    return anpe_lte_line_add(ctx, o, species, &line, l);
}

anpe_status anpe_lte_read_turbospectrum(anpe_ctx *ctx, anpe_lte_text *text,
                                        const anpe_lte_list_options *o, anpe_lte_lines *l)
{
    int more = 1;
    while (more) {
        double count;
        const int species = turbospectrum_species(ctx, text, l, &count);
        if (species < 0)
            return ANPE_EFORMAT;
        if (!anpe_lte_text_next(text) || text->line[strspn(text->line, " ")] != '\'')
            return ANPE_LTE_BAD(ctx, text, "the species' name in quotes expected");
        more = 0;
        while (anpe_lte_text_next(text)) {
            const char first = text->line[strspn(text->line, " \t")];
            if (first == '\'') {
                more = 1;
                break;
            }
            if (first == 0)
                continue;
            const anpe_status status = turbospectrum_line(ctx, text, o, species, l);
            if (status)
                return status;
            count--;
        }
        if (count > 0 && !more)
            return ANPE_LTE_BAD(ctx, text, "the file ends %.0f lines before what its heading says",
                                count);
    }
    return ANPE_OK;
}

/* ---- MOOG: wavelength, species, E_low, log gf, in columns 41-50 damping ------------------ */

/* 26.1, 607.01214, 13.1027: ion, then masses in pairs (molecules) or three digits (atoms). */
static int moog_species(anpe_ctx *ctx, const anpe_lte_text *text, const char *code,
                        anpe_lte_lines *l)
{
    int z[5], mass[5] = {0};
    char *rest;
    const int n = atoms_of(strtol(code, &rest, 10), z);
    int charge = 0;
    if (n > 0 && *rest == '.') {
        char digits[16] = "";
        sscanf(rest + 1, "%15[0-9]", digits);
        charge = digits[0] ? digits[0] - '0' : 0;
        const int size = n > 1 ? 2 : 3, length = (int)strlen(digits) - 1;
        for (int i = 0; i < n && length >= size * (i + 1); i++) {
            char part[4] = "";
            memcpy(part, digits + 1 + size * i, (size_t)size);
            mass[i] = atoi(part);
        }
    }
    if (n == 0) {
        (void)ANPE_LTE_BAD(ctx, text, "a species such as 26.1 or 607.0 expected: %.20s", code);
        return -1;
    }
    return anpe_lte_species_add(ctx, l, z, mass, charge);
}

static double moog_damping(const char *line)
{
    char field[11] = "", *end;
    if (strlen(line) < 41)
        return 0;
    sscanf(line + 40, "%10[^\n]", field);
    const double v = strtod(field, &end);
    /* a logarithm of the rate at 10^4 K; other conventions of MOOG count from its own approximation
     */
    return end != field && v < 0 ? v : 0;
}

anpe_status anpe_lte_read_moog(anpe_ctx *ctx, anpe_lte_text *text, const anpe_lte_list_options *o,
                               anpe_lte_lines *l)
{
    int64_t number = 0;
    do {
        char code[24];
        double wavelength;
        int end = 0;
        if (is_blank(text->line))
            continue;
        const int found = sscanf(text->line, "%lf %23[0-9.]%n", &wavelength, code, &end);
        if (found != 2 && number++ == 0) /* a title */
            continue;
        double v[2];
        const char *at = text->line + end;
        if (found != 2 || anpe_lte_text_numbers(&at, 2, v) != 2)
            return ANPE_LTE_BAD(ctx, text, "wavelength, species, E_low, log gf expected: %.50s",
                                text->line);
        if (wavelength < 0) /* the sum of the hyperfine components that follow */
            continue;
        const anpe_lte_line line = {.wavelength = to_vacuum(o, wavelength),
                                    .excitation = v[0],
                                    .log_gf = v[1],
                                    .waals = moog_damping(text->line)};
        const anpe_status status =
            anpe_lte_line_add(ctx, o, moog_species(ctx, text, code, l), &line, l);
        if (status)
            return status;
        number++;
    } while (anpe_lte_text_next(text));
    return ANPE_OK;
}

/* ---- Kurucz: fixed columns --------------------------------------------------------------- */

/* The number in columns first .. first + width of the line, from 0; NAN where there is none. */
static double field(const char *line, size_t first, size_t width)
{
    char part[24] = "", *end;
    const size_t length = strlen(line);
    if (first >= length || width >= sizeof part)
        return NAN;
    snprintf(part, width + 1, "%s", line + first);
    const double v = strtod(part, &end);
    return end == part ? NAN : v;
}

/* gfall: wavelength (nm) F11.4, log gf F7.3, code F6.2, E F12.3, J F5.1, label A11, E F12.3, J,
 * label, then at column 80 log gamma of radiation, Stark, van der Waals, 6 each. */
anpe_status anpe_lte_read_kurucz(anpe_ctx *ctx, anpe_lte_text *text, const anpe_lte_list_options *o,
                                 anpe_lte_lines *l)
{
    const int mass[5] = {0};
    do {
        const double wavelength = 10 * field(text->line, 0, 11), log_gf = field(text->line, 11, 7);
        const double code = field(text->line, 18, 6), e1 = field(text->line, 24, 12),
                     e2 = field(text->line, 52, 12);
        int z[5];
        if (is_blank(text->line))
            continue;
        if (!(wavelength > 0) || isnan(log_gf) || isnan(e1) || isnan(e2) || !(code >= 1) ||
            atoms_of((long)code, z) != 1)
            return ANPE_LTE_BAD(ctx, text, "a line as in Kurucz's gfall expected: %.60s",
                                text->line);
        const int charge = (int)lround(100 * (code - floor(code)));
        const double rad = field(text->line, 80, 6), stark = field(text->line, 86, 6),
                     waals = field(text->line, 92, 6);
        const anpe_lte_line line = {.wavelength = to_vacuum(o, wavelength),
                                    .excitation = fmin(fabs(e1), fabs(e2)) * CM_EV,
                                    .log_gf = log_gf,
                                    .radiative = rad > 0 ? pow(10, rad) : 0,
                                    .stark = stark < 0 ? pow(10, stark) : 0,
                                    .waals = waals < 0 ? waals : 0};
        const anpe_status status =
            anpe_lte_line_add(ctx, o, anpe_lte_species_add(ctx, l, z, mass, charge), &line, l);
        if (status)
            return status;
    } while (anpe_lte_text_next(text));
    return ANPE_OK;
}

/* Wavelength (nm) F10.4, log gf F7.3, J F5.1, E F10.3, J F5.1, E F11.3, code I4, labels A16, then
 * the isotope of the heavier atom. Energies that are predicted are negative. */
anpe_status anpe_lte_read_kurucz_molecules(anpe_ctx *ctx, anpe_lte_text *text,
                                           const anpe_lte_list_options *o, anpe_lte_lines *l)
{
    do {
        const double wavelength = 10 * field(text->line, 0, 10), log_gf = field(text->line, 10, 7);
        const double e1 = field(text->line, 22, 10), e2 = field(text->line, 37, 11),
                     code = field(text->line, 48, 4);
        const double isotope = field(text->line, 68, 2);
        int z[5], mass[5] = {0};
        if (is_blank(text->line))
            continue;
        if (!(wavelength > 0) || isnan(log_gf) || isnan(e1) || isnan(e2) || !(code > 100) ||
            atoms_of((long)code, z) < 2)
            return ANPE_LTE_BAD(ctx, text, "a line of a molecule as Kurucz has it expected: %.60s",
                                text->line);
        mass[z[1] > z[0]] = isotope > 0 ? (int)isotope : 0;
        const anpe_lte_line line = {.wavelength = to_vacuum(o, wavelength),
                                    .excitation = fmin(fabs(e1), fabs(e2)) * CM_EV,
                                    .log_gf = log_gf};
        const anpe_status status =
            anpe_lte_line_add(ctx, o, anpe_lte_species_add(ctx, l, z, mass, 0), &line, l);
        if (status)
            return status;
    } while (anpe_lte_text_next(text));
    return ANPE_OK;
}

/* ---- any --------------------------------------------------------------------------------- */

static anpe_lte_format guess(const anpe_lte_text *text)
{
    const char *first = text->line + strspn(text->line, " ");
    if (strncmp(first, "'", 1) == 0 && strspn(first + 1, " 0123456789") > 0)
        return ANPE_LTE_TURBOSPECTRUM;
    if (strstr(text->line, "WL_") || strstr(text->line, "Wavelength region") ||
        strstr(text->line, "Damping parameters") || strstr(text->line, "Lande factors"))
        return ANPE_LTE_VALD;
    if (strncmp(text->line, "# anpe lines", 12) == 0)
        return ANPE_LTE_CALIBRATED;
    return ANPE_LTE_AUTO;
}

static anpe_status read_text(anpe_ctx *ctx, const char *path, const anpe_lte_list_options *o,
                             anpe_lte_lines *l)
{
    static anpe_status (*const readers[])(anpe_ctx *, anpe_lte_text *,
                                          const anpe_lte_list_options *,
                                          anpe_lte_lines *) = {NULL,
                                                               anpe_lte_read_vald,
                                                               anpe_lte_read_turbospectrum,
                                                               anpe_lte_read_moog,
                                                               anpe_lte_read_kurucz,
                                                               anpe_lte_read_kurucz_molecules,
                                                               anpe_lte_read_pfant,
                                                               anpe_lte_read_calibrated};
    anpe_lte_text text;
    anpe_status status = anpe_lte_text_open(ctx, path, &text);
    if (status)
        return status;
    if (!anpe_lte_text_next(&text))
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: an empty file", path);
    else {
        const anpe_lte_format format = o->format == ANPE_LTE_AUTO ? guess(&text) : o->format;
        status = format == ANPE_LTE_AUTO
                     ? ANPE_LTE_BAD(ctx, &text, "a list of unknown format: give it, one of %s",
                                    strchr(ANPE_LTE_FORMATS, '|') + 1)
                     : readers[format](ctx, &text, o, l);
    }
    anpe_lte_text_close(&text);
    return status;
}

anpe_status anpe_lte_list_read(anpe_ctx *ctx, const char *path, const anpe_lte_list_options *o,
                               anpe_lte_lines *l)
{
    const size_t length = strlen(path);
    const int hdf5 = length > 3 && strcmp(path + length - 3, ".h5") == 0;
    const int64_t before = l->n;
    anpe_status status;
    if (o->format == ANPE_LTE_GALAH || (o->format == ANPE_LTE_AUTO && hdf5))
        status = anpe_lte_read_galah(ctx, path, o, l);
    else
        status = read_text(ctx, path, o, l);
    return status || !o->replaces ? status : anpe_lte_lines_replace(ctx, before, l);
}
