# core/npe: the inference itself
libanpe_la_SOURCES += core/npe/labels.c core/npe/labels.h core/npe/channels.c core/npe/channels.h \
	core/npe/task.c core/npe/task.h core/npe/continuum_pixels.c \
	core/npe/dataset.c core/npe/dataset.h core/npe/net.c core/npe/net.h \
	core/npe/optimiser.c core/npe/optimiser.h core/npe/train.c core/npe/train.h \
	core/npe/model.c core/npe/model.h core/npe/session.c core/npe/session.h \
	core/npe/simulate.c core/npe/simulate.h core/npe/infer.c core/npe/infer.h \
	core/npe/infer_run.h core/npe/infer_spectra.c core/npe/infer_star.c core/npe/infer_outputs.c \
	core/npe/infer_draws.c core/npe/catalogue_rows.c \
	core/npe/recovery.c core/npe/recovery.h core/npe/import.c core/npe/import_labels.c \
	core/npe/import.h core/npe/groups.c core/npe/groups.h \
	core/npe/noise_library.c core/npe/noise_library.h core/npe/exact.h
# checks of a model on mocks
libanpe_la_SOURCES += core/npe/calibration.c core/npe/calibration.h
