# core/spectrum: one spectrum on its pixels. One module a line.
libanpe_la_SOURCES += core/spectrum/broaden.c core/spectrum/broaden.h
libanpe_la_SOURCES += core/spectrum/continuum.c
libanpe_la_SOURCES += core/spectrum/grid.c core/spectrum/grid.h
libanpe_la_SOURCES += core/spectrum/lsf.c core/spectrum/lsf.h
libanpe_la_SOURCES += core/spectrum/projector.c core/spectrum/projector.h
libanpe_la_SOURCES += core/spectrum/projector_private.h
libanpe_la_SOURCES += core/spectrum/projector_project.c
libanpe_la_SOURCES += core/spectrum/projector_shift.c
libanpe_la_SOURCES += core/spectrum/projector_weights.c
libanpe_la_SOURCES += core/spectrum/resample.c
libanpe_la_SOURCES += core/spectrum/spectrum.c core/spectrum/spectrum.h
