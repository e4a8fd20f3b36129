#!/bin/sh
# What an earlier version wrote is read by this one, and says the same (tests/old/README.md).
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
case $ANPE in /*) ;; *) ANPE=$PWD/$ANPE ;; esac
case $ANPE_SRCDIR in /*) ;; *) ANPE_SRCDIR=$PWD/$ANPE_SRCDIR ;; esac
old=$ANPE_SRCDIR/tests/old
cd "$work" || exit 99

# near FILE TOLERANCE: the medians of a_h and b_h of four rows are those wanted.
near() {
    [ -s "$1" ] || return 1
    grep -v '^#' "$1" | awk -F, -v t="$2" -v want="$3" '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; split(want, w, " "); next }
        { for (k = 1; k <= 2; k++) { d = $at[k == 1 ? "a_h" : "b_h"] - w[++m]; if (d < 0) d = -d
            if (!(d < t)) { print "    row " NR - 2 ": off by " d; bad = 1 } } }
        END { exit bad || m != 8 }'
}

cp "$old/clip.h5" clip.h5 && chmod u+w clip.h5
run "$ANPE" zoo seal clip.h5
check "a model of 0.1.0 gets its seal" test "$status" = 0
run "$ANPE" infer clip.h5 "$old/clip_spectra.h5" -o plain.csv --seed 1 --quiet
check "a model of 0.1.0: infer" test "$status" = 0
# the median of 1000 draws of the same seed; rounding moves draws by far less than their scatter
check "its medians are what 0.1.0 wrote" \
    near plain.csv 0.01 "0.7242 -0.6313 0.2294 0.9589 -0.2946 -0.3435 0.5442 0.2715"
# with the simulator the option that is gone is met; flux is linear in the labels, so that the posterior's sd is
# 0.05 or less and a median of 500 effective draws is within 0.02 (8 sigma) of another's
run "$ANPE" infer clip.h5 "$old/clip_spectra.h5" -o exact.csv --seed 1 --exact --quiet \
    --set "simulator.file=$old/clip_emulator.h5"
check "the same, exact, with the emulator of 0.1.0" test "$status" = 0
check "exact medians" near exact.csv 0.02 "0.8485 -0.6765 0.2584 0.9809 -0.2525 -0.3835 0.3298 0.2876"
run "$ANPE" info clip.h5
check "info reads texts of variable length" grep -q '^plugins  *simulator/cannon' "$work/out"
finish
