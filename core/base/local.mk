# core/base
libanpe_la_SOURCES += core/base/host.c
