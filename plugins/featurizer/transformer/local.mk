# plugins/featurizer/transformer
plugin_LTLIBRARIES += plugins/featurizer_transformer.la
plugins_featurizer_transformer_la_SOURCES = plugins/featurizer/transformer/transformer.c plugins/featurizer/common/patch.h
plugins_featurizer_transformer_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_featurizer_transformer_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_featurizer_transformer_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_featurizer_transformer_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/featurizer/transformer/README.md
