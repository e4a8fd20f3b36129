/* infer/identity.h -- which spectra, or rows of a catalogue, are of one star, by their identifiers.
 *
 * Identifiers that are equal, blanks at the ends aside, are one star's. Designations by position,
 * [PREFIX ]Jhhmmss.ss+ddmmss.s, are written anew for every observation by some surveys (LAMOST),
 * with and without a prefix: two within 1 arcsecond of each other are one star's. */
#ifndef ANPE_CORE_IDENTITY_H
#define ANPE_CORE_IDENTITY_H
#include "base/context.h"

/* A designation's position in degrees; 0: the identifier is none. */
int anpe_identity_position(const char *id, double *ra, double *dec);

typedef struct anpe_identities anpe_identities;
/* id (n) is borrowed. named (n), NULL for all 1: 0 where the identifier is only a file's name,
 * which is one spectrum's alone; so is an empty identifier. */
ANPE_MUST_CHECK anpe_status anpe_identities_new(anpe_ctx *ctx, int64_t n, const char *const *id,
                                                const uint8_t *named, anpe_identities **out);
anpe_identities *anpe_identities_free(anpe_identities *x);
/* The first of the entries that are of the same star as entry i. */
int64_t anpe_identities_star(const anpe_identities *x, int64_t i);
/* How many entries are of that star. */
int64_t anpe_identities_count(const anpe_identities *x, int64_t i);
/* An entry of the star with this identifier; -1: there is none. */
int64_t anpe_identities_find(const anpe_identities *x, const char *id);
#endif
