# plugins/featurizer/mlp
plugin_LTLIBRARIES += plugins/featurizer_mlp.la
plugins_featurizer_mlp_la_SOURCES = plugins/featurizer/mlp/mlp.c
plugins_featurizer_mlp_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_featurizer_mlp_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_featurizer_mlp_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_featurizer_mlp_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/featurizer/mlp/README.md
