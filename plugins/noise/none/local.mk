# plugins/noise/none
plugin_LTLIBRARIES += plugins/noise_none.la
plugins_noise_none_la_SOURCES = plugins/noise/none/none.c
plugins_noise_none_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_noise_none_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_noise_none_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_noise_none_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/noise/none/README.md
