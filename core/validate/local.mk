# core/validate: is it true. One module a line.
libanpe_la_SOURCES += core/validate/calibration.c core/validate/calibration.h
libanpe_la_SOURCES += core/validate/exact_mock.c
libanpe_la_SOURCES += core/validate/misfit.c core/validate/misfit.h
libanpe_la_SOURCES += core/validate/recalibration.c core/validate/recalibration.h
libanpe_la_SOURCES += core/validate/record.c core/validate/record.h
libanpe_la_SOURCES += core/validate/recovery.c core/validate/recovery.h
libanpe_la_SOURCES += core/validate/residuals.c
libanpe_la_SOURCES += core/validate/run.h
libanpe_la_SOURCES += core/validate/validate.c core/validate/validate.h
