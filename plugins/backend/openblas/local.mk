# plugins/backend/openblas: opens the library at run time, so it is not linked here
plugin_LTLIBRARIES += plugins/backend_openblas.la
plugins_backend_openblas_la_SOURCES = plugins/backend/openblas/openblas.c
plugins_backend_openblas_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_backend_openblas_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_backend_openblas_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_backend_openblas_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/backend/openblas/README.md
