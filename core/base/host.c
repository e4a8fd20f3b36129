/* The address that tells one copy of libanpe from another. */
#include <anpe/plugin.h>

const void *anpe_host(void)
{
    static const char anchor;
    return &anchor;
}
