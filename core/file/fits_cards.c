/* Cards that CFITSIO must not see; see fits_cards.h. */
#include "file/fits_cards.h"
#include <string.h>
#include <zlib.h>

enum { CARD = 80, VALUE = 10, MOST = CARD - VALUE };

/* The value of a card, as CFITSIO finds its end, takes all of its MOST bytes. */
static int is_full(const unsigned char *value)
{
    if (value[0] == '\'')
        return 0;
    if (value[0] == '(')
        return memchr(value, ')', MOST) == value + MOST - 1;
    return !memchr(value, ' ', MOST) && !memchr(value, '/', MOST);
}

anpe_status anpe_fits_cards_check(anpe_ctx *ctx, const char *path, const unsigned char *bytes,
                                  size_t n)
{
    for (size_t at = 0; at + CARD <= n; at += CARD)
        if (!memcmp(bytes + at, "TTYPE", 5) && !memcmp(bytes + at + 8, "= ", 2) &&
            is_full(bytes + at + VALUE))
            return ANPE_FAIL(ctx, ANPE_EFORMAT,
                             "%s: a header's %.*s has a value of %d characters without quotes, "
                             "which CFITSIO does not stand; expected at most 68 in quotes",
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
