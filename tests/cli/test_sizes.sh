#!/bin/sh
# Sizes that files declare and do not have: a message, no memory taken, and the good files of a run go on.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
tools=$(cd "${ANPE_BUILDDIR:-.}/tests/cli" && pwd)
[ -x "$tools/make_sets" ] || skip_all "tests/cli/make_sets is not built"
source=$(cd "$ANPE_SRCDIR" && pwd)
cd "$work" || exit 99
"$tools/make_sets" sims.h5 theta=4000x2 x=4000x2 || exit 99
"$tools/make_sets" few.h5 x=12x2 || exit 99
"$tools/make_sets" huge.h5 x=2000000000x2,chunk=1000x2,empty || exit 99
check "a file of some KB" test "$(wc -c <huge.h5)" -lt 65536
train() {
    "$ANPE" train "$source/instruments/array/two_moons.cfg" --set train.epochs=1 \
        --set train.batch=1000 --quiet "$@"
}
run train --data sims.h5 -o one.h5
check "train" test "$status" = 0 -a -s one.h5
[ -s one.h5 ] || finish

run "$ANPE" infer one.h5 few.h5 huge.h5 few.h5 --samples 2 --quiet -o c.csv
expect_error "a bad file among good ones" 4 "huge.h5: dataset 'x' declares 16000000000 bytes and stores 0"
check "the good ones are in the catalogue" test "$(grep -c 'few.h5' c.csv)" -ge 24
check "the bad one is one row" test "$(grep -c 'huge.h5' c.csv)" = 1
run "$ANPE" infer one.h5 huge.h5 --samples 2 --quiet -o d.csv
expect_error "a bad file alone" 1 "huge.h5: dataset 'x' declares 16000000000 bytes and stores 0"
"$tools/make_sets" data.h5 theta=2000000000x2,chunk=1000x2,empty x=2000000000x2,chunk=1000x2,empty
run train --data data.h5 -o two.h5
expect "simulations" 1 "anpe: data.h5: dataset 'theta' declares 16000000000 bytes and stores 0"
check "and no model" test ! -e two.h5
finish
