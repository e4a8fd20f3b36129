# tests/golden: networks against their statement in PyTorch, and in closed form
noinst_PROGRAMS += tests/golden_check
tests_golden_check_SOURCES = tests/golden/golden_check.c tests/golden/golden_file.c \
	tests/golden/golden_run.c tests/golden/golden_draw.c tests/golden/golden.h \
	tests/golden/fixture.c tests/golden/fixture.h
tests_golden_check_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(HDF5_CFLAGS) \
	-DTEST_PLUGIN_PATH='"$(abs_top_builddir)/plugins"'
tests_golden_check_LDADD = libanpe.la $(HDF5_LIBS)
