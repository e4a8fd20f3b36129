#!/bin/sh
# Real stars with a model of one's own: 336 APOGEE giants on 100 pixels, a published Cannon model with
# its scatter, the stars' own error bars. The medians of the posteriors against ASPCAP's labels, beside
# a least-squares fit of every star with the same error budget, and the posterior by quadrature.
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
need_shared
need_python numpy,h5py
stars=$ANPE_SHARED/data/apogee/giants_336x100.npz
giants() { $python "$ANPE_SRCDIR/tests/long/giants.py" "$@"; }
get() { $python "$ANPE_SRCDIR/tests/long/json_get.py" "$1" "$2"; }
value() { sed -n "s/^figure $1 //p" figures; }

begin=$(date +%s) trained=
terms=$(giants convert "$stars" spectra.h5) || exit 99
"$ANPE" import cannon "$stars:cannon_coeffs" --pivots "$stars:cannon_pivots" \
    --scatter "$stars:cannon_scatter" --terms "$terms" --labels teff,logg,m_h \
    --range 3700:5450,0.4:4,-1.75:0.45 -o giants_cannon.h5 --quiet || exit 99
"$ANPE" noise array spectra.h5 --set 'shape=[100]' -o giants_noise.h5 --quiet || exit 99
if [ ! -s model.h5 ] || "$ANPE" info model.h5 | grep -q "not ended"; then
    "$ANPE" train "$ANPE_SRCDIR/instruments/array/giants.cfg" -o model.h5 --resume --json \
        --set simulator.file=giants_cannon.h5 --set noise.file=giants_noise.h5 >train.json || exit 99
    trained="training included"
    figure "training seconds" "$(get train.json seconds)"
fi
"$ANPE" simulate model.h5 -n 1000 --observed -o mocks.h5 --quiet || exit 99
"$ANPE" infer model.h5 mocks.h5 -o mocks.csv --json >mocks.json || exit 99
for label in teff logg m_h; do
    demand "68 % coverage of mocks, $label" "$(get mocks.json recovery.$label.cover68)" ">=" 0.62
    demand "68 % coverage of mocks, $label" "$(get mocks.json recovery.$label.cover68)" "<=" 0.74
done
"$ANPE" infer model.h5 spectra.h5 -o stars.csv --json >stars.json || exit 99
demand "stars with a posterior" "$(get stars.json draws)" "==" 336000
figure "seconds from the spectra to 336 posteriors" "$(($(date +%s) - begin)) $trained"

say "every star by least squares and by quadrature"
[ -s fits.npz ] || giants fit "$stars" fits.npz || exit 99
giants compare "$stars" fits.npz stars.csv npe | tee figures
for label in teff logg m_h; do # of posterior median - ASPCAP, robust
    demand "scatter of $label" "$(value "npe $label scatter")" "<=" "$(value "fit $label scatter")"
    demand "width of $label over that by quadrature" "$(value "npe $label width_over_quadrature")" "<=" 1.25
done

say "the posteriors made exact"
"$ANPE" infer model.h5 spectra.h5 -o exact.csv --exact --json >exact.json
case $? in 0 | 4) ;; *) exit 99 ;; esac
giants compare "$stars" fits.npz exact.csv exact | grep "^figure exact" | tee figures
for label in teff logg m_h; do # medians of a few hundred effective draws: 1.25 / sqrt(500) = 0.06
    demand "exact $label off quadrature" "$(value "exact $label off_quadrature")" "<=" 0.2
done
finish
