plugin_LTLIBRARIES += plugins/prior_independent.la
plugins_prior_independent_la_SOURCES = plugins/prior/independent/independent.c \
	plugins/prior/common/normal.c plugins/prior/common/normal.h
plugins_prior_independent_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_prior_independent_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_prior_independent_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_prior_independent_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/prior/independent/README.md
