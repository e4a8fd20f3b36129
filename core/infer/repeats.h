/* infer/repeats.h -- repeated observations of the same stars: does the scatter between visits agree
 * with the stated errors? */
#ifndef ANPE_CORE_REPEATS_H
#define ANPE_CORE_REPEATS_H
#include "validate/validate.h"

/* Infers the request's files; spectra with the same identifier are of one star. Fills
 * repeat_temperature and n_repeats (spectra less stars). ANPE_EINVAL if no star comes twice. */
ANPE_MUST_CHECK anpe_status anpe_repeats_temperature(anpe_ctx *ctx,
                                                     const anpe_validate_request *request,
                                                     anpe_validation *result);
#endif
