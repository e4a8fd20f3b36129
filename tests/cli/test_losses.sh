#!/bin/sh
# What a run that fails or is ended loses and leaves: earlier results stay, nothing half-written does,
# two outputs never take one name, permissions stay as they were.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
tools=$(cd "${ANPE_BUILDDIR:-.}/tests/cli" && pwd)
[ -x "$tools/make_sets" ] || skip_all "tests/cli/make_sets is not built"
source=$(cd "$ANPE_SRCDIR" && pwd)
cd "$work" || exit 99
"$tools/make_sets" sims.h5 theta=4000x2 x=4000x2 || exit 99
"$tools/make_sets" few.h5 x=12x2 || exit 99
train() {
    "$ANPE" train "$source/instruments/array/two_moons.cfg" --data sims.h5 --set train.epochs=1 \
        --set train.batch=1000 --quiet "$@"
}
run train -o one.h5
check "train" test "$status" = 0 -a -s one.h5
[ -s one.h5 ] || finish
infer() { "$ANPE" infer one.h5 few.h5 --samples 2 --quiet "$@"; }

# ---- a run that fails leaves earlier results as they were ------------------------------------------
# The limit lets the draws through, and stops the catalogue.
many() { "$ANPE" infer one.h5 sims.h5 sims.h5 --samples 2 --quiet "$@"; }
limited() { (
    ulimit -f "$1"
    shift
    "$@"
); }
keeps() { # NAME FILE LIMIT COMMAND...
    what=$1 file=$2 limit=$3
    shift 3
    run "$@"
    check "$what: a first run" test "$status" = 0 -a -s "$file"
    cp "$file" before
    run limited "$limit" "$@"
    expect_error "$what: the second cannot write its catalogue" 1 "c\.[a-z0-9]+: .*File too large"
    check "$what: what the first wrote is still there" cmp -s "$file" before
    check "$what: nothing is left" test -z "$(find . -name '.*.tmp*')"
}
block=$( (ulimit -f 1; head -c 4096 /dev/zero >blocks) 2>/dev/null; wc -c <blocks)
rm -f blocks
limit=$((700 * 1024 / block))
keeps "infer, draws" p.h5 $limit many -o c.fits --posterior p.h5
keeps "infer, draws and .csv" p.h5 $limit many -o c.csv --posterior p.h5
keeps "infer, draws and .h5" p.h5 $limit many -o c.h5 --posterior p.h5
keeps "infer, the catalogue itself" c.fits $limit many -o c.fits

# ---- two spellings of one path --------------------------------------------------------------------
mkdir sub
ln -s . here
ln -s later.h5 pointer.h5
clash() { # NAME COMMAND...
    what=$1
    shift
    run "$@"
    expect_error "two names of one file: $what" 1 "the output would replace an input or another output"
    check "two names of one file: $what: none is written" test ! -e x.h5 -a ! -e later.h5 -a ! -e n.fits
}
clash "./" infer -o n.fits --posterior x.h5 --explain ./x.h5
clash "catalogue" infer -o sub/../x.h5 --posterior x.h5
clash "a directory by another name" infer -o n.fits --posterior x.h5 --explain here/x.h5
clash "absolute" infer -o "$work/x.h5" --posterior x.h5
clash "a link to what is not there yet" infer -o n.fits --posterior pointer.h5 --explain later.h5
run infer -o n.fits --posterior x.h5 --explain sub/x.h5
check "the same name in two directories is fine" test "$status" = 0 -a -s x.h5 -a -s sub/x.h5

# ---- links ----------------------------------------------------------------------------------------
run infer -o n.fits --posterior pointer.h5
check "a link to what is not there yet: the file is made, the link stays" \
    test "$status" = 0 -a -L pointer.h5 -a -f later.h5 -a ! -L later.h5
ln -s loop.h5 loop.h5
run infer -o loop.h5
expect_error "a link to itself" 1 "^anpe: loop.h5: cannot write: Too many levels of symbolic links"

# ---- permissions ----------------------------------------------------------------------------------
mode() { stat -c %a "$1"; }
permissions() { # NAME FILE COMMAND...
    what=$1 file=$2
    shift 2
    rm -f "$file"
    (umask 027 && "$@") >out 2>err
    check "$what: a new file has what the umask leaves" test "$(mode "$file")" = 640
    for mode in 600 664; do
        chmod $mode "$file"
        run "$@"
        check "$what: a file of $mode stays so" test "$status" = 0 -a "$(mode "$file")" = $mode
    done
}
permissions "infer, .fits" c.fits infer -o c.fits
permissions "infer, .csv" c.csv infer -o c.csv
permissions "infer, .h5" c.h5 infer -o c.h5
permissions "infer, draws" p.h5 infer -o c.csv --posterior p.h5
permissions "train" t.h5 train -o t.h5
run "$ANPE" plot curves one.h5 -o figure.png --quiet
if grep -q "PLplot" err; then
    skip "plot: permissions" "no figures in this build"
else
    permissions "plot" figure.png "$ANPE" plot curves one.h5 -o figure.png
fi
chmod 444 c.csv
if [ "$(id -u)" = 0 ]; then
    skip "a file that may not be written" "root may write all"
else
    run infer -o c.csv
    expect_error "a file that may not be written is not replaced" 1 \
        "^anpe: c.csv: cannot write: Permission denied"
fi

# ---- memory ---------------------------------------------------------------------------------------
# Draws that no one asked to keep are not: 100 stars x 8000 draws x 3 doubles are 18 MiB.
"$tools/make_sets" hundred.h5 x=100x2
held() { "$tools/peak" "$1" "$ANPE" infer one.h5 hundred.h5 --threads 1 --quiet --samples "$2" -o "$3"; }
run held few 400 few.csv
check "memory: few draws" test "$status" = 0
run held many 8000 many.csv
check "memory: many draws" test "$status" = 0
check "memory of infer does not grow with stars x draws: $(cat few many | tr '\n' ' ')KiB" \
    test $(($(cat many) - $(cat few))) -lt 9000
# What is kept is cut into blocks by its size.
run "$ANPE" infer one.h5 hundred.h5 --samples 8000 --quiet -o kept.csv --posterior kept.h5
check "the catalogue is the same whether draws are kept or not" \
    test "$(grep -v '^#' kept.csv)" = "$(grep -v '^#' many.csv)"

# ---- signals --------------------------------------------------------------------------------------
mkdir run
much="sims.h5 sims.h5 sims.h5 sims.h5 sims.h5 sims.h5 sims.h5 sims.h5"
much="$much $much"
begun() { [ "$(find run -name '.*.tmp' -size +0 | wc -l)" -gt 0 ]; }
long() { # starts a run that takes minutes; waits until its file is under way
    rm -rf run && mkdir run
    # shellcheck disable=SC2086
    "$ANPE" infer one.h5 $much --samples 2000 -o run/c.csv --posterior run/s.h5 --quiet \
        >out 2>err & child=$!
    await begun
    check "$1: the run has begun" kill -0 $child
}
ended() { # NAME STATUS
    status=0
    wait $child || status=$?
    check "$1: exit status $2" test "$status" = "$2"
    check "$1: no temporary file is left" test -z "$(ls -A run)"
}
hangup=HUP:129
if sh -c 'kill -HUP $$'; then # what a shell finds ignored it hands on
    hangup=
    skip "HUP" "this test was started with hangups ignored, as by nohup"
fi
for signal in $hangup INT:130 TERM:143 XCPU:152 QUIT:131 USR1:138; do
    sig=${signal%:*}
    long "$sig"
    kill -"$sig" $child
    ended "$sig" "${signal#*:}"
done
long "nohup"
kill -STOP $child && kill -INT $child && kill -HUP $child && kill -HUP $child && kill -CONT $child
status=0
wait $child || status=$?
check "hangups on the way do not cut an orderly end short" test "$status" = 130 -o "$status" = 129
check "hangups on the way: no temporary file is left" test -z "$(ls -A run)"
# A reader that goes away: the results are written, the message says what was not.
"$ANPE" infer one.h5 few.h5 -o run/c.fits 2>err | true
check "a reader that has gone: the catalogue is there" test "$(ls -A run)" = c.fits

# ---- what a run that was killed has left ----------------------------------------------------------
long "KILL"
kill -KILL $child
wait $child
left=$(ls -A run)
check "KILL: its file stays" test -n "$left"
# The same on another machine, of today and of last week; another output's; one whose run goes on.
other=$(echo "$left" | sed 's/\.h5\.[0-9a-f]*-/.h5.0123456789abcdef-/')
machine=$(echo "$left" | sed 's/.*\.h5\.\([0-9a-f]*\)-.*/\1/')
touch "run/$other" "run/.t.h5.$machine-1-0.tmp" "run/.s.h5.$machine-$$-0.tmp"
run "$ANPE" infer one.h5 few.h5 -o run/c.csv --posterior run/s.h5
check "KILL: the next run removes it" test "$status" = 0 -a ! -e "run/$left"
check "KILL: and says so" grep -q "left by a run that was killed: removed" err
check "another machine's file stays" test -e "run/$other"
check "another output's file stays" test -e "run/.t.h5.$machine-1-0.tmp"
check "the file of a run that goes on stays" test -e "run/.s.h5.$machine-$$-0.tmp"
check "a young file of another machine is no news" test "$(grep -c "another machine" err)" = 0
touch -d '2020-01-01' "run/$other"
run "$ANPE" infer one.h5 few.h5 -o run/c.csv --posterior run/s.h5
check "an old file of another machine stays, with a warning" \
    sh -c 'grep -q "left by a run on another machine" err && test -e "$1"' sh "run/$other"
finish
