# core/ranks: other processes of one run. One module a line.
libanpe_la_SOURCES += core/ranks/ranks.c core/ranks/ranks.h core/ranks/private.h
libanpe_la_SOURCES += core/ranks/launch.c
libanpe_la_SOURCES += core/ranks/sums.c
libanpe_la_SOURCES += core/ranks/blocks.c
