#!/bin/sh
# Every command with one call after the other that fails (tests/faults/faults.c): each time the run ends
# as documented, with a sentence, and what was there before is still there, whole; or it ends well, and
# then with the bytes of a run without faults. Here a sample of the calls, all of them in
# `make check-long STUDIES=faults`, which sets RUNS.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
faults=$(cd "${ANPE_BUILDDIR:-.}/tests/faults" 2>/dev/null && pwd)/.libs/faults.so
[ -f "$faults" ] || skip_all "tests/faults/faults.so is not built"
tools=$(cd "${ANPE_BUILDDIR:-.}/tests/cli" && pwd)
source=$(cd "$ANPE_SRCDIR" && pwd)
export SOURCE_DATE_EPOCH=1767225600
: "${RUNS:=3}"
cd "$work" || exit 99

# with FAULT COMMAND...: standard error in err, the number of calls in count. Status 124: it hung, which is no way to end.
with() {
    fault=$1
    shift
    rm -f count
    status=0
    ANPE_FAULT=$fault ANPE_FAULT_LOG=$work/count timeout 300 env LD_PRELOAD="$faults" "$@" >out 2>err </dev/null || status=$?
}

# What is in the directory of outputs: names and contents. Not what a zoo has fetched in part, to go on from.
state() { (cd run && find . -type f ! -path '*/.partial/*' -exec cksum {} + | sort); }

# The run that just ended is as it may be; else says why.
is_sound() {
    case $status in
    0)
        state >now
        cmp -s now after || { echo "ended well with another result: $(tail -n 1 err)"; return; }
        ;;
    1 | 4)
        grep -q '^anpe: ' err || echo "status $status without a sentence"
        # With 4 there is an output, of what could be used. Of several outputs one may be in its place already.
        state >now
        [ "$status" = 4 ] || $whole || sort before after | comm -13 - now | sed 's/^/is neither old nor new: /'
        ;;
    # libconfig ends the program itself where it cannot read what was read a moment before.
    *) grep -q '^input in flex scanner failed' err || echo "status $status: $(tail -n 1 err)" ;;
    esac
    find run -name '.*.tmp*' | sed 's/^/is left: /'
}

# try CLASS NAME COMMAND...: RUNS calls of the class, evenly, the first and the last among them.
try() {
    class=$1 what=$2
    shift 2
    fresh
    with "$class:0" "$@"
    n=$(cat count 2>/dev/null || echo 0)
    [ "$n" -gt 0 ] || return 0
    tried=0 well=0 k=1
    : >faulty
    while [ "$k" -le "$n" ]; do
        for how in $class:$k $([ $class = write ] && echo "$class:$k+"); do
            fresh
            with "$how" "$@"
            is_sound | sed "s/^/$how: /" >>faulty
            tried=$((tried + 1))
            [ "$status" != 0 ] || well=$((well + 1))
        done
        [ "$RUNS" -lt "$n" ] || { k=$((k + 1)); continue; }
        [ "$k" -lt "$n" ] || break
        k=$((k + (n - 1) / (RUNS - 1)))
        [ "$k" -le "$n" ] || k=$n
    done
    check "$what: $class, $tried of $n calls" none cat faulty
    echo "    $tried runs: $well ended well, with the same result; $((tried - well)) with a sentence"
}

# An old result in each place that the command writes to, and what it changes.
fresh() {
    rm -rf run && mkdir run
    for o in $outputs; do echo "a result of yesterday" >"run/$o"; done
    prepare
}
prepare() { :; }

whole=false # a command that succeeds if an output is a whole one that is neither
# command NAME OUTPUTS COMMAND...: all classes.
command_() {
    what=$1 outputs=$2
    shift 2
    fresh
    state >before
    with allocate:0 "$@"
    check "$what: without faults" test "$status" = 0
    check "$what: its calls are counted" test "$(cat count 2>/dev/null || echo 0)" -gt 0
    [ "$status" = 0 ] || { cat err; return; }
    state >after
    for class in write short sync rename open read brief allocate; do try $class "$what" "$@"; done
}

# resumes NAME COMMAND...: a run with --resume that failed leaves its journal, and the next one ends as if it had not.
resumes() {
    what=$1
    shift
    outputs=
    fresh
    "$@" >out 2>err </dev/null
    state >after
    : >faulty
    tried=0 failed=0
    for class in write short sync rename open read brief allocate; do
        fresh
        with "$class:0" "$@"
        n=$(cat count 2>/dev/null || echo 0) k=1
        while [ "$k" -le "$n" ]; do
            fresh
            with "$class:$k" "$@"
            case $status in
            0) ;;
            1 | 4) grep -q '^anpe: ' err || echo "$class:$k: no sentence" ;;
            *) grep -q '^input in flex scanner failed' err || echo "$class:$k: status $status: $(tail -n 1 err)" ;;
            esac
            failed=$((failed + (status != 0)))
            if [ "$status" != 4 ]; then # with 4 it has ended, without the spectrum that could not be read
                "$@" >out 2>err </dev/null || echo "$class:$k: does not go on: $(tail -n 1 err)"
                state >now
                cmp -s now after || echo "$class:$k: ends with another result"
            fi
            tried=$((tried + 1))
            if [ "$RUNS" -ge "$n" ]; then k=$((k + 1)); else k=$((k + 1 + (n - 2) / (RUNS - 1))); fi
        done >>faulty
    done
    check "$what: after a failed call, $tried of them" test "$tried" -gt 0
    check "$what: goes on to the same files" none cat faulty
    echo "    $tried runs: $((tried - failed)) ended well, $failed with a sentence and then went on"
}

"$tools/make_sets" sims.h5 theta=400x2 x=400x2 || exit 99
"$tools/make_sets" few.h5 x=12x2 || exit 99
small="$ANPE train $source/instruments/array/two_moons.cfg --data sims.h5 --threads 1 --set train.epochs=1 --set train.batch=50 --set train.steps=2"
$small -o model.h5 --quiet || exit 99
infer() { command_ "$1" "$2" "$ANPE" infer model.h5 few.h5 --samples 20 --threads 1 -o "run/${2%% *}" $3; }
infer "infer, FITS and draws" "c.fits s.h5" "--posterior run/s.h5"
infer "infer, CSV" c.csv
infer "infer, HDF5 and gradients" "c.h5 e.h5" "--explain run/e.h5"
resumes "infer --resume" "$ANPE" infer model.h5 few.h5 --samples 20 --threads 1 -o run/c.fits --posterior run/s.h5 --resume
resumes "infer --part" "$ANPE" infer model.h5 few.h5 --samples 20 --threads 1 -o run/c.fits --part 2/3
for k in 1 2; do "$ANPE" infer model.h5 few.h5 --samples 20 -o p.fits --part $k/2 --quiet || exit 99; done
command_ "merge" c.fits "$ANPE" merge p.fits.1-of-2 p.fits.2-of-2 -o run/c.fits
command_ "info" "" "$ANPE" info model.h5
opens() { "$ANPE" info run/model.h5 >/dev/null 2>&1; }
whole=opens # a checkpoint
# shellcheck disable=SC2086
command_ "train" model.h5 $small -o run/model.h5
whole=false

# A model that is changed, and a registry.
"$ANPE" train "$source/tests/fuzz/tiny.cfg" -o tiny.h5 --quiet || exit 99
prepare() { cp tiny.h5 run/; }
validate="$ANPE validate run/tiny.h5 -n 200 -s 20 --threads 1"
# shellcheck disable=SC2086
command_ "validate" report.json $validate -o run/report.json
# shellcheck disable=SC2086
resumes "validate --resume" $validate --exact 2 -o run/report.txt --resume
# shellcheck disable=SC2086
prepare && $validate --quiet || exit 99
mkdir data && XDG_DATA_HOME=$work/data && export XDG_DATA_HOME
key=$("$ANPE" zoo key secret) && "$ANPE" zoo trust "$key" --name tests --quiet &&
    "$ANPE" zoo publish run/tiny.h5 registry --key secret --name tiny --release 1.0 --quiet || exit 99
prepare() { cp -r data run/; }
XDG_DATA_HOME=$work/run/data
command_ "zoo get" "" "$ANPE" zoo get tiny --from registry
resumes "zoo get" "$ANPE" zoo get tiny --from registry
XDG_DATA_HOME=$work/data
prepare() { :; }
small=$source/tests/cli/small.cfg
command_ "simulate, a grid" grid.h5 "$ANPE" simulate "$small" -n 3 --design sobol --own-grid --skip-refused --threads 1 \
    -o run/grid.h5
command_ "simulate" sims.h5 "$ANPE" simulate "$small" -n 3 --threads 1 -o run/sims.h5
command_ "synth" star.csv "$ANPE" synth "$small" --set teff=5000 --set logg=3 --set fe_h=0 --set mg_fe=0 \
    --set vmicro=1.5 --set vmacro=3 -o run/star.csv
# Files of text.
{
    echo velocity 5000 6500
    awk 'BEGIN { for (v = -20; v <= 20; v += 2) print v, exp(-v * v / 50), exp(-v * v / 60) }'
} >kernels.txt
{
    echo "# label"
    awk 'BEGIN { for (i = 0; i < 50; i++) print 4000 + 50 * i }'
} >rows.txt
cat >text.cfg <<'CFG'
simulator = { plugin = "lines"; free = [ "teff", "vmacro" ]; };
prior = ({ plugin = "table"; file = "rows.txt"; columns = [ "teff" ]; },
         { plugin = "independent"; labels = ({ name = "vmacro"; type = "uniform"; min = 1.0; max = 9.0; }); });
instrument = { plugin = "spectrum"; windows = [ 5150.0, 5200.0 ]; resolution = 20000.0; lsf = "kernels.txt"; };
noise = { plugin = "spectrum"; };
CFG
command_ "simulate, tables as text" sims.h5 "$ANPE" simulate text.cfg -n 3 --threads 1 -o run/sims.h5
finish
