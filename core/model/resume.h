/* model/resume.h -- what an unfinished training leaves in its model file beside the parameters. */
#ifndef ANPE_CORE_RESUME_H
#define ANPE_CORE_RESUME_H
#include <stdint.h>

typedef struct anpe_stage { /* of a training in stages: train/optimiser.h */
    int64_t number, since;  /* epochs done when it began */
} anpe_stage;

/* What the optimiser needs to go on; its arrays are borrowed. */
typedef struct anpe_resume_state {
    int64_t size, step, n_norms; /* parameters, steps done, norms of the current epoch */
    double clip;
    float *m, *v, *average; /* (size) moments, running average or NULL */
} anpe_resume_state;
#endif
