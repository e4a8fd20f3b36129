#!/bin/sh
# anpe infer --exact with payne.cfg's model, trained by the study payne or given as MODEL: 100 mocks of
# S/N 50 to 200 become exact; for 10 of them a long Markov chain run, which shares only the likelihood,
# agrees; and the real giant is fitted as well as it can be. REFERENCES=N compares N stars.
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
need_shared
need_python json
model=${MODEL:-../payne/model.h5}
[ -s "$model" ] || skip_all "no model: run the study payne first, or give MODEL=file"
get() { $python "$ANPE_SRCDIR/tests/long/json_get.py" "$1" "$2"; }
compare() { $python "$ANPE_SRCDIR/tests/long/exact_compare.py" "$@"; }
reference=$ANPE_BUILDDIR/tests/long/exact_reference
n=${REFERENCES:-10}

"$ANPE" simulate "$model" -n 100 --observed --set noise.snr_min=50 --set noise.snr_max=200 \
    -o mocks.h5 --quiet || exit 99
run "$ANPE" infer "$model" mocks.h5 -o mocks.fits --exact --json
cp "$work/out" mocks.json
check "infer --exact" test "$status" = 0
compare summary mocks.json >summary || exit 99
cat summary
demand "exact stars of 100" "$(sed -n 's/^figure exact //p' summary)" ">=" 95
demand "seconds a star" "$(sed -n 's/^figure seconds_a_star //p' summary)" "<=" 20

say "$n long chains"
"$ANPE" simulate "$model" -n "$n" --observed --set noise.snr_min=50 --set noise.snr_max=200 \
    -o few.h5 --quiet || exit 99
"$ANPE" infer "$model" few.h5 -o few.fits --exact --exact-ess 5000 --exact-max 400000 --json >few.json || exit 99
"$reference" "$model" few.h5 "$n" 4000 >chains.json || exit 99
compare chains few.json chains.json >difference || exit 99
cat difference
# medians: 1.25 / sqrt of 5000 and of 4000 effective draws is 0.027 sd; 60 labels
demand "largest difference of a median, sd" "$(sed -n 's/^figure median //p' difference)" "<=" 0.1
demand "largest difference of an sd" "$(sed -n 's/^figure sd //p' difference)" "<=" 0.1

say "the giant"
star=$ANPE_SHARED/data/apogee/apStar-dr14-2M08002084+4044415.fits
"$ANPE" infer "$model" "$star" -o star.fits --exact --json >star.json || exit 99
"$reference" "$model" "$star" 1 1000 >fit.json || exit 99
compare summary star.json
for label in teff logg fe_h mg_fe vmacro rv; do
    figure "star $label" "$(get star.json spectra.0.labels.$label.median) +- $(get star.json spectra.0.labels.$label.sd)"
done
demand "star is exact" "$(get star.json spectra.0.exact.exact | sed 's/True/1/; s/False/0/')" "==" 1
figure "star chi2 at the median" "$(get star.json spectra.0.chi2) over $(get star.json spectra.0.n_good) pixels"
figure "star chi2 of the best fit" "$(get fit.json chi2)"
demand "star chi2 over that of the best fit" \
    "$(awk -v a="$(get star.json spectra.0.chi2)" -v b="$(get fit.json chi2)" 'BEGIN { print a / b }')" "<=" 1.03
finish
