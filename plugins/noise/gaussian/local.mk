# plugins/noise/gaussian
plugin_LTLIBRARIES += plugins/noise_gaussian.la
plugins_noise_gaussian_la_SOURCES = plugins/noise/gaussian/gaussian.c
plugins_noise_gaussian_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_noise_gaussian_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_noise_gaussian_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_noise_gaussian_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/noise/gaussian/README.md
