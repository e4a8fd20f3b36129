# core/kind: what the core does with each kind of plugin
libanpe_la_SOURCES += core/kind/component.c core/kind/component.h \
	core/kind/as_simulator.c core/kind/as_simulator.h \
	core/kind/backend.c core/kind/backend.h \
	core/kind/featurizer.c core/kind/featurizer.h core/kind/flow.c core/kind/flow.h \
	core/kind/instrument.c core/kind/instrument.h core/kind/noise.c core/kind/noise.h \
	core/kind/prior.c core/kind/prior.h core/kind/recognise.c core/kind/recognise.h \
	core/kind/simulator.c core/kind/simulator.h
