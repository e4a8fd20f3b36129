plugin_LTLIBRARIES += plugins/prior_table.la
plugins_prior_table_la_SOURCES = plugins/prior/table/table.c plugins/prior/table/rows.c \
	plugins/prior/table/rows.h plugins/prior/table/mixture.c plugins/prior/table/mixture.h \
	plugins/prior/common/normal.c plugins/prior/common/normal.h
plugins_prior_table_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_prior_table_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_prior_table_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_prior_table_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/prior/table/README.md
