/* The operations of nsf in float. */
#include <anpe/plugin.h>
#include <anpe/vecmath.h>
typedef float real;
#define real_exp     anpe_expf
#define real_log     anpe_logf
#define KERNEL(name) name##_f
#include "kernels.h"
