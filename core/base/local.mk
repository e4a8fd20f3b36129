# core/base
libanpe_la_SOURCES += core/base/host.c core/base/locale.c core/base/locale.h core/base/context.c core/base/context.h core/base/random.c core/base/random.h \
	core/base/memory.c core/base/memory.h core/base/text.c core/base/text.h core/base/clock.c core/base/clock.h core/base/linear.c core/base/linear.h core/base/workers.c core/base/workers.h core/base/digest.c core/base/digest.h \
	core/base/settings.c core/base/settings.h core/base/settings_tree.c core/base/settings_tree.h \
	core/base/settings_read.c core/base/loader.c core/base/loader.h core/base/table.h core/base/shape.h core/base/settings_options.c core/base/settings_options.h
libanpe_la_SOURCES += core/base/piece.h
