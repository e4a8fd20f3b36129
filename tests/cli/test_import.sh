#!/bin/sh
# anpe import as a user runs it: what it prints, its messages, and that failure leaves no file.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
case $ANPE in /*) ;; *) ANPE=$PWD/$ANPE ;; esac
cd "$work" || exit 99
printf '1 2 3\n10 20 30\n4 5 6\n' >c.txt
printf '15000 15001 15002\n' >w.txt
echo 5000 >pivot.txt
cannon="import cannon c.txt --pivots pivot.txt --labels teff"

# shellcheck disable=SC2086 # $cannon is several words
{
    run "$ANPE" $cannon --range 4000:6000 --wavelength w.txt -o e.h5
    expect_out "cannon from text" 0 "e.h5: cannon, 1 labels, 3 pixels
  teff         K      4000 .. 6000"
    run "$ANPE" $cannon --wavelength w.txt -o j.h5 --json
    check "--json: the range is unbounded" grep -q '"min": null' out
    run "$ANPE" $cannon -o n.h5
    expect_error "no wavelengths is a warning" 0 'no wavelengths'
    cp e.h5 before.h5
    run "$ANPE" $cannon --range 4000:6000 --wavelength w.txt -o e.h5
    check "the same input gives the same bytes" cmp -s e.h5 before.h5

    rm -f ./*.h5
    run "$ANPE" $cannon --labels teff,logg -o e.h5
    expect "too many labels" 1 \
        "anpe: --labels gives 2, but c.txt has 1 labels: teff,logg"
    run "$ANPE" $cannon --wavelength pivot.txt -o e.h5
    expect "wavelengths of another length" 1 \
        "anpe: pivot.txt: the array has shape (1), expected (3); the emulator has 3 pixels"
    run "$ANPE" $cannon --grid boss -o e.h5
    expect "unknown grid" 1 "anpe: --grid: 'boss' is not known; known is apogee"
    run "$ANPE" $cannon -o absent/e.h5
    expect_error "no such directory" 1 'absent/e.h5'
}
echo "1 x 3" >bad.txt
run "$ANPE" import cannon bad.txt --pivots pivot.txt --labels teff -o e.h5
expect "not numbers" 1 "anpe: bad.txt:1: 'x' is not a number"
run "$ANPE" import payne c.txt -o e.h5
expect "not a Payne file" 1 "anpe: c.txt: a Payne emulator is a .npz or .h5 file"
head -c 100 /dev/zero >zero.npz
run "$ANPE" import payne zero.npz -o e.h5
expect_error "not a zip archive" 1 'zero.npz'
run "$ANPE" import pyne c.txt -o e.h5
expect "unknown kind" 2 "anpe import: 'pyne' is not a kind of emulator; known are payne, cannon
Try 'anpe import --help'."
check "no file is left" test -z "$(find . -name '*.h5*')"

emulator=$ANPE_SHARED/data/emulators/apogee_5label_perpixel.npz
if [ -r "$emulator" ]; then
    run "$ANPE" import payne "$emulator" --labels teff,logg,fe_h,mg_fe,vmacro --grid apogee -o e.h5
    expect_out "a published emulator" 0 "e.h5: per_pixel, 5 labels, 7214 pixels, grid apogee
  teff         K      3884.0144 .. 7895.3885
  logg         dex    1.2373901 .. 4.7144679
  fe_h         dex    -0.90023303 .. 0.38789111
  mg_fe        dex    -0.24021777 .. 0.42603781
  vmacro       km/s   0.10724579 .. 19.872236"
    head -c 500000 "$emulator" >cut.npz
    run "$ANPE" import payne cut.npz --labels teff,logg,fe_h,mg_fe,vmacro -o cut.h5
    expect_error "a truncated one" 1 'cut.npz'
    check "leaves no file" test ! -e cut.h5
else
    skip "a published emulator" "no $emulator"
fi
half=$ANPE_SHARED/data/cases/emulator_float16.npz
if [ -r "$half" ]; then
    run "$ANPE" import payne "$half" --labels teff,logg,fe_h,mg_fe,vmacro --grid apogee -o half.h5
    check "an emulator in half precision" test "$status" = 0
    check "has its networks" sh -c 'head -n 1 "$1" | grep -q "^half.h5: per_pixel, 5 labels, 7214 pixels"' - "$work/out"
else
    skip "an emulator in half precision" "no $half"
fi
finish
