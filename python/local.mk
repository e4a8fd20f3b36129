# python: one file that needs NumPy and, where it runs, the library; it is told where that is installed.
EXTRA_DIST += python/anpe.py
if HAVE_PYTHON
python_DATA = python/installed/anpe.py
CLEANFILES += python/installed/anpe.py
python/installed/anpe.py: python/anpe.py Makefile
	$(AM_V_GEN)$(MKDIR_P) python/installed && sed 's|@lib[d]ir@|$(libdir)|' $(srcdir)/python/anpe.py >$@.tmp && mv $@.tmp $@
endif
