#!/bin/sh
# A model that sees coefficients of a reduced basis: trained, alone, the same on any number of threads.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
sed -e 's/^observe = .*/observe = { basis = 10; };/' \
    -e 's/^featurizer = .*/featurizer = { plugin = "mlp"; hidden = [ 16 ]; };/' \
    "$ANPE_SRCDIR/tests/cli/small.cfg" >"$work/basis.cfg"
train() {
    run "$ANPE" train "$work/basis.cfg" -o "$@" --quiet
}
train "$work/one.h5" --threads 1
expect "trained on one thread" 0
train "$work/two.h5" --threads 2
expect "trained on two threads" 0
check "the same model" cmp "$work/one.h5" "$work/two.h5"
run "$ANPE" simulate "$work/one.h5" -n 6 --observed -o "$work/mocks.h5" --quiet
expect "mocks" 0
for n in 1 2; do
    run "$ANPE" infer "$work/one.h5" "$work/mocks.h5" -o "$work/c$n.csv" --explain "$work/e$n.h5" \
        --samples 200 --threads $n --quiet
    expect "inferred and explained on $n threads" 0
done
check "the same catalogue" cmp "$work/c1.csv" "$work/c2.csv"
check "the same gradients" cmp "$work/e1.h5" "$work/e2.h5"
run "$ANPE" train "$work/basis.cfg" -o "$work/x.h5" --set 'observe.channels=["flux"]'
expect_error "channels beside a basis" 1 'with observe.basis the network sees coefficients'
run "$ANPE" train "$work/basis.cfg" -o "$work/x.h5" --set observe.basis=101
expect_error "too many coefficients" 1 'observe.basis|basis: 101'
run "$ANPE" train "$work/basis.cfg" -o "$work/x.h5" --set instrument.degree=12 --set observe.basis=100
expect_error "no room for the modes" 1 '100 coefficients and 39 modes'
check "no model was left" test ! -e "$work/x.h5"
finish
