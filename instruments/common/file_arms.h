/* common/file_arms.h -- the files of one star that differ in one digit of their name, as those
 * of a spectrograph's arms: DIRECTORY/ddd...dA.fits, .fits.gz. */
#ifndef ANPE_FILE_ARMS_H
#define ANPE_FILE_ARMS_H
#include <stddef.h>

enum { ARM_PATH = 4096 };

/* Where the digit A, 1 to n, is in such a path, after so many other digits; 0: it is not named so.
 */
size_t file_arm_place(const char *path, int digits, int n);
/* The file with another digit there; whether it exists. */
int file_arm(const char *path, size_t place, int digit, char out[ARM_PATH]);
/* Whether this file stands for all of them: it is the first one that exists, or the only one. */
int file_arm_is_first(const char *path, size_t place);
#endif
