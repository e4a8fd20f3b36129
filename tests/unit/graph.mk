# tests/unit: graph
if HAVE_CUNIT
graph_support = tests/unit/graph_support.c tests/unit/graph_support.h
check_PROGRAMS += tests/unit/test_graph_gradients
TESTS += tests/unit/test_graph_gradients
tests_unit_test_graph_gradients_SOURCES = tests/unit/test_graph_gradients.c $(graph_support)
tests_unit_test_graph_gradients_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit
tests_unit_test_graph_gradients_LDADD = $(TEST_LDADD)
endif
