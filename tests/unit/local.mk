# tests/unit: programs on CUnit, listed in tests/list, each with all that one of them needs.
TEST_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -I$(top_srcdir)/tests/unit $(HDF5_CFLAGS) $(CFITSIO_CFLAGS) \
	$(LIBZIP_CFLAGS) -DTEST_PLUGIN_PATH='"$(abs_top_builddir)/plugins"' \
	-DGOLDEN_CHECK='"$(abs_top_builddir)/tests/golden_check"'
TEST_LDADD = libanpe.la $(HDF5_LIBS) $(CFITSIO_LIBS) $(LIBZIP_LIBS) -lcunit -lm
unit_tests =
odd_plugins =
# -rpath makes libtool build a shared object although nothing is installed.
ODD_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -rpath /nowhere
include tests/list.mk
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
# The simulator that test_pipe starts.
check_PROGRAMS += tests/unit/pipe_program
tests_unit_pipe_program_SOURCES = tests/unit/pipe_program.c
tests_unit_pipe_program_LDADD =
check_LTLIBRARIES += $(odd_plugins)
EXTRA_tests_unit_test_loader_DEPENDENCIES = $(odd_plugins)
EXTRA_DIST += tests/unit/allocation_count.h tests/unit/base_support.h tests/unit/data_support.h tests/unit/cannon_support.h tests/unit/emulator_support.h \
	tests/unit/graph_support.h tests/unit/instrument_support.h tests/unit/network_support.h \
	tests/unit/plugin_support.h tests/unit/test_lines.h tests/unit/testlib.h
include tests/unit/openblas.mk
