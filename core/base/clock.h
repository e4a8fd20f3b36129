/* base/clock.h -- time for rates and limits; never part of a result. */
#ifndef ANPE_CORE_CLOCK_H
#define ANPE_CORE_CLOCK_H
/* Seconds since some moment, monotonic. */
double anpe_clock_seconds(void);
#endif
