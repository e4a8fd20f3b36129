# plugins/featurizer/identity
plugin_LTLIBRARIES += plugins/featurizer_identity.la
plugins_featurizer_identity_la_SOURCES = plugins/featurizer/identity/identity.c
plugins_featurizer_identity_la_CPPFLAGS = $(AM_CPPFLAGS)
plugins_featurizer_identity_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_featurizer_identity_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_featurizer_identity_la_LIBADD = libanpe.la
EXTRA_DIST += plugins/featurizer/identity/README.md
