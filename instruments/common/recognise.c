/* See recognise.h. */
#include "recognise.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

fitsfile *recognise_fits(anpe_ctx *ctx, const char *path)
{
    fitsfile *f = NULL;
    return survey_fits_open(ctx, path, &f) ? NULL : f;
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
