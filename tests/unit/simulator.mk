# tests/unit: simulator
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_simulator tests/unit/test_kernels
TESTS += tests/unit/test_simulator tests/unit/test_kernels
tests_unit_test_simulator_SOURCES = tests/unit/test_simulator.c tests/unit/plugin_support.h tests/unit/allocation_count.h
tests_unit_test_simulator_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS)
tests_unit_test_simulator_LDADD = $(TEST_LDADD) $(HDF5_LIBS)
tests_unit_test_kernels_SOURCES = tests/unit/test_kernels.c
tests_unit_test_kernels_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_kernels_CFLAGS = $(AM_CFLAGS) $(SIMULATOR_KERNEL_CFLAGS)
tests_unit_test_kernels_LDADD = $(TEST_LDADD)
check_PROGRAMS += tests/unit/test_pipe tests/unit/pipe_program
TESTS += tests/unit/test_pipe
tests_unit_test_pipe_SOURCES = tests/unit/test_pipe.c tests/unit/plugin_support.h tests/unit/allocation_count.h
tests_unit_test_pipe_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_pipe_LDADD = $(TEST_LDADD)
tests_unit_pipe_program_SOURCES = tests/unit/pipe_program.c
tests_unit_pipe_program_CPPFLAGS = $(AM_CPPFLAGS)
endif
