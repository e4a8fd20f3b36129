# tests/unit: simulator
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_simulator
TESTS += tests/unit/test_simulator
tests_unit_test_simulator_SOURCES = tests/unit/test_simulator.c tests/unit/plugin_support.h
tests_unit_test_simulator_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS)
tests_unit_test_simulator_LDADD = $(TEST_LDADD) $(HDF5_LIBS)
endif
