# core/data
libanpe_la_SOURCES += core/data/output.c core/data/output.h core/data/hdf5_file.c \
	core/data/hdf5_attribute.c core/data/hdf5_mask.c core/data/hdf5_file.h core/data/hdf5_private.h \
	core/data/npy.c core/data/npy.h core/data/npz.c core/data/npz.h core/data/array_read.c \
	core/data/spectrum.c core/data/spectrum.h core/data/grid.c core/data/grid.h \
	core/data/projector.c core/data/continuum.c core/data/resample.c core/data/noise_library.c
libanpe_la_SOURCES += core/data/emulator.c core/data/emulator.h core/data/attribute.c
libanpe_la_SOURCES += core/data/catalogue.c core/data/catalogue.h core/data/catalogue_private.h \
	core/data/catalogue_fits.c core/data/catalogue_text.c core/data/spectra_file.c \
	core/data/spectra_file.h
libanpe_la_SOURCES += core/data/catalogue_read.c core/data/catalogue_read.h \
	core/data/catalogue_read_private.h core/data/catalogue_read_fits.c \
	core/data/catalogue_read_hdf5.c core/data/catalogue_read_csv.c
