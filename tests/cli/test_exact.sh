#!/bin/sh
# anpe infer --exact as a user runs it, on a small linear model: columns, flags, the file of draws; what
# cannot be made exact says so before any work.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
cd "$work" || exit 99
export SOURCE_DATE_EPOCH=1700000000
awk 'BEGIN { srand(1); for (t = 0; t < 3; t++) { for (p = 0; p < 20; p++) printf "%g ", t ? rand() - 0.5 : 1; print "" } }' >c.txt
echo "0 0" >pivots.txt
"$ANPE" import cannon c.txt --pivots pivots.txt --labels a,b --terms "a b" -o e.h5 --quiet 2>/dev/null || exit 99
config() { # NOISE INFER
    cat <<C
simulator = { plugin = "cannon"; file = "e.h5"; };
prior = ({ plugin = "independent"; labels = ({ name = "a"; type = "normal"; mean = 0.0; sd = 1.0; },
                                             { name = "b"; type = "uniform"; min = -1.0; max = 1.0; }); });
instrument = { plugin = "array"; shape = [ 20 ]; };
noise = { $1 };
labels = { infer = [ $2 ]; };
network = { context = 8; };
featurizer = { plugin = "mlp"; hidden = [ 16 ]; };
flow = { plugin = "maf"; num_blocks = 2; hidden = 16; };
train = { batch = 32; steps = 50; epochs = 2; n_validation = 32; };
C
}
gaussian='plugin = "gaussian"; sigma = 0.1;'
config "$gaussian" '' >all.cfg
"$ANPE" train all.cfg -o model.h5 --quiet || exit 99
"$ANPE" simulate model.h5 -n 10 --observed -o mocks.h5 --quiet || exit 99

# A report in the place of a file that the model's configuration names.
ln -s e.h5 report.txt && cp e.h5 kept.h5
run "$ANPE" validate model.h5 -n 50 -o report.txt --quiet
expect_error "validate: a report over the emulator" 1 "report.txt: the output would replace an input or another output"
check "validate: the emulator is there still" cmp e.h5 kept.h5
rm -f report.txt

run "$ANPE" infer model.h5 mocks.h5 -o one.csv --exact --threads 1 --posterior one.h5
check "infer --exact" test "$status" = 0
check "it says how far it climbed" grep -Eq "^exact: 10 of 10 spectra \(proposal [0-9]+, more [0-9]+, newton [0-9]+, defensive [0-9]+, adaptive [0-9]+, mcmc 0\), [0-9]+ evaluations" "$work/out"
run "$ANPE" infer model.h5 mocks.h5 -o two.csv --exact --threads 2 --posterior two.h5
check "1 and 2 threads give the same catalogue, byte for byte" cmp one.csv two.csv
for column in rung ess efficiency khat log_evidence log_evidence_err rhat n_evaluations exact_reason; do
    check "column $column" grep -q "^# column $column " one.csv
done
run "$ANPE" infer model.h5 mocks.h5 -o plain.csv
check "none of them without --exact" lacks "^# column rung " plain.csv
check "and the same draws" cmp one.h5 two.h5
check "which have weights" grep -aq log_weight one.h5
run "$ANPE" infer model.h5 mocks.h5 -o j.csv --exact --json
check "--json has the ladder" grep -q '"proposal_efficiency"' "$work/out"
run "$ANPE" infer model.h5 mocks.h5 -o hard.csv --exact --exact-ess 100000 --exact-max 2000
check "what is not reached is no failure" test "$status" = 0
check "but it is flagged" sh -c '[ "$(grep -c "effective draws of 100000" hard.csv)" = 10 ]'
check "and said" grep -q "NOT_EXACT" "$work/out"
# Seconds a star: the interrupt comes inside one of them.
"$ANPE" infer model.h5 mocks.h5 -o x.csv --exact --exact-ess 1000000 --exact-max 20000000 --threads 1 --quiet >out 2>err &
child=$!
await handles_interrupts
sleep 1 # on most machines inside a star; no verdict needs it
kill -INT $child
status=0
wait $child || status=$?
check "an interrupt inside a star ends the run" test "$status" = 130
check "and nothing is written" test ! -e x.csv
run "$ANPE" infer model.h5 mocks.h5 -o x.csv --exact --exact-ess 1
check "too small a size is a wrong command line" test "$status" = 2

# Are exact posteriors calibrated? 300 mocks, and ones that are half as wide as they should be.
cp model.h5 one_thread.h5
run "$ANPE" validate one_thread.h5 -n 300 -s 100 --exact 300 --threads 1
check "validate --exact" grep -q "^exact posteriors of 300 mocks, 300 reached" out
after_exact() { sed -n '/^exact posteriors/,$p' "$1" | grep "^verdict" | head -1; }
check "they are calibrated" sh -c 'echo "$1" | grep -q "calibrated as far as 300 mocks can tell"' - "$(after_exact out)"
cp model.h5 two_threads.h5
run "$ANPE" validate two_threads.h5 -n 300 -s 100 --exact 300 --threads 2 -o exact.json
check "1 and 2 threads store the same, byte for byte" cmp one_thread.h5 two_threads.h5
check "the JSON report has them" grep -q '"reached": 300' exact.json
run "$ANPE" info two_threads.h5
check "info reads such a validation" grep -q "^validation *300 mocks" out
run "$ANPE" validate model.h5 -n 300 -s 100 --exact 300 --scale 0.5
check "too narrow ones are rejected" sh -c 'echo "$1" | grep -q "NOT calibrated"' - "$(after_exact out)"
run "$ANPE" validate model.h5 -n 60 -s 50 --dry
check "without --exact there is nothing of them" sh -c '! grep -q "exact posteriors" out'

config "$gaussian" '"a"' >some.cfg
"$ANPE" train some.cfg -o some.h5 --quiet || exit 99
run "$ANPE" infer some.h5 mocks.h5 -o x.csv --exact
expect_error "labels left open" 1 "no likelihood: labels.infer leaves 1 of the prior's 2 labels open"
"$ANPE" simulate model.h5 -n 200 -o sims.h5 --quiet || exit 99
config 'plugin = "none";' '' >none.cfg
run "$ANPE" infer model.h5 sims.h5 -o x.csv --exact
expect_error "spectra without errors" 1 "an exact posterior needs the errors and the file has no sigma"
config 'plugin = "gaussian"; sigma = 1.0;' '' >one.cfg
"$ANPE" train one.cfg -o unit.h5 --quiet || exit 99
"$ANPE" simulate unit.h5 -n 2 --observed -o unit_mocks.h5 --quiet || exit 99
run "$ANPE" infer unit.h5 unit_mocks.h5 -o unit.csv --exact
check "errors that are 1 everywhere" test "$status" = 0
"$ANPE" train none.cfg --data sims.h5 -o none.h5 --quiet || exit 99
run "$ANPE" infer none.h5 mocks.h5 -o x.csv --exact
expect_error "noise without likelihood" 1 "noise model 'none' has no likelihood"
run "$ANPE" infer model.h5 mocks.h5 -o x.csv --exact-max 5000
expect_error "a part of --exact alone" 2 "exact-ess and --exact-max go with --exact"
run "$ANPE" infer model.h5 mocks.h5 -o x.csv --exact --posterior x.fits
expect_error "draws in a catalogue's name" 1 "x.fits: draws, model spectra and gradients are HDF5"
mv e.h5 away.h5
run "$ANPE" infer model.h5 mocks.h5 -o x.csv --exact
expect_error "no simulator" 1 "a posterior cannot be made exact without the model's simulator"
check "nothing is written" test ! -e x.csv
finish
