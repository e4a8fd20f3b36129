#!/bin/sh
# tests/cli/test_faults.sh with every call, one after the other: some 10 000 runs.
RUNS=1000000 exec sh "${ANPE_SRCDIR:-.}/tests/cli/test_faults.sh"
