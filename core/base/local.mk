# core/base
libanpe_la_SOURCES += core/base/host.c core/base/context.c core/base/context.h core/base/random.c core/base/random.h \
	core/base/text.c core/base/text.h core/base/digest.c core/base/digest.h
