/* Lines of hydrogen, Balmer to Brackett.
 *
 * Profiles with Stark's and Doppler's broadening from the fit of hydrogen_stark.c, or from a table
 * in the format of Lemke 1997, A&AS 122, 285 (unified theory of Vidal, Cooper & Smith 1973): log10
 * S(alpha) over log10 alpha, log10 ne, log10 T, alpha = |lambda - lambda_0| / F0, F0 = 1.25e-9
 * ne^(2/3) in cgs, S normalised in alpha. Microturbulence widens Doppler's profile; of a table it
 * is added to T. Radiation damping; self-broadening of H alpha to H gamma after Barklem,
 * Piskunov & O'Mara 2000, A&A 363, 1091. Oscillator strengths are exact (radial integrals). */
#include "lte.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIRST 0.02 /* of a Doppler width: where the mesh starts */
enum { HEADER = 11, MESH = ANPE_LTE_HYDROGEN_MESH, MOST_ALPHA = 80 };
#define RATIO                                                                                      \
    1.05 /* of the mesh in |lambda - lambda_0|: linear between is good to 0.3 % of lambda^-5/2 */
#define PI_E2_MC 0.02654008854
#define HC_K     1.4387768775e8 /* Angstrom K */
#define LIMIT_CM 109678.772     /* ionisation energy of H, cm-1 */

static double level(int n)
{
    static const double low[5] = {0, 0, 82259.11, 97492.30,
                                  102823.90}; /* centres of gravity, NIST */
    return n < 5 ? low[n] : LIMIT_CM - 109677.583 / ((double)n * n);
}

/* log10 gf of lower -> upper for lower 2, 3, 4 and upper = lower + 1 .. 22 */
static double log_gf(int lower, int upper)
{
    static const double table[3][20] = {
        {0.7098,  -0.0202, -0.4469, -0.7527, -0.9929, -1.1919, -1.3622, -1.5114, -1.6443, -1.7643,
         -1.8737, -1.9743, -2.0674, -2.1542, -2.2354, -2.3117, -2.3837, -2.4518, -2.5165, -2.5781},
        {1.1806,  0.4331,  0.0022,  -0.3025, -0.5396, -0.7347, -0.9009, -1.0461, -1.1752, -1.2916,
         -1.3977, -1.4952, -1.5855, -1.6696, -1.7484, -1.8225, -1.8924, -1.9586, -2.0215, 0},
        {1.5212,  0.7586,  0.3213,  0.0143,  -0.2230, -0.4171, -0.5817, -0.7250, -0.8521, -0.9665,
         -1.0706, -1.1662, -1.2547, -1.3370, -1.4141, -1.4865, -1.5549, -1.6197, 0,       0}};
    return table[lower - 2][upper - lower - 1];
}

/* A Lorentz wing that is folded with Doppler's profile, over the wing, at u Doppler widths: the
 * term of Voigt's function that is linear in its damping, 2 u^2 (2 u D(u) - 1) with Dawson's D
 * (Rybicki's sum); 0 in the core, where it is negative. */
static double folded(double u)
{
    if (u > 6)
        return 1 + (1.5 + 3.75 / (u * u)) / (u * u);
    double dawson = 0;
    for (int n = 1; n < 30; n += 2) {
        const double below = u - 0.4 * n, above = u + 0.4 * n;
        dawson += (exp(-below * below) - exp(-above * above)) / n;
    }
    return fmax(0, 2 * u * u * (2 * u * dawson / sqrt(ANPE_LTE_PI) - 1));
}

/* At the places of the mesh. */
static void set_folded(anpe_lte_hydrogen *h)
{
    for (int k = 0; k < MESH; k++)
        h->folded[k] = folded(FIRST * pow(RATIO, k));
}

/* ---- the table -------------------------------------------------------------------------- */

void anpe_lte_hydrogen_free(anpe_lte_hydrogen *h)
{
    free(h->line);
    free(h->log_s);
    *h = (anpe_lte_hydrogen){0};
}

/* Next n numbers of the file; lines that hold none, such as "nl=02 nu=03", are passed over. */
static int numbers(anpe_lte_text *text, const char **at, int n, double *v)
{
    int found = 0;
    while (found < n) {
        const int got = anpe_lte_text_numbers(at, n - found, v + found);
        found += got;
        if (found < n) {
            if (!anpe_lte_text_next(text))
                return 0;
            *at = text->line;
        }
    }
    return 1;
}

static anpe_status read_profile(anpe_ctx *ctx, anpe_lte_text *text, const char **at,
                                const double *header, anpe_lte_hydrogen *h)
{
    const int alphas = (int)header[8], densities = (int)header[9], temperatures = (int)header[10];
    const size_t size = (size_t)alphas * (size_t)densities * (size_t)temperatures;
    double row[MOST_ALPHA + 1];
    int64_t room = (int64_t)h->size;
    if (ANPE_GROW(ctx, h->log_s, room, (int64_t)(h->size + size)))
        return ANPE_ENOMEM;
    anpe_lte_hydrogen_line *line = &h->line[h->n];
    *line = (anpe_lte_hydrogen_line){
        .lower = (int)header[0], .upper = (int)header[1], .fit = -1, .first = h->size};
    memcpy(line->start, header + 2, 3 * sizeof(double));
    memcpy(line->step, header + 5, 3 * sizeof(double));
    line->size[0] = alphas, line->size[1] = densities, line->size[2] = temperatures;
    for (int i = 0; i < densities * temperatures;
         i++) { /* each row begins with a number that is not part of it */
        if (!numbers(text, at, alphas + 1, row))
            return ANPE_LTE_BAD(ctx, text, "the file ends within the profile %d-%d", line->lower,
                                line->upper);
        for (int k = 0; k < alphas; k++)
            h->log_s[h->size + (size_t)i * (size_t)alphas + (size_t)k] = (float)row[k + 1];
    }
    if (line->lower >= 2 && line->lower <= 4 && line->upper > line->lower && line->upper <= 22) {
        h->size += size;
        h->n++;
    }
    return ANPE_OK;
}

static anpe_status read_series(anpe_ctx *ctx, anpe_lte_text *text, const char **at,
                               anpe_lte_hydrogen *h)
{
    double count, header[ANPE_LTE_HYDROGEN_LINES][HEADER];
    if (!numbers(text, at, 1, &count) || !(count >= 1 && count <= ANPE_LTE_HYDROGEN_LINES))
        return ANPE_LTE_BAD(ctx, text, "number of lines of a series expected, 1 to %d",
                            ANPE_LTE_HYDROGEN_LINES);
    for (int i = 0; i < (int)count; i++) {
        const double *v = header[i];
        if (!numbers(text, at, HEADER, header[i]) ||
            !(v[8] >= 4 && v[8] <= MOST_ALPHA && v[9] >= 2 && v[9] <= 50 && v[10] >= 2 &&
              v[10] <= 50 && v[5] > 0 && v[6] > 0 && v[7] > 0))
            return ANPE_LTE_BAD(ctx, text,
                                "levels, starts, steps and sizes of a line's table expected");
    }
    anpe_status status = ANPE_OK;
    for (int i = 0; i < (int)count && !status; i++)
        status = h->n < ANPE_LTE_HYDROGEN_LINES ? read_profile(ctx, text, at, header[i], h)
                                                : ANPE_LTE_BAD(ctx, text, "more lines than 100");
    return status;
}

anpe_status anpe_lte_hydrogen_read(anpe_ctx *ctx, const char *path, anpe_lte_hydrogen *h)
{
    anpe_lte_text text;
    double series;
    const char *at = "";
    *h = (anpe_lte_hydrogen){0};
    anpe_status status = anpe_lte_text_open(ctx, path, &text);
    if (status)
        return status;
    if (ANPE_NEW(ctx, h->line, ANPE_LTE_HYDROGEN_LINES + 1))
        status = ANPE_ENOMEM;
    else if (!numbers(&text, &at, 1, &series) || !(series >= 1 && series <= 9))
        status = ANPE_LTE_BAD(
            ctx, &text,
            "not a table of Stark profiles in Lemke's format: number of series expected");
    for (int i = 0; !status && i < (int)series; i++)
        status = read_series(ctx, &text, &at, h);
    anpe_lte_text_close(&text);
    set_folded(h);
    if (status)
        anpe_lte_hydrogen_free(h);
    return status;
}

anpe_status anpe_lte_hydrogen_own(anpe_ctx *ctx, anpe_lte_hydrogen *h)
{
    *h = (anpe_lte_hydrogen){0};
    if (ANPE_NEW(ctx, h->line, ANPE_LTE_STARK_LINES))
        return ANPE_ENOMEM;
    for (; h->n < ANPE_LTE_STARK_LINES; h->n++)
        h->line[h->n] = (anpe_lte_hydrogen_line){.lower = anpe_lte_stark_lines[h->n].lower,
                                                 .upper = anpe_lte_stark_lines[h->n].upper,
                                                 .fit = h->n,
                                                 .step = {ANPE_LTE_STARK_STEP},
                                                 .size = {ANPE_LTE_STARK_ALPHAS}};
    anpe_lte_doppler_init(&h->doppler);
    set_folded(h);
    return ANPE_OK;
}

/* ---- profiles --------------------------------------------------------------------------- */

/* Place of x on a regular axis, held at its ends. */
static int place(double x, double start, double step, int n, double *part)
{
    const double at = fmin(fmax((x - start) / step, 0), n - 1);
    const int i = at >= n - 1 ? n - 2 : (int)at;
    *part = at - i;
    return i;
}

/* ln S(alpha) at this density and temperature, the turbulent part of which is apart, (size[0]);
 * returns log10 of the first alpha. doppler: width in alpha. */
static double column(const anpe_lte_hydrogen *h, const anpe_lte_hydrogen_line *l, double ne,
                     double thermal, double turbulence, double doppler, double *ln_s)
{
    double x, y;
    if (l->fit >= 0)
        return anpe_lte_stark_column(&h->doppler, l->fit, ne, thermal, doppler, ln_s);
    const double t = thermal + turbulence;
    const int i = place(log10(ne), l->start[1], l->step[1], l->size[1], &x);
    const int j = place(log10(t), l->start[2], l->step[2], l->size[2], &y);
    const double w[4] = {(1 - x) * (1 - y), (1 - x) * y, x * (1 - y), x * y};
    for (int k = 0; k < l->size[0]; k++) {
        ln_s[k] = 0;
        for (int c = 0; c < 4; c++) {
            const int row = (i + (c >> 1)) * l->size[2] + j + (c & 1);
            ln_s[k] += w[c] * (double)h->log_s[l->first + (size_t)(row * l->size[0] + k)];
        }
        ln_s[k] *= ANPE_LTE_LN10;
    }
    return l->start[0];
}

/* ln S at a place of the alpha axis: Catmull and Rom's cubic; flat before it, alpha^-5/2 behind. */
static double interpolate(const double *ln_s, int n, double at, double step)
{
    if (at <= 0)
        return ln_s[0];
    if (at >= n - 1)
        return ln_s[n - 1] - 2.5 * (at - (n - 1)) * step * ANPE_LTE_LN10;
    const int i = (int)at;
    const double u = at - i, p1 = ln_s[i], p2 = ln_s[i + 1];
    const double p0 = i > 0 ? ln_s[i - 1] : p1, p3 = i + 2 < n ? ln_s[i + 2] : 2 * p2 - p1;
    return p1 + 0.5 * u *
                    (p2 - p0 + u * (2 * p0 - 5 * p1 + 4 * p2 - p3 + u * (3 * (p1 - p2) + p3 - p0)));
}

/* Rate at which a level decays, s-1, mean of its sublevels: sums of the exact coefficients (as in
 * Wiese, Smith & Glennon 1966) to n = 8, about n^-4.5 above. */
static double decay(int n)
{
    static const double rate[9] = {0,       0,       4.699e8, 9.985e7, 3.019e7,
                                   1.155e7, 5.191e6, 2.616e6, 1.437e6};
    return n < 9 ? rate[n] : rate[8] * pow(8.0 / n, 4.5);
}

/* Half width at half maximum (Angstrom) of the Lorentz profile by radiation and by neutral hydrogen
 * (H alpha to H gamma): sigma, alpha of Barklem et al. */
static double lorentz_width(int lower, int upper, double wavelength, const anpe_lte_state *s)
{
    static const double sigma[3] = {1180, 2320, 4208}, alpha[3] = {0.677, 0.455, 0.380};
    double power, gamma = decay(lower) + decay(upper);
    if (lower == 2 && upper <= 5) {
        const double rate = anpe_lte_abo(sigma[upper - 3], alpha[upper - 3], 1.008, &power);
        gamma += rate * pow(s->t / 1e4, power) * s->atom[0][0];
    }
    return gamma * wavelength * wavelength * 1e-8 / (4 * ANPE_LTE_PI * ANPE_LTE_LIGHT);
}

/* The opacity of a line in a layer on a mesh of distances first RATIO^k (Angstrom). */
typedef struct profile {
    double first, total, f0, width;
    double at, rise; /* place of the first on the axis of ln_s, and between two */
    double ln_s[MOST_ALPHA];
    int from, n; /* known there: mesh[from] .. mesh[n - 1] */
    float mesh[MESH];
} profile;

static double opacity_at(const anpe_lte_hydrogen *h, const anpe_lte_hydrogen_line *l,
                         const profile *y, int k, double distance)
{
    const double lorentz = y->width / (ANPE_LTE_PI * (distance * distance + y->width * y->width));
    const double stark = exp(interpolate(y->ln_s, l->size[0], y->at + k * y->rise, l->step[0]));
    return y->total * (stark / y->f0 + lorentz * h->folded[k]);
}

static void set_profile(const anpe_lte_hydrogen *h, const anpe_lte_hydrogen_line *l,
                        const anpe_lte_state *s, double vmicro, double wavelength, profile *y)
{
    const double turbulence =
        1.008 * ANPE_LTE_AMU * vmicro * vmicro * 1e10 / (2 * ANPE_LTE_BOLTZMANN);
    const double excitation = level(l->lower) * 1.438776877 / s->t;
    const double number = s->atom[0][0] / anpe_lte_partition(1, 0, s->t) / s->rho *
                          exp(-excitation) * (1 - exp(-HC_K / (wavelength * s->t)));
    const double doppler =
        wavelength * sqrt(2 * ANPE_LTE_BOLTZMANN * (s->t + turbulence) / (1.008 * ANPE_LTE_AMU)) /
        ANPE_LTE_LIGHT;
    /* per Angstrom to per Hz: lambda^2 / c */
    y->total = PI_E2_MC * pow(10, log_gf(l->lower, l->upper)) * number * wavelength * wavelength /
               (ANPE_LTE_LIGHT * 1e8);
    y->f0 = 1.25e-9 * pow(s->ne, 2.0 / 3);
    y->width = lorentz_width(l->lower, l->upper, wavelength, s);
    y->first = FIRST * doppler;
    const double start = column(h, l, s->ne, s->t, turbulence, doppler / y->f0, y->ln_s);
    y->at = (log10(y->first / y->f0) - start) / l->step[0];
    y->rise = log10(RATIO) / l->step[0];
}

/* The mesh between the distances near and far, as far as it is above `least`. */
static void set_mesh(const anpe_lte_hydrogen *h, const anpe_lte_hydrogen_line *l, double near,
                     double far, double least, profile *y)
{
    const double four_widths = 4 / FIRST * y->first;
    y->from = near > y->first ? (int)fmin(log(near / y->first) / log(RATIO), MESH - 1) : 0;
    y->n = y->from;
    if (opacity_at(h, l, y, 0, y->first) < least)
        return;
    double distance = y->first * pow(RATIO, y->from);
    for (; y->n < MESH && distance < RATIO * far; distance *= RATIO) {
        const double kappa = opacity_at(h, l, y, y->n, distance);
        if (kappa < least && distance > four_widths)
            return;
        y->mesh[y->n++] = (float)kappa;
    }
}

/* ln(1 + x) */
static double log_of(double x)
{
    return fabs(x) > 0.02 ? log1p(x) : x * (1 - x * (0.5 - x * (1.0 / 3 - x * (0.25 - x * 0.2))));
}

/* Adds to points first .. last the line through (x0, y0) and (x1, y1). */
static void add_piece(int64_t first, int64_t last, double x0, double y0, double x1, double y1,
                      float *opacity)
{
    const double slope = (y1 - y0) / (x1 - x0);
    const float rise = (float)slope, start = (float)(y0 + ((double)first - x0) * slope);
    for (int64_t i = first; i <= last; i++)
        opacity[i] += start + (float)(int)(i - first) * rise;
}

/* Adds the mesh on one side of the line, +1 to longer wavelengths: linear between its places, flat
 * inside the first. No point is nearer than it is known. */
static void add_side(const anpe_lte_points *p, double centre, double wavelength, const profile *y,
                     int sign, float *opacity)
{
    const double end = (double)p->n;
    int64_t next = (int64_t)ceil(fmin(fmax(centre, 0), end)) - (sign < 0);
    double before = centre, distance = y->first * pow(RATIO, y->from);
    for (int k = y->from; k < y->n && next >= 0 && next < p->n; k++, distance *= RATIO) {
        const double at = centre + log_of(sign * distance / wavelength) / p->step;
        const float *value = &y->mesh[k];
        const double inner = (double)value[k > y->from ? -1 : 0];
        if (sign > 0) {
            const int64_t last = (int64_t)floor(fmin(fmax(at, -1), end - 1));
            add_piece(next, last, before, inner, at, (double)*value, opacity);
            next = last < next ? next : last + 1;
        } else {
            const int64_t first = (int64_t)ceil(fmin(fmax(at, 0), end));
            add_piece(first, next, before, inner, at, (double)*value, opacity);
            next = first > next ? next : first - 1;
        }
        before = at;
    }
}

void anpe_lte_hydrogen_opacity(const anpe_lte_hydrogen *h, int layers, const anpe_lte_state *state,
                               const double *vmicro, const anpe_lte_points *p, double cut,
                               const float *continuum, int64_t stride, float *opacity)
{
    const double last = p->first + p->step * (double)(p->n - 1);
    for (int i = 0; i < h->n; i++) {
        const anpe_lte_hydrogen_line *l = &h->line[i];
        const double wavelength = 1e8 / (level(l->upper) - level(l->lower)), ln = log(wavelength);
        const double centre = (ln - p->first) / p->step;
        const double blue = wavelength * expm1(p->first - ln), red = wavelength * expm1(last - ln);
        if (ln < p->first - 0.2 || ln > last + 0.2)
            continue;
        int64_t node = centre <= 0 ? 0 : (int64_t)(centre / (double)p->node_step);
        node = node < p->n_nodes ? node : p->n_nodes - 1;
        for (int j = 0; j < layers; j++) {
            profile y;
            set_profile(h, l, &state[j], vmicro[j], wavelength, &y);
            set_mesh(h, l, fmax(blue, -red), fmax(-blue, red),
                     cut * (double)continuum[node * layers + j], &y);
            add_side(p, centre, wavelength, &y, 1, opacity + j * stride);
            add_side(p, centre, wavelength, &y, -1, opacity + j * stride);
        }
    }
}
