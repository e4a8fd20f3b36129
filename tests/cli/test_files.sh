#!/bin/sh
# Files that cannot be written, model files that are damaged, runs that are interrupted, outputs that
# are inputs: each ends in a message and an exit status, leaves no half file and harms no input.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
tools=$(cd "${ANPE_BUILDDIR:-.}/tests/cli" && pwd)
[ -x "$tools/flip_bit" ] || skip_all "tests/cli/flip_bit is not built"
config=$(cd "$ANPE_SRCDIR" && pwd)/tests/cli/small.cfg
cd "$work" || exit 99
train() { "$ANPE" train "$config" --set train.steps=10 --set train.epochs=3 "$@"; }

run train --quiet -o one.h5
check "train" test "$status" = 0 -a -s one.h5
run "$ANPE" simulate one.h5 -n 6 --observed -o mocks.h5 --quiet
check "simulate" test "$status" = 0 -a -s mocks.h5
run "$ANPE" infer one.h5 mocks.h5 -o one.csv
check "infer" test "$status" = 0 -a -s one.csv
"$tools/make_spectrum" good star.fits || exit 99
printf '1 2 3\n10 20 30\n4 5 6\n' >c.txt
echo 5000 >pivot.txt
printf '15000 15001 15002\n' >w.txt

# ---- no string of variable length in anything that is written: a damaged one can crash HDF5 ---------
mkdir all
run "$ANPE" train "$config" --set train.epochs=1 --set train.n_sims=48 --quiet -o all/model.h5
run "$ANPE" validate all/model.h5 -n 50 --draws 20 --quiet
run "$ANPE" infer one.h5 mocks.h5 --quiet -o all/catalogue.h5 --samples 20 --posterior all/draws.h5 \
    --predict all/predictions.h5 --explain all/gradients.h5
cp mocks.h5 all/simulations.h5
run "$ANPE" noise apogee star.fits --quiet -o all/library.h5
run "$ANPE" import cannon c.txt --pivots pivot.txt --labels teff --wavelength w.txt --quiet \
    -o all/emulator.h5
(cd all && "$tools/text_types" ./*.h5) >types 2>&1 && all=1 || all=0
check "strings are of fixed length in all 8 kinds of files" \
    test $all = 1 -a "$(grep -c 'texts, 0 of variable length' types)" = 8
[ $all = 1 ] || sed 's/^/    /' types
rm -r all

# ---- a full disk: a limit on the size of files is met in the same calls --------------------------
mkdir full
limited() { (
    ulimit -f 1 # the shell's blocks: 512 or 1024 bytes
    "$@"
); }
full() { # NAME COMMAND...
    name=$1
    shift
    run limited "$@"
    expect_error "full disk: $name" 1 "^anpe: (.*: )?full/[a-z.0-9]+: .*File too large"
    check "full disk: $name leaves nothing" test -z "$(ls -A full)"
}
full train train --quiet -o full/m.h5
full infer "$ANPE" infer one.h5 mocks.h5 --quiet -o full/c.fits
full "infer, .csv" "$ANPE" infer one.h5 mocks.h5 --quiet -o full/c.csv
full "infer, .h5" "$ANPE" infer one.h5 mocks.h5 --quiet -o full/c.h5
full "infer, posterior" "$ANPE" infer one.h5 mocks.h5 --quiet -o full/c.fits --posterior full/p.h5
full "infer, predictions" "$ANPE" infer one.h5 mocks.h5 --quiet -o full/c.fits --predict full/p.h5
full simulate "$ANPE" simulate one.h5 -n 6 --quiet -o full/s.h5
full noise "$ANPE" noise apogee star.fits --quiet -o full/n.h5
full import "$ANPE" import cannon c.txt --pivots pivot.txt --labels teff --wavelength w.txt \
    --quiet -o full/e.h5

# ---- a directory that cannot be written; root writes everywhere, so as nobody then ---------------
mkdir closed open && chmod 777 open && chmod 555 closed && chmod 755 . && chmod 644 ./*.*
user=
[ "$(id -u)" != 0 ] || user="setpriv --reuid 65534 --regid 65534 --clear-groups"
closed() { # NAME COMMAND...
    name=$1
    shift
        run $user "$@"
    expect_error "read-only directory: $name" 1 "^anpe: closed/[a-z.0-9]+: cannot write: Permission denied"
    check "read-only directory: $name leaves nothing" test -z "$(ls -A closed open | grep -v :)"
}
if $user "$ANPE" info one.h5 >out 2>&1; then
    closed train "$ANPE" train "$config" -o closed/m.h5
    closed infer "$ANPE" infer one.h5 mocks.h5 -o closed/c.fits
    closed "infer, posterior" "$ANPE" infer one.h5 mocks.h5 -o open/c.fits --posterior closed/p.h5
    closed simulate "$ANPE" simulate one.h5 -n 6 -o closed/s.h5
    closed noise "$ANPE" noise apogee star.fits -o closed/n.h5
    closed import "$ANPE" import cannon c.txt --pivots pivot.txt --labels teff -o closed/e.h5
else
    skip "read-only directory" "root writes everywhere, and cannot run anpe as another user here"
fi
chmod 755 closed

# ---- damaged models -------------------------------------------------------------------------------
refused() { # NAME FILE RE
    run "$ANPE" infer "$2" mocks.h5 -o bad.csv
    expect_error "$1" 1 "$3"
    check "$1: nothing is written" test ! -e bad.csv
}
for part in parameters/flow.blocks.0.l0.weight parameters/featurizer.start.weight; do
    cp one.h5 flipped.h5
    "$tools/flip_bit" flipped.h5 "$part" 2>/dev/null || continue
    check "one bit of $part is changed" sh -c 'test "$(cmp -l one.h5 flipped.h5 | wc -l)" = 1'
    refused "one bit of $part" flipped.h5 "^anpe: flipped.h5: .*do not match the digest in its seal"
    "$ANPE" zoo seal flipped.h5 --quiet
    refused "one bit of $part, sealed anew" flipped.h5 "^anpe: flipped.h5: .*do not match their digest"
    flipped=1
done
check "a weight could be spoilt" test "${flipped-0}" = 1
size=$(wc -c <one.h5)
for cut in 100 1000 $((size / 4)) $((size / 2)) $((size - 1)); do
    head -c "$cut" one.h5 >cut.h5
    refused "the first $cut bytes of a model" cut.h5 "^anpe: cut.h5: "
done
refused "a catalogue as model" one.csv "^anpe: one.csv: "
refused "simulations as model" mocks.h5 "^anpe: mocks.h5: not a model with a seal"
refused "a spectrum as model" star.fits "^anpe: star.fits: "
# A changed byte anywhere else is refused, or does no harm; it never ends in a crash.
harmless=0 found=0
for k in 1 2 3 4 5 6 7 8 9 10 11 12; do
    at=$((size * k / 13))
    cp one.h5 odd.h5
    byte=$(od -An -tu1 -j "$at" -N 1 one.h5)
    # shellcheck disable=SC2059
    printf "\\$(printf '%03o' $((byte ^ 16)))" | dd of=odd.h5 bs=1 seek="$at" conv=notrunc 2>/dev/null
    run "$ANPE" infer odd.h5 mocks.h5 -o odd.csv
    if [ "$status" = 1 ] && [ ! -e odd.csv ]; then
        found=$((found + 1))
    elif [ "$status" = 0 ] && [ "$(grep -v '^#' odd.csv)" = "$(grep -v '^#' one.csv)" ]; then
        harmless=$((harmless + 1))
    fi
    rm -f odd.csv
done
check "a changed byte anywhere: refused ($found) or without effect ($harmless)" \
    test $((found + harmless)) = 12

# ---- ctrl-C ---------------------------------------------------------------------------------------
# interrupt FILE RE: SIGINT as soon as RE is in FILE's text; sets $status.
interrupt() {
    await grep -Eq "$2" "$1"
    kill -INT $child 2>/dev/null
    status=0
    wait $child || status=$?
}
mkdir stopped
for again in 1 2 3 4 5 6 7 8 9 10; do # a shell that gets no turn before the end is no verdict
    "$ANPE" train "$config" --set train.steps=10 --set train.epochs=3 -o stopped/m.h5 \
        >out 2>err & child=$!
    interrupt err '^anpe: epoch 1/3 '
    [ "$status" = 0 ] || break
    echo "    try $again: ended before the interrupt"
    rm stopped/m.h5
done
expect_error "ctrl-C: exit status 130" 130 '^anpe: interrupted in epoch [23]'
check "ctrl-C: it says how to go on" grep -q 'stopped/m.h5 holds [12] finished epochs; go on with --resume' err
check "ctrl-C: the checkpoint is all that is there" test "$(ls -A stopped)" = m.h5
run "$ANPE" info stopped/m.h5
check "ctrl-C: the checkpoint is whole" grep -q 'not ended: a checkpoint' out
run train --quiet -o stopped/m.h5 --resume
check "ctrl-C: resumed" test "$status" = 0
check "ctrl-C: resumed equals uninterrupted, byte for byte" cmp one.h5 stopped/m.h5
rm stopped/*
"$ANPE" train "$config" --set train.steps=100000 --set train.epochs=1 -o stopped/m.h5 \
    >out 2>err & child=$!
interrupt err 'parameters, [0-9]+ threads'
expect_error "ctrl-C in the first epoch" 130 '^anpe: interrupted in epoch 1'
check "ctrl-C in the first epoch: nothing is kept" test -z "$(ls -A stopped)"

# ---- outputs that are inputs ----------------------------------------------------------------------
cp "$config" own.cfg
"$ANPE" import cannon c.txt --pivots pivot.txt --labels teff --wavelength w.txt -o e.h5 --quiet
ln -s star.fits link.fits
same() { # NAME FILE COMMAND...
    name=$1 file=$2
    cp "$file" before
    shift 2
    run "$@"
    expect_error "output is input: $name" 1 "the output would replace an input"
    check "output is input: $name: it is untouched" cmp -s "$file" before
}
same "train, configuration" own.cfg "$ANPE" train own.cfg -o own.cfg
same "train, simulations" mocks.h5 "$ANPE" train own.cfg --data mocks.h5 -o mocks.h5
same "infer, model" one.h5 "$ANPE" infer one.h5 mocks.h5 -o one.h5
same "infer, spectra" mocks.h5 "$ANPE" infer one.h5 mocks.h5 -o mocks.h5
same "infer, posterior" mocks.h5 "$ANPE" infer one.h5 mocks.h5 -o c.fits --posterior mocks.h5
same "infer, predictions" mocks.h5 "$ANPE" infer one.h5 mocks.h5 -o c.fits --predict mocks.h5
same "infer, by another name" star.fits "$ANPE" infer one.h5 star.fits -o link.fits
same "simulate, model" one.h5 "$ANPE" simulate one.h5 -n 6 -o one.h5
same "noise" star.fits "$ANPE" noise apogee star.fits -o star.fits
same "noise, configuration" own.cfg "$ANPE" noise own.cfg star.fits -o own.cfg
same "import" e.h5 "$ANPE" import payne e.h5 -o e.h5
run "$ANPE" infer one.h5 mocks.h5 -o two.h5 --posterior two.h5
expect_error "both outputs the same" 1 "two.h5"
check "both outputs the same: none is written" test ! -e two.h5
run "$ANPE" infer one.h5 mocks.h5 -o two.fits --posterior two.h5 --predict two.h5
expect_error "two extras the same" 1 "two.h5"
check "two extras the same: none is written" test ! -e two.h5 -a ! -e two.fits
finish
