#!/bin/sh
# anpe noise as a user runs it: messages to the letter, exit statuses, no half file.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
case $ANPE in /*) ;; *) ANPE=$PWD/$ANPE ;; esac
shared=$(cd "$ANPE_SRCDIR" && cd "$ANPE_SHARED" 2>/dev/null && pwd)
cd "$work" || exit 99

echo "no FITS" >text.fits
run "$ANPE" noise apogee text.fits -o lib.h5
expect "no usable spectrum" 1 "anpe: warning: left out: text.fits: not a FITS file (nor a gzipped one)
anpe: no usable spectrum in 1 files; nothing written"
check "and no file" test ! -e lib.h5
run "$ANPE" noise apogee absent.fits -o lib.h5
expect_error "no such file" 1 '^anpe: warning: left out: absent.fits: cannot open: No such file'
run "$ANPE" noise apogee -o lib.h5
expect_error "no spectra" 2 '^anpe noise: '
run "$ANPE" noise apogee text.fits
expect_error "no output" 2 'output'
run "$ANPE" noise apogeee text.fits -o lib.h5
expect_error "unknown instrument" 1 "no instrument 'apogeee' in .*; did you mean 'apogee'\?"
run "$ANPE" noise 'a"; b' text.fits -o lib.h5
expect "no name" 1 "anpe: 'a\"; b' is no name of an instrument"
run "$ANPE" noise apogee text.fits -o lib.h5 --set gird=8575
expect "unknown option" 1 \
    "anpe: --set instrument.gird: apogee: unknown option 'gird'; did you mean 'grid'?"
run "$ANPE" noise apogee text.fits -o lib.h5 --set grid=8000
expect_error "wrong value" 1 'apogee: grid 8000; expected 7214 or 8575$'
run "$ANPE" noise array text.fits -o lib.h5 --set 'shape=[3]'
expect_error "an instrument whose files are HDF5" 1 '^anpe: warning: left out: text.fits: '
run "$ANPE" noise absent.cfg text.fits -o lib.h5
expect_error "a configuration that is not there" 1 'absent.cfg'
check "nothing was written" test ! -e lib.h5

stars=$shared/data/apogee/apstar
if [ -z "$shared" ] || [ ! -d "$stars" ]; then
    skip "real spectra" "no shared data"
    finish
fi
run "$ANPE" noise apogee "$stars"/*.fits text.fits -o lib.h5
expect_error "one bad file among many" 4 '^anpe: warning: left out: text.fits: not a FITS file'
check "the others are in" grep -q '^lib.h5: 12 spectra, median S/N ' out
echo 'instrument: { plugin = "apogee"; grid = 8575; combination = "visits"; };' >full.cfg
run "$ANPE" noise full.cfg "$stars"/*.fits -o visits.h5 --json
check "a configuration's instrument, every visit" grep -q '"n_spectra": 39' out
check "nothing to complain about" test "$status" = 0 -a ! -s err
run "$ANPE" noise apogee "$stars"/*.fits -o again.h5
run "$ANPE" noise apogee "$stars"/*.fits -o once.h5
check "the same input gives the same bytes" cmp -s again.h5 once.h5
mkdir closed && chmod a-w closed
run "$ANPE" noise apogee "$stars"/*.fits -o closed/lib.h5
if [ "$(id -u)" = 0 ]; then
    skip "a directory that cannot be written" "root writes everywhere"
else
    expect_error "a directory that cannot be written" 1 'closed/lib.h5: cannot write'
fi
finish
