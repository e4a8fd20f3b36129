# tests/unit: lte, its parts from source
if HAVE_CUNIT
lte_tests = tests/unit/test_lte_model tests/unit/test_lte_transfer tests/unit/test_lte_lines
check_PROGRAMS += $(lte_tests)
TESTS += $(lte_tests)
lte_support = tests/unit/plugin_support.h tests/unit/allocation_count.h tests/unit/data_support.h $(lte_sources)
tests_unit_test_lte_model_SOURCES = tests/unit/test_lte_model.c $(lte_support)
tests_unit_test_lte_model_CPPFLAGS = $(AM_CPPFLAGS) $(lte_cppflags) $(HDF5_CFLAGS)
tests_unit_test_lte_model_LDADD = $(TEST_LDADD) $(lte_libs) $(HDF5_LIBS)
tests_unit_test_lte_transfer_SOURCES = tests/unit/test_lte_transfer.c $(lte_support)
tests_unit_test_lte_transfer_CPPFLAGS = $(AM_CPPFLAGS) $(lte_cppflags) $(HDF5_CFLAGS)
tests_unit_test_lte_transfer_LDADD = $(TEST_LDADD) $(lte_libs)
tests_unit_test_lte_lines_SOURCES = tests/unit/test_lte_lines.c $(lte_support)
tests_unit_test_lte_lines_CPPFLAGS = $(AM_CPPFLAGS) $(lte_cppflags) $(HDF5_CFLAGS)
tests_unit_test_lte_lines_CFLAGS = $(AM_CFLAGS) $(lte_cflags)
tests_unit_test_lte_lines_LDADD = $(TEST_LDADD) $(lte_libs)
endif
