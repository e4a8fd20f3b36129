# tests/unit: npe
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_npe
TESTS += tests/unit/test_npe
tests_unit_test_npe_SOURCES = tests/unit/test_npe.c tests/unit/base_support.h
tests_unit_test_npe_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_npe_LDADD = $(TEST_LDADD)
check_PROGRAMS += tests/unit/test_likelihood
TESTS += tests/unit/test_likelihood
tests_unit_test_likelihood_SOURCES = tests/unit/test_likelihood.c tests/unit/data_support.h
tests_unit_test_likelihood_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_likelihood_LDADD = $(TEST_LDADD)
check_PROGRAMS += tests/unit/test_model_error
TESTS += tests/unit/test_model_error
tests_unit_test_model_error_SOURCES = tests/unit/test_model_error.c tests/unit/base_support.h
tests_unit_test_model_error_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS)
tests_unit_test_model_error_LDADD = $(TEST_LDADD) $(HDF5_LIBS)
check_PROGRAMS += tests/unit/test_allocations
TESTS += tests/unit/test_allocations
tests_unit_test_allocations_SOURCES = tests/unit/test_allocations.c tests/unit/allocation_count.h
tests_unit_test_allocations_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_allocations_LDADD = $(TEST_LDADD)
check_PROGRAMS += tests/unit/test_calibration
TESTS += tests/unit/test_calibration
tests_unit_test_calibration_SOURCES = tests/unit/test_calibration.c tests/unit/base_support.h
tests_unit_test_calibration_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_calibration_LDADD = $(TEST_LDADD)
check_PROGRAMS += tests/unit/test_infer
TESTS += tests/unit/test_infer
tests_unit_test_infer_SOURCES = tests/unit/test_infer.c tests/unit/base_support.h
tests_unit_test_infer_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS)
tests_unit_test_infer_LDADD = $(TEST_LDADD)
check_PROGRAMS += tests/unit/test_explain
TESTS += tests/unit/test_explain
tests_unit_test_explain_SOURCES = tests/unit/test_explain.c tests/unit/base_support.h
tests_unit_test_explain_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_explain_LDADD = $(TEST_LDADD)
endif
