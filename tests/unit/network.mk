# tests/unit: network
if HAVE_CUNIT
network_tests = tests/unit/test_featurizer tests/unit/test_architectures tests/unit/test_flow \
	tests/unit/test_nsf tests/unit/test_sampler
check_PROGRAMS += $(network_tests)
TESTS += $(network_tests)
network_support = tests/unit/network_support.h tests/golden/fixture.c tests/golden/fixture.h \
	tests/golden/golden_draw.c tests/golden/golden.h
network_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(HDF5_CFLAGS) \
	-DTEST_PLUGIN_PATH='"$(abs_top_builddir)/plugins"'
tests_unit_test_featurizer_SOURCES = tests/unit/test_featurizer.c $(network_support)
tests_unit_test_featurizer_CPPFLAGS = $(network_cppflags)
tests_unit_test_featurizer_LDADD = $(TEST_LDADD)
tests_unit_test_flow_SOURCES = tests/unit/test_flow.c $(network_support)
tests_unit_test_flow_CPPFLAGS = $(network_cppflags)
tests_unit_test_flow_LDADD = $(TEST_LDADD)
tests_unit_test_nsf_SOURCES = tests/unit/test_nsf.c plugins/flow/nsf/operations.c \
	plugins/flow/nsf/kernels_float.c plugins/flow/nsf/kernels_double.c tests/unit/graph_support.c \
	tests/unit/graph_support.h $(network_support)
tests_unit_test_nsf_CPPFLAGS = $(network_cppflags)
tests_unit_test_nsf_LDADD = $(TEST_LDADD)
tests_unit_test_sampler_SOURCES = tests/unit/test_sampler.c $(network_support)
tests_unit_test_sampler_CPPFLAGS = $(network_cppflags)
tests_unit_test_sampler_LDADD = $(TEST_LDADD)
tests_unit_test_architectures_SOURCES = tests/unit/test_architectures.c tests/unit/allocation_count.h $(network_support)
tests_unit_test_architectures_CPPFLAGS = $(network_cppflags)
tests_unit_test_architectures_LDADD = $(TEST_LDADD)
endif
