# tests/fuzz: altered files. `make check` alters a few hundred (tests/cli/test_seal.sh), `make check-fuzz` as many
# as N says.
check_PROGRAMS += tests/fuzz/fuzz
tests_fuzz_fuzz_SOURCES = tests/fuzz/fuzz.c
tests_fuzz_fuzz_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS)
tests_fuzz_fuzz_LDADD = libanpe.la $(HDF5_LIBS)
EXTRA_DIST += tests/fuzz/run tests/fuzz/files tests/fuzz/tiny.cfg
.PHONY: check-fuzz
check-fuzz: all tests/fuzz/fuzz$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) N='$(N)' SEED='$(SEED)' $(SHELL) $(abs_srcdir)/tests/fuzz/run
