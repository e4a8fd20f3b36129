#!/bin/sh
# One line of the configuration swaps the architecture: every featurizer is trained and used on the
# same problem with nothing else changed, and no result depends on threads (resnet_gru: test_train.sh).
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
cd "$work" || exit 99
nets="resnet gru transformer mlp"

swap() { sed "s/^featurizer = .*/featurizer = { plugin = \"$1\"; };/" "$ANPE_SRCDIR/tests/cli/small.cfg"; }
train() { "$ANPE" train "$@" --quiet --set train.epochs=1 --set train.n_sims=32 --set train.n_validation=4; }

for net in $nets; do
    swap "$net" >$net.cfg
    run train $net.cfg -o $net.h5 --threads 1
    check "$net: train" test "$status" = 0 -a -s $net.h5
    run train $net.cfg -o again.h5 --threads 2
    check "$net: 1 and 2 threads give the same model, byte for byte" cmp $net.h5 again.h5
    run "$ANPE" info $net.h5
    check "$net: the model says so" grep -q "featurizer/$net " "$work/out"
    [ -s mocks.h5 ] || run "$ANPE" simulate $net.h5 -n 3 --observed -o mocks.h5 --quiet
    run "$ANPE" infer $net.h5 mocks.h5 -o $net.csv --quiet
    check "$net: infer" test "$status" = 0 -a "$(grep -c '^mocks.h5\[' $net.csv)" = 3
done

# Each in bfloat16, emulated, so that any processor runs it.
bfloat16="--set compute.backend=onednn --set compute.precision=bfloat16 --set backend.emulate=true"
if [ -f "$ANPE_BUILDDIR/plugins/backend_onednn.la" ]; then
    for net in $nets resnet_gru; do
        swap "$net" >$net.cfg
        # shellcheck disable=SC2086 # options, one word each
        run train $net.cfg -o half.h5 --threads 1 $bfloat16
        check "$net in bfloat16: train" test "$status" = 0 -a -s half.h5
        # shellcheck disable=SC2086
        run train $net.cfg -o again.h5 --threads 2 $bfloat16
        check "$net in bfloat16: 1 and 2 threads give the same model, byte for byte" cmp half.h5 again.h5
        run "$ANPE" infer half.h5 mocks.h5 -o half.csv --quiet
        check "$net in bfloat16: infer" test "$status" = 0 -a "$(grep -c '^mocks.h5\[' half.csv)" = 3
    done
else
    skip "featurizers in bfloat16" "the backend onednn is not built"
fi

# The position of a pixel as an input; a model keeps it.
swap transformer | sed 's/"log_sigma" \]/"log_sigma", "position" ]/' >place.cfg
run train place.cfg -o place.h5
check "channel position: train" test "$status" = 0 -a -s place.h5
run "$ANPE" infer place.h5 mocks.h5 -o place.csv --quiet
check "channel position: infer" test "$status" = 0 -a "$(grep -c '^mocks.h5\[' place.csv)" = 3

swap transfromer >bad.cfg
run "$ANPE" train bad.cfg -o bad.h5
expect_error "a name misspelt" 1 "no featurizer 'transfromer'.*did you mean 'transformer'"
finish
