/* Cards that CFITSIO must not see; see fits_cards.h. */
#include "file/fits_cards.h"
#include <string.h>
#include <zlib.h>

enum { CARD = 80, KEY = 5, MOST = 69 }; /* MOST: what CFITSIO has room for */

/* How many bytes from v belong to a value that begins there, as CFITSIO finds its end. */
static size_t value_length(const unsigned char *v, const unsigned char *end)
{
    const unsigned char *stop = end;
    if (v < end && *v == '\'') {
        v++;
        stop = memchr(v, '\'', (size_t)(end - v));
    } else if (v < end && *v == '(') {
        stop = memchr(v, ')', (size_t)(end - v));
        stop = stop ? stop + 1 : v; /* without its end it is an error to CFITSIO, too */
    } else {
        for (stop = v; stop < end && *stop != ' ' && *stop != '/';)
            stop++;
    }
    return (size_t)((stop ? stop : end) - v);
}

/* The value of a card is longer than MOST. It begins after the equals sign, wherever that is: what
 * follows it need not be a blank. */
static int is_full(const unsigned char *card)
{
    const unsigned char *end = card + CARD, *v = memchr(card + KEY, '=', CARD - KEY);
    if (!v)
        return 0;
    for (v++; v < end && *v == ' ';)
        v++;
    return value_length(v, end) > MOST;
}

anpe_status anpe_fits_cards_check(anpe_ctx *ctx, const char *path, const unsigned char *bytes,
                                  size_t n)
{
    for (size_t at = 0; at + CARD <= n; at += CARD)
        if (!memcmp(bytes + at, "TTYPE", KEY) && is_full(bytes + at))
            return ANPE_FAIL(ctx, ANPE_EFORMAT,
                             "%s: a header's %.*s has a value of more than %d characters, which "
                             "CFITSIO does not stand; expected at most 68 in quotes",
                             path, (int)strcspn((const char *)bytes + at, " ="),
                             (const char *)bytes + at, (int)MOST);
    return ANPE_OK;
}

anpe_status anpe_fits_file_check(anpe_ctx *ctx, const char *path)
{
    enum { CARDS = 36 * 8 }; /* blocks of FITS */
    unsigned char bytes[CARDS * CARD];
    gzFile f = gzopen(path, "rb");
    anpe_status status = ANPE_OK;
    int n = f ? gzread(f, bytes, sizeof bytes) : 0;
    if (n >= 9 && !memcmp(bytes, "SIMPLE  =", 9))
        for (; n > 0 && !status; n = gzread(f, bytes, sizeof bytes))
            status = anpe_fits_cards_check(ctx, path, bytes, (size_t)n);
    if (f)
        gzclose(f);
    return status;
}
