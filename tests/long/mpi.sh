#!/bin/sh
# test_mpi of `make check` with more numbers of ranks and threads, and one rank that is killed instead of a whole run.
MPI_CASES="${MPI_CASES:-1x1 1x2 2x1 2x2 4x1 4x2 7x1}" KILLED=rank
export MPI_CASES KILLED
exec sh "${ANPE_SRCDIR:-.}/tests/cli/test_mpi.sh"
