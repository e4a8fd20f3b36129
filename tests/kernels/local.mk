# tests/kernels: the suite under other kernels of OpenBLAS
EXTRA_PROGRAMS += tests/kernels/kernel_types
CLEANFILES += tests/kernels/kernel_types$(EXEEXT)
tests_kernels_kernel_types_SOURCES = tests/kernels/kernel_types.c $(openblas_sources)
tests_kernels_kernel_types_CPPFLAGS = $(AM_CPPFLAGS)
EXTRA_DIST += tests/kernels/run

# KERNELS="Prescott none" runs a part. As long as as many `make check`.
.PHONY: check-kernels
check-kernels: all tests/kernels/kernel_types$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) sh $(srcdir)/tests/kernels/run $(MAKE)
