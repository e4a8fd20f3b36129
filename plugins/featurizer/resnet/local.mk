# plugins/featurizer/resnet
plugin_LTLIBRARIES += plugins/featurizer_resnet.la
plugins_featurizer_resnet_la_SOURCES = plugins/featurizer/resnet/resnet.c \
	plugins/featurizer/common/residual.c plugins/featurizer/common/residual.h
plugins_featurizer_resnet_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_featurizer_resnet_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_featurizer_resnet_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_featurizer_resnet_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/featurizer/resnet/README.md
