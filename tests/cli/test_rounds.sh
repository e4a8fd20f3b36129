#!/bin/sh
# anpe train --observe: rounds for one spectrum make a posterior that one short training cannot.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
case $ANPE in /*) ;; *) ANPE=$PWD/$ANPE ;; esac
export SOURCE_DATE_EPOCH=1700000000
cd "$work" || exit 99
printf '1 1 1 1\n0.3 0.1 0 0.2\n0.1 0.3 0.2 0\n0.1 0 0.1 0\n0 0.1 0 0\n0 0 0 0.1\n' >c.txt
echo 0 0 >pivots.txt
# Two labels in a box 2 wide that four pixels of S/N 1000 know to 0.003.
cat >small.cfg <<'C'
simulator = { plugin = "cannon"; file = "e.h5"; };
prior = ({ plugin = "independent"; labels = (
    { name = "a_h"; type = "uniform"; min = -1.0; max = 1.0; },
    { name = "b_h"; type = "uniform"; min = -1.0; max = 1.0; } ); });
instrument = { plugin = "array"; shape = [ 4 ]; };
noise = { plugin = "gaussian"; sigma = 0.001; };
network = { context = 16; };
featurizer = { plugin = "mlp"; hidden = [ 32 ]; };
flow = { plugin = "maf"; num_blocks = 3; hidden = 16; };
train = { batch = 64; steps = 60; epochs = 2; rate = 0.003; n_validation = 64; };
C
"$ANPE" import cannon c.txt --pivots pivots.txt --labels a_h,b_h --range=-1:1,-1:1 -o e.h5 2>/dev/null >&2
"$ANPE" simulate small.cfg -n 2 --observed -o observed.h5 --quiet || exit 99
rounds() { run "$ANPE" train small.cfg --observe observed.h5 "$@"; }

# Which round is the last depends on rounding, so there may be twice as many as any machine has needed.
rounds --row 1 -o one.h5 --rounds 14 --threads 1
check "rounds" test "$status" = 0
efficiency() { sed -n "s/.*round $1: efficiency \([0-9.]*\),.*/\1/p" err; }
first=$(efficiency 1)
last=$(sed -n 's/.*efficiency \([0-9.]*\), k-hat.*/\1/p' out)
check "the first alone is not enough ($first)" awk -v a="$first" 'BEGIN { exit !(a != "" && a < 0.1) }'
check "the last is as good as wanted ($last)" awk -v a="$last" 'BEGIN { exit !(a >= 0.5) }'
# They end at the first that is good enough, by what is printed and its rounding.
sed -n 's/.*round [0-9]*: efficiency \([0-9.]*\), k-hat \(.*\)/\1 \2/p' err >each
check "all before it were not" awk 'good { exit 1 } { good = $1 >= 0.501 && $2 <= 0.69 }' each
rounds --row 1 -o two.h5 --rounds 14 --threads 2
check "on two threads byte for byte the same" cmp one.h5 two.h5
rounds --row 1 -o weighted.h5 --rounds 6 --threads 1 --proposal weighted
check "weighted rounds" test "$status" = 0
last=$(sed -n 's/.*efficiency \([0-9.]*\), k-hat.*/\1/p' out)
# How far they get depends on rounding, 0.3 to 0.45; what they are for is to beat the first round by far.
check "are of use too ($first, $last)" awk -v f="$first" -v a="$last" 'BEGIN { exit !(a >= 3 * f) }'
check "and other ones" differ one.h5 weighted.h5
rounds --row 1 -o two.h5 --rounds 6 --threads 2 --proposal weighted
check "the same on two threads" cmp weighted.h5 two.h5
rounds -o three.h5 --proposal other
expect_error "no such proposal" 2 "^anpe train: --proposal must be one of truncated|weighted, not 'other'"
run "$ANPE" infer one.h5 observed.h5 -o catalogue.csv
expect_error "inference says what it is for" 0 \
    '^anpe: warning: one.h5: trained in rounds for observed.h5\[1\]: of use for this spectrum alone$'

run "$ANPE" train small.cfg -o one.h5 --resume
expect "a model of rounds cannot be resumed" 1 \
    "anpe: one.h5: was trained in rounds for one spectrum, which cannot be resumed"
rounds -o three.h5 --resume
expect_error "nor can rounds" 2 '^anpe train: --observe goes with none of --data, --resume'
rounds -o three.h5 --row 2 --rounds 1 --quiet
expect "no such spectrum" 1 "anpe: observed.h5: no spectrum 2, the file has 2"
run "$ANPE" train small.cfg --observe absent.h5 -o three.h5 --quiet
expect_error "no such file" 1 'absent.h5'
rounds -o three.h5 --quiet --set 'labels.infer=["a_h"]'
expect "a label that is left open" 1 \
    "anpe: --observe: the simulator must be at hand, and all labels of the prior inferred"
check "and all that before any training" test ! -e three.h5
finish
