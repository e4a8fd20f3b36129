# core/zoo: models that have a name: found, published, fetched. One module a line.
libanpe_la_SOURCES += core/zoo/choose.c core/zoo/choose.h
libanpe_la_SOURCES += core/zoo/cut.c core/zoo/cut.h
libanpe_la_SOURCES += core/zoo/describe.c
libanpe_la_SOURCES += core/zoo/entry.c core/zoo/entry.h
libanpe_la_SOURCES += core/zoo/fetch.c core/zoo/fetch.h
libanpe_la_SOURCES += core/zoo/get.c core/zoo/get.h
libanpe_la_SOURCES += core/zoo/index.c core/zoo/index.h
libanpe_la_SOURCES += core/zoo/keys.c core/zoo/keys.h
libanpe_la_SOURCES += core/zoo/lines.c core/zoo/lines.h
libanpe_la_SOURCES += core/zoo/place.c core/zoo/place.h
libanpe_la_SOURCES += core/zoo/publish.c core/zoo/publish.h
