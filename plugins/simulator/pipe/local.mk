plugin_LTLIBRARIES += plugins/simulator_pipe.la
plugins_simulator_pipe_la_SOURCES = plugins/simulator/pipe/pipe.c plugins/simulator/pipe/header.c \
	plugins/simulator/pipe/header.h plugins/simulator/pipe/worker.c plugins/simulator/pipe/worker.h
plugins_simulator_pipe_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_simulator_pipe_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_simulator_pipe_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_simulator_pipe_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/simulator/pipe/README.md
