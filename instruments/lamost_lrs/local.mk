# instruments/lamost_lrs: the instrument and its noise model in one plugin
plugin_LTLIBRARIES += plugins/instrument_lamost_lrs.la
plugins_instrument_lamost_lrs_la_SOURCES = instruments/lamost_lrs/lamost_lrs.c \
	instruments/lamost_lrs/lamost_lrs.h instruments/lamost_lrs/lamost_sky.c \
	instruments/common/survey_fits.c instruments/common/survey_fits.h \
	instruments/common/survey_noise.c instruments/common/survey_noise.h
plugins_instrument_lamost_lrs_la_CPPFLAGS = $(AM_CPPFLAGS) $(CFITSIO_CFLAGS)
plugins_instrument_lamost_lrs_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_instrument_lamost_lrs_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_instrument_lamost_lrs_la_LIBADD = libanpe.la $(CFITSIO_LIBS)
EXTRA_DIST += instruments/lamost_lrs/README.md
