#!/bin/sh
# The models that come with anpe, zoo/NAME/VERSION: complete, installed, validated, and at work by their names, on spectra
# of their own emulator and on real ones. What they find is theirs to say (docs); here is that they do.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
case $ANPE in /*) ;; *) ANPE=$PWD/$ANPE ;; esac
source=$(cd "$ANPE_SRCDIR" && pwd)
set -- "$source"/zoo/*/*/
[ -d "$1" ] || skip_all "no model comes with this source"
cd "$work" || exit 99
export ANPE_ZOO="$source/zoo" XDG_DATA_HOME="$work/none"

# A real spectrum of the instrument, or nothing.
real() {
    case $1 in
    apogee) ls "$ANPE_SHARED"/data/apogee/apStar-dr14-*.fits ;;
    lamost_lrs) ls "$ANPE_SHARED"/data/lamost/spec-*.fits ;;
    gaia_rvs) ls "$ANPE_SHARED"/data/gaia_rvs/*.csv ;;
    galah) ls "$ANPE_SHARED"/data/galah/*1.fits ;;
    mike) ls "$ANPE_SHARED"/data/mike/*.fits ;;
    esac 2>/dev/null | head -n 1
}

total=0
for directory; do
    version=$(basename "$directory") called=$(basename "$(dirname "$directory")")
    at=zoo/$called/$version model=$called@$version
    check "$model: the model is $at/$called.h5" test -s "$directory/$called.h5"
    [ -s "$directory/$called.h5" ] || continue
    for file in "$directory"*; do
        total=$((total + $(stat -c %s "$file")))
        check "$model: ${file##*/} is installed" grep -q "$at/${file##*/}\\( \\|\$\\)" "$source/zoo/local.mk"
    done
    check "$model: it has a README" test -s "$directory/README.md"
    run "$ANPE" zoo verify "$model"
    check "$model: whole" test "$status" = 0
    run "$ANPE" zoo show "$model"
    check "$model: validated" lacks 'validation *not validated' out
    instrument=$(sed -n 's/^instrument  *//p' out)
    run "$ANPE" simulate "$model" -n 1 -q -o clean.h5
    expect "$model: its emulator is found" 0
    # with error bars of its instrument's noise model: a survey's own, in a library, do not come with a model
    run "$ANPE" simulate "$source/instruments/$instrument/$instrument.cfg" -n 1 --observed -q -o "$called.h5"
    expect "$model: mocks of its configuration" 0
    run "$ANPE" infer "$model" "$called.h5" -q -o "$called.csv" --predict "$called.spectra.h5"
    expect "$model: their posteriors, and model spectra" 0
    star=$(real "$instrument")
    if [ -n "$star" ]; then
        run "$ANPE" infer "$model" "$star" -q -o star.csv
        check "$model: ${star##*/}" test "$status" = 0
        run "$ANPE" infer auto "$star" -o auto.csv
        check "$model: auto chooses a model for it" grep -q "^anpe: model: $source/zoo/" err
    else
        skip "$model: a real spectrum" "none of $instrument is here (ANPE_SHARED)"
    fi
done
check "all models together are at most 48 MB: $total" test "$total" -le 48000000
finish
