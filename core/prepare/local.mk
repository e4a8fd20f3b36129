# core/prepare: files that are made before a training. One module a line.
libanpe_la_SOURCES += core/prepare/calibrate.c core/prepare/calibrate.h
libanpe_la_SOURCES += core/prepare/calibrate_solve.c
libanpe_la_SOURCES += core/prepare/calibrate_star.c
libanpe_la_SOURCES += core/prepare/emulate.c core/prepare/emulate.h
libanpe_la_SOURCES += core/prepare/emulate_error.c
libanpe_la_SOURCES += core/prepare/emulate_fit.c
libanpe_la_SOURCES += core/prepare/emulate_grid.c
libanpe_la_SOURCES += core/prepare/import.c core/prepare/import.h
libanpe_la_SOURCES += core/prepare/import_labels.c
libanpe_la_SOURCES += core/prepare/import_scatter.c
libanpe_la_SOURCES += core/prepare/noise.c core/prepare/noise.h
libanpe_la_SOURCES += core/prepare/principal.c core/prepare/principal.h
libanpe_la_SOURCES += core/prepare/simulate.c core/prepare/simulate.h
libanpe_la_SOURCES += core/prepare/synth.c core/prepare/synth.h
libanpe_la_SOURCES += core/prepare/synth_parts.c
