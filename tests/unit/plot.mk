# tests/unit: plot; the arithmetic needs no PLplot
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_plot
TESTS += tests/unit/test_plot
tests_unit_test_plot_SOURCES = tests/unit/test_plot.c tests/unit/data_support.h core/plot/density.c \
	core/plot/density.h core/plot/bands.c core/plot/bands.h core/plot/names.c core/plot/names.h
tests_unit_test_plot_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_plot_LDADD = $(TEST_LDADD)
endif
