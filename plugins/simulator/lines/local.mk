# plugins/simulator/lines
plugin_LTLIBRARIES += plugins/simulator_lines.la
lines_sources = plugins/simulator/lines/lines.c plugins/simulator/lines/lines.h \
	plugins/simulator/lines/elements.c plugins/simulator/lines/layer.c \
	plugins/simulator/lines/voigt.c plugins/simulator/lines/broaden.c \
	plugins/simulator/lines/table_optical.c plugins/simulator/lines/table_infrared.c
plugins_simulator_lines_la_SOURCES = $(lines_sources)
plugins_simulator_lines_la_CPPFLAGS = $(AM_CPPFLAGS)
# Profile loops: vectors, and the fused multiply-add that -std=c17 alone forbids. Not -O3, which the
# user's -O2 would undo.
plugins_simulator_lines_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden -ffp-contract=fast \
	-ftree-vectorize -fvect-cost-model=dynamic
plugins_simulator_lines_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_simulator_lines_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/simulator/lines/README.md
