# tests/unit: lines. The plugin is tested through the loader; its parts also one by one, from source.
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_lines
TESTS += tests/unit/test_lines
tests_unit_test_lines_SOURCES = tests/unit/test_lines.c tests/unit/test_lines_parts.c \
	tests/unit/test_lines.h tests/unit/plugin_support.h tests/unit/allocation_count.h tests/unit/data_support.h \
	plugins/simulator/lines/lines.h \
	plugins/simulator/lines/elements.c plugins/simulator/lines/layer.c \
	plugins/simulator/lines/voigt.c plugins/simulator/lines/broaden.c \
	plugins/simulator/lines/table_optical.c plugins/simulator/lines/table_infrared.c
tests_unit_test_lines_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins/simulator/lines $(HDF5_CFLAGS)
tests_unit_test_lines_LDADD = $(TEST_LDADD) $(HDF5_LIBS)
endif
