plugin_LTLIBRARIES += plugins/simulator_cannon.la
plugins_simulator_cannon_la_SOURCES = $(SIMULATOR_COMMON) plugins/simulator/cannon/cannon.c
plugins_simulator_cannon_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_simulator_cannon_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden $(SIMULATOR_KERNEL_CFLAGS)
plugins_simulator_cannon_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_simulator_cannon_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/simulator/cannon/README.md
