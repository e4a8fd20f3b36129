#!/bin/sh
# anpe validate on a small model: what is stored and what is not, threads, interruption, bad input.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
cd "$work" || exit 99
validate() { run "$ANPE" validate "$@"; }

run "$ANPE" train "$ANPE_SRCDIR/tests/cli/small.cfg" -o trained.h5 --quiet --set train.epochs=1 --set train.n_sims=48
check "train" test "$status" = 0
run "$ANPE" info trained.h5
check "a new model is not validated" grep -q "^validation *not validated" out

cp trained.h5 m.h5
validate m.h5 -n 60 -s 50 --dry -o report.txt
check "--dry leaves the model" cmp m.h5 trained.h5
check "the text is the report" cmp out report.txt
validate m.h5 -n 60 -s 50 --scale 0.8
check "--scale leaves the model" cmp m.h5 trained.h5
validate m.h5 -n 60 -s 50 --shift 0.3
check "--shift leaves the model" cmp m.h5 trained.h5

chmod 640 m.h5
validate m.h5 -n 60 -s 50 --threads 1 -o one.json
check "validate" test "$status" = 0
check "the model keeps its permissions" test "$(stat -c %a m.h5)" = 640
cp trained.h5 two.h5
validate two.h5 -n 60 -s 50 --threads 2
check "1 and 2 threads store the same, byte for byte" cmp m.h5 two.h5
validate two.h5 -n 60 -s 50
check "a second validation replaces the first" test "$status" = 0
run "$ANPE" info two.h5
check "info shows it" grep -q "^validation *60 mocks" out
check "with each label" grep -q "^  mg_fe " out
run "$ANPE" info two.h5 --json
check "info --json" grep -q '"valid": *true' out
check "the JSON report has SBC, coverage and TARP" sh -c \
    'grep -q sbc_p one.json && grep -q coverage one.json && grep -q tarp one.json'

# The model infers as before, and a changed model is no longer validated.
run "$ANPE" simulate trained.h5 -n 4 --observed -o mocks.h5 --quiet
run "$ANPE" infer trained.h5 mocks.h5 -o before.h5 -p before_draws.h5
run "$ANPE" infer m.h5 mocks.h5 -o after.h5 -p after_draws.h5
check "the draws are those of the model before" cmp before_draws.h5 after_draws.h5
run "$ANPE" infer trained.h5 mocks.h5 -o before.csv
check "flag of a model that is not validated" grep -q NOT_VALIDATED out
check "no corrected intervals without a validation" lacks _p16_cal before.csv
cp trained.h5 full.h5
validate full.h5 -n 250 -s 50
check "75 mocks give no 99.5 % quantile" grep -q "too few mocks for this rate" out
run "$ANPE" infer full.h5 mocks.h5 -o one.csv --threads 1
check "a validated model flags no star with that" lacks NOT_VALIDATED out
check "corrected intervals" grep -q teff_p16_cal one.csv
check "misspecification columns" grep -q 'context_distance.*predictive_p' one.csv
run "$ANPE" infer full.h5 mocks.h5 -o two.csv --threads 2
check "1 and 2 threads give the same checks" cmp one.csv two.csv
run "$ANPE" info full.h5
run "$ANPE" train "$ANPE_SRCDIR/tests/cli/small.cfg" -o other.h5 --quiet --set train.epochs=1 --set train.n_sims=48 --seed 7
# HDF5 1.10 copies groups with many attributes to files with a user block so that they cannot be changed: without
# the seals, therefore.
graft() {
    tail -c +513 "$1" >from.h5 && tail -c +513 "$2" >to.h5 && "$ANPE_BUILDDIR/tests/cli/graft" from.h5 to.h5 ${3:+"$3"} &&
        mv to.h5 "$2" && "$ANPE" zoo seal "$2" --quiet
}
graft m.h5 other.h5
run "$ANPE" info other.h5
check "a validation of other weights does not count" grep -q "validated for other weights" out
cp trained.h5 older.h5
graft full.h5 older.h5 1
run "$ANPE" info older.h5
check "nor does one of another layout" grep -q "^validation *not validated" out
expect_error "which is said" 0 "older.h5: the validation in it was made by another version"
run "$ANPE" infer older.h5 mocks.h5 -o older.csv
check "and its stars are flagged" sh -c 'test "$1" = 0 && grep -q NOT_VALIDATED out' - "$status"

# Ctrl-C.
cp trained.h5 stopped.h5
"$ANPE" validate stopped.h5 -n 1000000 --quiet 2>/dev/null &
child=$!
await handles_interrupts
sleep 1 # on most machines among the mocks; no verdict needs it
kill -INT $child
wait $child
check "ctrl-C: status 130" test $? = 130
check "ctrl-C leaves the model" cmp stopped.h5 trained.h5
check "ctrl-C leaves no temporary file" test "$(ls -A | grep -c '\.tmp$')" = 0

# What goes wrong.
validate m.h5 -o report.pdf.xls -n 60
expect_error "unknown kind of report" 2 "report.pdf.xls: a report ends in"
validate m.h5 -o m.h5 -n 60
check "a report that would replace the model" test "$status" != 0
validate nosuch.h5
expect_error "missing model" 1 "nosuch.h5.*No such file"
validate mocks.h5
expect_error "not a model" 1 "mocks.h5: not a model with a seal"
validate m.h5 -n 60 -s 50 --repeats mocks.h5
expect_error "no star comes twice" 1 "no identifier comes twice among 4 spectra"
finish
