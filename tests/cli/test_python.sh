#!/bin/sh
# python/anpe.py: the command's numbers from Python, and the example of the documentation.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
srcdir=$(cd "$ANPE_SRCDIR" && pwd) builddir=$(cd "${ANPE_BUILDDIR:-.}" && pwd)
python=
for p in python3 /usr/bin/python3; do
    [ -z "$python" ] && $p -c "import numpy" 2>/dev/null && python=$p
done
[ -n "$python" ] || skip_all "python3 with numpy is not installed (Debian: python3-numpy)"
grep -q '^SANITIZE = -f' "$builddir/Makefile" && skip_all "python3 does not start with the sanitizers' library"
cd "$work" || exit 99

"$ANPE" train "$srcdir/tests/cli/small.cfg" -q -o m.h5 --set train.steps=2 --set train.epochs=1 \
    --set train.n_validation=8 || exit 99
"$ANPE" validate m.h5 -q -n 200 -s 20 || exit 99
"$ANPE" simulate m.h5 -q -n 6 --observed -o mocks.h5 || exit 99
: >empty.h5
"$ANPE" infer m.h5 mocks.h5 empty.h5 -q -s 200 -o stars.csv 2>err
check "the command's catalogue" test -s stars.csv

mkdir -p zoo/mini/1.0 && cp m.h5 zoo/mini/1.0/mini.h5
export ANPE_ZOO="$work/zoo" XDG_DATA_HOME="$work/none"
ANPE_LIBRARY=$builddir/.libs/libanpe.so.1 PYTHONPATH=$srcdir/python PYTHONDONTWRITEBYTECODE=1
export ANPE_LIBRARY PYTHONPATH PYTHONDONTWRITEBYTECODE
run $python -W ignore "$srcdir/tests/python/test_anpe.py" m.h5 mocks.h5 empty.h5 stars.csv "$work"
cat out err
checks=$((checks + $(grep -c '^\(not \)\{0,1\}ok ' out))) failures=$((failures + $(grep -c '^not ok ' out)))
[ "$status" = 0 ] || [ "$failures" -gt 0 ] || not_ok "the test ran to its end"

"$ANPE" infer m.h5 mocks.h5 -o again.csv 2>err | sed '/^how well/,$d; /^again.csv/d' >said
run $python "$srcdir/docs/examples/first_posterior.py" m.h5 mocks.h5
check "the example prints what the command prints" cmp said out
run $python -c 'import anpe; help(anpe)'
check "every function has its words" grep -q 'theta (n_draws, D)' out
finish
