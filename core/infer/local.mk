# core/infer: many stars, to a catalogue. One module a line.
libanpe_la_SOURCES += core/infer/check.c
libanpe_la_SOURCES += core/infer/compare.c
libanpe_la_SOURCES += core/infer/draws_file.c
libanpe_la_SOURCES += core/infer/exact_star.c
libanpe_la_SOURCES += core/infer/explain.c
libanpe_la_SOURCES += core/infer/group.c core/infer/group.h
libanpe_la_SOURCES += core/infer/group_labels.c
libanpe_la_SOURCES += core/infer/group_list.c
libanpe_la_SOURCES += core/infer/identity.c core/infer/identity.h
libanpe_la_SOURCES += core/infer/infer.c core/infer/infer.h
libanpe_la_SOURCES += core/infer/outputs.c
libanpe_la_SOURCES += core/infer/predict.c
libanpe_la_SOURCES += core/infer/repeats.c core/infer/repeats.h
libanpe_la_SOURCES += core/infer/rows.c core/infer/rows.h
libanpe_la_SOURCES += core/infer/run.h
libanpe_la_SOURCES += core/infer/spectra.c
libanpe_la_SOURCES += core/infer/star.c
