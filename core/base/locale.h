/* base/locale.h -- numbers with a decimal point, whatever the locale of the host program.
 *
 * Numbers in text (settings, tables, digests, messages; here, in plugins and in the libraries
 * below) follow the locale of the thread. So every function of <anpe/anpe.h> that may meet one
 * works between enter and leave, which nest; our worker threads enter for good; and a function of
 * the host's is called between lend and leave. Only the calling thread is concerned. */
#ifndef ANPE_CORE_LOCALE_H
#define ANPE_CORE_LOCALE_H
#include <locale.h>

/* The "C" locale for this thread; returns what was before. Allocates nothing. */
locale_t anpe_locale_enter(void);
/* The host's locale again for a call of its functions; returns what was before. */
locale_t anpe_locale_lend(void);
void anpe_locale_leave(locale_t before);
#endif
