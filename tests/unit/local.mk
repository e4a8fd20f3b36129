# Unit tests, one program per area; each area lists its own programs.
include tests/unit/base.mk
include tests/unit/graph.mk
include tests/unit/data.mk
include tests/unit/instrument.mk
include tests/unit/simulator.mk
include tests/unit/lines.mk
include tests/unit/lte.mk
include tests/unit/prior.mk
include tests/unit/network.mk
include tests/unit/npe.mk
include tests/unit/exact.mk
include tests/unit/plot.mk
