/* Files of one star by their names. */
#include "file_arms.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

size_t file_arm_place(const char *path, int digits, int n)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (int k = 0; k <= digits; k++)
        if (!isdigit((unsigned char)name[k]))
            return 0;
    const char *end = name + digits + 1;
    const int arm = name[digits] - '0';
    if (arm < 1 || arm > n || (strcmp(end, ".fits") != 0 && strcmp(end, ".fits.gz") != 0))
        return 0;
    return (size_t)(name + digits - path);
}

int file_arm(const char *path, size_t place, int digit, char out[ARM_PATH])
{
    if (strlen(path) >= ARM_PATH)
        return 0;
    snprintf(out, ARM_PATH, "%s", path);
    out[place] = (char)('0' + digit);
    return access(out, F_OK) == 0;
}

int file_arm_is_first(const char *path, size_t place)
{
    char other[ARM_PATH];
    for (int digit = 1; place && digit < path[place] - '0'; digit++)
        if (file_arm(path, place, digit, other))
            return 0;
    return 1;
}
