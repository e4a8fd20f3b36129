#!/bin/sh
# anpe infer and validate --resume, --part, anpe merge: runs that are killed, cut into parts or given the wrong files
# end with the bytes of one run, or with a sentence and nothing written.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
cd "$work" || exit 99
export SOURCE_DATE_EPOCH=1700000000
awk 'BEGIN { srand(1); for (t = 0; t < 3; t++) { for (p = 0; p < 20; p++) printf "%g ", t ? rand() - 0.5 : 1; print "" } }' >c.txt
echo "0 0" >pivots.txt
"$ANPE" import cannon c.txt --pivots pivots.txt --labels a,b --terms "a b" -o emulator.h5 --quiet 2>/dev/null || exit 99
cat >all.cfg <<'C'
simulator = { plugin = "cannon"; file = "emulator.h5"; };
prior = ({ plugin = "independent"; labels = ({ name = "a"; type = "normal"; mean = 0.0; sd = 1.0; },
                                             { name = "b"; type = "uniform"; min = -1.0; max = 1.0; }); });
instrument = { plugin = "array"; shape = [ 20 ]; };
noise = { plugin = "gaussian"; sigma = 0.1; };
network = { context = 8; };
featurizer = { plugin = "mlp"; hidden = [ 16 ]; };
flow = { plugin = "maf"; num_blocks = 2; hidden = 16; };
train = { batch = 32; steps = 20; epochs = 1; n_validation = 32; };
C
"$ANPE" train all.cfg -o model.h5 --quiet || exit 99
for n in 700 330 1; do "$ANPE" simulate model.h5 -n $n --observed -o mocks$n.h5 --seed $n --quiet || exit 99; done
echo "no spectra" >broken.h5
infer() { "$ANPE" infer model.h5 --samples 100 "$@"; }

# ---- killed --------------------------------------------------------------------------------------
size() { if [ -e "$1" ]; then wc -c <"$1"; else echo 0; fi; }
grown() { [ "$(size "$1")" -gt "$2" ]; }
# killed NAME EXTENSION OPTIONS: each time when some blocks are there; then to the end.
killed() {
    what=$1 e=$2
    shift 2
    run infer mocks330.h5 broken.h5 mocks700.h5 -o whole.$e "$@" --posterior whole.draws.h5 --threads 1
    check "$what: uninterrupted, a file is broken" test "$status" = 4
    kills=0
    for bytes in 1 20000 100000; do
        before=$(size out.$e.part)
        "$ANPE" infer model.h5 --samples 100 mocks330.h5 broken.h5 mocks700.h5 -o out.$e --resume "$@" --posterior out.draws.h5 --threads 2 >/dev/null 2>&1 &
        child=$!
        await grown out.$e.part $((before + bytes))
        kill -9 $child 2>/dev/null
        wait $child 2>/dev/null
        [ -e out.$e ] || kills=$((kills + 1))
    done
    if [ $kills -ge 1 ]; then ok "$what: was killed before its end"; else
        skip "$what: was killed before its end" "this shell got no turn before the run had ended"; fi
    [ -e out.$e ] || printf 'half a block' >>out.$e.part
    run infer mocks330.h5 broken.h5 mocks700.h5 -o out.$e --resume "$@" --posterior out.draws.h5
    check "$what: goes on" test -e out.$e
    check "$what: the bytes of an uninterrupted run" cmp whole.$e out.$e
    check "$what: and its draws" cmp whole.draws.h5 out.draws.h5
    check "$what: its journal is gone" test ! -e out.$e.part
    none_left=$(find . -name '.*.tmp')
    check "$what: nothing else is left" test -z "$none_left"
    rm -f whole.* out.*
}
killed "FITS" fits
killed "HDF5" h5
killed "CSV" csv
killed "VOTable" vot
killed "ECSV" ecsv
killed "exact" fits --exact --exact-ess 50 --exact-max 4000

# The other files of a run, and what is printed.
run infer mocks330.h5 -o one.fits --predict one.p.h5 --explain one.e.h5
sed 's/, [0-9.]* ms a spectrum//; s/^one/two/' out >said
run infer mocks330.h5 -o two.fits --predict two.p.h5 --explain two.e.h5 --resume
check "a run that was not interrupted says the same" sh -c 'sed "s/, [0-9.]* ms a spectrum//" out | cmp - said'
for f in fits p.h5 e.h5; do check "and writes the same, $f" cmp one.$f two.$f; done
run infer mocks330.h5 -o two.fits --predict two.p.h5 --explain two.e.h5 --resume
expect_error "once finished, it is left alone" 0 "two.fits is finished already"
run infer mocks330.h5 -o two.fits --predict two.p.h5 --explain two.e.h5 --resume --seed 5
expect_error "another run does not replace it" 1 "two.fits: is there already, and not of this model, command line and these input files; --resume does not replace it"
check "and it stays" cmp one.fits two.fits

# ---- a journal that is not ours ------------------------------------------------------------------
# A journal of one block, as a run leaves it that was killed.
journal() {
    for again in 1 2 3 4 5 6 7 8 9 10; do
        rm -f j.csv j.csv.part
        "$ANPE" infer model.h5 --samples 100 mocks700.h5 -o j.csv --resume >/dev/null 2>&1 &
        child=$!
        await grown j.csv.part 5000
        kill -9 $child 2>/dev/null
        wait $child 2>/dev/null
        [ -e j.csv ] || return 0
        echo "    try $again: ended before it was killed"
    done
}
run infer mocks700.h5 -o reference.csv --quiet
journal
cp j.csv.part kept
for other in "--seed 3" "--samples 101" "--exact"; do
    # shellcheck disable=SC2086
    run infer mocks700.h5 -o j.csv --resume $other
    expect_error "a journal of another run: $other" 1 "j.csv.part: was begun with another configuration, command line or input file; --resume needs the same ones, or this file removed"
done
run infer mocks700.h5 mocks1.h5 -o j.csv --resume
expect_error "a journal of other spectra" 1 "j.csv.part: was begun with another"
check "it stays as it was" cmp kept j.csv.part
check "and nothing is written" test ! -e j.csv
run infer mocks700.h5 -o j.csv
expect_error "without --resume it is not used, and told of" 0 "j.csv.part: a run that did not end has left its blocks there; they are not used without --resume"
check "and stays" cmp kept j.csv.part
rm j.csv
# A bit that has changed: that block and the later ones are made again.
printf 'XXXX' | dd of=j.csv.part bs=1 seek=2000 conv=notrunc 2>/dev/null
run infer mocks700.h5 -o j.csv --resume --quiet
check "a damaged block is made again" cmp reference.csv j.csv
mv kept j.csv.part
run infer mocks700.h5 -o j.csv --resume
check "the journal of a finished catalogue is taken away" test "$status" = 0 -a ! -e j.csv.part
echo "my notes" >mine.csv.part
run infer mocks1.h5 -o mine.csv --resume
expect_error "a foreign file in the way" 1 "mine.csv.part: is in the way: it was not made by this version's --resume"
check "is left alone" grep -q "my notes" mine.csv.part
run infer broken.h5 -o none.csv --resume
check "a run without any spectrum leaves no journal" test "$status" = 1 -a ! -e none.csv.part -a ! -e none.csv

# ---- validate ------------------------------------------------------------------------------------
cp model.h5 bare.h5
validate() { "$ANPE" validate v.h5 -n 1500 -s 100 --exact 200 "$@"; }
cp bare.h5 v.h5
run validate --threads 1 --json -o report.json
cp out whole.said && mv v.h5 whole.h5 && mv report.json whole.json
check "validate: uninterrupted" test "$status" = 0
cp bare.h5 v.h5
run validate --resume --json
check "validate: --resume stores the same" cmp whole.h5 v.h5
check "validate: and says the same" cmp whole.said out
check "validate: and leaves no journal" test ! -e v.h5.validation.part
cp bare.h5 v.h5
kills=0
for bytes in 1 60000 200000 30000; do
    before=$(size v.h5.validation.part)
    "$ANPE" validate v.h5 -n 1500 -s 100 --exact 200 --resume --quiet --threads 2 >/dev/null 2>&1 &
    child=$!
    await grown v.h5.validation.part $((before + bytes))
    kill -9 $child 2>/dev/null
    wait $child 2>/dev/null
    cmp -s bare.h5 v.h5 || break # it had ended before
    cp v.h5.validation.part kept
    kills=$((kills + 1))
done
if [ $kills -ge 1 ]; then ok "validate: was killed before its end"; else
    skip "validate: was killed before its end" "this shell got no turn before the run had ended"; fi
cp bare.h5 v.h5
if [ $kills -ge 1 ]; then cp kept v.h5.validation.part && printf 'half a block' >>v.h5.validation.part; fi
run validate --resume --json -o report.json
check "validate: goes on" test "$status" = 0
# More than one block of 46 kB, of which the last may be torn, and not all twelve.
if [ "$(size kept)" -gt 100000 ] && [ "$(size kept)" -lt 480000 ]; then
    check "validate: and says after how many" grep -Eq 'going on after [1-9][0-9]* mocks' err
fi
check "validate: the model of an uninterrupted run" cmp whole.h5 v.h5
check "validate: what it says" cmp whole.said out
check "validate: its report" cmp whole.json report.json
check "validate: its journal is gone" test ! -e v.h5.validation.part
if [ $kills -ge 1 ]; then
    # Killed between its last two steps: the result is there and the journal, too.
    cp kept v.h5.validation.part
    run validate --resume --quiet
    check "validate: the result is in the model already" test "$status" = 0 -a ! -e v.h5.validation.part
    check "validate: and comes out the same" cmp whole.h5 v.h5
    cp bare.h5 v.h5
    cp kept v.h5.validation.part
    for other in "--seed 3" "-s 101" "-n 1501" "--exact 199" "--scale 0.9"; do
        # shellcheck disable=SC2086
        run validate --resume $other
        expect_error "validate: a journal of another run: $other" 1 "v.h5.validation.part: was begun with another configuration, command line or input file; --resume needs the same ones, or this file removed"
    done
    check "validate: it stays as it was" cmp kept v.h5.validation.part
    check "validate: and so does the model" cmp bare.h5 v.h5
    printf 'XXXX' | dd of=v.h5.validation.part bs=1 seek=9000 conv=notrunc 2>/dev/null
    run validate --resume --quiet --false-alarms 0.02 --dry --json
    check "validate: a damaged block is made again" test "$status" = 0 -a ! -e v.h5.validation.part
    "$ANPE" validate v.h5 -n 1500 -s 100 --exact 200 --false-alarms 0.02 --dry --json >other.said 2>/dev/null
    check "validate: thresholds are learned anew" cmp other.said out
    cp kept v.h5.validation.part
    run validate --dry
    expect_error "validate: without --resume it is not used, and told of" 0 "v.h5.validation.part: a run that did not end has left its blocks there; they are not used without --resume"
    check "validate: and stays" cmp kept v.h5.validation.part
    run "$ANPE" merge v.h5.validation.part -o bad.h5
    expect_error "validate: a journal is no part" 1 "v.h5.validation.part: is the journal of a run that was not made with --part K/N"
    rm v.h5.validation.part
fi
echo "my notes" >v.h5.validation.part
run validate --resume
expect_error "validate: a foreign file in the way" 1 "v.h5.validation.part: is in the way: it was not made by this version's --resume"
check "validate: is left alone" grep -q "my notes" v.h5.validation.part
check "validate: and the model" cmp bare.h5 v.h5

# ---- parts ---------------------------------------------------------------------------------------
for e in fits csv h5; do
    run infer mocks330.h5 broken.h5 mocks700.h5 -o part.$e --posterior draws.$e.h5 --predict model.$e.h5
    cp out whole.said
    for f in part.$e draws.$e.h5 model.$e.h5; do mv $f whole.$f; done
    for k in 3 1 2; do
        run infer mocks330.h5 broken.h5 mocks700.h5 -o part.$e --posterior draws.$e.h5 --predict model.$e.h5 --part $k/3
        check "$e: part $k" test -e part.$e.$k-of-3 -a ! -e part.$e.$k-of-3.part
    done
    check "$e: parts write no catalogue and no draws" test ! -e part.$e -a ! -e draws.$e.h5
    run "$ANPE" merge part.$e.2-of-3 part.$e.1-of-3 part.$e.3-of-3 -o part.$e
    check "$e: merged, with the status of the run" test "$status" = 4
    check "$e: and what it says" sh -c 'sed "s/, [0-9.]* ms a spectrum//" out >a; sed "s/, [0-9.]* ms a spectrum//" whole.said | cmp - a'
    for f in part.$e draws.$e.h5 model.$e.h5; do check "$e: the bytes of one run, $f" cmp whole.$f $f; done
    rm -f part.$e draws.$e.h5 model.$e.h5
done
run infer mocks330.h5 broken.h5 mocks700.h5 -o part.csv --posterior draws.csv.h5 --predict model.csv.h5 --part 2/3
expect_error "a part that is finished is left alone" 0 "part.csv.2-of-3 is finished already"
run infer mocks330.h5 -o part.csv --part 2/3
expect_error "a part of another run is not replaced" 1 "part.csv.2-of-3: is there already, and is a part of another run"

run "$ANPE" merge part.csv.1-of-3 part.csv.3-of-3 -o bad.csv
expect "a missing part" 1 "anpe: of 3 parts these are missing: 2"
cp part.csv.3-of-3 again
run "$ANPE" merge part.csv.?-of-3 again -o bad.csv
expect "a part twice" 1 "anpe: part.csv.3-of-3 and again: are both part 3 of 3"
run "$ANPE" merge part.csv.1-of-3 part.csv.2-of-3 part.fits.3-of-3 -o part.fits.3-of-3
check "an output over a part" test "$status" = 1
run infer mocks330.h5 -o other.csv --part 3/3
run "$ANPE" merge part.csv.1-of-3 part.csv.2-of-3 other.csv.3-of-3 -o bad.csv
expect_error "parts of two runs" 1 "part.csv.2-of-3 and other.csv.3-of-3: are not parts of one run|part.csv.1-of-3 and other.csv.3-of-3: are not parts of one run"
head -c "$(($(wc -c <part.csv.2-of-3) - 9))" part.csv.2-of-3 >"cut"
run "$ANPE" merge part.csv.1-of-3 "cut" part.csv.3-of-3 -o bad.csv
expect_error "a part that is cut" 1 "cut: is not whole: it ends before spectrum [0-9]+ of [0-9]+"
cp part.csv.2-of-3 bent
printf 'XXXX' | dd of=bent bs=1 seek=3000 conv=notrunc 2>/dev/null
run "$ANPE" merge part.csv.1-of-3 bent part.csv.3-of-3 -o bad.csv
expect_error "a part that is damaged" 1 "bent: is not whole: it ends before spectrum [0-9]+ of [0-9]+"
run "$ANPE" merge part.csv.1-of-3 mocks1.h5 -o bad.csv
expect_error "no part at all" 1 "mocks1.h5: is no part of a run of this version of anpe, made with --part K/N"
mv model.h5 moved.h5
run "$ANPE" merge part.csv.?-of-3 -o bad.csv
expect_error "the model is gone" 1 "model.h5"
check "nothing is written" test ! -e bad.csv
run "$ANPE" merge part.csv.?-of-3 -o part.csv --model moved.h5 --quiet
check "the model elsewhere" test "$status" = 4 -a -e part.csv
mv moved.h5 model.h5
for part in 0/3 4/3 2 a/b 1/2/3 -1/2 ''; do
    run infer mocks330.h5 -o x.csv --part "$part"
    expect_error "--part '$part'" 2 "--part must be K/N, part K of N with K from 1 to N, such as 2/8, not '$part'"
done
run infer mocks1.h5 -o x.csv --part 1/2
expect_error "more parts than spectra" 1 "--part 1/2: there are only 1 spectra, of which 1 parts can be made at most"
run infer mocks330.h5 -o x.csv --group id --part 1/2
expect_error "--part with --group" 2 "--part: not with --group"

# Parts of simulations, whose shares end within blocks.
simulate() { "$ANPE" simulate model.h5 --quiet --observed "$@"; }
run simulate -n 1000 -o sims.h5
mv sims.h5 whole.sims.h5
for k in 1 2 3 4 5 6 7; do run simulate -n 1000 -o sims.h5 --part $k/7; done
check "simulate: parts" test "$status" = 0 -a -e sims.h5.7-of-7
run "$ANPE" merge sims.h5.*-of-7 -o sims.h5
expect_out "simulate: merged" 0 "sims.h5: 1000 spectra"
check "simulate: the bytes of one run" cmp whole.sims.h5 sims.h5
rm sims.h5.4-of-7
run "$ANPE" merge sims.h5.*-of-7 -o bad.h5
expect "simulate: a missing part" 1 "anpe: of 7 parts these are missing: 4"

# The scripts of docs/book/cluster.md, as a queue would start them.
awk '/^```sh$/ { f = "script" ++n; next } /^```$/ { f = "" } f { print > f }' "$ANPE_SRCDIR/docs/book/cluster.md"
check "the chapter has two scripts" test -s script1 -a -s script2
printf 'mocks330.h5\nbroken.h5\nmocks700.h5\n' >spectra.txt
PATH=$(cd "$(dirname "$ANPE")" && pwd):$PATH
export PATH SLURM_ARRAY_TASK_COUNT=4 SLURM_CPUS_PER_TASK=1
for SLURM_ARRAY_TASK_ID in 1 2 3 4; do
    export SLURM_ARRAY_TASK_ID
    run sh ./script1
    check "its array, task $SLURM_ARRAY_TASK_ID" test "$status" = 0
done
run sh ./script2
check "its merge" test "$status" = 0
mv stars.fits merged.fits && mv draws.h5 merged.draws.h5
run "$ANPE" infer model.h5 --list spectra.txt -o stars.fits --posterior draws.h5
check "make the bytes of one run" cmp stars.fits merged.fits
check "and its draws" cmp draws.h5 merged.draws.h5
finish
