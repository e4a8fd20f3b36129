# core/spectrum: one spectrum on its pixels. One module a line.
libanpe_la_SOURCES += core/spectrum/continuum.c
libanpe_la_SOURCES += core/spectrum/grid.c core/spectrum/grid.h
libanpe_la_SOURCES += core/spectrum/projector.c
libanpe_la_SOURCES += core/spectrum/resample.c
libanpe_la_SOURCES += core/spectrum/spectrum.c core/spectrum/spectrum.h
