# tests: targets beside `make check`
.PHONY: list-results unit-tests check-sanitize check-threads check-valgrind check-long format format-check rooms

# Where `make check` leaves its results, one file per test program; tests/count adds them up.
list-results:
	@for f in $(TEST_LOGS:.log=.trs); do echo "$$f"; done

# The rooms of core/: lines, who includes whom, arrows against the grain.
rooms:
	@ANPE_SRCDIR=$(srcdir) $(SHELL) $(srcdir)/tests/cli/test_layers.sh print $(srcdir)

# The unit tests alone.
unit-tests:
	@unit=`for t in $(TESTS); do case $$t in tests/unit/*) echo $$t;; esac; done`; \
	  $(MAKE) $(AM_MAKEFLAGS) check TESTS="`echo $$unit`"

# In a build directory of its own, with the address and undefined-behaviour sanitizers; leaks count.
check-sanitize:
	mkdir -p sanitize
	cd sanitize && { test -f Makefile || $(abs_srcdir)/configure --enable-sanitize --enable-strict; } && \
	  ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
	  LSAN_OPTIONS=suppressions=$(abs_srcdir)/tests/leaks.lsan ANPE_TEST_LIMIT=7200 \
	  $(MAKE) $(AM_MAKEFLAGS) unit-tests

# In a build directory of its own, with the sanitizer of threads: the unit tests of what threads share, and commands that
# train, simulate, infer and validate with several. OpenBLAS and OpenMP are not built with it and wait in ways of their own,
# so each has one thread; nothing is let pass.
THREAD_TESTS = tests/unit/test_base tests/unit/test_ranks tests/unit/test_npe tests/unit/test_infer tests/unit/test_exact \
	tests/unit/test_explain tests/unit/test_group tests/unit/test_proposal tests/unit/test_embed tests/unit/test_drop \
	tests/unit/test_modes tests/unit/test_graph tests/unit/test_lte tests/cli/test_train.sh tests/cli/test_simulate.sh \
	tests/cli/test_journal.sh tests/cli/test_group.sh
check-threads:
	mkdir -p threads
	cd threads && { test -f Makefile || $(abs_srcdir)/configure --enable-sanitize=thread --enable-strict; } && \
	  OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 \
	  TSAN_OPTIONS=allocator_may_return_null=1:second_deadlock_stack=1 ANPE_TEST_LIMIT=7200 \
	  $(MAKE) $(AM_MAKEFLAGS) check TESTS='$(THREAD_TESTS)'

# Errors and definite leaks fail a test, of which trainings are cut to a few steps (testlib.h); tests/valgrind.supp says what is let pass, and why.
VALGRIND = valgrind
VALGRIND_FLAGS = -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
	--errors-for-leak-kinds=definite --suppressions=$(abs_srcdir)/tests/valgrind.supp
check-valgrind:
	ANPE_TEST_SHORT=1 $(MAKE) $(AM_MAKEFLAGS) unit-tests LOG_COMPILER='$(LIBTOOL) --mode=execute $(VALGRIND)' \
	  LOG_FLAGS='$(VALGRIND_FLAGS)'

# Studies that take up to three hours in all, two of them `instruments`: trainings, coverage of mocks, a real star. They print their
# figures, keep their work in long/, and go on from there when repeated. STUDIES=payne runs one.
STUDIES = quickstart sbibm memory survey payne lamost giants validate misspecified bfloat16 exact lte calibrate known_lines known_stars zoo instruments faults kills mpi hosts
check-long: all tests/faults/faults.la tests/cli/make_sets$(EXEEXT) tests/long/exact_reference$(EXEEXT) tests/long/lte_probe$(EXEEXT) tests/long/lte_double$(EXEEXT)
	@failed=; for s in $(STUDIES); do echo "== $$s"; \
	  ( $(AM_TESTS_ENVIRONMENT) sh $(abs_srcdir)/tests/long/$$s.sh ); case $$? in 0|77) ;; *) failed="$$failed $$s";; esac; \
	done; if test -n "$$failed"; then echo "failed:$$failed"; exit 1; fi
EXTRA_DIST += tests/long/common.sh tests/long/json_get.py tests/long/c2st.py tests/long/sbibm.sh \
	tests/long/sbibm.py \
	tests/long/memory.sh tests/long/survey.sh tests/long/quickstart.sh tests/long/payne.sh tests/long/lamost.sh tests/long/giants.sh tests/long/giants.py \
	tests/long/bfloat16.sh
EXTRA_DIST += tests/long/zoo.sh
EXTRA_DIST += tests/long/exact.sh tests/long/exact_compare.py tests/long/known_lines.sh tests/long/known_lines.py \
	tests/long/known_stars.sh tests/long/known_stars.py tests/long/mpi.sh
# What `anpe infer --exact` is compared with.
EXTRA_PROGRAMS += tests/long/exact_reference
tests_long_exact_reference_SOURCES = tests/long/exact_reference.c
tests_long_exact_reference_CPPFLAGS = $(AM_CPPFLAGS)
tests_long_exact_reference_LDADD = libanpe.la -lm
# What `lte` computes, part by part.
EXTRA_DIST += tests/long/lte.sh tests/long/lte.py tests/long/calibrate.sh tests/long/calibrate.py
EXTRA_PROGRAMS += tests/long/lte_probe
tests_long_lte_probe_SOURCES = tests/long/lte_probe.c $(lte_sources)
tests_long_lte_probe_CPPFLAGS = $(AM_CPPFLAGS) $(lte_cppflags)
tests_long_lte_probe_CFLAGS = $(AM_CFLAGS) $(lte_cflags)
tests_long_lte_probe_LDADD = libanpe.la $(lte_libs) -lm
# The same with every float a double.
EXTRA_PROGRAMS += tests/long/lte_double
tests_long_lte_double_SOURCES = $(tests_long_lte_probe_SOURCES)
tests_long_lte_double_CPPFLAGS = $(AM_CPPFLAGS) $(lte_cppflags) -DANPE_LTE_DOUBLE -Dfloat=double -Dsqrtf=sqrt -Dfabsf=fabs \
	-Dpowf=pow -Dlogf=log -Dfmaxf=fmax -Dfminf=fmin
tests_long_lte_double_CFLAGS = $(AM_CFLAGS) $(lte_cflags)
tests_long_lte_double_LDADD = libanpe.la $(lte_libs) -lm

CLANG_FORMAT = clang-format-14
C_DIRECTORIES = include core plugins instruments tests docs
format-check:
	cd $(srcdir) && find $(C_DIRECTORIES) -name '*.[ch]' | sort | xargs $(CLANG_FORMAT) --dry-run -Werror
format:
	cd $(srcdir) && find $(C_DIRECTORIES) -name '*.[ch]' | sort | xargs $(CLANG_FORMAT) -i

EXTRA_DIST += tests/long/payne_model.sh tests/long/validate.sh tests/long/misspecified.sh \
	tests/long/misspecified.py
EXTRA_DIST += tests/long/apstar_masks.py tests/long/emulator_error.py tests/long/instruments.sh tests/long/faults.sh tests/long/kills.sh tests/long/hosts.sh
EXTRA_DIST += tests/valgrind.supp tests/leaks.lsan
clean-local:
	rm -rf sanitize threads kernels html deb $(IC_DIR)
