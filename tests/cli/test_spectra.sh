#!/bin/sh
# Spectra as they come: good ones, and every way in which a file can be useless. Each bad one ends in
# a message that names it and the reason, exit status 1 and no output; among good ones it is flagged.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
make=${ANPE_BUILDDIR:-.}/tests/cli/make_spectrum
[ -x "$make" ] || skip_all "tests/cli/make_spectrum is not built"
case $make in /*) ;; *) make=$PWD/$make ;; esac
config=$(cd "$ANPE_SRCDIR" && pwd)/tests/cli/small.cfg
cd "$work" || exit 99

run "$ANPE" train "$config" --quiet -o model.h5 --set train.steps=2 --set train.epochs=1
check "a model to infer with" test "$status" = 0 -a -s model.h5
for kind in good some_nan nan bad short truncated; do
    "$make" $kind $kind.fits || exit 99
done
echo "this is not FITS" >text.fits
: >empty.fits
mkdir folder.fits outputs
: >outputs.before

# Value of a column of the only row of a catalogue; no field before it may hold a comma.
column() { # FILE NAME
    grep -v '^#' "$1" | awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i }
        NR == 2 { print $c }'
}
# nothing NAME: the last run left no file, temporary ones included.
nothing() {
    ls -A outputs >outputs.after
    check "$1: no output is left" cmp -s outputs.before outputs.after
}

run "$ANPE" infer model.h5 good.fits -o outputs/good.csv
check "a good spectrum" test "$status" = 0
check "a good spectrum: all pixels of the detectors" test "$(column outputs/good.csv n_good)" = 7214
check "a good spectrum: it has the survey's name" test "$(column outputs/good.csv id)" = "made-up star"
run "$ANPE" infer model.h5 some_nan.fits -o outputs/nan.csv
check "NaN here and there" test "$status" = 0
good=$(column outputs/nan.csv n_good)
# one pixel in 20 of the flux and one of the errors, within the ends of three detectors
check "NaN here and there: they are bad pixels" test "$good" -gt 6485 -a "$good" -lt 6500
check "NaN here and there: no NaN comes out" sh -c '! sed -n "/^#/!s/some_nan//p" outputs/nan.csv | grep -qi nan'
rm outputs/*

# refused NAME FILE REASON: a run of it alone, with every output that there is.
refused() {
    run "$ANPE" infer model.h5 "$2" -o outputs/bad.fits --posterior outputs/draws.h5 \
        --predict outputs/predict.h5
    expect_error "$1" 1 "^anpe: $2: $3"
    check "$1: nothing on standard output" test ! -s out
    check "$1: its reason is said once" test "$(wc -l <err)" = 1
    nothing "$1"
}
refused "every flux is NaN" nan.fits "no good pixel among 7214"
refused "every pixel is bad" bad.fits "no good pixel among 7214"
refused "wrong pixel count" short.fits "the flux has 8000 pixels; expected 8575 or 7214"
refused "truncated" truncated.fits "(cannot read|not a readable FITS file|.*truncated)"
refused "not FITS" text.fits "not a FITS file"
refused "empty" empty.fits "the file is empty"
refused "missing" missing.fits "cannot open: No such file or directory"
refused "a directory" folder.fits "cannot open: Is a directory"

run "$ANPE" infer model.h5 nan.fits -o outputs/bad.fits --json
expect_error "--json" 1 "no good pixel among 7214"
check "--json: the error is in the object" grep -q '"error": "nan.fits: no good pixel' out
nothing "--json"
run "$ANPE" infer model.h5 nan.fits short.fits -o outputs/bad.fits
expect_error "all of several" 1 \
    "^anpe: none of 2 spectra could be used; the first: nan.fits: no good pixel among 7214"
check "all of several: a reason each" test "$(grep -c nan.fits err) $(grep -c short.fits err)" = "1 1"
nothing "all of several"

# One good among all the bad: a row each, in the order given, and a status that says so.
run "$ANPE" infer model.h5 nan.fits good.fits bad.fits short.fits truncated.fits text.fits \
    empty.fits missing.fits folder.fits -o some.csv
check "one good among eight bad: status 4" test "$status" = 4
check "one good among eight bad: nine rows" test "$(grep -v '^#' some.csv | wc -l)" = 10
check "one good among eight bad: reasons are printed" test "$(grep -c warning err)" = 8
check "one good among eight bad: in order" sh -c 'grep -v "^#" some.csv | sed -n 3p | grep -q good.fits'

# The same files as a noise library.
run "$ANPE" noise apogee nan.fits bad.fits short.fits truncated.fits text.fits missing.fits \
    -o outputs/library.h5
expect_error "no usable error bars" 1 "^anpe: no usable spectrum in 6 files; nothing written"
check "no usable error bars: a reason each" test "$(grep -c 'left out' err)" = 6
nothing "no usable error bars"
run "$ANPE" noise apogee nan.fits good.fits -o outputs/library.h5
check "error bars of the good one" test "$status" = 4 -a -s outputs/library.h5

# A path longer than the usual column is not cut.
long=$(printf '%0190d' 0)
mkdir "$long" && cp good.fits "$long/good.fits"
for end in csv h5 fits; do
    run "$ANPE" infer model.h5 "$long/good.fits" -o long.$end
    check "a long path is whole in .$end" grep -aq "$long/good.fits" long.$end
done
finish
