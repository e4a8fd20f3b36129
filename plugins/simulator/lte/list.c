/* Line lists: one sorted struct of arrays from files of any format, with damping completed. */
#include "lte.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HC_EV      12398.41984 /* Angstrom eV */
#define RYDBERG_EV 13.605693

void anpe_lte_lines_free(anpe_lte_lines *l)
{
    free(l->species);
    free(l->wavelength);
    free(l->excitation);
    free(l->log_gf);
    free(l->accuracy);
    free(l->radiative);
    free(l->stark);
    free(l->waals);
    free(l->waals_power);
    free(l->of);
    *l = (anpe_lte_lines){0};
}

anpe_line anpe_lte_lines_at(const anpe_lte_lines *l, int64_t i)
{
    anpe_line line = {.wavelength = l->wavelength[i],
                      .excitation = (double)l->excitation[i],
                      .log_gf = (double)l->log_gf[i],
                      .accuracy = (double)l->accuracy[i],
                      .radiative = (double)l->radiative[i],
                      .stark = (double)l->stark[i],
                      .waals = (double)l->waals[i],
                      .waals_power = (double)l->waals_power[i]};
    memcpy(line.species, l->species[l->of[i]].name, sizeof line.species);
    return line;
}

int anpe_lte_formula(const char *text, size_t length, int z[5])
{
    int n = 0;
    memset(z, 0, 5 * sizeof *z);
    for (size_t i = 0; i < length;) {
        int best = -1;
        size_t size = 0;
        for (int e = 0; e < ANPE_LTE_ELEMENTS; e++) {
            const size_t m = strlen(anpe_lte_elements[e].symbol);
            if (m > size && i + m <= length &&
                strncmp(anpe_lte_elements[e].symbol, text + i, m) == 0) {
                best = e;
                size = m;
            }
        }
        i += size;
        int count = i < length && text[i] >= '2' && text[i] <= '4' ? text[i++] - '0' : 1;
        if (best < 0 || n + count > 5)
            return 0;
        while (count-- > 0)
            z[n++] = best + 1;
    }
    return n;
}

/* Same atoms in any order, same charge. */
static int find_molecule(const int z[5], int charge)
{
    for (int m = 0; m < anpe_lte_n_molecules; m++) {
        const anpe_lte_molecule *candidate = &anpe_lte_molecules[m];
        int used = 0, found = 0, n = 0, other = 0;
        for (int i = 0; i < 5; i++) {
            n += z[i] != 0;
            other += candidate->z[i] != 0;
            for (int j = 0; j < 5 && z[i]; j++)
                if (!(used >> j & 1) && candidate->z[j] == z[i]) {
                    used |= 1 << j;
                    found++;
                    break;
                }
        }
        if (found == n && n == other && candidate->charge == charge)
            return m;
    }
    return -2;
}

static void name_species(anpe_lte_species *s)
{
    static const char *const stages[] = {" I", " II", " III", " IV", " V"};
    size_t n = 0;
    for (int i = 0; i < 5 && s->z[i]; i++) {
        const char *symbol = anpe_lte_elements[s->z[i] - 1].symbol;
        n += (size_t)snprintf(s->name + n, sizeof s->name - n, "%.0d%s", s->mass[i], symbol);
        n = n < sizeof s->name ? n : sizeof s->name - 1;
    }
    if (s->molecule == -1 && s->charge < 5)
        snprintf(s->name + n, sizeof s->name - n, "%s", stages[s->charge]);
}

int anpe_lte_species_add(anpe_ctx *ctx, anpe_lte_lines *l, const int z[5], const int mass[5],
                         int charge)
{
    if (!l->species && ANPE_NEW(ctx, l->species, ANPE_LTE_SPECIES))
        return -1;
    for (int i = 0; i < l->n_species; i++) {
        const anpe_lte_species *s = &l->species[i];
        if (s->charge == charge && memcmp(s->z, z, sizeof s->z) == 0 &&
            memcmp(s->mass, mass, sizeof s->mass) == 0)
            return i;
    }
    if (l->n_species == ANPE_LTE_SPECIES) {
        (void)ANPE_FAIL(ctx, ANPE_EFORMAT, "more than %d species and isotopes in the line lists",
                        ANPE_LTE_SPECIES);
        return -1;
    }
    anpe_lte_species *s = &l->species[l->n_species];
    *s = (anpe_lte_species){.charge = charge};
    memcpy(s->z, z, sizeof s->z);
    memcpy(s->mass, mass, sizeof s->mass);
    s->molecule = z[1] ? find_molecule(z, charge) : -1;
    name_species(s);
    if (s->molecule == -2)
        anpe_log(ctx, ANPE_WARNING, "lte: lines of %s are left out: it is not among the molecules",
                 s->name);
    return l->n_species++;
}

static anpe_status grow(anpe_ctx *ctx, anpe_lte_lines *l)
{
    float **const columns[] = {&l->excitation, &l->log_gf, &l->accuracy,   &l->radiative,
                               &l->stark,      &l->waals,  &l->waals_power};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        int64_t room = l->room;
        if (ANPE_GROW(ctx, *columns[i], room, l->room + 1))
            return ANPE_ENOMEM;
    }
    int64_t room = l->room;
    if (ANPE_GROW(ctx, l->of, room, l->room + 1))
        return ANPE_ENOMEM;
    return ANPE_GROW(ctx, l->wavelength, l->room, l->room + 1);
}

/* Cross section and alpha from the orbitals of a neutral atom's line; 0: none. */
static int from_orbitals(const anpe_lte_species *s, const anpe_lte_line *line, double ionisation,
                         double photon, double *sigma, double *alpha)
{
    static const char letters[] = "spdf";
    int l[2];
    const double energy[2] = {ionisation - line->excitation,
                              ionisation - line->excitation - photon};
    double n[2];
    for (int i = 0; i < 2; i++) {
        const char *at = line->orbital[i] ? strchr(letters, line->orbital[i]) : NULL;
        if (!at || !(energy[i] > 0) || s->charge != 0)
            return 0;
        l[i] = (int)(at - letters);
        n[i] = sqrt(RYDBERG_EV / energy[i]);
    }
    return anpe_lte_abo_generic(l, n, sigma, alpha);
}

/* Widths of line i: the list's, else approximations; none but the radiative one for molecules. */
static void complete(const anpe_lte_list_options *o, const anpe_lte_species *s,
                     const anpe_lte_line *line, int64_t i, anpe_lte_lines *l)
{
    const double photon = HC_EV / line->wavelength;
    double power = 0.3, waals = 0, stark = line->stark;
    if (s->molecule == -1) {
        const anpe_lte_element *e = &anpe_lte_elements[s->z[0] - 1];
        const double ionisation = s->charge < 2 ? e->ionisation[s->charge] : 1e3;
        if (stark == 0)
            stark = anpe_lte_stark(ionisation, line->excitation, photon, s->charge);
        double sigma, alpha;
        if (line->waals < 20 && from_orbitals(s, line, ionisation, photon, &sigma, &alpha))
            waals = anpe_lte_abo(sigma, alpha, e->mass, &power);
        else if (line->waals < 0) {
            waals = pow(10, line->waals);
            power = line->power != 0 ? line->power : power;
        } else if (line->waals >= 20)
            waals =
                anpe_lte_abo(floor(line->waals), line->waals - floor(line->waals), e->mass, &power);
        else
            waals = anpe_lte_unsoeld(ionisation, line->excitation, photon, s->charge, e->mass) *
                    (line->waals > 0 ? line->waals : o->unsoeld);
        if (line->waals == 0 && power == 0.3)
            power = -0.3; /* marked: may be replaced by the join; its sign is mended in sort */
    }
    l->waals[i] = (float)waals;
    l->waals_power[i] = (float)power;
    l->stark[i] = (float)stark;
    /* else classical: 0.2223 / lambda^2, in cm */
    l->radiative[i] =
        (float)(line->radiative > 0 ? line->radiative
                                    : 2.223e15 / (line->wavelength * line->wavelength));
}

anpe_status anpe_lte_line_add(anpe_ctx *ctx, const anpe_lte_list_options *o, int species,
                              const anpe_lte_line *line, anpe_lte_lines *l)
{
    if (species < 0)
        return ANPE_EFORMAT; /* the message is there */
    const anpe_lte_species *s = &l->species[species];
    if (s->molecule == -2 || line->wavelength < o->low || line->wavelength > o->high ||
        s->charge > 2)
        return ANPE_OK;
    if (s->molecule == -1 && s->z[0] == 1) {
        l->n_hydrogen++;
        return ANPE_OK;
    }
    if (l->n == l->room) {
        const anpe_status status = grow(ctx, l);
        if (status)
            return status;
    }
    const int64_t i = l->n++;
    l->wavelength[i] = line->wavelength;
    l->excitation[i] = (float)line->excitation;
    l->log_gf[i] = (float)line->log_gf;
    l->accuracy[i] = (float)(line->accuracy > 0 ? line->accuracy : o->accuracy);
    l->of[i] = (int16_t)species;
    complete(o, s, line, i, l);
    return ANPE_OK;
}

/* ---- order ------------------------------------------------------------------------------- */

typedef struct rank {
    double wavelength;
    int64_t i;
} rank;

static int by_wavelength(const void *a, const void *b)
{
    const rank *x = a, *y = b;
    if (x->wavelength != y->wavelength)
        return x->wavelength < y->wavelength ? -1 : 1;
    return (x->i > y->i) -
           (x->i < y->i); /* the order of the files: results must not depend on the sort */
}

static void move(anpe_lte_lines *l, int64_t to, int64_t from)
{
    float *const columns[] = {l->excitation, l->log_gf, l->accuracy,   l->radiative,
                              l->stark,      l->waals,  l->waals_power};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        columns[i][to] = columns[i][from];
    l->wavelength[to] = l->wavelength[from];
    l->of[to] = l->of[from];
}

/* Whether one of n lines (ordered by wavelength) is the transition of line i. */
static int is_replaced(const anpe_lte_lines *l, int64_t i, int64_t n, const rank *order)
{
    const anpe_lte_species *s = &l->species[l->of[i]];
    int64_t first = 0, last = n;
    while (first < last) {
        const int64_t middle = (first + last) / 2;
        if (order[middle].wavelength < l->wavelength[i] - 0.1)
            first = middle + 1;
        else
            last = middle;
    }
    for (; first < n && order[first].wavelength < l->wavelength[i] + 0.1; first++) {
        const int64_t k = order[first].i;
        const anpe_lte_species *other = &l->species[l->of[k]];
        if (memcmp(s->z, other->z, sizeof s->z) == 0 && s->charge == other->charge &&
            fabsf(l->excitation[k] - l->excitation[i]) < 0.03F)
            return 1;
    }
    return 0;
}

anpe_status anpe_lte_lines_replace(anpe_ctx *ctx, int64_t first, anpe_lte_lines *l)
{
    const int64_t n = l->n - first;
    if (n == 0)
        return ANPE_OK;
    rank *order;
    if (ANPE_NEW(ctx, order, n))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        order[i] = (rank){l->wavelength[first + i], first + i};
    qsort(order, (size_t)n, sizeof *order, by_wavelength);
    int64_t kept = 0;
    for (int64_t i = 0; i < l->n; i++)
        if (i >= first || !is_replaced(l, i, n, order))
            move(l, kept++, i);
    anpe_log(ctx, ANPE_INFO, "lte: %lld lines take the place of %lld", (long long)n,
             (long long)(l->n - kept));
    l->n = kept;
    free(order);
    return ANPE_OK;
}

static void permute(int64_t n, const rank *order, size_t size, void *column, void *room)
{
    char *to = room;
    for (int64_t i = 0; i < n; i++)
        memcpy(to + (size_t)i * size, (char *)column + (size_t)order[i].i * size, size);
    memcpy(column, room, (size_t)n * size);
}

anpe_status anpe_lte_lines_sort(anpe_ctx *ctx, anpe_lte_lines *l)
{
    if (l->n == 0)
        return ANPE_OK;
    rank *order = NULL;
    double *room = NULL;
    if (ANPE_NEW(ctx, order, l->n) || ANPE_NEW(ctx, room, l->n)) {
        free(order);
        free(room);
        return ANPE_ENOMEM;
    }
    for (int64_t i = 0; i < l->n; i++) {
        order[i] = (rank){l->wavelength[i], i};
        l->waals_power[i] = fabsf(l->waals_power[i]);
    }
    qsort(order, (size_t)l->n, sizeof *order, by_wavelength);
    permute(l->n, order, sizeof(double), l->wavelength, room);
    float *const columns[] = {l->excitation, l->log_gf, l->accuracy,   l->radiative,
                              l->stark,      l->waals,  l->waals_power};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        permute(l->n, order, sizeof(float), columns[i], room);
    permute(l->n, order, sizeof(int16_t), l->of, room);
    free(order);
    free(room);
    return ANPE_OK;
}

/* ---- widths from another table ----------------------------------------------------------- */

void anpe_lte_broadening_free(anpe_lte_broadening *b)
{
    free(b->wavelength);
    *b = (anpe_lte_broadening){0};
}

anpe_status anpe_lte_broadening_read(anpe_ctx *ctx, const char *path, anpe_lte_broadening *b)
{
    anpe_lte_text text;
    anpe_status status = anpe_lte_text_open(ctx, path, &text);
    if (status)
        return status;
    int64_t n = 0;
    for (const char *at = text.data; *at; at++)
        n += *at == '\n';
    n++;
    *b = (anpe_lte_broadening){0};
    double *block;
    if (ANPE_NEW(ctx, block, 4, n)) {
        anpe_lte_text_close(&text);
        return ANPE_ENOMEM;
    }
    *b = (anpe_lte_broadening){0, block, block + n, block + 2 * n, block + 3 * n};
    while (!status && anpe_lte_text_next(&text)) {
        double v[5], before = b->n > 0 ? b->wavelength[b->n - 1] : 0;
        const char *at = text.line;
        if (text.line[strspn(text.line, " \t")] == 0)
            continue;
        if (anpe_lte_text_numbers(&at, 5, v) < 4 || anpe_air_to_vacuum(v[0]) < before)
            status = ANPE_LTE_BAD(ctx, &text,
                                  "wavelength (ascending), species, log width, alpha expected");
        else {
            const int64_t i = b->n++;
            b->wavelength[i] = anpe_air_to_vacuum(v[0]);
            b->code[i] = v[1], b->log_rate[i] = v[2], b->alpha[i] = v[3];
        }
    }
    anpe_lte_text_close(&text);
    if (status)
        anpe_lte_broadening_free(b);
    return status;
}

int64_t anpe_lte_broadening_join(const anpe_lte_broadening *b, anpe_lte_lines *l)
{
    int64_t joined = 0;
    for (int64_t i = 0; i < l->n; i++) {
        const anpe_lte_species *s = &l->species[l->of[i]];
        if (!(l->waals_power[i] < 0) || s->molecule != -1)
            continue;
        const double low = l->wavelength[i] - 0.03;
        int64_t first = 0, last = b->n;
        while (first < last) {
            const int64_t middle = (first + last) / 2;
            if (b->wavelength[middle] < low)
                first = middle + 1;
            else
                last = middle;
        }
        for (; first < b->n && b->wavelength[first] < low + 0.06; first++)
            if (fabs(b->code[first] - (s->z[0] + 0.1 * s->charge)) < 0.01) {
                l->waals[i] = (float)pow(10, b->log_rate[first]);
                l->waals_power[i] = (float)(0.5 * (1 - b->alpha[first]));
                joined++;
                break;
            }
    }
    return joined;
}
