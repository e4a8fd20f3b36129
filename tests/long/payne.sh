#!/bin/sh
# payne.cfg on a published emulator: 1000 mocks unseen in training, and a real APOGEE giant whose
# direct least-squares fit with the same emulator is known.
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
need_shared
need_python json
data=$ANPE_SHARED/data
get() { $python "$ANPE_SRCDIR/tests/long/json_get.py" "$1" "$2"; }

"$ANPE" import payne "$data/emulators/apogee_5label_perpixel.npz" -o emulator.h5 \
    --labels teff,logg,fe_h,mg_fe,vmacro --grid apogee --quiet || exit 99
"$ANPE" noise apogee "$data"/apogee/apstar/*.fits "$data"/apogee/aspcap/*.fits -o noise.h5 --quiet ||
    exit 99
if [ ! -s model.h5 ] || "$ANPE" info model.h5 | grep -q "not ended"; then
    say "training, at most 30 minutes"
    "$ANPE" train "$ANPE_SRCDIR/instruments/apogee/payne.cfg" -o model.h5 --resume \
        --set simulator.file=emulator.h5 --set noise.library=noise.h5 \
        --set instrument.exclude="$data/apogee/apogee_mask.npz" \
        --set instrument.continuum="$data/apogee/cannon_cont_pixels_apogee.npz" \
        --json >train.json || exit 99
    demand "training seconds" "$(get train.json seconds)" "<=" 1860
fi
"$ANPE" simulate model.h5 -n 1000 --observed -o mocks.h5 --quiet || exit 99
"$ANPE" infer model.h5 mocks.h5 -o mocks.fits --samples 1000 --json >mocks.json || exit 99
demand "draws" "$(get mocks.json draws)" "==" 1000000
demand "draws outside the prior" "$(get mocks.json draws_outside_prior)" "==" 0
demand "R2 teff" "$(get mocks.json recovery.teff.r2)" ">=" 0.97
demand "R2 logg" "$(get mocks.json recovery.logg.r2)" ">=" 0.95
demand "R2 fe_h" "$(get mocks.json recovery.fe_h.r2)" ">=" 0.97
for label in teff logg fe_h mg_fe vmacro rv; do
    for what in r2 bias scatter pull; do
        figure "$what $label" "$(get mocks.json recovery.$label.$what)"
    done
    demand "68 % coverage of $label" "$(get mocks.json recovery.$label.cover68)" ">=" 0.60
    demand "68 % coverage of $label" "$(get mocks.json recovery.$label.cover68)" "<=" 0.76
done

star=$data/apogee/apStar-dr14-2M08002084+4044415.fits
"$ANPE" infer model.h5 "$star" -o star.fits --json >star.json || exit 99
for label in teff logg fe_h mg_fe vmacro rv; do
    figure "star $label" "$(get star.json spectra.0.labels.$label.median) +- $(get star.json spectra.0.labels.$label.sd)"
done
figure "star chi2/N" "$(awk -v a="$(get star.json spectra.0.chi2)" -v b="$(get star.json spectra.0.n_good)" 'BEGIN { printf "%.3f over %d pixels", a / b, b }')"
near() { # LABEL VALUE WITHIN: of the direct fit
    value=$(get star.json "spectra.0.labels.$1.median")
    check "star $1 $value within $3 of $2" \
        awk -v a="$value" -v b="$2" -v w="$3" 'BEGIN { d = a - b; exit !(d < w && -d < w) }'
}
near teff 4668 150
near logg 2.44 0.35
near fe_h -0.449 0.15
finish
