#!/bin/sh
# What the misspecification flags find at 1 % false alarms of all that see what is in a spectrum together:
# two stars in one spectrum, emission lines, a wavy or sloping continuum, wavelengths that are off. The model
# is that of the study `payne` (or $MODEL).
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
need_python h5py
script=$ANPE_SRCDIR/tests/long/misspecified.py
. "$ANPE_SRCDIR/tests/long/payne_model.sh"

[ -s validated.json ] || { cp "$model" model.h5 &&
    "$ANPE" validate model.h5 -n 10000 --seed 3 --quiet -o validated.json || exit 99; }
rate() { $python "$script" rates "$1" | awk -v n="$2" '$1 == n { v = $2 } END { print v + 0 }'; }

for snr in 30 100 300; do
    mkdir -p snr$snr && cd snr$snr || exit 99
    set -- ../model.h5 -n 500 --seed 11 --set noise.snr_min=$snr --set noise.snr_max=$((snr + 1)) --quiet
    "$ANPE" simulate "$@" -o sims.h5 && "$ANPE" simulate "$@" --observed -o observed.h5 || exit 99
    $python "$script" make sims.h5 observed.h5 || exit 99
    # false alarms: 2000 spectra, 1.0 +- 0.22 %
    "$ANPE" simulate "$@" -n 2000 --seed 12 --observed -o clean.h5 || exit 99
    for kind in clean binary emission ripple slope shift detector; do
        "$ANPE" infer ../model.h5 $kind.h5 -o $kind.cat.h5 --quiet || exit 99
        figure "S/N $snr $kind: context" "$(rate $kind.cat.h5 OUT_OF_TRAINING)"
        figure "S/N $snr $kind: residuals" "$(rate $kind.cat.h5 PREDICTIVE_CHI2)"
        found=$(rate $kind.cat.h5 misfit)
        case $snr-$kind in
        *-clean) demand "S/N $snr: false alarms" "$found" "<=" 0.02 ;;
        *-slope) figure "S/N $snr slope: found" "$found" ;; # the continuum rule takes it out
        100-*) demand "S/N $snr $kind: found" "$found" ">=" 0.85 ;;
        *) figure "S/N $snr $kind: found" "$found" ;;
        esac
    done
    cd .. || exit 99
done
finish
