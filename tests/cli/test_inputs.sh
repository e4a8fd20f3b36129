#!/bin/sh
# A model's emulator, table of labels and noise library are changed, moved or lost after the training:
# plain inference goes on with the same labels, and what needs the file refuses, with both digests.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
case $ANPE in /*) ;; *) ANPE=$PWD/$ANPE ;; esac
export SOURCE_DATE_EPOCH=1700000000 # equal runs give equal bytes
cd "$work" || exit 99
echo 0 >pivot.txt
printf '1 1 1\n0.1 0.2 0.3\n0 0.1 0\n' >c.txt
printf '1 1 1\n0.3 0.1 0.2\n0 0.1 0\n' >other.txt # of the same shape
cannon="--pivots pivot.txt --labels a_h --range -1:1 --quiet"
# shellcheck disable=SC2086 # $cannon is several words
{
    "$ANPE" import cannon c.txt $cannon -o e.h5 || exit 99
    "$ANPE" import cannon other.txt $cannon -o other.h5 || exit 99
}
{ echo "# a_h"; i=-40; while [ $i -le 40 ]; do echo "$i" | awk '{ print $1 / 50 }'; i=$((i + 1)); done; } >rows.txt
cat >small.cfg <<'C'
simulator = { plugin = "cannon"; file = "e.h5"; };
prior = ({ plugin = "table"; file = "rows.txt"; jitter = [0.02]; });
instrument = { plugin = "array"; shape = [3]; };
noise = { plugin = "gaussian"; sigma = 0.02; };
network = { context = 0; };
featurizer = { plugin = "identity"; };
flow = { plugin = "maf"; num_blocks = 2; hidden = 8; };
train = { batch = 32; steps = 10; epochs = 2; n_validation = 32; };
C
for name in mocks noise louder; do
    [ $name != louder ] || sed -i 's/0\.02; };/0.03; };/' small.cfg
    "$ANPE" simulate small.cfg -n 20 --observed -o $name.h5 --quiet || exit 99
done
sed -i '/^noise/s/=.*/= { plugin = "library"; file = "noise.h5"; };/' small.cfg
"$ANPE" train small.cfg -o model.h5 --quiet || exit 99

labels() { awk -F, '/^#/ { next } !head++ { for (i = 1; i <= NF; i++) want[i] = $i ~ /^a_h_/ }
    { for (i = 1; i <= NF; i++) if (want[i]) printf "%s ", $i; print "" }' "$1"; }
plain() { # NAME: the same labels, whatever lies there
    run "$ANPE" infer model.h5 mocks.h5 -o c.csv --quiet
    check "$1: plain inference goes on" test "$status" = 0
    labels c.csv >got
    check "$1: with the same labels" cmp -s got want
}
refused() { # NAME RE COMMAND...
    name=$1 re=$2
    shift 2
    rm -f x.h5 x.csv
    run "$@"
    expect_error "$name" 1 "$re"
    check "$name: nothing is written" test ! -e x.h5 -a ! -e x.csv
}
digest() { sha256sum "$1" | cut -d' ' -f1; }

run "$ANPE" infer model.h5 mocks.h5 -o c.csv
check "as trained, without a remark" test "$status" = 0 -a ! -s "$work/err"
labels c.csv >want
check "there are labels to compare" test "$(wc -w <want)" -ge 60
run "$ANPE" infer model.h5 mocks.h5 -o exact.csv --exact --predict p.h5
check "as trained: --exact and --predict" test "$status" = 0

# FILE OPTION OTHER: it is replaced by another one of the same form
changed() {
    cp "$1" kept
    then=$(digest "$1")
    cp "$3" "$1"
    both="$1: has changed since the model was trained with it \('$2'\): SHA-256 $(digest "$1"), it was $then"
}
for part in "e.h5 simulator.file other.h5" "rows.txt prior.\[0\].file more.txt"; do
    # shellcheck disable=SC2086 # three words
    set -- $part
    { cat rows.txt; echo 0.5; } >more.txt
    changed "$1" "$2" "$3"
    plain "$1 changed"
    expect_error "$1 changed: it says so" 0 "^anpe: warning: no chi2: .*$both$"
    refused "$1 changed: --exact" "made exact.*$both$" "$ANPE" infer model.h5 mocks.h5 -o x.csv --exact
    refused "$1 changed: --predict" "no model spectra.*$both$" \
        "$ANPE" infer model.h5 mocks.h5 -o x.csv --predict x.h5
    refused "$1 changed: --compare" "no model spectra.*$both$" \
        "$ANPE" infer model.h5 mocks.h5 -o x.csv --compare exact.csv
    refused "$1 changed: simulate" "$both$" "$ANPE" simulate model.h5 -n 5 -o x.h5
    refused "$1 changed: validate" "$both$" "$ANPE" validate model.h5 -n 50
    mv kept "$1"
done

# A checkpoint, to go on from.
"$ANPE" train small.cfg -o part.h5 --set train.epochs=100000 >out 2>err & child=$!
await grep -q 'epoch 1/' err
kill -INT $child 2>/dev/null
wait $child

changed noise.h5 noise.file louder.h5
run "$ANPE" train small.cfg -o part.h5 --set train.epochs=100000 --resume --quiet
expect_error "noise.h5 changed: --resume" 1 \
    "part.h5: --resume needs the same .*'noise.file', .*noise.h5, has changed: SHA-256 $(digest noise.h5), it was $then$"
plain "noise.h5 changed"
check "noise.h5 changed: chi2 does not need it" test ! -s "$work/err"
refused "noise.h5 changed: simulate" "$both$" "$ANPE" simulate model.h5 -n 5 --observed -o x.h5
refused "noise.h5 changed: validate" "$both$" "$ANPE" validate model.h5 -n 50
mv kept noise.h5

# A file of the training that lies elsewhere now is named anew, and must be that very file.
mkdir moved && mv e.h5 moved/e.h5
run "$ANPE" infer model.h5 mocks.h5 -o again.csv --exact --set simulator.file=moved/e.h5
check "e.h5 moved: --set says where it is" test "$status" = 0 -a ! -s "$work/err"
check "e.h5 moved: the same catalogue but for the record" sh -c \
    'grep -v "^# RUN" exact.csv >was; grep -v "^# SET0\|^# RUN" again.csv | cmp - was && grep -q "^# SET0 = simulator.file=moved/e.h5" again.csv'
refused "e.h5 moved: another file" "other.h5: has changed since the model was trained with it \('simulator.file'\)" \
    "$ANPE" infer model.h5 mocks.h5 -o x.csv --exact --set simulator.file=other.h5
refused "e.h5 moved: no file" "^anpe: nowhere.h5: .*it is 'simulator.file' of the model" \
    "$ANPE" infer model.h5 mocks.h5 -o x.csv --set 'simulator.file="nowhere.h5"'
mv moved/e.h5 e.h5

# What the command line names anew is the user's word.
run "$ANPE" simulate model.h5 -n 5 -o given.h5 --quiet --set simulator.file="\"$work/other.h5\""
expect "a file given with --set" 0

for file in e.h5 rows.txt; do
    then=$(digest $file)
    mv $file away
    plain "$file lost"
    expect_error "$file lost: it says so" 0 "no chi2: .*$file: No such file.*SHA-256 $then$"
    refused "$file lost: --exact" "$file: No such file.*SHA-256 $then$" \
        "$ANPE" infer model.h5 mocks.h5 -o x.csv --exact
    refused "$file lost: validate" "$file: No such file.*SHA-256 $then$" "$ANPE" validate model.h5 -n 50
    mv away $file
done
run "$ANPE" infer model.h5 mocks.h5 -o again.csv --exact --predict again.h5
check "all back: --exact and --predict" test "$status" = 0
grep -v '^# RUN' exact.csv >was && grep -v '^# RUN' again.csv >now # with more that was asked for
check "and the same catalogue" cmp was now
finish
