# plugins/featurizer/gru
plugin_LTLIBRARIES += plugins/featurizer_gru.la
plugins_featurizer_gru_la_SOURCES = plugins/featurizer/gru/gru.c plugins/featurizer/common/patch.h
plugins_featurizer_gru_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_featurizer_gru_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_featurizer_gru_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_featurizer_gru_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/featurizer/gru/README.md
