# core/model: what is learned, and its file. One module a line.
libanpe_la_SOURCES += core/model/basis.c core/model/basis.h
libanpe_la_SOURCES += core/model/basis_find.c
libanpe_la_SOURCES += core/model/channels.c core/model/channels.h
libanpe_la_SOURCES += core/model/coordinates.c core/model/coordinates.h
libanpe_la_SOURCES += core/model/curve.c core/model/curve.h
libanpe_la_SOURCES += core/model/inputs.c core/model/inputs.h
libanpe_la_SOURCES += core/model/inputs_find.c
libanpe_la_SOURCES += core/model/labels.c core/model/labels.h
libanpe_la_SOURCES += core/model/model.c core/model/model.h core/model/model_settings.c
libanpe_la_SOURCES += core/model/net.c core/model/net.h
libanpe_la_SOURCES += core/model/open_task.c core/model/open_task.h
libanpe_la_SOURCES += core/model/resume.h
libanpe_la_SOURCES += core/model/start.c core/model/start.h
libanpe_la_SOURCES += core/model/view.c core/model/view.h
