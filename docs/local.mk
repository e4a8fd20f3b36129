# docs
dist_man_MANS += docs/man/anpe.1 docs/man/anpe.cfg.5
EXTRA_DIST += docs/LICENCES.md docs/PERFORMANCE.md docs/book/method.md docs/book/files.md \
	docs/book/validation.md docs/book/figures.md docs/book/apogee.md docs/book/cannon.md \
	docs/book/embedding.md docs/book/simulations.md docs/book/forward.md docs/book/emulator.md
EXTRA_DIST += docs/examples/pipe_simulator.py
EXTRA_DIST += docs/plugin-template/Makefile docs/plugin-template/README.md docs/plugin-template/one_line.c

# The template must build from the installed files alone and load; distcheck runs this.
IC_DIR = installcheck.tmp
installcheck-local:
	rm -rf $(IC_DIR) && mkdir $(IC_DIR)
	for f in Makefile one_line.c; do cat $(srcdir)/docs/plugin-template/$$f >$(IC_DIR)/$$f || exit 1; done
	cd $(IC_DIR) && PKG_CONFIG_PATH='$(DESTDIR)$(pkgconfigdir)' PKG_CONFIG_SYSROOT_DIR='$(DESTDIR)' \
	  $(MAKE) CC='$(CC)' CFLAGS='-Wall -Wextra -Werror'
	LD_LIBRARY_PATH='$(DESTDIR)$(libdir)'$${LD_LIBRARY_PATH:+:$$LD_LIBRARY_PATH} \
	  ANPE_PLUGIN_PATH="`pwd`/$(IC_DIR):$(DESTDIR)$(plugindir)" \
	  $(DESTDIR)$(bindir)/anpe plugins simulator/one_line
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
