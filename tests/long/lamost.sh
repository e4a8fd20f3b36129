#!/bin/sh
# The second instrument with the built-in simulator: trained as its configuration says, mocks covered
# like APOGEE's, real spectra read and answered.
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
need_python json
get() { $python "$ANPE_SRCDIR/tests/long/json_get.py" "$1" "$2"; }
if [ ! -s model.h5 ] || "$ANPE" info model.h5 | grep -q "not ended"; then
    say "training, at most 15 minutes"
    "$ANPE" train "$ANPE_SRCDIR/instruments/lamost_lrs/lines.cfg" -o model.h5 --resume || exit 99
fi
"$ANPE" simulate model.h5 -n 500 --observed -o mocks.h5 --quiet || exit 99
"$ANPE" infer model.h5 mocks.h5 -o mocks.fits --json >mocks.json || exit 99
demand "draws outside the prior" "$(get mocks.json draws_outside_prior)" "==" 0
for label in teff logg fe_h mg_fe rv; do
    figure "r2 $label" "$(get mocks.json recovery.$label.r2)"
    demand "68 % coverage of $label" "$(get mocks.json recovery.$label.cover68)" ">=" 0.60
    demand "68 % coverage of $label" "$(get mocks.json recovery.$label.cover68)" "<=" 0.76
done
if [ -d "$ANPE_SHARED/data/lamost" ]; then
    run "$ANPE" infer model.h5 "$ANPE_SHARED"/data/lamost/spec-* -o stars.csv
    check "real spectra" test "$status" = 0
    cat "$work/out"
else
    skip "real spectra" "not here (ANPE_SHARED)"
fi
finish
