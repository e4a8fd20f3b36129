#!/bin/sh
# anpe simulate: designs, the simulator's own spectra, runs that are killed and go on with the same bytes.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
cd "$work" || exit 99
cp "$ANPE_SRCDIR/tests/cli/small.cfg" small.cfg
simulate() { "$ANPE" simulate small.cfg --quiet "$@"; }
own="--own-grid --set simulator.lambda_min=15000 --set simulator.lambda_max=15040"

# The simulator's own spectra: labels without rv, its pixels and wavelengths.
# shellcheck disable=SC2086
run simulate -n 300 --design sobol $own -o grid.h5
check "a grid" test "$status" = 0 -a -s grid.h5
run "$ANPE" info grid.h5
check "has the simulator's labels" grep -q "^theta *300 x 6$" "$work/out"
check "on the simulator's pixels" grep -Eq "^flux *300 x [0-9]{3,}$" "$work/out"
check "says how it was made" grep -q "^design *sobol$" "$work/out"
# shellcheck disable=SC2086
run simulate -n 300 --design sobol $own -o two.h5 --threads 2
check "1 and 2 threads give the same bytes" cmp grid.h5 two.h5
run "$ANPE" train small.cfg --data grid.h5 -o bad.h5 --quiet
expect_error "is no set of observations to train on" 1 "grid.h5"
check "and leaves nothing" test ! -e bad.h5

# Designs and draws differ; a design has its seed.
for design in prior latin; do
    # shellcheck disable=SC2086
    run simulate -n 300 --design $design $own -o $design.h5
    check "design $design" differ grid.h5 $design.h5
done
# shellcheck disable=SC2086
run simulate -n 300 --design sobol $own -o seed.h5 --seed 2
check "another seed" differ grid.h5 seed.h5
run simulate -n 40 --design latin --observed -o mocks.h5
check "a design of mock observations" test "$status" = 0 -a -s mocks.h5

# What is wrong on the command line.
run simulate -n 4 --design sobl -o bad.h5
expect_error "unknown design" 2 "--design must be .*not 'sobl'"
run simulate -n 4 --own-grid --observed -o bad.h5
expect_error "own pixels and an observation" 2 "--own-grid and --observed"
run simulate -n 4 --own-grid --design sobol --per-atmosphere 3 -o bad.h5
expect_error "spectra of one atmosphere: a power of 2" 2 "--per-atmosphere 3: a power of 2"
run simulate -n 4 --own-grid --per-atmosphere 2 -o bad.h5
expect_error "of draws" 2 "--per-atmosphere: is for grids"
run simulate -n 4 --design sobol --per-atmosphere 2 -o bad.h5
expect_error "on an instrument's pixels" 2 "--per-atmosphere: is for grids"
# shellcheck disable=SC2086
run simulate -n 4 --design sobol $own --per-atmosphere 2 -o bad.h5
expect_error "of a simulator without them" 1 "simulator 'lines' has no atmospheres"
check "nothing is written" test ! -e bad.h5

# Killed at several moments, each time when some blocks are there, then to the end.
steps() { if [ -e "$1" ]; then wc -c <"$1"; else echo 0; fi; }
grown() { [ "$(steps "$1")" -gt "$2" ]; }
killed() { # NAME N OPTIONS
    what=$1; n=$2; shift 2
    rm -f killed.h5 killed.h5.part
    run simulate -n "$n" -o whole.h5 --threads 1 "$@"
    check "$what: uninterrupted" test "$status" = 0
    kills=0
    for blocks in 1 2 4 7; do
        before=$(steps killed.h5.part)
        "$ANPE" simulate small.cfg --quiet -n "$n" -o killed.h5 --resume --threads 2 "$@" &
        child=$!
        await grown killed.h5.part $((before + blocks * 2000))
        [ -e killed.h5 ] || kills=$((kills + 1))
        kill -9 $child 2>/dev/null
        wait $child 2>/dev/null
    done
    if [ $kills -ge 1 ]; then ok "$what: was killed before its end"; else
        skip "$what: was killed before its end" "this shell got no turn before the run had ended"; fi
    [ -e killed.h5 ] || printf 'half a block' >>killed.h5.part
    run simulate -n "$n" -o killed.h5 --resume "$@"
    check "$what: goes on" test "$status" = 0
    check "$what: the same bytes as uninterrupted" cmp whole.h5 killed.h5
    find . -name "*killed*" >left
    check "$what: nothing else is left" test "$(cat left)" = ./killed.h5
}
# shellcheck disable=SC2086
killed "grid" 3000 --design sobol $own
killed "mocks" 600 --observed --set noise.snr_max=100.0

# shellcheck disable=SC2086
run "$ANPE" simulate small.cfg -n 300 --design sobol $own -o grid.h5 --resume
expect_error "a finished grid is left alone" 0 "grid.h5 is finished already"
check "and stays" cmp grid.h5 two.h5
# shellcheck disable=SC2086
run simulate -n 301 --design sobol $own -o grid.h5 --resume
expect_error "a grid of another request is not replaced" 1 "grid.h5: is there already, and not of this"
cmp -s grid.h5 two.h5 || not_ok "replaced"

# The file of blocks: of other work, foreign, damaged.
for again in 1 2 3 4 5 6 7 8 9 10; do # until it was killed before its end
    rm -f part.h5*
    # shellcheck disable=SC2086
    "$ANPE" simulate small.cfg --quiet -n 2000 -o part.h5 --resume $own &
    child=$!
    await grown part.h5.part 2000
    kill -9 $child 2>/dev/null
    wait $child 2>/dev/null
    [ -e part.h5 ] || break
    echo "    try $again: ended before it was killed"
done
# shellcheck disable=SC2086
run simulate -n 2000 -o part.h5 --resume --seed 3 $own
expect_error "blocks of another seed" 1 "part.h5.part: was begun with another configuration, command line or input file"
cp part.h5.part kept.part
# A bit that has changed in a block: that block and the later ones are made again.
# shellcheck disable=SC2086
run simulate -n 2000 -o reference.h5 $own
printf 'XXXX' | dd of=part.h5.part bs=1 seek=1500 conv=notrunc 2>/dev/null
# shellcheck disable=SC2086
run simulate -n 2000 -o part.h5 --resume $own
check "a damaged block is made again" cmp reference.h5 part.h5
# Killed between the last two steps, a run leaves its blocks beside the finished file.
mv kept.part part.h5.part
# shellcheck disable=SC2086
run simulate -n 2000 -o part.h5 --resume $own
check "a finished file's blocks are taken away" test "$status" = 0 -a ! -e part.h5.part
echo "my notes" >part.h5.part
# shellcheck disable=SC2086
run simulate -n 2000 -o part.h5 --resume $own
check "not a foreign file of that name" grep -q "my notes" part.h5.part
echo "my notes" >mine.h5.part
# shellcheck disable=SC2086
run simulate -n 20 -o mine.h5 --resume $own
expect_error "a foreign file in the way" 1 "mine.h5.part: is in the way"
check "is left alone" grep -q "my notes" mine.h5.part
# A line-spread function that nothing would be convolved with.
perpixel=$ANPE_SHARED/data/emulators/apogee_5label_perpixel.npz
if [ -f "$perpixel" ]; then
    printf 'velocity 16000\n-9 0\n0 1\n9 0\n' >lsf.txt
    run "$ANPE" import payne "$perpixel" -o payne.h5 --labels teff,logg,fe_h,mg_fe,vmacro --grid apogee --quiet
    run "$ANPE" simulate "$ANPE_SRCDIR/instruments/apogee/payne.cfg" -n 1 -o lsf.h5 --set simulator.file=payne.h5 \
        --set instrument.lsf=lsf.txt --quiet
    expect_error "a table beside an emulator" 1 "gives spectra on the pixels of instrument 'apogee'"
else
    skip "a table beside an emulator" "no shared data"
fi
finish
