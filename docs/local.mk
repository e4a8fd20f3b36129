# docs
dist_man_MANS += docs/man/anpe.1 docs/man/anpe-zoo.1 docs/man/anpe.cfg.5
EXTRA_DIST += docs/LICENCES.md docs/PERFORMANCE.md docs/ZOO.md docs/book/method.md docs/book/files.md \
	docs/book/validation.md docs/book/figures.md docs/book/apogee.md docs/book/cannon.md \
	docs/book/embedding.md docs/book/python.md docs/book/simulations.md docs/book/forward.md docs/book/emulator.md docs/book/zoo.md \
	docs/book/configuration.md docs/book/cluster.md
EXTRA_DIST += docs/pictures/fit.png docs/pictures/corner.png
EXTRA_DIST += docs/examples/pipe_simulator.py docs/examples/first_posterior.py
# The documentation as a site in html/, for a browser without a server.
EXTRA_DIST += docs/site/contents docs/site/site.py docs/site/style.css docs/site/search.js
html-local:
	@for tool in python3 cmark-gfm mandoc; do command -v $$tool >/dev/null || { \
	  echo "make html: $$tool is not installed (Debian: python3 cmark-gfm mandoc), so no site is made"; exit 0; }; done; \
	python3 $(srcdir)/docs/site/site.py $(srcdir) html

# Templates and the chapter that goes through them, to be copied from where they are installed.
templatedir = $(docdir)/plugin-template
dist_template_DATA = docs/plugin-template/Makefile docs/plugin-template/README.md docs/plugin-template/afternoon.cfg \
	docs/plugin-template/simulator_one_line.c docs/plugin-template/instrument_afternoon.c \
	docs/plugin-template/noise_photons.c docs/plugin-template/featurizer_narrow.c docs/book/new_spectrograph.md

# With nothing but what is installed: the chapter's commands, and the models that come with anpe, by their names, with
# their emulators and error bars. distcheck runs this.
IC_DIR = installcheck.tmp
installcheck-local:
	rm -rf $(IC_DIR) && mkdir $(IC_DIR)
	cp $(DESTDIR)$(templatedir)/* $(IC_DIR) && chmod -R u+w $(IC_DIR)
	sed -n 's/^    \$$ //p' $(IC_DIR)/new_spectrograph.md >$(IC_DIR)/steps && test -s $(IC_DIR)/steps
	cd $(IC_DIR) && unset MAKEFLAGS MFLAGS MAKELEVEL && \
	  PKG_CONFIG_PATH='$(DESTDIR)$(pkgconfigdir)' PKG_CONFIG_SYSROOT_DIR='$(DESTDIR)' CC='$(CC)' \
	  PATH="$(DESTDIR)$(bindir):$$PATH" ANPE_PLUGIN_PATH='$(DESTDIR)$(plugindir)' \
	  LD_LIBRARY_PATH='$(DESTDIR)$(libdir)'$${LD_LIBRARY_PATH:+:$$LD_LIBRARY_PATH} sh -e ./steps
	grep '^HD1,star.txt,0,' $(IC_DIR)/star.csv >/dev/null
	cd $(IC_DIR) && PATH="$(DESTDIR)$(bindir):$$PATH" && ANPE_PLUGIN_PATH='$(DESTDIR)$(plugindir)' && \
	  ANPE_ZOO='$(DESTDIR)$(pkgdatadir)/zoo' && LD_LIBRARY_PATH='$(DESTDIR)$(libdir)'$${LD_LIBRARY_PATH:+:$$LD_LIBRARY_PATH} && \
	  export PATH ANPE_PLUGIN_PATH ANPE_ZOO LD_LIBRARY_PATH && \
	  for model in "$$ANPE_ZOO"/*/; do test -d "$$model" || continue; model=`basename "$$model"`; \
	    anpe simulate "$$ANPE_ZOO/../instruments/$$model/$$model.cfg" -n 2 --observed -q -o mocks.h5 && anpe infer $$model mocks.h5 -q -o mocks.csv || exit 1; done
	rm -rf $(IC_DIR)

# The option reference in anpe.cfg(5) comes from the plugins' own tables; tests/cli/test_man.sh compares.
check_PROGRAMS += docs/man/options
docs_man_options_SOURCES = docs/man/options.c
docs_man_options_LDADD = libanpe.la
.PHONY: man-options
man-options: all docs/man/options
	ANPE_PLUGIN_PATH='$(abs_builddir)/plugins' docs/man/options >options.tmp
	sed -i -e '/written by `make man-options`/,/^\.SH SEE ALSO/{//!d;}' \
	  -e '/written by `make man-options`/r options.tmp' $(srcdir)/docs/man/anpe.cfg.5
	rm -f options.tmp
