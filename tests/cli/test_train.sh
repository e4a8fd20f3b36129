#!/bin/sh
# Training and inference as a user runs them, small: the result does not depend on threads; a killed
# run that is resumed ends with the same bytes; what goes wrong says so and leaves nothing behind.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
cd "$work" || exit 99
config=$ANPE_SRCDIR/tests/cli/small.cfg
cp "$config" small.cfg

train() { "$ANPE" train "$config" --quiet "$@"; }

run train -o one.h5 --threads 1
check "train" test "$status" = 0 -a -s one.h5
run train -o two.h5 --threads 2
check "1 and 2 threads give the same model, byte for byte" cmp one.h5 two.h5
run train -o seed.h5 --seed 2
check "another seed gives another model" test "$status" = 0
check "indeed" differ one.h5 seed.h5

# Killed in the middle: the checkpoint of the last epoch is whole, and --resume ends the same.
epoch_ended() { "$ANPE" info killed.h5 2>/dev/null | grep -q "^epochs"; }
killed() { # NAME REFERENCE OPTIONS
    name=$1; reference=$2; shift 2
    rm -f killed.h5
    "$ANPE" train "$config" --quiet -o killed.h5 "$@" &
    child=$!
    await epoch_ended
    kill -9 $child 2>/dev/null
    wait $child 2>/dev/null
    run "$ANPE" info killed.h5
    check "$name: the checkpoint can be opened" test "$status" = 0
    run train -o killed.h5 --resume "$@"
    check "$name: resume" test "$status" = 0
    check "$name: killed and resumed equals uninterrupted, byte for byte" cmp "$reference" killed.h5
    check "$name: no temporary file is left by the end" test "$(ls -A | grep -c killed)" -le 2
}
run train -o stages.h5 --set train.schedule=stages --set train.stage_patience=1 --set train.epochs=5
check "stages" test "$status" = 0
killed stages stages.h5 --set train.schedule=stages --set train.stage_patience=1 --set train.epochs=5
killed cosine one.h5

# A set that is made once: the first epoch is that of a set with fresh noise, the later ones are not; what was left out of
# the first, which has whole batches, or is no longer
# in memory after a kill is made again.
loss() { "$ANPE" info "$1" --json | grep '"validation_loss"'; }
set="--set train.n_sims=100 --set train.batch=30 --set train.schedule=stages --set train.average=0"
kept="$set --set train.keep=true"
# shellcheck disable=SC2086
{
    run train -o fresh.h5 $set --set train.epochs=1
    run train -o kept.h5 $kept --set train.epochs=1
    check "kept: the first epoch is as ever" test -n "$(loss kept.h5)" -a "$(loss kept.h5)" = "$(loss fresh.h5)"
    run train -o fresh.h5 $set --set train.epochs=4
    run train -o kept.h5 $kept --set train.epochs=4 --threads 1
    check "kept: noise is not fresh" test -n "$(loss kept.h5)" -a "$(loss kept.h5)" != "$(loss fresh.h5)"
    run train -o two.h5 $kept --set train.epochs=4 --threads 2
    check "kept: 1 and 2 threads give the same model, byte for byte" cmp kept.h5 two.h5
    killed kept kept.h5 $kept --set train.epochs=4
}
run train -o bad.h5 --set train.keep=true
expect "fresh spectra cannot be kept" 1 "anpe: --set train.keep: fresh spectra cannot be kept; give their number as train.n_sims"

# Mocks, catalogue.
run "$ANPE" simulate one.h5 -n 12 --observed -o mocks.h5 --quiet
check "simulate" test "$status" = 0 -a -s mocks.h5
run "$ANPE" infer one.h5 mocks.h5 -o one.fits --threads 1 --posterior draws.h5
check "infer" test "$status" = 0 -a -s one.fits -a -s draws.h5
check "truth is compared" grep -q "how well 12 known sets of labels came back" "$work/out"
check "no draw leaves the prior" grep -q "12000 draws, 0 outside the prior" "$work/out"
run "$ANPE" infer one.h5 mocks.h5 -o two.fits --threads 2 --posterior draws2.h5
check "1 and 2 threads give the same catalogue, byte for byte" cmp one.fits two.fits
run "$ANPE" infer one.h5 mocks.h5 -o out.csv --json
check "--json is one object" sh -c 'grep -c "^{" "$1" | grep -qx 1' sh "$work/out"
check "csv has a row each" test "$(grep -c '^mocks.h5\[' out.csv)" = 12

# What goes wrong.
gone() { check "$1: nothing is written" test ! -e "$2"; }
run "$ANPE" infer one.h5 nosuch.fits -o bad.fits
expect_error "missing spectrum" 1 "nosuch.fits.*No such file"
gone "missing spectrum" bad.fits
echo "this is not FITS" >text.fits
run "$ANPE" infer one.h5 text.fits -o bad.fits
expect_error "non-FITS spectrum" 1 "text.fits"
gone "non-FITS spectrum" bad.fits
: >empty.fits
run "$ANPE" infer one.h5 empty.fits -o bad.fits
expect_error "empty spectrum" 1 "empty.fits"
gone "empty spectrum" bad.fits
run "$ANPE" infer one.h5 mocks.h5 -o bad.xls
expect_error "unknown catalogue format" 1 "bad.xls"
run "$ANPE" infer one.h5 mocks.h5 -o nodir/bad.fits
expect_error "missing output directory" 1 "nodir"
run "$ANPE" infer mocks.h5 mocks.h5 -o bad.fits
expect_error "a foreign HDF5 file as model" 1 "mocks.h5: not a model with a seal"
run "$ANPE" infer small.cfg mocks.h5 -o bad.fits
expect_error "a text file as model" 1 "small.cfg"
head -c 20000 one.h5 >cut.h5
run "$ANPE" infer cut.h5 mocks.h5 -o bad.fits
expect_error "truncated model" 1 "cut.h5"
gone "truncated model" bad.fits

# One bad spectrum among many: flagged, reason printed, exit status 4, the others inferred.
run "$ANPE" infer one.h5 mocks.h5 text.fits -o some.csv
check "one bad among many: status 4" test "$status" = 4
check "one bad among many: the reason" grep -q "text.fits" "$work/err"
check "one bad among many: its row" sh -c 'grep -c "^text.fits" some.csv | grep -qx 1'
check "one bad among many: the rest" test "$(grep -c '^mocks.h5\[' some.csv)" = 12

# Configuration.
wrong() { # NAME SET PATTERN
        run "$ANPE" train "$config" --quiet -o bad.h5 --set "$2"
    expect_error "$1" 1 "$3"
    gone "$1" bad.h5
}
wrong "unknown option" simulator.stepp=1 "stepp.*did you mean 'step'"
wrong "unknown plugin" 'flow.plugin="mafia"' "no flow 'mafia'.*did you mean 'maf'"
wrong "plugin by path" 'flow.plugin="/tmp/flow_maf.so"' "/tmp/flow_maf.so"
wrong "unknown label" 'prior.[0].labels.[0].name="tefff"' "no label 'tefff'.*did you mean 'teff'"
wrong "label outside the simulator" 'prior.[0].labels.[0].max=20000.0' "teff.*20000"
wrong "unknown group" 'trian.rate=0.1' "trian.*did you mean 'train'"
wrong "out of range" 'train.batch=-1' "batch"
wrong "wrong type" 'train.batch="many"' "batch"
run "$ANPE" train nosuch.cfg -o bad.h5
expect_error "missing configuration" 1 "nosuch.cfg"
run "$ANPE" train "$config" -o nodir/bad.h5
expect_error "missing model directory" 1 "nodir"
run "$ANPE" train "$config" --print-config --set train.rate=0.5
check "--print-config tells where a value is from" grep -q "rate = 0.5.*command line" "$work/out"
check "--print-config tells defaults" grep -q "patience = 0.*default" "$work/out"
finish
