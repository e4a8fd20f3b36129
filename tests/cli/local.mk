# tests/cli: shell scripts that run the command as a user does
EXTRA_DIST += tests/cli/common.sh tests/cli/small.cfg
# First those that take longest, of which the first waits more than it works: others run meanwhile.
dist_check_SCRIPTS += tests/cli/test_mpi.sh tests/cli/test_faults.sh
dist_check_SCRIPTS += tests/cli/test_count.sh tests/cli/test_format.sh tests/cli/test_layers.sh tests/cli/test_licences.sh \
	tests/cli/test_man.sh tests/cli/test_template.sh tests/cli/test_train.sh tests/cli/test_usage.sh
dist_check_SCRIPTS += tests/cli/test_plugins.sh tests/cli/test_backend.sh
dist_check_SCRIPTS += tests/cli/test_import.sh tests/cli/test_model_error.sh
dist_check_SCRIPTS += tests/cli/test_exact.sh
dist_check_SCRIPTS += tests/cli/test_rounds.sh
dist_check_SCRIPTS += tests/cli/test_noise.sh tests/cli/test_info.sh tests/cli/test_surveys.sh
dist_check_SCRIPTS += tests/cli/test_catalogue.sh tests/cli/test_validate.sh tests/cli/test_group.sh
EXTRA_DIST += tests/cli/catalogue.py tests/cli/browser.py tests/cli/report_page.py
dist_check_SCRIPTS += tests/cli/test_report.sh tests/cli/test_python.sh tests/cli/test_watch.sh
EXTRA_DIST += tests/python/test_anpe.py
dist_check_SCRIPTS += tests/cli/test_featurizers.sh
dist_check_SCRIPTS += tests/cli/test_spectra.sh tests/cli/test_files.sh
dist_check_SCRIPTS += tests/cli/test_basis.sh
dist_check_SCRIPTS += tests/cli/test_newton.sh
dist_check_SCRIPTS += tests/cli/test_pipe.sh
dist_check_SCRIPTS += tests/cli/test_grid.sh tests/cli/test_simulate.sh tests/cli/test_emulate.sh tests/cli/test_shipped.sh tests/cli/test_calibrate.sh tests/cli/test_synth.sh
# Files of earlier versions.
dist_check_SCRIPTS += tests/cli/test_old_files.sh tests/cli/test_velocities.sh
EXTRA_DIST += tests/old/README.md tests/old/clip.h5 tests/old/clip_emulator.h5 tests/old/clip_spectra.h5 \
	tests/old/format2.h5 tests/old/format2_emulator.h5 tests/old/format2_spectra.h5 tests/old/format2_catalogue.h5
dist_check_SCRIPTS += tests/cli/test_inputs.sh
# What these two spoil files with.
check_PROGRAMS += tests/cli/make_spectrum tests/cli/flip_bit
tests_cli_make_spectrum_SOURCES = tests/cli/make_spectrum.c
tests_cli_make_spectrum_CPPFLAGS = $(CFITSIO_CFLAGS)
tests_cli_make_spectrum_LDADD = $(CFITSIO_LIBS) -lm
tests_cli_flip_bit_SOURCES = tests/cli/flip_bit.c
tests_cli_flip_bit_CPPFLAGS = $(HDF5_CFLAGS)
tests_cli_flip_bit_LDADD = $(HDF5_LIBS)
check_PROGRAMS += tests/cli/graft
tests_cli_graft_SOURCES = tests/cli/graft.c
tests_cli_graft_CPPFLAGS = $(HDF5_CFLAGS)
tests_cli_graft_LDADD = $(HDF5_LIBS)
# Whether files hold strings of variable length.
check_PROGRAMS += tests/cli/text_types
tests_cli_text_types_SOURCES = tests/cli/text_types.c
tests_cli_text_types_CPPFLAGS = $(HDF5_CFLAGS)
tests_cli_text_types_LDADD = $(HDF5_LIBS)
# Figures; whether they are blank is seen with zlib.
dist_check_SCRIPTS += tests/cli/test_plot.sh
check_PROGRAMS += tests/cli/image_check
tests_cli_image_check_SOURCES = tests/cli/image_check.c
tests_cli_image_check_LDADD = $(ZLIB_LIBS)
# What is lost, or left, when a run fails or is killed; datasets of odd sizes and layouts.
dist_check_SCRIPTS += tests/cli/test_losses.sh tests/cli/test_sizes.sh tests/cli/test_journal.sh
check_PROGRAMS += tests/cli/make_sets
tests_cli_make_sets_SOURCES = tests/cli/make_sets.c
tests_cli_make_sets_CPPFLAGS = $(HDF5_CFLAGS)
tests_cli_make_sets_LDADD = $(HDF5_LIBS)
# Each call of a run fails once (test_faults).
check_LTLIBRARIES += tests/faults/faults.la
tests_faults_faults_la_SOURCES = tests/faults/faults.c
tests_faults_faults_la_LDFLAGS = -module -avoid-version -rpath /nowhere
tests_faults_faults_la_LIBADD = -ldl
check_PROGRAMS += tests/cli/peak
tests_cli_peak_SOURCES = tests/cli/peak.c
# Documents: the trees of files.md, the examples of README.md and of the headers.
dist_check_SCRIPTS += tests/cli/test_docs.sh
check_PROGRAMS += tests/cli/tree
tests_cli_tree_SOURCES = tests/cli/tree.c
tests_cli_tree_CPPFLAGS = $(HDF5_CFLAGS)
tests_cli_tree_LDADD = $(HDF5_LIBS)
# Survey files as instruments read them, against astropy.
dist_check_SCRIPTS += tests/cli/test_readings.sh
EXTRA_DIST += tests/cli/readings.py
check_PROGRAMS += tests/cli/read_spectra
tests_cli_read_spectra_SOURCES = tests/cli/read_spectra.c
tests_cli_read_spectra_CPPFLAGS = $(AM_CPPFLAGS)
tests_cli_read_spectra_LDADD = libanpe.la
# Layouts of GALAH and Gaia RVS that no file here has, and arms of one star.
dist_check_SCRIPTS += tests/cli/test_layouts.sh tests/cli/test_arms.sh
EXTRA_DIST += tests/cli/layouts.py
# Models that have a name; the seal of model files.
dist_check_SCRIPTS += tests/cli/test_completion.sh tests/cli/test_seal.sh tests/cli/test_zoo.sh tests/cli/test_zoo_shipped.sh \
	tests/cli/test_zoo_https.sh
EXTRA_DIST += tests/cli/zoo_server.py tests/cli/zoo_sign.py
# The documentation as a site.
dist_check_SCRIPTS += tests/cli/test_html.sh
EXTRA_DIST += tests/cli/site_links.py
