# core/stat: numbers in, numbers out. One module a line.
libanpe_la_SOURCES += core/stat/convergence.c core/stat/convergence.h
libanpe_la_SOURCES += core/stat/design.c core/stat/design.h
libanpe_la_SOURCES += core/stat/distribution.c core/stat/distribution.h
libanpe_la_SOURCES += core/stat/ensemble.c core/stat/ensemble.h
libanpe_la_SOURCES += core/stat/importance.c core/stat/importance.h
libanpe_la_SOURCES += core/stat/ladder.c core/stat/ladder.h
libanpe_la_SOURCES += core/stat/ladder_block.c
libanpe_la_SOURCES += core/stat/ladder_mcmc.c
libanpe_la_SOURCES += core/stat/ladder_mixture.c
libanpe_la_SOURCES += core/stat/ladder_newton.c
libanpe_la_SOURCES += core/stat/ladder_private.h
libanpe_la_SOURCES += core/stat/mixture.c core/stat/mixture.h
libanpe_la_SOURCES += core/stat/moments.h
libanpe_la_SOURCES += core/stat/newton.c core/stat/newton.h
libanpe_la_SOURCES += core/stat/normal.c core/stat/normal.h
libanpe_la_SOURCES += core/stat/order.c core/stat/order.h
libanpe_la_SOURCES += core/stat/truncated.c core/stat/truncated.h
