# tests/unit: lte, its parts from source
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_lte_model
TESTS += tests/unit/test_lte_model
tests_unit_test_lte_model_SOURCES = tests/unit/test_lte_model.c tests/unit/plugin_support.h \
	tests/unit/allocation_count.h tests/unit/data_support.h $(lte_sources)
tests_unit_test_lte_model_CPPFLAGS = $(AM_CPPFLAGS) $(lte_cppflags) $(HDF5_CFLAGS)
tests_unit_test_lte_model_LDADD = $(TEST_LDADD) $(lte_libs) $(HDF5_LIBS)
endif
