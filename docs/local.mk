# docs
EXTRA_DIST += docs/LICENCES.md
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
