# tests/golden: networks against their statement in PyTorch, and in closed form
noinst_PROGRAMS += tests/golden_check
tests_golden_check_SOURCES = tests/golden/golden_check.c tests/golden/golden_file.c \
	tests/golden/golden_run.c tests/golden/golden_draw.c tests/golden/golden.h \
	tests/golden/fixture.c tests/golden/fixture.h
tests_golden_check_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(HDF5_CFLAGS) \
	-DTEST_PLUGIN_PATH='"$(abs_top_builddir)/plugins"'
tests_golden_check_LDADD = libanpe.la $(HDF5_LIBS)

if HAVE_CUNIT
golden_tests = tests/golden/test_closed_form tests/golden/test_golden
check_PROGRAMS += $(golden_tests)
TESTS += $(golden_tests)
tests_golden_test_closed_form_SOURCES = tests/golden/test_closed_form.c tests/golden/fixture.c \
	tests/golden/fixture.h
tests_golden_test_closed_form_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	-DTEST_PLUGIN_PATH='"$(abs_top_builddir)/plugins"'
tests_golden_test_closed_form_LDADD = $(TEST_LDADD)
tests_golden_test_golden_SOURCES = tests/golden/test_golden.c
tests_golden_test_golden_CPPFLAGS = $(HDF5_CFLAGS) \
	-DGOLDEN_CHECK='"$(abs_top_builddir)/tests/golden_check"'
tests_golden_test_golden_LDADD = $(HDF5_LIBS) -lcunit
endif
