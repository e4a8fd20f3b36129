/* base/random.h -- named random streams: Philox4x32-10, key (seed, purpose), counter (sample,
 * slot, block). Sample i gets the same numbers on any thread, batch size or order. */
#ifndef ANPE_CORE_RANDOM_H
#define ANPE_CORE_RANDOM_H
#include <anpe/plugin.h>

typedef enum anpe_purpose {
    ANPE_FOR_INIT = 1,   /* initial weights */
    ANPE_FOR_TRAINING,   /* labels and noise of training spectra */
    ANPE_FOR_VALIDATION, /* the fixed validation set */
    ANPE_FOR_MOCKS,      /* anpe simulate */
    ANPE_FOR_POSTERIOR,  /* draws of anpe infer */
    ANPE_FOR_SHUFFLE,    /* order of stored simulations */
    ANPE_FOR_CONTINUUM,  /* spectra that continuum pixels are found from */
    ANPE_FOR_EXACT,      /* importance sampling of anpe infer --exact */
    ANPE_FOR_BASIS,      /* spectra that a reduced basis is found from */
    ANPE_FOR_START,      /* spectra that the guess of labels is fitted to */
    ANPE_FOR_DESIGN,     /* designs of anpe simulate */
    ANPE_FOR_CHECKS = 20 /* mocks of anpe validate and their draws */
} anpe_purpose;

typedef enum anpe_slot { /* independent streams of one sample */
                         ANPE_SLOT_LABELS,
                         ANPE_SLOT_NOISE,
                         ANPE_SLOT_EPOCH_NOISE
} anpe_slot;

/* Fisher-Yates: any order of v (n) with the same probability. */
void anpe_shuffle(anpe_rng *rng, int64_t n, int64_t *v);
anpe_rng anpe_rng_make(uint32_t seed, anpe_purpose purpose, int64_t sample, uint32_t slot);
#endif
