# packaging: `make deb` makes a Debian package, in deb/, of the tarball of `make dist`.
EXTRA_DIST += packaging/deb packaging/debian/control packaging/debian/copyright packaging/debian/rules packaging/debian/lintian-overrides \
	packaging/debian/source/format
.PHONY: deb
deb: dist
	$(SHELL) $(srcdir)/packaging/deb $(srcdir) $(distdir).tar.xz $(VERSION)
