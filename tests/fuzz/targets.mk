# tests/fuzz: readers under libFuzzer, in a build of their own with clang and its sanitizers, which are in the
# program and not in the plugins.
EXTRA_PROGRAMS += tests/fuzz/targets
tests_fuzz_targets_SOURCES = tests/fuzz/targets.c $(lte_sources)
tests_fuzz_targets_CPPFLAGS = $(AM_CPPFLAGS) $(lte_cppflags)
tests_fuzz_targets_CFLAGS = $(AM_CFLAGS) $(lte_cflags)
tests_fuzz_targets_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_targets_LDADD = libanpe.la $(lte_libs) -lm
EXTRA_DIST += tests/fuzz/readers tests/fuzz/shrink.py
.PHONY: check-fuzz-readers
FUZZ_CC = clang
FUZZ_CFLAGS = -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
check-fuzz-readers:
	mkdir -p fuzz
	cd fuzz && { test -f Makefile || $(abs_srcdir)/configure CC='$(FUZZ_CC)' CFLAGS='$(FUZZ_CFLAGS)' --without-onednn; } && \
	  $(MAKE) $(AM_MAKEFLAGS) PLUGIN_DEFS= && $(MAKE) $(AM_MAKEFLAGS) PLUGIN_DEFS= tests/fuzz/targets$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) ANPE_BUILDDIR='$(abs_builddir)/fuzz' ANPE_PLUGIN_PATH='$(abs_builddir)/fuzz/plugins' \
	  RUNS='$(RUNS)' SECONDS_EACH='$(SECONDS_EACH)' LENGTH='$(LENGTH)' TARGETS='$(TARGETS)' $(SHELL) $(abs_srcdir)/tests/fuzz/readers
