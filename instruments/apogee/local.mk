# instruments/apogee: the instrument and its noise model in one plugin
plugin_LTLIBRARIES += plugins/instrument_apogee.la
plugins_instrument_apogee_la_SOURCES = instruments/apogee/apogee.c instruments/apogee/apogee.h \
	instruments/apogee/apogee_sky.c \
	instruments/common/survey_fits.c instruments/common/survey_fits.h \
	instruments/common/survey_noise.c instruments/common/survey_noise.h
plugins_instrument_apogee_la_CPPFLAGS = $(AM_CPPFLAGS) $(CFITSIO_CFLAGS)
plugins_instrument_apogee_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
plugins_instrument_apogee_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_instrument_apogee_la_LIBADD = libanpe.la $(CFITSIO_LIBS)
EXTRA_DIST += instruments/apogee/README.md
