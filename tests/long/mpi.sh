#!/bin/sh
# test_mpi of `make check` with more numbers of ranks and threads.
MPI_CASES="${MPI_CASES:-1x1 1x2 2x1 2x2 4x1 4x2 7x1}"
export MPI_CASES
exec sh "${ANPE_SRCDIR:-.}/tests/cli/test_mpi.sh"
