#!/bin/sh
# What the models that come with anpe make of stars whose labels are published: benchmark stars and atlases of the Sun and
# Arcturus as a survey would have seen them (known_stars.py), and the surveys' own spectra. The log gf of the syntheses
# were fitted to the Sun and Arcturus alone.
#
#   make check-long STUDIES=known_stars SURVEYS=galah
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
need_shared
need_python numpy,astropy.io.fits,h5py
forward=$ANPE_SHARED/data/forward
[ -d "$forward" ] || skip_all "the data of the forward model is not here (ANPE_SHARED)"
: "${SURVEYS:=apogee galah gaia_rvs lamost_lrs hires mike pepsi}"
zoo=$ANPE_SRCDIR/zoo
ANPE_ZOO=$(cd "$zoo" && pwd)
export ANPE_ZOO

# real SURVEY: its own files, which have no truth here
real() {
    case $1 in
    apogee) pattern="apogee/apStar-*.fits" ;;
    galah) pattern="galah/*1.fits" ;;
    gaia_rvs) pattern="gaia_rvs/*.csv" ;;
    lamost_lrs) pattern="lamost/spec-*" ;;
    mike) pattern="mike/*.fits" ;;
    esac
    # shellcheck disable=SC2086
    "$ANPE" infer "$1" "$ANPE_SHARED"/data/$pattern -o real.csv --quiet --predict fits.h5
    check "$1: real spectra have an answer or a reason" test $? = 0 -o $? = 4
    $python "$ANPE_SRCDIR/tests/long/known_stars.py" show real.csv
    $python "$ANPE_SRCDIR/tests/long/known_stars.py" chi2 fits.h5 "$zoo/$1"/*/"$1.h5"
    [ "$1" != lamost_lrs ] || # hotter than the model goes
        check "the A0 star is flagged" $python -c '
import csv
rows = csv.DictReader(line for line in open("real.csv") if line[0] != "#")
assert [int(r["flags"]) & 2 for r in rows if "J041615" in r["id"]] == [2]'
}

known() {
    $python "$ANPE_SRCDIR/tests/long/known_stars.py" "$forward" "$1" || exit 99
    case $1 in hires) files="./*_F.fits" ;; pepsi) files="./*.nor" ;; *) files="./*.fits" ;; esac
    # shellcheck disable=SC2086
    "$ANPE" infer "$1" $files -o known.csv --quiet || exit 99
    $python "$ANPE_SRCDIR/tests/long/known_stars.py" compare known.csv >compared || exit 99
    cat compared
}

said() { sed -n "s/^median_$1 //p" compared; }

for survey in $SURVEYS; do
    ls "$zoo/$survey"/*/"$survey.h5" >/dev/null 2>&1 || { skip "$survey" "no model of it here" && continue; }
    mkdir -p "$survey/known" && cd "$survey" || exit 99
    say "$survey"
    case $survey in hires | pepsi) ;; *) real "$survey" ;; esac # there is no file of these here
    case $survey in apogee | galah | lamost_lrs | hires | mike | pepsi)
        cd known || exit 99
        known "$survey"
        cd .. || exit 99
        ;;
    esac
    if [ "$survey" = galah ]; then
        cd known || exit 99
        demand "galah: Teff of benchmark stars of 4500 to 6500 K, median absolute difference" "$(said teff)" "<=" 80
        demand "galah: log g" "$(said logg)" "<=" 0.15
        demand "galah: [Fe/H]" "$(said fe_h)" "<=" 0.1
        cd .. || exit 99
    fi
    cd .. || exit 99
done
finish
