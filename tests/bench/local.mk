# tests/bench: speed; `make bench` runs it
EXTRA_PROGRAMS += tests/bench/bench
CLEANFILES += tests/bench/bench$(EXEEXT)
tests_bench_bench_SOURCES = tests/bench/bench.c tests/bench/bench.h tests/bench/operations.c \
	tests/bench/network.c tests/bench/featurizers.c tests/bench/scaling.c tests/bench/emulator.c \
	tests/bench/projection.c tests/bench/likelihood.c tests/bench/reading.c tests/bench/synthesis.c \
	tests/bench/survey.c tests/bench/command.c
tests_bench_bench_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(JANSSON_CFLAGS) $(HDF5_CFLAGS)
tests_bench_bench_LDADD = libanpe.la $(JANSSON_LIBS) -lm
EXTRA_DIST += tests/bench/run tests/bench/compare tests/bench/table tests/bench/paper.cfg.in \
	tests/bench/likelihood.cfg.in tests/bench/synthesis.cfg.in

# JSON lines; BENCH="--threads 1 train" runs one group. Meaningful on an idle machine.
.PHONY: bench
bench: all tests/bench/bench$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) sh $(srcdir)/tests/bench/run $(BENCH)

# Side by side with the same network in PyTorch, if it is there.
.PHONY: bench-compare
bench-compare: all tests/bench/bench$(EXEEXT) tests/kernels/kernel_types$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) $(srcdir)/tests/bench/compare $(BENCH)
