# core/kernel: the loops of the operations, compiled once for float and once for double. The vectoriser is
# asked for by name, since the -O2 of CFLAGS comes after any -O3 here and would win. -ffp-contract=fast: a
# product and a sum may be one instruction, which -std=c17 alone forbids.
kernel_sources = core/kernel/attention.c core/kernel/banded.c core/kernel/conv.c core/kernel/conv3.c core/kernel/element.c \
	core/kernel/flow.c core/kernel/gru.c core/kernel/length.c core/kernel/linear.c core/kernel/norm.c \
	core/kernel/padded.c core/kernel/product.c core/kernel/star.c core/kernel/vector.c core/kernel/weights.c \
	core/kernel/banded.h core/kernel/banded_kernel.h core/kernel/conv3.h core/kernel/kernels.h core/kernel/padded.h core/kernel/product.h \
	core/kernel/product_kernel.h core/kernel/real.h core/kernel/star.h core/kernel/vector.h core/kernel/weights.h
KERNEL_CFLAGS = $(AM_CFLAGS) -O3 $(VECTOR_CFLAGS) -ffp-contract=fast
noinst_LTLIBRARIES += libkernels_float.la libkernels_double.la
libkernels_float_la_SOURCES = $(kernel_sources) core/kernel/bfloat16.c
libkernels_float_la_CFLAGS = $(KERNEL_CFLAGS)
libkernels_double_la_SOURCES = $(kernel_sources)
libkernels_double_la_CPPFLAGS = $(AM_CPPFLAGS) -DANPE_REAL_DOUBLE
libkernels_double_la_CFLAGS = $(KERNEL_CFLAGS)
libanpe_la_LIBADD += libkernels_float.la libkernels_double.la
