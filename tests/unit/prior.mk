# tests/unit: prior
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_prior
TESTS += tests/unit/test_prior
tests_unit_test_prior_SOURCES = tests/unit/test_prior.c tests/unit/plugin_support.h tests/unit/allocation_count.h
tests_unit_test_prior_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS)
tests_unit_test_prior_LDADD = $(TEST_LDADD) $(HDF5_LIBS)
endif
