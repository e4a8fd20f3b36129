/* See recognise.h. */
#include "recognise.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

fitsfile *recognise_fits(const char *path)
{
    fitsfile *f = NULL;
    int status = 0;
    unsigned char start[9] = {0};
    FILE *file = fopen(path, "rb");
    const size_t n = file ? fread(start, 1, sizeof start, file) : 0;
    if (file)
        fclose(file);
    if (n < sizeof start ||
        (memcmp(start, "SIMPLE  =", sizeof start) && (start[0] != 0x1f || start[1] != 0x8b)))
        return NULL;
    if (fits_open_diskfile(&f, path, READONLY, &status))
        f = NULL;
    fits_clear_errmsg();
    return f;
}

int recognise_key(fitsfile *f, const char *key, const char *start)
{
    char text[FLEN_VALUE] = "";
    return survey_fits_text(f, 0, key, text) && !strncmp(text, start, strlen(start));
}

void recognise_as(anpe_recognition *out, anpe_match match, const char *survey, const char *what,
                  ...)
{
    va_list list;
    out->match = match;
    snprintf(out->survey, sizeof out->survey, "%s", survey);
    va_start(list, what);
    vsnprintf(out->what, sizeof out->what, what, list);
    va_end(list);
}
