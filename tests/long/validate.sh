#!/bin/sh
# Calibration of payne.cfg's posteriors: rank statistics of every label, coverage and TARP close to the
# diagonal; and the same tests reject the posteriors made 20 % too narrow or shifted by 0.3 sd.
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
need_python json
. "$ANPE_SRCDIR/tests/long/payne_model.sh"
get() { $python "$ANPE_SRCDIR/tests/long/json_get.py" "$1" "$2"; }
labels="teff logg fe_h mg_fe vmacro rv"
bound=0.001666667 # 0.01 / 6 labels

cp "$model" model.h5
"$ANPE" validate model.h5 -n 10000 --quiet -o report.json || exit 99
"$ANPE" info model.h5 | sed -n '/^validation/,/^verdict/p'
for label in $labels; do
    demand "SBC p $label" "$(get report.json all.labels.$label.sbc_p)" ">" $bound
    figure "contraction $label" "$(get report.json contraction.$label)"
    demand "recalibrated 68 % interval of $label" \
        "$(get report.json recalibration.$label.cover68_after)" ">=" 0.64
done
# 10 000 mocks: an exact posterior stays within 0.014 in 19 of 20 runs.
demand "TARP, distance from the diagonal" "$(get report.json all.tarp.distance)" "<=" 0.03
demand "coverage, distance from the diagonal" "$(get report.json all.coverage.distance)" "<=" 0.03
for flag in context_distance residual_score; do
    figure "$flag: false alarms measured" "$(get report.json flags.$flag.measured_rate)"
    demand "$flag: false alarms measured" "$(get report.json flags.$flag.measured_rate)" "<=" 0.03
done
for wrong in "scale 0.8" "shift 0.3"; do
    set -- $wrong
    "$ANPE" validate model.h5 -n 2000 --quiet "--$1" "$2" -o "$1.json" || exit 99
    for label in $labels; do
        demand "$wrong: SBC p $label" "$(get "$1.json" all.labels.$label.sbc_p)" "<" $bound
    done
    demand "$wrong: coverage p" "$(get "$1.json" all.coverage.p)" "<" 0.01
done
demand "scale 0.8: TARP p" "$(get scale.json all.tarp.p)" "<" 0.01
finish
