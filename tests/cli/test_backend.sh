#!/bin/sh
# The choice of a backend and a precision: what is there is taken, what is not there is said, and the
# result depends on neither the number of threads nor on how it was named.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
cd "$work" || exit 99
sed "s/epochs = 3/epochs = 1; n_sims = 48/" "$ANPE_SRCDIR/tests/cli/small.cfg" >small.cfg

# train OUTPUT THREADS SETTING...
train() {
    output=$1 threads=$2
    shift 2
    for setting; do set -- "$@" --set "compute.$setting"; shift; done
    "$ANPE" train small.cfg --quiet -o "$output" --threads "$threads" "$@"
}

run train a.h5 1 backend=none
expect_error "a backend that is not there" 1 "no backend 'none'"
run train a.h5 1 precision=half
expect_error "a precision that is not there" 1 "precision"
run train a.h5 1 backend=openblas precision=bfloat16
expect "bfloat16 with openblas" 1 "anpe: backend 'openblas' computes in float only; compute.precision = \"bfloat16\" \
needs compute.backend = \"onednn\" or \"auto\""
check "nothing is left" test ! -e a.h5

# Kernels by name. Prescott is what every processor of this kind runs.
run "$ANPE" train small.cfg --quiet -o a.h5 --set backend.coretype=nonsense
expect "kernels that OpenBLAS does not know" 1 "anpe: --set backend.coretype: openblas: coretype = \"nonsense\": \
OpenBLAS has no such kernels; expected auto or a name of its own, as Haswell or SkylakeX"
check "nor is anything left of that" test ! -e a.h5
run env OPENBLAS_CORETYPE=Prescott "$ANPE" train small.cfg -o a.h5 --profile --set compute.backend=openblas
check "a training says its kernels" grep -q '^anpe: computed with openblas [A-Z]' err
kernels=$(sed -n 's/^anpe: computed with //p' err)
run "$ANPE" info a.h5
check "and so does the model" grep -q "^kernels  *$kernels\$" out
case $(uname -m)$kernels in
x86_64"openblas Prescott") ok "kernels by the variable" ;;
*) skip "kernels by the variable" "this OpenBLAS has $kernels alone" ;;
esac
rm -f a.h5

# Without the plugin: every other one in a directory of its own.
mkdir plugins
for file in "${ANPE_PLUGIN_PATH:-$ANPE_BUILDDIR/plugins}"/.libs/*.so; do
    [ "${file##*/}" = backend_onednn.so ] || ln -s "$file" plugins/
done
run env ANPE_PLUGIN_PATH="$work/plugins" "$ANPE" train small.cfg --quiet -o a.h5 --set compute.backend=onednn
expect_error "no plugin onednn" 1 "no backend 'onednn' in $work/plugins"
run env ANPE_PLUGIN_PATH="$work/plugins" "$ANPE" train small.cfg --quiet -o a.h5 --set compute.precision=bfloat16
expect_error "no plugin onednn, auto computes in float" 0 "warning: computing in float: .*no backend 'onednn'"

[ -f "$ANPE_BUILDDIR/plugins/backend_onednn.la" ] || { skip "onednn" "it is not built"; finish; }

run train float.h5 1 backend=onednn
check "onednn, float" test "$status" = 0
run train two.h5 2 backend=onednn
check "onednn: 1 and 2 threads give the same model, byte for byte" cmp float.h5 two.h5

old="this processor has no instructions for bfloat16 (AVX512_BF16 or AMX_BF16), oneDNN uses AVX2"
export ONEDNN_MAX_CPU_ISA=AVX2
run train old.h5 1 backend=onednn precision=bfloat16
expect "bfloat16 on an old processor" 1 "anpe: onednn: $old"
run train old.h5 1 precision=bfloat16
expect "the same, auto" 0 "anpe: warning: computing in float: onednn: $old"
unset ONEDNN_MAX_CPU_ISA

run train bfloat16.h5 1 backend=onednn precision=bfloat16
if [ "$status" = 1 ] && grep -q "no instructions for bfloat16" err; then
    skip "bfloat16" "this processor has no instructions for it"
    finish
fi
check "onednn, bfloat16" test "$status" = 0
run train two.h5 2 backend=onednn precision=bfloat16
check "bfloat16: 1 and 2 threads give the same model, byte for byte" cmp bfloat16.h5 two.h5
check "and not that of float" differ bfloat16.h5 float.h5
run "$ANPE" simulate bfloat16.h5 -n 12 --observed -o mocks.h5 --quiet
run "$ANPE" infer bfloat16.h5 mocks.h5 -o one.fits --threads 1 --quiet
check "a model of bfloat16 infers" test "$status" = 0
run "$ANPE" infer bfloat16.h5 mocks.h5 -o two.fits --threads 2 --quiet
check "1 and 2 threads give the same catalogue, byte for byte" cmp one.fits two.fits
run env ONEDNN_MAX_CPU_ISA=AVX2 "$ANPE" infer bfloat16.h5 mocks.h5 -o two.fits --quiet
expect_error "it says so where the processor cannot" 1 "no instructions for bfloat16"
finish
