# tests/unit: data
if HAVE_CUNIT
data_tests = tests/unit/test_data_files tests/unit/test_data_spectrum tests/unit/test_data_catalogue \
	tests/unit/test_data_table
check_PROGRAMS += $(data_tests)
TESTS += $(data_tests)
tests_unit_test_data_files_SOURCES = tests/unit/test_data_files.c tests/unit/data_support.h
tests_unit_test_data_files_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS) $(LIBZIP_CFLAGS)
tests_unit_test_data_files_LDADD = $(TEST_LDADD) $(HDF5_LIBS) $(LIBZIP_LIBS)
tests_unit_test_data_spectrum_SOURCES = tests/unit/test_data_spectrum.c tests/unit/data_support.h
tests_unit_test_data_spectrum_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS)
tests_unit_test_data_spectrum_LDADD = $(TEST_LDADD)
tests_unit_test_data_catalogue_SOURCES = tests/unit/test_data_catalogue.c tests/unit/data_support.h
tests_unit_test_data_catalogue_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS) $(CFITSIO_CFLAGS)
tests_unit_test_data_catalogue_LDADD = $(TEST_LDADD) $(CFITSIO_LIBS)
tests_unit_test_data_table_SOURCES = tests/unit/test_data_table.c tests/unit/data_support.h
tests_unit_test_data_table_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS) $(CFITSIO_CFLAGS)
tests_unit_test_data_table_LDADD = $(TEST_LDADD) $(HDF5_LIBS) $(CFITSIO_LIBS)
endif
