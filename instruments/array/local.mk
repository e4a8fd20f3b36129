# instruments/array: instrument `array`; its noise models are those of plugins/noise
plugin_LTLIBRARIES += plugins/instrument_array.la
plugins_instrument_array_la_SOURCES = instruments/array/array.c
plugins_instrument_array_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_instrument_array_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_instrument_array_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_instrument_array_la_LIBADD = libanpe.la
EXTRA_DIST += instruments/array/README.md
