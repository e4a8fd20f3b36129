#!/bin/sh
# The embedded default, whole: train, simulate, infer as ./quickstart does, and ask whether the labels
# come back. Five minutes.
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
config=$ANPE_SRCDIR/instruments/apogee/lines.cfg

run "$ANPE" train "$config" --quiet -o model.h5
check "train" test "$status" = 0
run "$ANPE" simulate "$config" -n 300 --observed --quiet -o mocks.h5
check "simulate" test "$status" = 0
run "$ANPE" infer model.h5 mocks.h5 --json -o catalogue.fits
check "infer" test "$status" = 0 -a -s catalogue.fits

# value LABEL FIELD: a number of the recovery table in the JSON output.
value() {
    sed -n '/^  "recovery"/,/^  }/p' "$work/out" |
        awk -v label="\"$1\": {" -v field="\"$2\":" '
            index($0, label) { inside = 1 }
            inside && index($0, field) { gsub(/[,]/, "", $2); print $2; exit }'
}

# A few minutes of training are far from what the spectra hold; the bounds only say that the network has
# learned the labels that move many lines, and that it knows how little it knows. With 300 mocks the
# fraction inside a calibrated 68 % interval has a standard deviation of 2.7 %. A network that is stopped
# early has intervals that are too wide rather than too narrow, hence more room above than below.
for label in teff logg fe_h; do
    demand "R2 of $label" "$(value $label r2)" ">=" 0.5
done
for label in teff logg fe_h mg_fe vmicro vmacro rv; do
    cover=$(value $label cover68)
    demand "coverage of $label" "$cover" ">=" 0.56
    demand "coverage of $label" "$cover" "<=" 0.88
done
finish
