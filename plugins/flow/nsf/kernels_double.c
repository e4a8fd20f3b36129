/* The operations of nsf in double. */
#include <anpe/plugin.h>
typedef double real;
#define real_exp     exp
#define real_log     log
#define KERNEL(name) name##_d
#include "kernels.h"
