# plugins/featurizer/resnet_gru
plugin_LTLIBRARIES += plugins/featurizer_resnet_gru.la
plugins_featurizer_resnet_gru_la_SOURCES = plugins/featurizer/resnet_gru/resnet_gru.c \
	plugins/featurizer/common/residual.c plugins/featurizer/common/residual.h
plugins_featurizer_resnet_gru_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_featurizer_resnet_gru_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_featurizer_resnet_gru_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_featurizer_resnet_gru_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/featurizer/resnet_gru/README.md
