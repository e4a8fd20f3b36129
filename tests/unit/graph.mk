# tests/unit: graph
if HAVE_CUNIT
graph_support = tests/unit/graph_support.c tests/unit/graph_cases.c tests/unit/graph_support.h
graph_programs = tests/unit/test_graph tests/unit/test_graph_gradients tests/unit/test_graph_products \
	tests/unit/test_graph_conv tests/unit/test_graph_bfloat16 tests/unit/test_graph_transformer
check_PROGRAMS += $(graph_programs)
TESTS += $(graph_programs)
tests_unit_test_graph_SOURCES = tests/unit/test_graph.c $(graph_support)
tests_unit_test_graph_LDADD = $(TEST_LDADD)
tests_unit_test_graph_gradients_SOURCES = tests/unit/test_graph_gradients.c $(graph_support)
tests_unit_test_graph_gradients_LDADD = $(TEST_LDADD)
tests_unit_test_graph_products_SOURCES = tests/unit/test_graph_products.c $(graph_support)
tests_unit_test_graph_products_LDADD = $(TEST_LDADD)
tests_unit_test_graph_conv_SOURCES = tests/unit/test_graph_conv.c $(graph_support)
tests_unit_test_graph_conv_LDADD = $(TEST_LDADD)
tests_unit_test_graph_bfloat16_SOURCES = tests/unit/test_graph_bfloat16.c $(graph_support)
tests_unit_test_graph_bfloat16_LDADD = $(TEST_LDADD)
tests_unit_test_graph_transformer_SOURCES = tests/unit/test_graph_transformer.c $(graph_support)
tests_unit_test_graph_transformer_LDADD = $(TEST_LDADD)
endif
