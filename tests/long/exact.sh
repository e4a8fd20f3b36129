#!/bin/sh
# anpe infer --exact with payne.cfg's model, trained by the study payne or given as MODEL: 300 mocks of
# S/N 50 to 200, 300 of S/N 25 to 600 and some at every bound of the prior become exact; their posteriors are
# calibrated; 20 mocks of an emulator with 25 labels, of random weights, and rv become exact; for 10 of them a long Markov chain run, which shares only the likelihood,
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

# mocks SNR_MIN SNR_MAX FILE [--set ...]
mocks() {
    snr_min=$1 snr_max=$2 file=$3
    shift 3
    "$ANPE" simulate "$model" --observed --set noise.snr_min="$snr_min" --set noise.snr_max="$snr_max" "$@" \
        -o "$file.h5" --quiet || exit 99
}
# climb FILE: exact posteriors of its mocks, and how far they climbed
climb() {
    run "$ANPE" infer "$model" "$1.h5" -o "$1.fits" --exact --json
    cp "$work/out" "$1.json"
    check "infer --exact of $1" test "$status" = 0
    compare summary "$1.json" info.json >"$1.summary" || exit 99
    sed "s/^figure /figure $1 /" "$1.summary"
}
value() { sed -n "s/^figure $2 //p" "$1.summary"; }
median() { sed -n "s/^figure $2 median \([^ ]*\) .*/\1/p" "$1.summary"; }
"$ANPE" info "$model" --json >info.json || exit 99

say "300 mocks of S/N 50 to 200, and 300 of 25 to 600"
mocks 50 200 bright -n 300
climb bright
demand "S/N 50-200: exact stars of 300" "$(value bright exact)" ">=" 299
demand "S/N 50-200: evaluations a star, median" "$(median bright n_evaluations)" "<=" 1200
demand "S/N 50-200: efficiency of the network alone, median" "$(median bright proposal_efficiency)" ">=" 0.4
mocks 25 600 all -n 300
climb all
demand "S/N 25-600: exact stars of 300" "$(value all exact)" ">=" 299
demand "S/N 25-600: evaluations a star, median" "$(median all n_evaluations)" "<=" 1500
demand "S/N 25-600: efficiency of the network alone, median" "$(median all proposal_efficiency)" ">=" 0.4
figure "stars a second" "$(value bright stars_a_second) and $(value all stars_a_second)"

say "30 mocks at each bound of the prior, within about one sd of it"
k=0
for width in 8 0.012 0.005 0.004 0.2 0.03; do # of teff, logg, fe_h, mg_fe, vmacro, rv
    low=$(get info.json labels.$k.min) high=$(get info.json labels.$k.max)
    mocks 50 200 "low_$k" -n 30 --set "prior.[0].labels.[$k].min=$low" \
        --set "prior.[0].labels.[$k].max=$(awk "BEGIN { print $low + $width }")"
    mocks 50 200 "high_$k" -n 30 --set "prior.[0].labels.[$k].max=$high" \
        --set "prior.[0].labels.[$k].min=$(awk "BEGIN { print $high - $width }")"
    for side in low high; do
        "$ANPE" infer "$model" ${side}_$k.h5 -o ${side}_$k.fits --exact --json >${side}_$k.json || exit 99
        compare summary ${side}_$k.json info.json >${side}_$k.summary || exit 99
        figure "leaning on the $side bound of label $k: stars, exact" \
            "$(value ${side}_$k lean_stars) $(value ${side}_$k lean_exact)"
        demand "evaluations, median" "$(median ${side}_$k lean_n_evaluations)" "<=" 5000
        figure "efficiency" "$(sed -n 's/^figure lean_efficiency //p' ${side}_$k.summary)"
    done
    k=$((k + 1))
done

say "are exact posteriors calibrated?"
run "$ANPE" validate "$model" -n 300 --exact 300 --dry -o validation.json
sed -n '/^exact posteriors/,/^verdict/p' "$work/out"
check "exact posteriors of 300 mocks are calibrated" sh -c \
    'sed -n "/^exact posteriors/,\$p" "$1" | grep "^verdict" | head -1 | grep -q "calibrated as far"' - "$work/out"

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

say "26 labels"
labels=$(seq -f label%g -s , 25)
[ -s dense.h5 ] || "$ANPE" import payne "$ANPE_SHARED/golden/dense_25label.npz" -o dense.h5 --labels "$labels" \
    --units "$(seq 25 | sed s/.*/dex/ | paste -s -d ,)" --grid apogee --quiet || exit 99
cat >dense.cfg <<C
simulator = { plugin = "payne"; file = "dense.h5"; };
prior = ({ plugin = "independent"; labels = (
$(for i in $(seq 25); do echo "{ name = \"label$i\"; type = \"uniform\"; },"; done)
    { name = "rv"; type = "uniform"; min = -5.0; max = 5.0; }); });
instrument = { plugin = "apogee"; grid = 7214;
    continuum = "$ANPE_SHARED/data/apogee/cannon_cont_pixels_apogee.npz"; };
noise = { plugin = "apogee"; snr_min = 50.0; snr_max = 200.0; };
observe = { basis = 96; sigma_floor = 0.005; };
network = { context = 128; };
featurizer = { plugin = "mlp"; hidden = [ 256, 256 ]; activation = "gelu"; skip = true; };
flow = { plugin = "maf"; num_blocks = 5; hidden = 128; };
compute = { micro_batch = 32; };
train = { batch = 128; steps = 150; epochs = 4; rate = 0.001; n_validation = 256; };
C
[ -s dense_model.h5 ] || "$ANPE" train dense.cfg -o dense_model.h5 --quiet || exit 99
"$ANPE" simulate dense_model.h5 -n 20 --observed -o dense_mocks.h5 --quiet || exit 99
"$ANPE" infer dense_model.h5 dense_mocks.h5 -o dense.fits --exact --json >dense.json || exit 99
compare summary dense.json | sed "s/^figure /figure 26 labels /"

say "the giant"
star=$ANPE_SHARED/data/apogee/apStar-dr14-2M08002084+4044415.fits
"$ANPE" infer "$model" "$star" -o star.fits --exact --json >star.json || exit 99
"$reference" "$model" "$star" 1 1000 >fit.json || exit 99
compare summary star.json info.json
for label in teff logg fe_h mg_fe vmacro rv; do
    figure "star $label" "$(get star.json spectra.0.labels.$label.median) +- $(get star.json spectra.0.labels.$label.sd)"
done
demand "star is exact" "$(get star.json spectra.0.exact.exact | sed 's/True/1/; s/False/0/')" "==" 1
figure "star chi2 at the median" "$(get star.json spectra.0.chi2) over $(get star.json spectra.0.n_good) pixels"
figure "star chi2 of the best fit" "$(get fit.json chi2)"
demand "star chi2 over that of the best fit" \
    "$(awk -v a="$(get star.json spectra.0.chi2)" -v b="$(get fit.json chi2)" 'BEGIN { print a / b }')" "<=" 1.03
finish
