#!/bin/sh
# Many files: lists, standard input, folders, names with brackets; visits of one star; and what may be set when
# a model is used.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
make=${ANPE_BUILDDIR:-.}/tests/cli/make_spectrum
[ -x "$make" ] || skip_all "tests/cli/make_spectrum is not built"
case $make in /*) ;; *) make=$PWD/$make ;; esac
config=$(cd "$ANPE_SRCDIR" && pwd)/tests/cli/small.cfg
cd "$work" || exit 99

run "$ANPE" train "$config" --quiet -o model.h5 --set train.steps=2 --set train.epochs=1
check "a model to infer with" test "$status" = 0 -a -s model.h5
mkdir -p survey/night2 survey/.hidden outputs
"$make" good survey/b.fits && "$make" good survey/a.fits && "$make" good survey/night2/c.fits &&
    "$make" good "survey/night2/d[1].fits" && "$make" good survey/.hidden/x.fits || exit 99
echo "notes" >survey/README.md
echo "notes" >survey/night2/checksums

# The column `file` of a catalogue, one a line.
files() { grep -v '^#' "$1" | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "file") c = i } NR > 1 { print $c }'; }
same_files() { # NAME CATALOGUE FILE...
    name=$1 catalogue=$2
    shift 2
    printf '%s\n' "$@" >expected
    files "$catalogue" >got
    check "$name" cmp expected got
}
all='survey/a.fits survey/b.fits survey/night2/c.fits survey/night2/d[1].fits'

run "$ANPE" infer model.h5 survey -o folder.csv --quiet
# shellcheck disable=SC2086
same_files "a folder: its files of spectra, sorted" folder.csv $all
run "$ANPE" infer model.h5 survey -o folder.csv
check "a folder: what was left out is said" grep -q 'survey: 4 files of spectra; 2 others left out' err
printf '# my list\nsurvey/night2/d[1].fits\r\n\nsurvey/a.fits' >list
run "$ANPE" infer model.h5 --list list -o list.csv
same_files "a list" list.csv 'survey/night2/d[1].fits' survey/a.fits
status=0
"$ANPE" infer model.h5 - -o stdin.csv --quiet <list >out 2>err || status=$?
same_files "standard input" stdin.csv 'survey/night2/d[1].fits' survey/a.fits
status=0
"$ANPE" infer model.h5 survey/b.fits --list - -o stdin.csv --quiet <list >out 2>err || status=$?
same_files "a name and standard input" stdin.csv survey/b.fits 'survey/night2/d[1].fits' survey/a.fits
run "$ANPE" noise apogee --list list -o library.h5
check "a list for a noise library" test "$status" = 0 -a -s library.h5

run "$ANPE" infer model.h5 -o no.csv
expect "no spectra" 2 "anpe infer: no spectra: name files, folders or --list FILE
Try 'anpe infer --help'."
run "$ANPE" infer model.h5 --list nowhere -o no.csv
expect_error "no list" 1 '^anpe: nowhere: cannot open: No such file'
echo "# nothing" >empty
run "$ANPE" infer model.h5 --list empty -o no.csv
expect_error "an empty list" 1 '^anpe: empty: names no file'
run "$ANPE" infer model.h5 --list model.h5 -o no.csv
expect_error "a list that is none" 1 '^anpe: model.h5:[0-9]+: not a list of files, a name a line: it has a NUL byte'
run "$ANPE" infer model.h5 outputs -o no.csv
expect_error "an empty folder" 1 '^anpe: outputs: cannot open: Is a directory'
check "none of these left an output" test ! -e no.csv

# What says how files are read may be set; what the network has learned with may not.
run "$ANPE" infer model.h5 survey/a.fits -o set.csv --set instrument.combination=visits
check "a reading option" test "$status" = 0
check "a reading option is recorded" grep -q '^# SET0.*instrument.combination=visits' set.csv
run "$ANPE" infer model.h5 survey/a.fits -o set.fits --set 'instrument.bad_bits=[0,1]' --set instrument.sigma_max=0.4
check "reading options are recorded in FITS" grep -aq "^SET1 *= 'instrument.sigma_max=0.4'\|SET1    = 'instrument.sigma_max=0.4'" set.fits
for set in instrument.grid=8575 instrument.degree=2 network.context=8 seed=3 instrument.colour=1 simulator.r=3; do
    run "$ANPE" infer model.h5 survey/a.fits -o no.csv --set "$set"
    expect_error "--set $set" 1 "^anpe: --set ${set%=*}: the network has learned with it, and with another value \
would have to be trained again; .* \(instrument.NAME: combination, bad_bits, sigma_max, sigma_ratio, combined_limit, visit_frame\)"
done
run "$ANPE" infer model.h5 survey/a.fits -o no.csv --set instrument.combination=sum
expect_error "a wrong value" 1 "combination.*'sum'"
run "$ANPE" infer model.h5 survey/a.fits -o no.csv --set instrument.combination
check "no value" test "$status" = 1
check "none of these left an output either" test ! -e no.csv

# Visits of one star are joined, whatever the file; two files without a name are two stars.
run "$ANPE" validate model.h5 -n 50 -s 50 --dry --repeats survey/a.fits --repeats survey/b.fits
check "repeats: a star with two files" test "$status" = 0
run "$ANPE" simulate "$config" -n 3 --observed -o one.h5 --quiet
mkdir night1 && cp one.h5 night1/one.h5
run "$ANPE" validate model.h5 -n 50 -s 50 --dry --repeats one.h5 --repeats night1/one.h5
expect_error "repeats: rows of two files without identifiers are not one star" 1 \
    'no identifier comes twice among 6 spectra'
# A star that a catalogue has twice is compared with neither row, in words and in the figure.
cases=$ANPE_SHARED/data/cases
if [ -r "$cases/catalogue_twice.csv" ]; then
    run "$ANPE" infer model.h5 "$cases/apstar_reference.fits" -o twice.csv \
        --compare "$cases/catalogue_twice.csv" --compare-columns teff=TEFF --compare-id APOGEE_ID
    check "a star twice in a catalogue: the number is said" \
        grep -q 'catalogue_twice.csv: 1 star has more than one row (2M19390532+4027346, ...); not compared' err
    check "a star twice in a catalogue: it is compared with neither" grep -q ',unmatched' twice.csv
    run "$ANPE" plot truth twice.csv --compare "$cases/catalogue_twice.csv" --id APOGEE_ID --column teff=TEFF \
        --labels teff -o twice.png
    if ! grep -q "built without PLplot" err; then
        expect_error "a star twice in a figure" 1 "no row of twice.csv is in .*catalogue_twice.csv"
        check "a star twice in a figure: the number is said" grep -q '1 spectrum is of a star with more than one row' err
    fi
else
    skip "a star twice in a catalogue" "no shared data"
fi
run "$ANPE" validate model.h5 -n 50 --set instrument.combination=visits
expect_error "--set without --repeats" 2 '^anpe validate: --set goes with --repeats'
finish
