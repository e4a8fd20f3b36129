# plugins/simulator/lte
lte_sources = plugins/simulator/lte/lte.h plugins/simulator/lte/elements.c \
	plugins/simulator/lte/table_partition.c plugins/simulator/lte/table_molecule.c \
	plugins/simulator/lte/text.c plugins/simulator/lte/atmosphere.c plugins/simulator/lte/grid.c \
	plugins/simulator/lte/state.c plugins/simulator/lte/table_continuum.c \
	plugins/simulator/lte/continuum.c plugins/simulator/lte/transfer.c \
	plugins/simulator/lte/list.c plugins/simulator/lte/list_vald.c plugins/simulator/lte/list_text.c \
	plugins/simulator/lte/list_pfant.c plugins/simulator/lte/list_calibrated.c plugins/simulator/lte/list_galah.c \
	plugins/simulator/lte/damping.c plugins/simulator/lte/table_broadening.c plugins/simulator/lte/voigt.c plugins/simulator/lte/bound.c \
	plugins/simulator/lte/line.c \
	plugins/simulator/lte/synthesis.c plugins/simulator/lte/hydrogen.c \
	plugins/simulator/lte/hydrogen_stark.c plugins/simulator/lte/table_hydrogen.c \
	plugins/simulator/lte/structure.c plugins/simulator/lte/table_structure.c
# Loops over layers and points: vectors, and the multiply-add that -std=c17 alone forbids.
lte_cflags = -ffp-contract=fast $(VECTOR_CFLAGS)
lte_cppflags = -I$(top_srcdir)/plugins/simulator/lte
lte_libs =
if HAVE_ZLIB
lte_cppflags += -DANPE_LTE_GZIP
lte_libs += -lz
endif
EXTRA_DIST += plugins/simulator/lte/fit/populations.py plugins/simulator/lte/fit/broadening.py \
	plugins/simulator/lte/fit/continuum.py plugins/simulator/lte/fit/stark.py \
	plugins/simulator/lte/fit/structure.py
EXTRA_DIST += tests/long/lte_probe.c
