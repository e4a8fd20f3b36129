#!/bin/sh
# The error of the model from import to inference: it is in the mocks, in the model file, and there
# also when the emulator is gone.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
case $ANPE in /*) ;; *) ANPE=$PWD/$ANPE ;; esac
cd "$work" || exit 99
printf '1 1 1\n0.1 0.2 0.3\n0 0.1 0\n' >c.txt
echo 0 >pivot.txt
echo 0.01 0.03 0 >scatter.txt
echo 0.01 -0.03 0 >negative.txt
cannon="import cannon c.txt --pivots pivot.txt --labels a_h --range -1:1"
cat >small.cfg <<'C'
simulator = { plugin = "cannon"; file = "e.h5"; };
prior = ({ plugin = "independent"; labels = ({ name = "a_h"; type = "uniform"; min = -1.0; max = 1.0; }); });
instrument = { plugin = "array"; shape = [3]; };
noise = { plugin = "gaussian"; sigma = 0.02; };
network = { context = 0; };
featurizer = { plugin = "identity"; };
flow = { plugin = "maf"; num_blocks = 2; hidden = 8; };
train = { batch = 32; steps = 10; epochs = 2; n_validation = 32; };
C

# shellcheck disable=SC2086 # $cannon is several words
{
    run "$ANPE" $cannon --scatter negative.txt -o e.h5
    expect_error "negative scatter" 1 '^anpe: negative.txt: the scatter of pixel 1 is -0.03$'
    run "$ANPE" $cannon --scatter scatter.txt --held-out mocks.h5 -o e.h5
    expect_error "scatter twice" 1 '^anpe: give either --scatter or --held-out, not both$'
    run "$ANPE" $cannon --held-out c.txt -o e.h5
    expect_error "held-out spectra that are none" 1 '^anpe: c.txt: '
    check "no emulator is left" test ! -e e.h5
    run "$ANPE" $cannon --scatter scatter.txt -o e.h5
    check "import with scatter" test "$status" = 0
}
run "$ANPE" train small.cfg -o model.h5 --quiet
check "train" test "$status" = 0
run "$ANPE" simulate small.cfg -n 50 -o pure.h5 --quiet
run "$ANPE" simulate model.h5 -n 50 --observed -o mocks.h5 --quiet
run "$ANPE" simulate model.h5 -n 50 --observed -o plain.h5 --quiet --set observe.scatter=0
check "the mocks have it in their noise" differ mocks.h5 plain.h5
run "$ANPE" infer model.h5 mocks.h5 -o with.csv --quiet
check "infer" test "$status" = 0
run "$ANPE" train small.cfg -o without.h5 --quiet --set observe.scatter=0
run "$ANPE" infer without.h5 plain.h5 -o plain.csv --quiet
check "and without" test "$status" = 0

# What depends on the emulator is chi2 alone: the labels are the same to the last digit.
labels() { awk -F, '/^#/ { next } !head++ { for (i = 1; i <= NF; i++) want[i] = $i ~ /^a_h_|^snr$/ }
    { for (i = 1; i <= NF; i++) if (want[i]) printf "%s ", $i; print "" }' "$1"; }
mv e.h5 gone.h5
run "$ANPE" infer model.h5 mocks.h5 -o alone.csv --quiet
expect_error "the emulator is gone" 0 '^anpe: warning: no chi2: '
labels with.csv >with
labels alone.csv >alone
check "the error bars stay" cmp with alone
check "there are labels to compare" test "$(wc -w <with)" -ge 150
mv gone.h5 e.h5

# Another scatter at the emulator's side does not reach a model that is trained already.
# shellcheck disable=SC2086
run "$ANPE" $cannon -o e.h5
run "$ANPE" infer model.h5 mocks.h5 -o again.csv --quiet
labels again.csv >again
check "a model keeps the scatter it was trained with" cmp with again

# An emulator's error from spectra: there is none between an emulator and itself.
# shellcheck disable=SC2086
run "$ANPE" $cannon --held-out pure.h5 -o self.h5
expect_error "held-out" 0 '^anpe: scatter from 50 spectra: median 0, largest 0$'
finish
