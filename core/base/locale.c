/* The thread's locale (uselocale), which goes before the one that setlocale gives to all. */
#include <config.h>
#include "base/locale.h"
#include <pthread.h>

static locale_t plain;
static _Thread_local locale_t host;

static void make_plain(void)
{
    plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

locale_t anpe_locale_enter(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_plain);
    const locale_t before = uselocale(plain);
    if (before != plain)
        host = before;
    return before;
}

locale_t anpe_locale_lend(void)
{
    return uselocale(host); /* none, and so no change, in a thread that has not entered */
}

/* What the host's function may have changed is its locale from then on. */
void anpe_locale_leave(locale_t before)
{
    const locale_t now = uselocale(before);
    if (before != plain)
        host = (locale_t)0;
    else if (now != plain)
        host = now;
}
