#!/bin/sh
# anpe watch: rows of files as they come, by every way that a file is completed; what a restart, a torn line and
# a file that is no spectrum make of it. Nothing is waited for but events.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
srcdir=$(cd "$ANPE_SRCDIR" && pwd)
cd "$work" || exit 99

small() { "$ANPE" train "$srcdir/tests/cli/small.cfg" -q --set train.steps=2 --set train.epochs=1 \
    --set train.n_validation=8 "$@"; }
small -o m.h5 || exit 99
small -o other.h5 --set train.seed=2 || exit 99
for n in 1 2 3 4 5; do
    "$ANPE" simulate m.h5 -q -n 1 --observed --seed $n -o s$n.h5 || exit 99
    mkdir -p in && (cd in && ln -s ../s$n.h5 s$n.h5 && "$ANPE" infer ../m.h5 s$n.h5 -q -s 50 -o ../s$n.csv && rm s$n.h5)
done
rows() { grep -v '^#' "$1" | tail -n +2; }
has_rows() { [ -s cat.csv ] && [ "$(rows cat.csv | wc -l)" -ge "$1" ]; }
# watch LOG ARGUMENT...: in the background, as $child
watch() {
    log=$1
    shift
    "$ANPE" watch m.h5 in -o cat.csv -s 50 "$@" >"$log" 2>"$log.err" &
    child=$!
}
ended() {
    status=0
    wait "$child" || status=$?
}

cp s1.h5 in/s1.h5
watch log --exec 'echo "$1 $2 $3" >>told'
await has_rows 1
check "a file that was there" has_rows 1
cp s2.h5 in/.s2.tmp
mv in/.s2.tmp in/s2.h5
await has_rows 2
check "a file that is moved there" has_rows 2
{ head -c 1000 s3.h5; await handles_interrupts; tail -c +1001 s3.h5; } >in/s3.h5
await has_rows 3
check "a file that is written in parts, once it is closed" has_rows 3
check "each row is that of anpe infer" sh -c '
    for n in 1 2 3; do grep "^s$n.h5" s$n.csv; done | sed "s/,s\(.\).h5,/,in\/s\1.h5,/" >expected
    grep -v "^#" cat.csv | tail -n +2 >got; cmp expected got'
printf 'no spectrum\n' >in/bad.h5
await has_rows 4
check "what is no spectrum has a row that says why" sh -c 'grep "^in/bad.h5\|^bad.h5" cat.csv | grep -q "bad.h5"'
printf 'a letter\n' >in/README
cp s4.h5 in/s4.h5
await has_rows 5
check "others are left alone" sh -c '! grep -q README cat.csv'
told() { [ "$(wc -l <told)" -ge 5 ]; }
await told
check "--exec has each star's file, identifier and flags" sh -c 'grep -q "^in/s2.h5 s2.h5\[0\] .*NOT_VALIDATED" told'
kill "$child"
ended
check "a termination ends it well" test "$status" = 0
check "and it has said each star" test "$(grep -c '^s.\.h5' log)" = 4

printf 's9.h5[0],in/s9' >>cat.csv # as a machine that failed has left it
cp s5.h5 in/s5.h5
run "$ANPE" watch m.h5 in -o cat.csv -s 50 --once
check "started again it goes on where the catalogue ends" test "$status" = 0 -a "$(rows cat.csv | wc -l)" = 6
check "a torn line is removed, and told" grep -q 'cat.csv: its last line was not whole; removed' err
run "$ANPE" watch m.h5 in -o cat.csv -s 50 --once --json
check "and a third time there is nothing new" grep -q '"n": 0' out
run "$ANPE" info m.h5
"$ANPE" infer m.h5 s1.h5 -q -s 50 -o one.csv --compare cat.csv --compare-id id 2>err
check "the catalogue is one" test -s one.csv

# ---- refusals ------------------------------------------------------------------------------------

cp cat.csv before.csv
run "$ANPE" watch other.h5 in -o cat.csv --once
expect_error "rows of another model" 1 'cat.csv: its rows are of another model'
cp s1.h5 in/again.h5
run "$ANPE" watch m.h5 in -o cat.csv -s 50 --exact --exact-max 2000 --once
expect_error "other columns" 1 'cat.csv: has other columns than these rows'
check "the catalogue is as it was" cmp before.csv cat.csv
printf 'id,ra\nHD1,1' >targets.csv
cp targets.csv targets.before
run "$ANPE" watch m.h5 in -o targets.csv --once
check "a table that is no catalogue is refused" test "$status" = 1
check "and keeps its last line, which has no end" cmp targets.before targets.csv
printf 'one line' >line.csv
run "$ANPE" watch m.h5 in -o line.csv --once
check "so has a file of one line" test "$status" = 1 -a "$(cat line.csv)" = "one line"
run "$ANPE" watch m.h5 in -o cat.fits --once
expect_error "no text" 1 'cat.fits: rows are added to text: choose a name in .csv or .ecsv'
run "$ANPE" watch m.h5 nowhere -o new.csv --once
expect_error "no directory" 1 'nowhere: cannot watch: No such file or directory'
check "nothing was left" test ! -e new.csv
run "$ANPE" watch m.h5 in -o new.ecsv -s 50 --once
check "ECSV: rows of all files" test "$status" = 0 -a "$(grep -c '^s.\.h5' new.ecsv)" = 5
finish
