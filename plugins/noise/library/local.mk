# plugins/noise/library
plugin_LTLIBRARIES += plugins/noise_library.la
plugins_noise_library_la_SOURCES = plugins/noise/library/library.c
plugins_noise_library_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_noise_library_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_noise_library_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_noise_library_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/noise/library/README.md
