# tests/unit: the choice of OpenBLAS's kernels, with libraries that pretend to be it
openblas_sources = plugins/backend/openblas/library.c plugins/backend/openblas/processor.c
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_openblas
TESTS += tests/unit/test_openblas
tests_unit_test_openblas_SOURCES = tests/unit/test_openblas.c tests/unit/testlib.c $(openblas_sources)
tests_unit_test_openblas_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_openblas_LDADD = -lcunit
fake_openblas = tests/unit/odd/openblas_some.la tests/unit/odd/openblas_old.la
check_LTLIBRARIES += $(fake_openblas)
EXTRA_tests_unit_test_openblas_DEPENDENCIES = $(fake_openblas)
tests_unit_odd_openblas_some_la_SOURCES = tests/unit/fake_openblas.c
tests_unit_odd_openblas_some_la_CPPFLAGS = $(AM_CPPFLAGS) -DKERNELS='"Prescott","Haswell","SkylakeX"'
tests_unit_odd_openblas_some_la_LDFLAGS = $(ODD_LDFLAGS)
tests_unit_odd_openblas_old_la_SOURCES = tests/unit/fake_openblas.c
tests_unit_odd_openblas_old_la_CPPFLAGS = $(AM_CPPFLAGS) -DKERNELS='"Prescott"'
tests_unit_odd_openblas_old_la_LDFLAGS = $(ODD_LDFLAGS)
endif
