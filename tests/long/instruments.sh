#!/bin/sh
# Each instrument with its default configuration and the built-in simulator: a model trained within 15 minutes,
# mocks covered, a catalogue of them and of the real files that are here.
#
#   make check-long STUDIES=instruments INSTRUMENTS=mike
#
# runs one (several with blanks between them in quotes; without it all). For a look at the study itself: MINUTES=1 MOCKS=100.
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
need_python json
get() { $python "$ANPE_SRCDIR/tests/long/json_get.py" "$1" "$2"; }
all="lamost_lrs lamost_mrs galah gaia_rvs hires pepsi mike apogee"
: "${INSTRUMENTS:=$all}" "${MINUTES:=15}" "${MOCKS:=1000}"

# files INSTRUMENT: the survey's own, one a line
files() {
    case $1 in
    lamost_lrs) pattern="lamost/spec-*" ;;
    lamost_mrs) pattern="lamost/med-*" ;;
    galah) pattern="galah/*.fits" ;;
    gaia_rvs) pattern="gaia_rvs/*.csv" ;;
    mike) pattern="mike/*.fits" ;;
    apogee) pattern="apogee/apstar/*.fits" ;;
    *) return ;;
    esac
    ls "$ANPE_SHARED"/data/$pattern 2>/dev/null
}

# Seconds of processors that the shell's children have taken.
processors() {
    times >times.txt
    tail -n 1 times.txt | tr 'ms' '  ' | awk '{ print int(60 * $1 + $2 + 60 * $3 + $4) }'
}

train() {
    if [ ! -s model.h5 ] || "$ANPE" info model.h5 | grep -q "not ended"; then
        say "$1: training, at most $MINUTES minutes"
        "$ANPE" train "$ANPE_SRCDIR/instruments/$1/lines.cfg" -o model.h5 --resume --set train.max_minutes="$MINUTES"
    fi
}

# 1000 mocks: the curve of an exact posterior stays within 0.043 in 19 of 20 runs; a network of 15 minutes may be off by as
# much again.
cover() {
    "$ANPE" validate model.h5 -n "$MOCKS" --quiet -o report.json || return
    for curve in coverage tarp; do
        demand "$1: $curve, distance from the diagonal" "$(get report.json all.$curve.distance)" "<=" 0.1
    done
    "$ANPE" simulate model.h5 -n 300 --observed -o mocks.h5 --quiet || return
    "$ANPE" infer model.h5 mocks.h5 -o mocks.fits --json >mocks.json || return
    check "$1: a catalogue of mocks" test -s mocks.fits
    demand "$1: draws outside the prior" "$(get mocks.json draws_outside_prior)" "==" 0
    for label in teff logg fe_h mg_fe rv; do
        figure "$1: r2 $label" "$(get mocks.json recovery.$label.r2)"
        figure "$1: 68 % coverage of $label" "$(get mocks.json recovery.$label.cover68)"
    done
}

# Real files have an answer each; with `lines` their labels mean little.
real() {
    if [ -z "$(files "$1")" ]; then
        skip "$1: real spectra" "none here"
        return
    fi
    files "$1" | tr '\n' '\0' >list
    xargs -0 "$ANPE" infer model.h5 -o stars.csv <list >out 2>&1
    check "$1: real spectra" test $? = 0
    cat out
}

for i in $INSTRUMENTS; do
    case " $all " in *" $i "*) ;; *) skip_all "no instrument $i; there are $all" ;; esac
    if [ ! -f "$ANPE_SRCDIR/instruments/$i/lines.cfg" ]; then
        skip "$i" "it has no lines.cfg"
        continue
    fi
    mkdir -p "$i" && cd "$i" || exit 99
    processors >before.txt
    start=$(date +%s)
    check "$i: trained" train "$i"
    figure "$i: seconds of training" "$(($(date +%s) - start))"
    processors >after.txt # on a machine that others use too the figure to trust
    figure "$i: seconds of processors" "$(($(cat after.txt) - $(cat before.txt)))"
    cover "$i" || not_ok "$i: mocks"
    real "$i"
    cd .. || exit 99
done
finish
