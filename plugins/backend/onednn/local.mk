# plugins/backend/onednn: only where configure finds the library
EXTRA_DIST += plugins/backend/onednn/README.md
if HAVE_ONEDNN
plugin_LTLIBRARIES += plugins/backend_onednn.la
plugins_backend_onednn_la_SOURCES = plugins/backend/onednn/onednn.c plugins/backend/onednn/job.c \
	plugins/backend/onednn/job.h plugins/backend/onednn/layer.c plugins/backend/onednn/layer.h plugins/backend/onednn/gru.c plugins/backend/onednn/gru.h \
	plugins/backend/onednn/numbers.c plugins/backend/onednn/numbers.h
plugins_backend_onednn_la_CPPFLAGS = $(AM_CPPFLAGS)
# The conversions of whole tensors: the vectoriser is asked for by name, as for core/graph's kernels.
plugins_backend_onednn_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden -O3 -ftree-loop-vectorize -fvect-cost-model=dynamic
plugins_backend_onednn_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_backend_onednn_la_LIBADD = libanpe.la $(ONEDNN_LIBS)
endif
