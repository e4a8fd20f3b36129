/* From a FITS header to wavelengths. */
#include <config.h>
#include "wavelength_scale.h"
#include "iraf_spec.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef enum form { LINEAR, LOG10, NATURAL, LN, MULTISPEC, EQUISPEC } form;
static const char *const form_name[] = {"linear", "log10", "ln", "ln", "multispec", "equispec"};

struct wavelength_scale {
    form form;
    medium medium;
    int64_t width, orders;
    double start, step, pixel; /* value at `pixel` (from 1), per pixel */
    double unit;               /* Angstrom in one */
    double ltm, ltv;           /* logical = ltm physical + ltv */
    iraf_spec *spec;           /* (orders) of multispec */
};

/* ---- units and media -------------------------------------------------------------------- */

static const struct {
    const char *start;
    double angstrom;
} units[] = {{"angstrom", 1}, {"0.1nm", 1}, {"0.1 nm", 1},  {"nm", 10},
             {"nanomet", 10}, {"um", 1e4},  {"micro", 1e4}, {"m", 1e10}};

/* Angstrom in a unit; 0 if it is none of length; NAN if nothing is said. */
static double unit_of(const char *text)
{
    text += strspn(text, " ");
    if (!*text)
        return NAN;
    if (!strcasecmp(text, "A") || !strcasecmp(text, "AA") || !strncmp(text, "\xc3\x85", 2))
        return 1;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const size_t n = strlen(units[i].start);
        if (!strncasecmp(text, units[i].start, n) && (n > 2 || text[n] == '\0' || text[n] == ' '))
            return units[i].angstrom;
    }
    return 0;
}

/* key = value in IRAF's WAT text; 1 if it is there. */
static int attribute(const char *wat, const char *key, char *out, size_t size)
{
    const size_t n = strlen(key);
    for (const char *p = wat; (p = strstr(p, key)); p += n) {
        if ((p > wat && p[-1] != ' ') || p[n] != '=')
            continue;
        p += n + 1;
        const size_t length = *p == '"' ? strcspn(++p, "\"") : strcspn(p, " ");
        snprintf(out, size, "%.*s", (int)length, p);
        return 1;
    }
    return 0;
}

medium medium_by_keywords(fitsfile *f, int hdu)
{
    static const char *const keys[] = {"AIRORVAC", "VACUUM"};
    char text[FLEN_VALUE] = "";
    for (int k = 0; k < 2; k++)
        for (int h = hdu; h >= 0; h = h > 0 ? 0 : -1) {
            if (!survey_fits_text(f, h, keys[k], text))
                continue;
            const int yes = strchr("vVtT1", text[0]) != NULL;
            if (yes || strchr("aAfF0", text[0]))
                return yes ? MEDIUM_VACUUM : MEDIUM_AIR;
        }
    const int in_space =
        survey_fits_text(f, 0, "TELESCOP", text) && (!strcmp(text, "HST") || !strcmp(text, "JWST"));
    return in_space ? MEDIUM_VACUUM : MEDIUM_UNKNOWN;
}

static medium read_medium(fitsfile *f, int hdu, const char *ctype)
{
    if (!strncasecmp(ctype, "AWAV", 4))
        return MEDIUM_AIR;
    if (!strncasecmp(ctype, "WAVE", 4) && (ctype[4] == '\0' || ctype[4] == ' ' || ctype[4] == '-'))
        return MEDIUM_VACUUM;
    return medium_by_keywords(f, hdu);
}

/* ---- IRAF's text over many cards -------------------------------------------------------- */

/* The value of a card between its quotes as it stands: blanks at its end belong to the text. */
static const char *card_text(char *card)
{
    char *first = strchr(card, '\''), *last = strrchr(card, '\'');
    if (!first || last == first)
        return "";
    *last = '\0';
    return first + 1;
}

/* WATn_001, WATn_002, ... joined; "" without them. Caller frees. NULL: out of memory. */
static char *read_wat(fitsfile *f, int hdu, int axis)
{
    size_t n = 0;
    char *all = calloc(1, 1);
    if (!survey_fits_has(f, hdu))
        return all;
    for (int k = 1; all; k++) {
        int status = 0;
        char key[FLEN_KEYWORD], card[FLEN_CARD] = "";
        snprintf(key, sizeof key, "WAT%d_%03d", axis, k);
        if (fits_read_card(f, key, card, &status))
            break;
        const char *text = card_text(card);
        const size_t more = strlen(text);
        char *grown = realloc(all, n + more + 1);
        if (!grown) {
            free(all);
            return NULL;
        }
        all = grown;
        memcpy(all + n, text, more + 1);
        n += more;
    }
    fits_clear_errmsg();
    return all;
}

static anpe_status read_specs(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu,
                              wavelength_scale *s)
{
    char where[400];
    char *wat = read_wat(f, hdu, 2);
    anpe_status status = wat ? ANPE_NEW(ctx, s->spec, s->orders) : ANPE_NO_MEMORY(ctx, path);
    for (int64_t i = 0; i < s->orders && !status; i++) {
        snprintf(where, sizeof where, "%s: spec%lld of WAT2", path, (long long)i + 1);
        char *text = iraf_spec_find(wat, i + 1);
        status = text ? iraf_spec_parse(ctx, text, where, &s->spec[i])
                      : ANPE_FAIL(ctx, ANPE_EFORMAT, "%s is missing; the image has %lld spectra",
                                  where, (long long)s->orders);
        free(text);
    }
    free(wat);
    return status;
}

/* ---- plain scales ----------------------------------------------------------------------- */

static int real(fitsfile *f, int hdu, const char *key, double *value)
{
    return survey_fits_real(f, hdu, key, value) && isfinite(*value);
}

static anpe_status read_line(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu,
                             wavelength_scale *s)
{
    double cd = 0, cdelt = 0, pc = 1;
    const int has_cd = real(f, hdu, "CD1_1", &cd), has_cdelt = real(f, hdu, "CDELT1", &cdelt);
    if (!real(f, hdu, "CRVAL1", &s->start) || (!has_cd && !has_cdelt))
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: HDU %d has no wavelength scale: no CRVAL1 with CDELT1 or CD1_1, no "
                         "IRAF multispec",
                         path, hdu);
    (void)real(f, hdu, "PC1_1", &pc);
    s->step = has_cd ? cd : cdelt * pc;
    if (has_cd && has_cdelt && cdelt != 1 && fabs(cd / (cdelt * pc) - 1) > 1e-6)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: HDU %d states two scales: CD1_1 is %.10g and CDELT1 %.10g", path, hdu,
                         cd, cdelt);
    s->pixel = 1;
    (void)real(f, hdu, "CRPIX1", &s->pixel);
    if (s->step == 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: HDU %d has a wavelength step of 0", path, hdu);
    return ANPE_OK;
}

static double line_value(const wavelength_scale *s, double pixel)
{
    return s->start + s->step * (pixel - s->pixel);
}

/* Whether values can only be log10 of Angstrom: 1000 A to 30 micrometre in steps finer than 1 %. */
static int looks_log10(const wavelength_scale *s)
{
    const double last = line_value(s, (double)s->width);
    return fmin(s->start, last) > 3 && fmax(s->start, last) < 5.5 && fabs(s->step) < 4e-3;
}

/* Whether they can only be ln of Angstrom: 1000 A to 30 micrometre. As log10 they are beyond any.
 */
static int looks_ln(const wavelength_scale *s)
{
    const double last = line_value(s, (double)s->width);
    return fmin(s->start, last) > 6.9 && fmax(s->start, last) < 12.7 && fabs(s->step) < 1e-2;
}

static int contains(const char *text, const char *part)
{
    return strcasestr(text, part) != NULL;
}

/* Coordinates of spectra that are no wavelengths (Greisen et al. 2006), whatever their numbers are.
 */
static int is_other_coordinate(const char *ctype)
{
    static const char *const types[] = {"FREQ", "ENER", "WAVN", "VRAD",
                                        "VOPT", "ZOPT", "VELO", "BETA"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strncasecmp(ctype, types[i], 4) && (!ctype[4] || ctype[4] == ' ' || ctype[4] == '-'))
            return 1;
    return 0;
}

/* Linear or which logarithm; then the unit. */
static anpe_status read_form(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu,
                             const char *ctype, const char *unit_text, wavelength_scale *s)
{
    double flag = 0;
    const double unit = unit_of(unit_text);
    const int log10_text = contains(unit_text, "log") || contains(unit_text, "dex");
    if (is_other_coordinate(ctype))
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: HDU %d is on a scale of CTYPE1 '%s'; expected wavelengths (WAVE, "
                         "AWAV)",
                         path, hdu, ctype);
    (void)real(f, hdu, "DC-FLAG", &flag);
    if (flag == 1 || contains(ctype, "LOG10") || contains(ctype, "LOG-LINEAR") ||
        contains(ctype, "LOGLAM") || contains(ctype, "LOG(") || log10_text)
        s->form = looks_ln(s) ? LN : LOG10;
    else if (contains(ctype, "-LOG")) {
        s->form = NATURAL; /* lambda = CRVAL exp(step (p - CRPIX) / CRVAL) */
        if (!(s->start > 0))
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: HDU %d has CTYPE1 '%s' and CRVAL1 %g", path,
                             hdu, ctype, s->start);
    } else if (looks_log10(s) && !(unit > 1))
        s->form = LOG10;
    else if (looks_ln(s) && !(unit > 1))
        s->form = LN;
    else
        s->form = LINEAR;
    if (unit == 0 && !log10_text)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: HDU %d has wavelengths in '%s'; expected Angstrom, nm, um or m", path,
                         hdu, unit_text);
    s->unit = unit > 0 ? unit : 1;
    return ANPE_OK;
}

static double plain_value(const wavelength_scale *s, double pixel)
{
    const double v = line_value(s, pixel);
    if (s->form == LOG10)
        return s->unit * pow(10, v);
    if (s->form == LN)
        return s->unit * exp(v);
    return s->unit * (s->form == NATURAL ? s->start * exp((v - s->start) / s->start) : v);
}

/* A first or last wavelength that no spectrum has: the header means something else. */
static anpe_status check_range(anpe_ctx *ctx, const wavelength_scale *s, const char *path, int hdu)
{
    const double a = plain_value(s, 1), b = plain_value(s, (double)s->width);
    if (a > 100 && b > 100 && a < 1e7 && b < 1e7)
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EFORMAT,
                     "%s: HDU %d goes from %g to %g Angstrom as %s scale (CRVAL1 %.10g, step "
                     "%.10g); no spectrum does",
                     path, hdu, a, b, form_name[s->form], s->start, s->step);
}

static anpe_status read_plain(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu,
                              const char *ctype, const char *unit, wavelength_scale *s)
{
    const int equispec = s->form == EQUISPEC;
    anpe_status status = read_line(ctx, f, path, hdu, s);
    if (!status)
        status = read_form(ctx, f, path, hdu, ctype, unit, s);
    if (!status)
        status = check_range(ctx, s, path, hdu);
    if (!status && s->orders > 1 && !equispec && s->form == LINEAR &&
        !strncasecmp(ctype, "PIXEL", 5))
        status =
            ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: HDU %d is on pixels, not wavelengths", path, hdu);
    return status;
}

/* ---- the scale -------------------------------------------------------------------------- */

wavelength_scale *wavelength_scale_free(wavelength_scale *s)
{
    if (!s)
        return NULL;
    for (int64_t i = 0; s->spec && i < s->orders; i++)
        iraf_spec_clear(&s->spec[i]);
    free(s->spec);
    free(s);
    return NULL;
}

static anpe_status read_all(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu,
                            wavelength_scale *s)
{
    char ctype[FLEN_VALUE] = "", unit[FLEN_VALUE] = "", system[80] = "";
    char *wat0 = read_wat(f, hdu, 0), *wat1 = read_wat(f, hdu, 1);
    anpe_status status = ANPE_OK;
    if (!wat0 || !wat1)
        status = ANPE_NO_MEMORY(ctx, path);
    if (!status) {
        (void)survey_fits_text(f, hdu, "CTYPE1", ctype);
        if (!survey_fits_text(f, hdu, "CUNIT1", unit))
            (void)attribute(wat1, "units", unit, sizeof unit);
        (void)attribute(wat0, "system", system, sizeof system);
        (void)real(f, hdu, "LTM1_1", &s->ltm);
        (void)real(f, hdu, "LTV1", &s->ltv);
        s->medium = read_medium(f, hdu, ctype);
        const int multispec =
            !strcasecmp(system, "multispec") || !strncasecmp(ctype, "MULTISPE", 8);
        s->form = multispec ? MULTISPEC : !strcasecmp(system, "equispec") ? EQUISPEC : LINEAR;
        if (!multispec)
            status = read_plain(ctx, f, path, hdu, ctype, unit, s);
        else if (s->ltm == 0 || unit_of(unit) == 0)
            status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: HDU %d has LTM1_1 %g and unit '%s'", path,
                               hdu, s->ltm, unit);
        else {
            s->unit = unit_of(unit) > 0 ? unit_of(unit) : 1;
            status = read_specs(ctx, f, path, hdu, s);
        }
    }
    free(wat0);
    free(wat1);
    return status;
}

anpe_status wavelength_scale_read(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu,
                                  int64_t width, int64_t orders, wavelength_scale **out)
{
    *out = NULL;
    wavelength_scale *s;
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    s->width = width;
    s->orders = orders;
    s->ltm = 1;
    const anpe_status status = read_all(ctx, f, path, hdu, s);
    if (status)
        wavelength_scale_free(s);
    else
        *out = s;
    return status;
}

anpe_status wavelength_scale_row(const wavelength_scale *s, anpe_ctx *ctx, int64_t order,
                                 double *wavelength)
{
    if (order < 0 || order >= s->orders)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "no row %lld in an image of %lld", (long long)order,
                         (long long)s->orders);
    for (int64_t i = 0; i < s->width; i++) {
        const double pixel = (double)(i + 1);
        wavelength[i] =
            s->form == MULTISPEC
                ? s->unit * iraf_spec_wavelength(&s->spec[order], (pixel - s->ltv) / s->ltm)
                : plain_value(s, pixel);
    }
    return ANPE_OK;
}

medium wavelength_scale_medium(const wavelength_scale *s)
{
    return s->medium;
}

int wavelength_scale_is_shared(const wavelength_scale *s)
{
    return s->form != MULTISPEC;
}

const char *wavelength_scale_name(const wavelength_scale *s)
{
    return form_name[s->form];
}
