# tests/unit: instruments and their noise models
if HAVE_CUNIT
instrument_tests = tests/unit/test_apogee tests/unit/test_lamost_lrs tests/unit/test_survey_noise \
	tests/unit/test_readers
check_PROGRAMS += $(instrument_tests)
TESTS += $(instrument_tests)
tests_unit_test_apogee_SOURCES = tests/unit/test_apogee.c tests/unit/instrument_support.h
tests_unit_test_apogee_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS) $(CFITSIO_CFLAGS)
tests_unit_test_apogee_LDADD = $(TEST_LDADD) $(CFITSIO_LIBS)
tests_unit_test_readers_SOURCES = tests/unit/test_readers.c tests/unit/instrument_support.h
tests_unit_test_readers_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS) $(CFITSIO_CFLAGS)
tests_unit_test_readers_LDADD = $(TEST_LDADD) $(HDF5_LIBS) $(CFITSIO_LIBS)
tests_unit_test_lamost_lrs_SOURCES = tests/unit/test_lamost_lrs.c tests/unit/instrument_support.h
tests_unit_test_lamost_lrs_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS) $(CFITSIO_CFLAGS)
tests_unit_test_lamost_lrs_LDADD = $(TEST_LDADD) $(CFITSIO_LIBS)
tests_unit_test_survey_noise_SOURCES = tests/unit/test_survey_noise.c tests/unit/instrument_support.h
tests_unit_test_survey_noise_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS) $(CFITSIO_CFLAGS)
tests_unit_test_survey_noise_LDADD = $(TEST_LDADD) $(HDF5_LIBS) $(CFITSIO_LIBS)
endif
