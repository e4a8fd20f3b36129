# core/kind
libanpe_la_SOURCES += core/kind/component.c core/kind/component.h
