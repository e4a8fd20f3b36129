# core/task: what is to be learned. One module a line.
libanpe_la_SOURCES += core/task/continuum_pixels.c
libanpe_la_SOURCES += core/task/likelihood.c core/task/likelihood.h
libanpe_la_SOURCES += core/task/model_error.c
libanpe_la_SOURCES += core/task/peak.c core/task/peak.h
libanpe_la_SOURCES += core/task/quantiles.c core/task/quantiles.h
libanpe_la_SOURCES += core/task/reduction.c core/task/reduction.h
libanpe_la_SOURCES += core/task/refine.c core/task/refine.h
libanpe_la_SOURCES += core/task/sample.c
libanpe_la_SOURCES += core/task/task.c core/task/task.h
libanpe_la_SOURCES += core/task/tangent.c core/task/tangent.h
