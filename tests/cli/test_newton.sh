#!/bin/sh
# Networks whose inputs are a fit (observe.newton): trained, resumed, inferred with on any number of threads;
# the file of the simulator belongs to the model; what cannot be served says so before any work.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
cd "$work" || exit 99
export SOURCE_DATE_EPOCH=1700000000
awk 'BEGIN { srand(1); for (t = 0; t < 4; t++) { for (p = 0; p < 20; p++) printf "%g ", t ? rand() - 0.5 : 1; print "" } }' >c.txt
echo "0 0" >pivots.txt
"$ANPE" import cannon c.txt --pivots pivots.txt --labels a,b --terms "a b a*a" -o e.h5 --quiet 2>/dev/null || exit 99
config() { # NOISE INFER OBSERVE
    cat <<C
simulator = { plugin = "cannon"; file = "e.h5"; };
prior = ({ plugin = "independent"; labels = ({ name = "a"; type = "normal"; mean = 0.0; sd = 1.0; },
                                             { name = "b"; type = "uniform"; min = -1.0; max = 1.0; }); });
instrument = { plugin = "array"; shape = [ 20 ]; };
noise = { $1 };
labels = { infer = [ $2 ]; };
observe = { $3 };
network = { context = 8; };
featurizer = { plugin = "mlp"; hidden = [ 16 ]; };
flow = { plugin = "maf"; num_blocks = 2; hidden = 16; };
train = { batch = 32; steps = 20; epochs = 3; n_validation = 32; };
C
}
gaussian='plugin = "gaussian"; sigma = 0.1;' fit='basis = 4; newton = 4;'
config "$gaussian" '' "$fit" >fit.cfg
for n in 1 2; do
    run "$ANPE" train fit.cfg -o model$n.h5 --threads $n --quiet
    expect "trained on $n threads" 0
done
check "the same model" cmp model1.h5 model2.h5
run "$ANPE" info model1.h5
check "info says what inference needs" grep -q "of a fit with the simulator (observe.newton): inference needs it" "$work/out"
run "$ANPE" info model1.h5 --json
check "and so does --json" grep -q '"needs_simulator": *true' "$work/out"

# A training that is interrupted and goes on is the same.
"$ANPE" train fit.cfg -o part.h5 --threads 1 --set train.steps=2000 --quiet 2>/dev/null &
child=$!
await test -s part.h5
kill -INT $child 2>/dev/null
wait $child
run "$ANPE" train fit.cfg -o part.h5 --resume --threads 2 --set train.steps=2000 --quiet
expect "resumed" 0
run "$ANPE" train fit.cfg -o whole.h5 --threads 2 --set train.steps=2000 --quiet
check "resumed: the same model" cmp part.h5 whole.h5

"$ANPE" simulate model1.h5 -n 12 --observed -o mocks.h5 --quiet || exit 99
for n in 1 2; do
    run "$ANPE" infer model1.h5 mocks.h5 -o c$n.csv --posterior p$n.h5 --samples 200 --threads $n --quiet
    expect "inferred on $n threads" 0
    run "$ANPE" infer model1.h5 mocks.h5 -o x$n.csv --exact --threads $n
    check "made exact on $n threads" grep -q "^exact: 12 of 12 spectra" "$work/out"
done
check "the same catalogue" cmp c1.csv c2.csv
check "the same draws" cmp p1.h5 p2.h5
check "the same exact posteriors" cmp x1.csv x2.csv
# The posterior is nearly normal, so hardly anything is left to learn.
run "$ANPE" infer model1.h5 mocks.h5 -o x.csv --exact --json
efficiency=$(sed -n 's/.*"proposal_efficiency": *\([0-9.e-]*\).*/\1/p' "$work/out" | sort -g | head -6 | tail -1)
check "efficiency of the network alone above 0.5 (median): $efficiency" \
    awk -v e="$efficiency" 'BEGIN { exit !(e > 0.5) }'
run "$ANPE" validate model1.h5 -n 200 --dry
check "validated" grep -q "^verdict" "$work/out"

run "$ANPE" infer model1.h5 mocks.h5 -o x.csv --explain explained.h5
expect_error "no gradients" 1 "no attribution: the inputs of this network are fits"
mv e.h5 away.h5
run "$ANPE" infer model1.h5 mocks.h5 -o gone.csv
expect_error "without the simulator's file" 1 \
    "model1.h5: the inputs of this network are fits with its simulator \(observe.newton\), which could not be opened: .*e.h5"
check "no catalogue was left" test ! -e gone.csv
"$ANPE" import cannon c.txt --pivots pivots.txt --labels a,b --terms "a b b*b" -o e.h5 --quiet 2>/dev/null || exit 99
run "$ANPE" infer model1.h5 mocks.h5 -o gone.csv
expect_error "with another file in its place" 1 "which could not be opened: .*e.h5.*SHA-256"
mv away.h5 e.h5

refused() { # NAME RE NOISE INFER OBSERVE
    config "$3" "$4" "$5" >bad.cfg
    run "$ANPE" train bad.cfg -o bad.h5
    expect_error "$1" 1 "$2"
}
refused "without a basis" "bad.cfg:.*: needs observe.basis" "$gaussian" '' 'newton = 4;'
refused "labels left open" "bad.cfg:.*: there is no likelihood: labels.infer leaves 1 of the prior's 2 labels open" \
    "$gaussian" '"a"' "$fit"
refused "noise without a likelihood" "bad.cfg:.*: noise model 'none' has no likelihood" 'plugin = "none";' '' "$fit"
refused "as a channel" "bad.cfg:.*: the inputs of observe.newton cannot be listed as a channel" \
    "$gaussian" '' 'channels = [ "newton" ];'
check "no model was left" test ! -e bad.h5
finish
