# core/npe: the inference itself
libanpe_la_SOURCES += core/npe/import.c core/npe/import_labels.c core/npe/import.h \
	core/npe/labels.c core/npe/labels.h
libanpe_la_SOURCES += core/npe/noise_library.c core/npe/noise_library.h
