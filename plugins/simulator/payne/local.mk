# The products of dense networks and the per-pixel sigmoids are the cost of a simulation: O3 unrolls
# the register tiles, and contraction makes multiply-adds (ISO C mode turns it off).
SIMULATOR_KERNEL_CFLAGS = -O3 -ffp-contract=fast
SIMULATOR_COMMON = plugins/simulator/common/emulator.c plugins/simulator/common/emulator.h \
	plugins/simulator/common/product.c plugins/simulator/common/product.h plugins/simulator/common/product_kernels.h \
	plugins/simulator/common/simd.h
plugin_LTLIBRARIES += plugins/simulator_payne.la
plugins_simulator_payne_la_SOURCES = $(SIMULATOR_COMMON) \
	plugins/simulator/payne/payne.c plugins/simulator/payne/per_pixel.c \
	plugins/simulator/payne/per_pixel.h plugins/simulator/payne/per_pixel_kernels.h
plugins_simulator_payne_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_simulator_payne_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden $(SIMULATOR_KERNEL_CFLAGS)
plugins_simulator_payne_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_simulator_payne_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/simulator/payne/README.md
