# tests/unit: base
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_base
TESTS += tests/unit/test_base
tests_unit_test_base_SOURCES = tests/unit/test_base.c tests/unit/base_support.h
tests_unit_test_base_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_base_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_settings
TESTS += tests/unit/test_settings
tests_unit_test_settings_SOURCES = tests/unit/test_settings.c tests/unit/base_support.h
tests_unit_test_settings_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_settings_LDADD = $(TEST_LDADD)
endif
