/* common/file_beside.h -- files that belong together by their names: errors beside the flux, orders
 * and detectors of one exposure, arms of one star. */
#ifndef ANPE_FILE_BESIDE_H
#define ANPE_FILE_BESIDE_H
#include <anpe/plugin.h>

typedef struct file_list {
    int64_t n;
    char **path; /* (n) in order of their names */
} file_list;

/* The path with the last `from` of its file name replaced by `to`, into out (size); 1 if there is
 * such a file. */
int file_beside(const char *path, const char *from, const char *to, size_t size, char *out);
/* Other files of the same folder that hold the rest of an exposure: their names differ from this
 * one's in the number before the ending alone (`_1` or `_3_04` before `.fits`, `_flux.fits` or
 * `_Flux.fits`), and their headers agree in DATE-OBS, UTC and MJD, one of which must be there. Free
 * with file_list_clear. */
ANPE_MUST_CHECK anpe_status file_siblings(anpe_ctx *ctx, const char *path, file_list *out);
/* Whether this file stands for its exposure: no other one's name is before its own. */
ANPE_MUST_CHECK anpe_status file_is_first(anpe_ctx *ctx, const char *path, int *first);
void file_list_clear(file_list *list);

/* Files of one star that differ in one digit of their name, as those of a spectrograph's arms:
 * DIRECTORY/ddd...dA.fits, .fits.gz. */
enum { ARM_PATH = 4096 };

/* Where the digit A, 1 to n, is in such a path, after so many other digits; 0: it is not named so.
 */
size_t file_arm_place(const char *path, int digits, int n);
/* The file with another digit there; whether it exists. */
int file_arm(const char *path, size_t place, int digit, char out[ARM_PATH]);
/* Whether this file stands for all of them: it is the first one that exists, or the only one. */
int file_arm_is_first(const char *path, size_t place);
#endif
