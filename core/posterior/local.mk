# core/posterior: one star. One module a line.
libanpe_la_SOURCES += core/posterior/exact.c core/posterior/exact.h
libanpe_la_SOURCES += core/posterior/explain.c core/posterior/explain.h
libanpe_la_SOURCES += core/posterior/flow_density.c core/posterior/flow_density.h
libanpe_la_SOURCES += core/posterior/log_density.c
libanpe_la_SOURCES += core/posterior/product.c core/posterior/product.h
libanpe_la_SOURCES += core/posterior/session.c core/posterior/session.h
libanpe_la_SOURCES += core/posterior/spectra.c
libanpe_la_SOURCES += core/posterior/summary.c core/posterior/summary.h
