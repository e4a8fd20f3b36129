# plugins/flow/nsf
plugin_LTLIBRARIES += plugins/flow_nsf.la
plugins_flow_nsf_la_SOURCES = plugins/flow/nsf/nsf.c plugins/flow/nsf/operations.c \
	plugins/flow/nsf/operations.h plugins/flow/nsf/kernels_float.c plugins/flow/nsf/kernels_double.c \
	plugins/flow/nsf/kernels.h plugins/flow/nsf/spline.h $(flow_common)
plugins_flow_nsf_la_CPPFLAGS = $(AM_CPPFLAGS)
# -std=c17 forbids fused multiply-add, which is half of the sampler's speed.
plugins_flow_nsf_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden -ffp-contract=fast
plugins_flow_nsf_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_flow_nsf_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/flow/nsf/README.md
