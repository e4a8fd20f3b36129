# core/report: pages to look at, in the command. The files of the page are compiled in, as bytes.
anpe_SOURCES += core/report/catalogue.c core/report/model.c core/report/page.c core/report/page.h \
	core/report/report.h core/report/star.c core/report/star.h
EXTRA_DIST += core/report/page.html core/report/page.css core/report/page.js
anpe_CPPFLAGS += -I$(builddir)/core
REPORT_PARTS = core/report/page_html.inc core/report/page_css.inc core/report/page_js.inc
CLEANFILES += $(REPORT_PARTS)
core/report/anpe-page.$(OBJEXT): $(REPORT_PARTS)
core/report/page_html.inc: core/report/page.html
	$(REPORT_BYTES)
core/report/page_css.inc: core/report/page.css
	$(REPORT_BYTES)
core/report/page_js.inc: core/report/page.js
	$(REPORT_BYTES)
REPORT_BYTES = $(AM_V_GEN)$(MKDIR_P) core/report && od -An -v -tu1 $< | sed 's/[0-9][0-9]*/&,/g' >$@.tmp && mv $@.tmp $@
