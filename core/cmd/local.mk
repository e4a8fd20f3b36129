# core/cmd
bin_PROGRAMS += anpe
anpe_SOURCES = core/cmd/main.c core/cmd/command.c core/cmd/command.h core/cmd/terminal.c
anpe_SOURCES += core/cmd/plugins.c
anpe_SOURCES += core/cmd/import.c
anpe_SOURCES += core/cmd/noise.c
anpe_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS) $(CONFIG_CFLAGS) $(CFITSIO_CFLAGS) $(JANSSON_CFLAGS)
anpe_LDADD = libanpe.la $(HDF5_LIBS) $(CFITSIO_LIBS) $(JANSSON_LIBS)
