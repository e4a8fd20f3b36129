#!/bin/sh
# What an earlier version wrote is read by this one, and says the same (tests/old/README.md).
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
case $ANPE in /*) ;; *) ANPE=$PWD/$ANPE ;; esac
case $ANPE_SRCDIR in /*) ;; *) ANPE_SRCDIR=$PWD/$ANPE_SRCDIR ;; esac
old=$ANPE_SRCDIR/tests/old
cd "$work" || exit 99

# A format without a file here would be lost unseen.
formats=$(sed -n 's/.*ANPE_MODEL_FORMAT = \([0-9]*\).*/\1/p' "$ANPE_SRCDIR/core/model/model.h")
check "the format of today is known" test "${formats:-0}" -ge 2
i=1
while [ "$i" -le "${formats:-0}" ]; do
    check "a model of format $i is kept" grep -q "^| .* model of format $i[ ,|]" "$old/README.md"
    i=$((i + 1))
done

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

# ---- format 2 ---------------------------------------------------------------------------------------
# Installed as models are, under a name, its emulator among the instruments: whatever its record says of paths.
mkdir -p share/zoo/two/1 share/instruments/four
cp "$old/format2.h5" share/zoo/two/1/two.h5 && cp "$old/format2_emulator.h5" share/instruments/four/ || exit 99
export ANPE_ZOO="$work/share/zoo" XDG_DATA_HOME="$work/none"
run "$ANPE" zoo verify two
expect_out "format 2: its seal fits" 0 "two 1: whole by its seal; not signed"
run "$ANPE" infer two "$old/format2_spectra.h5" -o two.csv --seed 1 --quiet
expect "format 2: infer, with its emulator" 0
check "its medians are what was written" \
    near two.csv 0.01 "-0.1734 -0.1303 -0.7875 0.6197 -0.1148 0.4587 0.2565 -0.5539"
run "$ANPE" infer two "$old/format2_spectra.h5" -o two.csv --seed 1 --exact --quiet
check "format 2: exact medians" \
    near two.csv 0.02 "-0.1709 -0.1321 -0.7853 0.6190 -0.1140 0.4624 0.2568 -0.5551"
run "$ANPE" info two
check "format 2: its validation is inside" grep -q '^validation  *200 mocks' out
run "$ANPE" report "$old/format2_catalogue.h5" -o page.html
check "its catalogue is read" grep -q '^page.html: 4 stars' out
run "$ANPE" simulate two -n 4 -o sims.h5 --quiet
expect "format 2: simulate" 0
finish
