# core/cmd: the anpe command
bin_PROGRAMS += anpe
anpe_SOURCES = core/cmd/main.c core/cmd/command.c core/cmd/command.h core/cmd/terminal.c \
	core/cmd/train.c core/cmd/emulate.c core/cmd/calibrate.c core/cmd/infer.c core/cmd/inferred.h core/cmd/simulate.c core/cmd/import.c core/cmd/info.c \
	core/cmd/info_catalogue.c core/cmd/info_catalogue.h core/cmd/info_spectrum.c core/cmd/info_spectrum.h \
	core/cmd/completion.c core/cmd/models.c core/cmd/models.h core/cmd/noise.c core/cmd/plot.c core/cmd/plugins.c core/cmd/report.c \
	core/cmd/merge.c core/cmd/part.c core/cmd/part.h core/cmd/spectra.c core/cmd/spectra.h core/cmd/synth.c \
	core/cmd/watch.c core/cmd/validate.c core/cmd/validation_report.c core/cmd/validation_report.h \
	core/cmd/zoo.c core/cmd/zoo.h core/cmd/zoo_build.c core/cmd/zoo_show.c
anpe_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS) $(CONFIG_CFLAGS) $(CFITSIO_CFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS)
anpe_LDADD = libanpe.la $(HDF5_LIBS) $(CFITSIO_LIBS) $(JANSSON_LIBS) $(SODIUM_LIBS)
# Completion of command lines, written by the command itself.
bashcompletiondir = $(datadir)/bash-completion/completions
nodist_bashcompletion_DATA = completion/anpe
zshcompletiondir = $(datadir)/zsh/site-functions
nodist_zshcompletion_DATA = completion/_anpe
CLEANFILES += completion/anpe completion/_anpe
completion/anpe: anpe$(EXEEXT)
	@mkdir -p completion
	$(AM_V_GEN)./anpe completion bash >$@.new && mv $@.new $@
completion/_anpe: anpe$(EXEEXT)
	@mkdir -p completion
	$(AM_V_GEN)./anpe completion zsh >$@.new && mv $@.new $@
