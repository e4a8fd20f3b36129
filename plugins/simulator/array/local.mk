plugin_LTLIBRARIES += plugins/simulator_array.la
plugins_simulator_array_la_SOURCES = plugins/simulator/array/array.c
plugins_simulator_array_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_simulator_array_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_simulator_array_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_simulator_array_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/simulator/array/README.md
