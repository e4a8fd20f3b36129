# core/npe: the inference itself. One module a line.
libanpe_la_SOURCES += core/npe/calibration.c core/npe/calibration.h \
	core/npe/misfit.c core/npe/residuals.c core/npe/misfit.h \
	core/npe/recalibration.c core/npe/recalibration.h core/npe/repeats.c core/npe/repeats.h \
	core/npe/validation.c core/npe/validation.h core/npe/validate.c core/npe/validate.h
libanpe_la_SOURCES += core/npe/catalogue_rows.c
libanpe_la_SOURCES += core/npe/channels.c core/npe/channels.h
libanpe_la_SOURCES += core/npe/continuum_pixels.c
libanpe_la_SOURCES += core/npe/convergence.c core/npe/convergence.h
libanpe_la_SOURCES += core/npe/dataset.c core/npe/dataset.h
libanpe_la_SOURCES += core/npe/ensemble.c core/npe/ensemble.h
libanpe_la_SOURCES += core/npe/exact.c core/npe/exact.h
libanpe_la_SOURCES += core/npe/explain.c core/npe/explain.h
libanpe_la_SOURCES += core/npe/flow_density.c core/npe/flow_density.h
libanpe_la_SOURCES += core/npe/groups.c core/npe/groups.h
libanpe_la_SOURCES += core/npe/import.c core/npe/import.h
libanpe_la_SOURCES += core/npe/import_labels.c
libanpe_la_SOURCES += core/npe/import_scatter.c
libanpe_la_SOURCES += core/npe/importance.c core/npe/importance.h
libanpe_la_SOURCES += core/npe/infer.c core/npe/infer.h
libanpe_la_SOURCES += core/npe/infer_draws.c
libanpe_la_SOURCES += core/npe/infer_exact.c
libanpe_la_SOURCES += core/npe/infer_explain.c
libanpe_la_SOURCES += core/npe/infer_outputs.c
libanpe_la_SOURCES += core/npe/infer_predict.c
libanpe_la_SOURCES += core/npe/infer_run.h
libanpe_la_SOURCES += core/npe/infer_spectra.c
libanpe_la_SOURCES += core/npe/infer_star.c
libanpe_la_SOURCES += core/npe/labels.c core/npe/labels.h
libanpe_la_SOURCES += core/npe/ladder.c core/npe/ladder.h
libanpe_la_SOURCES += core/npe/likelihood.c core/npe/likelihood.h
libanpe_la_SOURCES += core/npe/mixture.c core/npe/mixture.h
libanpe_la_SOURCES += core/npe/model.c core/npe/model.h
libanpe_la_SOURCES += core/npe/model_error.c
libanpe_la_SOURCES += core/npe/net.c core/npe/net.h
libanpe_la_SOURCES += core/npe/noise_library.c core/npe/noise_library.h
libanpe_la_SOURCES += core/npe/optimiser.c core/npe/optimiser.h
libanpe_la_SOURCES += core/npe/recovery.c core/npe/recovery.h
libanpe_la_SOURCES += core/npe/session.c core/npe/session.h
libanpe_la_SOURCES += core/npe/simulate.c core/npe/simulate.h
libanpe_la_SOURCES += core/npe/task.c core/npe/task.h
libanpe_la_SOURCES += core/npe/train.c core/npe/train.h
