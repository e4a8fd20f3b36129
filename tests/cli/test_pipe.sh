#!/bin/sh
# A program as simulator, from configuration to posterior: the same bytes with one thread and two,
# training on what it answers, and a model that starts no program unless it is allowed to.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
program=$(cd "${ANPE_BUILDDIR:-.}/tests/unit" && pwd)/pipe_program
[ -x "$program" ] || skip_all "tests/unit/pipe_program is not built"
examples=$(cd "$ANPE_SRCDIR/docs/examples" && pwd)
cd "$work" || exit 99

# configuration PROGRAM COMMAND N_PIXELS LABEL MIN MAX LABEL MIN MAX
configuration() {
    cat <<END
simulator = { plugin = "pipe"; program = "$1"; command = [$2]; };
prior = ({ plugin = "independent"; labels = (
    { name = "$4"; type = "uniform"; min = $5; max = $6; },
    { name = "$7"; type = "uniform"; min = $8; max = $9; }); });
instrument = { plugin = "array"; shape = [$3]; };
noise = { plugin = "gaussian"; snr = 50.0; };
network = { context = 8; };
featurizer = { plugin = "mlp"; hidden = [16]; };
flow = { plugin = "maf"; num_blocks = 2; hidden = 16; };
train = { batch = 16; steps = 20; epochs = 2; n_validation = 32; };
END
}
configuration "$program" "" 10 a 0.0 1.0 b 0.0 1.0 >pipe.cfg

for threads in 1 2; do
    run "$ANPE" simulate pipe.cfg -n 300 --threads $threads --quiet -o sims$threads.h5
    check "simulate, $threads threads" test "$status" = 0 -a -s sims$threads.h5
done
check "the same bytes with 1 and 2 threads" cmp sims1.h5 sims2.h5
run "$ANPE" train pipe.cfg --quiet -o model.h5
check "train" test "$status" = 0 -a -s model.h5
run "$ANPE" simulate pipe.cfg -n 4 --observed --seed 5 --quiet -o mocks.h5
check "mocks" test "$status" = 0 -a -s mocks.h5
run "$ANPE" infer model.h5 mocks.h5 --quiet -o plain.csv
check "plain inference starts no program" test "$status" = 0 -a -s plain.csv
refusal="simulator 'pipe' starts a program that the model names; if you trust where the model is from"
run "$ANPE" infer model.h5 mocks.h5 --exact --quiet -o exact.csv
expect_error "what needs the program refuses" 1 "^anpe: warning: no chi2: model.h5:.*$refusal"
check "and leaves nothing" test ! -e exact.csv
run "$ANPE" simulate model.h5 -n 2 --quiet -o more.h5
expect_error "simulate MODEL refuses" 1 "^anpe: model.h5:.*$refusal"
run env ANPE_ALLOW_PROGRAMS=1 "$ANPE" infer model.h5 mocks.h5 --exact --quiet -o exact.csv
check "allowed, it is exact" test "$status" = 0 -a -s exact.csv
run "$ANPE" simulate pipe.cfg -n 2 --quiet -o x.h5 --set 'simulator.arguments=["closes"]'
expect_error "a program that ends" 1 \
    "^anpe: pipe: $program: the program ended with status 3: no licence found, in its header$"

for python in python3 /usr/bin/python3; do
    "$python" -c 'import numpy' 2>/dev/null && break
    python=
done
if [ -n "$python" ]; then
    configuration "$examples/pipe_simulator.py" "\"$python\"" 580 teff 4000.0 7000.0 fe_h -2.0 0.5 >python.cfg
    run "$ANPE" simulate python.cfg -n 20 --quiet -o python.h5
    check "the example in Python" test "$status" = 0 -a -s python.h5
else
    skip "the example in Python" "no python3 with numpy"
fi
finish
