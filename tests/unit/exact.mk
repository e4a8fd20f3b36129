# tests/unit: importance sampling and what climbs on it
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_importance
TESTS += tests/unit/test_importance
tests_unit_test_importance_SOURCES = tests/unit/test_importance.c tests/unit/base_support.h
tests_unit_test_importance_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_importance_LDADD = $(TEST_LDADD)
check_PROGRAMS += tests/unit/test_ladder
TESTS += tests/unit/test_ladder
tests_unit_test_ladder_SOURCES = tests/unit/test_ladder.c tests/unit/base_support.h
tests_unit_test_ladder_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_ladder_LDADD = $(TEST_LDADD)
check_PROGRAMS += tests/unit/test_exact
TESTS += tests/unit/test_exact
tests_unit_test_exact_SOURCES = tests/unit/test_exact.c tests/unit/base_support.h tests/unit/allocation_count.h
tests_unit_test_exact_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_exact_LDADD = $(TEST_LDADD)
endif
