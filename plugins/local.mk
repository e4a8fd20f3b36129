# plugins: their rules are made from plugins/list; the flags that some of them ask for, and why.
# A fused multiply-add, which -std=c17 alone forbids, is half of a sampler's speed.
FUSED_CFLAGS = -ffp-contract=fast
# The spline of nsf, all lanes of a panel at a time: vectors, also of roots, which may not set errno then.
NSF_CFLAGS = -O3 $(FUSED_CFLAGS) $(VECTOR_CFLAGS) -fno-math-errno -fno-trapping-math
# Profile loops: vectors, and fused multiply-adds. Not -O3, which the user's -O2 would undo.
PROFILE_CFLAGS = $(FUSED_CFLAGS) $(VECTOR_CFLAGS)
# The products of dense networks and the per-pixel sigmoids are the cost of a simulation: O3 unrolls the
# register tiles.
SIMULATOR_KERNEL_CFLAGS = -O3 $(FUSED_CFLAGS)
# Conversions of whole tensors: the vectoriser is asked for by name, as for core/kernel.
CONVERSION_CFLAGS = -O3 $(VECTOR_CFLAGS)
# How every plugin is compiled and linked: all symbols resolved at load time, one exported symbol.
PLUGIN_CPPFLAGS = -I$(top_srcdir)/include
PLUGIN_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
PLUGIN_DEFS = -Wl,-z,defs
PLUGIN_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -no-undefined $(PLUGIN_DEFS) -Wl,-z,now \
	-export-symbols-regex anpe_plugin_get
if SANITIZED
PLUGIN_LDFLAGS += -Wl,-z,undefs
endif
