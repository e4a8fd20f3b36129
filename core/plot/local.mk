# core/plot: figures, with PLplot; only in the command, so that the library does not need it
if HAVE_PLPLOT
anpe_SOURCES += core/plot/plot.c core/plot/plot.h core/plot/plot_list.h core/plot/plot_kind.h \
	core/plot/plot_support.c core/plot/figure.c core/plot/figure.h core/plot/panel.c core/plot/panel.h \
	core/plot/names.c core/plot/names.h core/plot/known.c \
	core/plot/known.h core/plot/known_catalogue.c core/plot/truth.c core/plot/sbc.c core/plot/pit.c \
	core/plot/coverage.c core/plot/curves.c core/plot/corner.c core/plot/density.c core/plot/density.h core/plot/fit.c \
	core/plot/spectrum.c core/plot/report.c
anpe_CPPFLAGS += $(PLPLOT_CFLAGS)
anpe_LDADD += $(PLPLOT_LIBS)
endif
