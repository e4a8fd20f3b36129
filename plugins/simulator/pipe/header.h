/* What a program says of itself when it starts (README.md, "Header"). */
#ifndef ANPE_PIPE_HEADER_H
#define ANPE_PIPE_HEADER_H
#include "worker.h"

typedef struct header {
    anpe_simulator_info info; /* points into what follows */
    anpe_label *label;
    double *wavelength;
    float *scatter;
} header;

/* Reads the header of a program that has just been started. `what` names the program. */
ANPE_MUST_CHECK anpe_status header_read(anpe_ctx *ctx, worker *w, const char *what, double seconds,
                                        header *h);
void header_clear(header *h);
/* 1: both describe the same simulator. */
int header_same(const header *a, const header *b);
#endif
