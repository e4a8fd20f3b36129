# instruments/common: what families of instruments share
family_sources = instruments/common/survey_fits.c instruments/common/survey_fits.h \
	instruments/common/recognise.c instruments/common/recognise.h \
	instruments/common/survey_noise.c instruments/common/survey_noise.h \
	instruments/common/wavelength_scale.c instruments/common/wavelength_scale.h \
	instruments/common/iraf_spec.c instruments/common/iraf_spec.h \
	instruments/common/observed.c instruments/common/observed.h \
	instruments/common/gridded.c instruments/common/gridded.h \
	instruments/common/ranges.c instruments/common/ranges.h \
	instruments/common/lsf_file.c instruments/common/lsf_file.h \
	instruments/common/file_beside.c instruments/common/file_beside.h \
	instruments/common/file_image.c instruments/common/file_image.h \
	instruments/common/file_columns.c instruments/common/file_columns.h \
	instruments/common/file_named.c instruments/common/file_named.h instruments/common/file_table.c instruments/common/file_table.h instruments/common/file_text.c \
	instruments/common/file_pixels.c instruments/common/file_pixels.h instruments/common/file_votable.c
FAMILY_LIBS = $(CFITSIO_LIBS) $(ZLIB_LIBS) $(EXPAT_LIBS)
