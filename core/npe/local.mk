# core/npe
libanpe_la_SOURCES += core/npe/import.c core/npe/import_labels.c core/npe/import.h
