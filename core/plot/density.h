/* plot/density.h -- weighted points of a plane as a smooth density with contours of given mass. */
#ifndef ANPE_CORE_DENSITY_H
#define ANPE_CORE_DENSITY_H
#include <stdint.h>

enum { ANPE_DENSITY_CELLS = 48 }; /* a side */

/* Cell (i, j) has its centre at ((i + 1/2) / CELLS, (j + 1/2) / CELLS); all cells sum to 1. */
typedef struct anpe_density {
    double cell[ANPE_DENSITY_CELLS][ANPE_DENSITY_CELLS]; /* [j][i] */
} anpe_density;

/* n points (u, v); those outside [0, 1]^2 are left out. weight NULL: equal. Smoothed by a Gaussian
 * of sigma_u and sigma_v cells that does not leak over the border. */
void anpe_density_of(anpe_density *d, int64_t n, const double *u, const double *v,
                     const double *weight, double sigma_u, double sigma_v);
/* The density above which lies this part of the mass. */
double anpe_density_enclosing(const anpe_density *d, double mass);

/* Closed contours of a level: polygon k has the points first[k] to first[k + 1] - 1. Its area is
 * positive around what is above the level, negative around a hole. */
typedef struct anpe_contours {
    int n;
    int *first;    /* (n + 1) */
    double *u, *v; /* in [0, 1] */
    double *area;  /* (n) */
} anpe_contours;
/* 0, or -1 without memory. */
int anpe_contours_of(const anpe_density *d, double level, anpe_contours *c);
void anpe_contours_clear(anpe_contours *c);
/* exp(-k^2 / 2 sigma^2) sums of a histogram, normalised at the border as above; out (n). */
void anpe_density_smooth(int n, const double *in, int stride, double sigma, double *out);
#endif
