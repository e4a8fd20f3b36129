#!/bin/sh
# anpe info of files of spectra: what they are and what reads them.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
make=${ANPE_BUILDDIR:-.}/tests/cli/make_spectrum
[ -x "$make" ] || skip_all "tests/cli/make_spectrum is not built"
case $make in /*) ;; *) make=$PWD/$make ;; esac
cd "$work" || exit 99

"$make" good good.fits || exit 99
run "$ANPE" info good.fits
expect_out "an APOGEE file" 0 "what           APOGEE combined spectrum, 1 row
survey         APOGEE
instrument     apogee
object         made-up star
spectra        1
medium         vacuum
frame          rest frame of the star
range          15168.13 to 16936.75 Angstrom, vacuum, of the good pixels
0              made-up star                   S/N 100      7214 of 7214 pixels good"
run "$ANPE" info good.fits --json
check "an APOGEE file, as JSON" grep -q '"n_good": 7214' out
check "an APOGEE file, as JSON: its instrument" grep -q '"instrument": "apogee"' out
"$make" nan nan.fits || exit 99
run "$ANPE" info nan.fits
check "a spectrum that its instrument refuses is said to be so" \
    grep -q '^0 *refused: nan.fits: no good pixel among 7214' out

{ echo "wavelength flux error"; awk 'BEGIN { for (i = 0; i < 500; i++) print 5000 + i / 4, 1, 0.02 }'; } >star.txt
run "$ANPE" info star.txt
check "plain text: what would read it" \
    grep -qx 'options        windows = \[ 4998.5, 5126.3 \]; resolution = 8099.4; medium = "air";' out
check "plain text: medium" grep -qx 'medium         not said' out
check "plain text: S/N" grep -q '^0 .* S/N 60' out
run "$ANPE" plugins instrument/spectrum
check "the options that are named are the instrument's" grep -q '^  windows ' out

echo "no spectrum" >notes.txt
run "$ANPE" info notes.txt
expect "a file of nobody's" 1 "anpe: notes.txt: neither an HDF5 file nor a spectrum that an installed \
instrument knows ('anpe plugins instrument' lists them)"
: >empty.txt
run "$ANPE" info empty.txt
expect "an empty file" 1 "anpe: empty.txt: not an HDF5 file"
run "$ANPE" info nowhere.fits
expect_error "no file" 1 '^anpe: nowhere.fits: cannot open: No such file or directory'

lamost=$ANPE_SHARED/data/lamost/spec-55939-GAC_061N46_V3_sp07-078.fits
if [ -r "$lamost" ]; then
    run "$ANPE" noise apogee "$lamost" -o library.h5
    expect_error "a file of another survey" 1 \
        "this is a file of LAMOST, which the instrument lamost_lrs reads; the one asked for is apogee"
else
    skip "a file of another survey" "no shared data"
fi
finish
