/* plot/names.c -- a table of the names that are not spelled by rule, and the rule for abundances.
 */
#include "plot/names.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ITALIC(text) "#<italic/>" text "#<upright/>"

static const struct {
    const char *label, *text;
} names[] = {{"teff", ITALIC("T") "#deff#u"},     {"logg", "log " ITALIC("g")},
             {"log_g", "log " ITALIC("g")},       {"vmicro", ITALIC("v") "#dmicro#u"},
             {"vmacro", ITALIC("v") "#dmacro#u"}, {"vturb", ITALIC("v") "#dturb#u"},
             {"vbroad", ITALIC("v") "#dbroad#u"}, {"vsini", ITALIC("v") " sin " ITALIC("i")},
             {"rv", ITALIC("v") "#drad#u"},       {"feh", "[Fe/H]"},
             {"c12_c13", "#u12#dC/#u13#dC"}};

static const struct {
    const char *unit, *text;
} units[] = {{"", ""},
             {"dex", ""},
             {"1", ""},
             {"km/s", "km s#u\xe2\x88\x92"
                      "1#d"},
             {"Angstrom", "\xc3\x85"},
             {"deg", "\xc2\xb0"}};

/* "mg" -> "Mg", "alpha" -> Greek letter; 0: neither an element's symbol nor one of the sums. */
static int element(char out[8], const char *from, size_t n)
{
    if (n == 5 && !strncasecmp(from, "alpha", 5)) {
        strcpy(out, "\xce\xb1");
        return 1;
    }
    if (n < 1 || n > 2 || !isalpha((unsigned char)from[0]) || !isalpha((unsigned char)from[n - 1]))
        return 0;
    memset(out, 0, 8);
    out[0] = (char)toupper((unsigned char)from[0]);
    if (n == 2)
        out[1] = (char)tolower((unsigned char)from[1]);
    return 1;
}

/* x_h, x_fe, x_m of an element x. */
static int abundance(char *buffer, size_t size, const char *label)
{
    char above[8];
    const char *bar = strchr(label, '_');
    static const char *const below[][2] = {{"h", "H"}, {"fe", "Fe"}, {"m", "M"}};
    if (!bar || !element(above, label, (size_t)(bar - label)))
        return 0;
    for (size_t k = 0; k < sizeof below / sizeof below[0]; k++)
        if (!strcasecmp(bar + 1, below[k][0])) {
            snprintf(buffer, size, "[%s/%s]", above, below[k][1]);
            return 1;
        }
    return 0;
}

const char *anpe_names_plain(char *buffer, size_t size, const char *text)
{
    size_t n = 0;
    for (; *text && n + 3 < size; text++) {
        if (*text == '#')
            buffer[n++] = '#';
        buffer[n++] = *text;
    }
    buffer[n] = '\0';
    return buffer;
}

const char *anpe_names_label(char *buffer, size_t size, const char *label)
{
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
        if (!strcasecmp(label, names[k].label)) {
            snprintf(buffer, size, "%s", names[k].text);
            return buffer;
        }
    if (abundance(buffer, size, label))
        return buffer;
    return anpe_names_plain(buffer, size, label);
}

static const char *unit_text(const char *unit)
{
    for (size_t k = 0; k < sizeof units / sizeof units[0]; k++)
        if (!strcmp(unit, units[k].unit))
            return units[k].text;
    return unit;
}

const char *anpe_names_axis(char *buffer, size_t size, const char *label, const char *unit)
{
    anpe_names_label(buffer, size, label);
    const size_t n = strlen(buffer);
    if (unit_text(unit)[0])
        snprintf(buffer + n, size - n, " [%s]", unit_text(unit));
    return buffer;
}

const char *anpe_names_unit(char *buffer, size_t size, const char *unit)
{
    snprintf(buffer, size, "%s%s", unit_text(unit)[0] ? " " : "", unit_text(unit));
    return buffer;
}
