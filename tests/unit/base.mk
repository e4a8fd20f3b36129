# tests/unit: base
if HAVE_CUNIT
base_tests = tests/unit/test_base tests/unit/test_settings tests/unit/test_loader
check_PROGRAMS += $(base_tests)
TESTS += $(base_tests)
tests_unit_test_base_SOURCES = tests/unit/test_base.c tests/unit/base_support.h
tests_unit_test_base_LDADD = $(TEST_LDADD)
tests_unit_test_settings_SOURCES = tests/unit/test_settings.c tests/unit/base_support.h
tests_unit_test_settings_LDADD = $(TEST_LDADD)
tests_unit_test_loader_SOURCES = tests/unit/test_loader.c tests/unit/base_support.h
tests_unit_test_loader_LDADD = $(TEST_LDADD)

# Plugins for test_loader, one good and the rest odd in one way each. -rpath makes libtool build a
# shared object although nothing is installed.
ODD_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -rpath /nowhere
ODD_ENTRY = -export-symbols-regex '^anpe_plugin_get'
ODD_CPPFLAGS = $(AM_CPPFLAGS)
ODD_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
odd_plugins = tests/unit/odd/simulator_good.la tests/unit/odd/simulator_major.la tests/unit/odd/simulator_minor.la \
	tests/unit/odd/simulator_name.la tests/unit/odd/simulator_table.la tests/unit/odd/simulator_symbol.la \
	tests/unit/odd/simulator_no_entry.la tests/unit/odd/simulator_no_create.la \
	tests/unit/odd/simulator_stranger.la tests/unit/odd/instrument_bundle.la
check_LTLIBRARIES += $(odd_plugins)
EXTRA_tests_unit_test_loader_DEPENDENCIES = $(odd_plugins)

tests_unit_odd_simulator_good_la_SOURCES = tests/unit/odd_plugin.c
tests_unit_odd_simulator_good_la_CPPFLAGS = $(ODD_CPPFLAGS) -DODD=ODD_GOOD -DODD_OWN_NAME='"good"'
tests_unit_odd_simulator_good_la_CFLAGS = $(ODD_CFLAGS)
tests_unit_odd_simulator_good_la_LDFLAGS = $(ODD_LDFLAGS) $(ODD_ENTRY)
tests_unit_odd_simulator_good_la_LIBADD = libanpe.la

tests_unit_odd_simulator_major_la_SOURCES = tests/unit/odd_plugin.c
tests_unit_odd_simulator_major_la_CPPFLAGS = $(ODD_CPPFLAGS) -DODD=ODD_MAJOR -DODD_OWN_NAME='"major"'
tests_unit_odd_simulator_major_la_CFLAGS = $(ODD_CFLAGS)
tests_unit_odd_simulator_major_la_LDFLAGS = $(ODD_LDFLAGS) $(ODD_ENTRY)
tests_unit_odd_simulator_major_la_LIBADD = libanpe.la

tests_unit_odd_simulator_minor_la_SOURCES = tests/unit/odd_plugin.c
tests_unit_odd_simulator_minor_la_CPPFLAGS = $(ODD_CPPFLAGS) -DODD=ODD_MINOR -DODD_OWN_NAME='"minor"'
tests_unit_odd_simulator_minor_la_CFLAGS = $(ODD_CFLAGS)
tests_unit_odd_simulator_minor_la_LDFLAGS = $(ODD_LDFLAGS) $(ODD_ENTRY)
tests_unit_odd_simulator_minor_la_LIBADD = libanpe.la

tests_unit_odd_simulator_name_la_SOURCES = tests/unit/odd_plugin.c
tests_unit_odd_simulator_name_la_CPPFLAGS = $(ODD_CPPFLAGS) -DODD=ODD_NAME -DODD_OWN_NAME='"name"'
tests_unit_odd_simulator_name_la_CFLAGS = $(ODD_CFLAGS)
tests_unit_odd_simulator_name_la_LDFLAGS = $(ODD_LDFLAGS) $(ODD_ENTRY)
tests_unit_odd_simulator_name_la_LIBADD = libanpe.la

tests_unit_odd_simulator_table_la_SOURCES = tests/unit/odd_plugin.c
tests_unit_odd_simulator_table_la_CPPFLAGS = $(ODD_CPPFLAGS) -DODD=ODD_TABLE -DODD_OWN_NAME='"table"'
tests_unit_odd_simulator_table_la_CFLAGS = $(ODD_CFLAGS)
tests_unit_odd_simulator_table_la_LDFLAGS = $(ODD_LDFLAGS) $(ODD_ENTRY)
tests_unit_odd_simulator_table_la_LIBADD = libanpe.la

# Bound lazily, as a plugin built by hand would be.
tests_unit_odd_simulator_symbol_la_SOURCES = tests/unit/odd_plugin.c
tests_unit_odd_simulator_symbol_la_CPPFLAGS = $(ODD_CPPFLAGS) -DODD=ODD_SYMBOL -DODD_OWN_NAME='"symbol"'
tests_unit_odd_simulator_symbol_la_CFLAGS = $(ODD_CFLAGS)
tests_unit_odd_simulator_symbol_la_LDFLAGS = $(ODD_LDFLAGS) $(ODD_ENTRY) -Wl,-z,lazy
tests_unit_odd_simulator_symbol_la_LIBADD = libanpe.la

tests_unit_odd_simulator_no_entry_la_SOURCES = tests/unit/odd_plugin.c
tests_unit_odd_simulator_no_entry_la_CPPFLAGS = $(ODD_CPPFLAGS) -DODD=ODD_GOOD -DODD_OWN_NAME='"no_entry"'
tests_unit_odd_simulator_no_entry_la_CFLAGS = $(ODD_CFLAGS)
tests_unit_odd_simulator_no_entry_la_LDFLAGS = $(ODD_LDFLAGS) -export-symbols-regex '^anpe_no_plugin'
tests_unit_odd_simulator_no_entry_la_LIBADD = libanpe.la

tests_unit_odd_simulator_no_create_la_SOURCES = tests/unit/odd_plugin.c
tests_unit_odd_simulator_no_create_la_CPPFLAGS = $(ODD_CPPFLAGS) -DODD=ODD_NO_CREATE -DODD_OWN_NAME='"no_create"'
tests_unit_odd_simulator_no_create_la_CFLAGS = $(ODD_CFLAGS)
tests_unit_odd_simulator_no_create_la_LDFLAGS = $(ODD_LDFLAGS) $(ODD_ENTRY)
tests_unit_odd_simulator_no_create_la_LIBADD = libanpe.la

# Carries a copy of the library's anchor, as a plugin linked to another libanpe does.
tests_unit_odd_simulator_stranger_la_SOURCES = tests/unit/odd_plugin.c core/base/host.c
tests_unit_odd_simulator_stranger_la_CPPFLAGS = $(ODD_CPPFLAGS) -DODD=ODD_GOOD -DODD_OWN_NAME='"stranger"'
tests_unit_odd_simulator_stranger_la_CFLAGS = $(ODD_CFLAGS)
tests_unit_odd_simulator_stranger_la_LDFLAGS = $(ODD_LDFLAGS) $(ODD_ENTRY)
tests_unit_odd_simulator_stranger_la_LIBADD = libanpe.la

tests_unit_odd_instrument_bundle_la_SOURCES = tests/unit/odd_plugin.c
tests_unit_odd_instrument_bundle_la_CPPFLAGS = $(ODD_CPPFLAGS) -DODD=ODD_GOOD -DODD_OWN_NAME='"bundle"'
tests_unit_odd_instrument_bundle_la_CFLAGS = $(ODD_CFLAGS)
tests_unit_odd_instrument_bundle_la_LDFLAGS = $(ODD_LDFLAGS) $(ODD_ENTRY)
tests_unit_odd_instrument_bundle_la_LIBADD = libanpe.la
endif
