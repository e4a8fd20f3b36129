# plugins/flow/maf
plugin_LTLIBRARIES += plugins/flow_maf.la
flow_common = plugins/flow/common/made.c plugins/flow/common/made.h \
	plugins/flow/common/made_sampler.h plugins/flow/common/made_product.h
plugins_flow_maf_la_SOURCES = plugins/flow/maf/maf.c plugins/flow/maf/mixture.h $(flow_common)
plugins_flow_maf_la_CPPFLAGS = $(AM_CPPFLAGS)
# -std=c17 forbids fused multiply-add, which is half of the sampler's speed.
plugins_flow_maf_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden -ffp-contract=fast
plugins_flow_maf_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_flow_maf_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/flow/maf/README.md
