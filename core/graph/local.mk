# core/graph
anpeinclude_HEADERS += include/anpe/vecmath.h include/anpe/bfloat16.h
libanpe_la_SOURCES += core/graph/builder.c core/graph/build_layers.c core/graph/operations.c \
	core/graph/parameters.c core/graph/plan.c core/graph/executor.c \
	core/graph/offload.c core/graph/offload.h \
	core/graph/graph.h core/graph/network.h core/graph/operations.h core/graph/plan.h core/graph/weights.h core/graph/vector.h

# The kernels, compiled once for float and once for double. The vectoriser is asked for by name,
# since the -O2 of CFLAGS comes after any -O3 here and would win. -ffp-contract=fast: a product and
# a sum may be one instruction, which -std=c17 alone forbids.
kernel_sources = core/graph/kernel_conv.c core/graph/kernel_conv3.c core/graph/kernel_padded.c core/graph/kernel_element.c core/graph/kernel_flow.c \
	core/graph/kernel_gru.c core/graph/kernel_length.c core/graph/kernel_linear.c core/graph/kernel_norm.c core/graph/kernel_attention.c \
	core/graph/kernel_product.c core/graph/kernel_weights.c core/graph/kernel_vector.c \
	core/graph/product.h core/graph/product_kernel.h core/graph/padded.h core/graph/conv3.h core/graph/real.h
KERNEL_CFLAGS = $(AM_CFLAGS) -O3 -ftree-loop-vectorize -ftree-slp-vectorize -fvect-cost-model=dynamic \
	-fpeel-loops -ffp-contract=fast
noinst_LTLIBRARIES += libkernels_float.la libkernels_double.la
libkernels_float_la_SOURCES = $(kernel_sources) core/graph/kernel_bfloat16.c
libkernels_float_la_CFLAGS = $(KERNEL_CFLAGS)
libkernels_double_la_SOURCES = $(kernel_sources)
libkernels_double_la_CPPFLAGS = $(AM_CPPFLAGS) -DANPE_REAL_DOUBLE
libkernels_double_la_CFLAGS = $(KERNEL_CFLAGS)
libanpe_la_LIBADD += libkernels_float.la libkernels_double.la
