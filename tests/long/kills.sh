#!/bin/sh
# kill -9 at random moments of each command that can go on: what is in place afterwards is old or whole, and the same
# command then ends with the bytes of a run that was not killed. KILLS in all, SEED of their moments.
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
: "${KILLS:=200}" "${SEED:=1}"
export SOURCE_DATE_EPOCH=1700000000
rm -rf ./* && mkdir run data
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
train = { batch = 32; steps = 60; epochs = 12; n_validation = 32; };
C
"$ANPE" train all.cfg -o model.h5 --quiet || exit 99
"$ANPE" simulate model.h5 -n 3000 --observed -o mocks.h5 --quiet || exit 99
for k in 1 2 3; do "$ANPE" infer model.h5 mocks.h5 -o stars.fits --posterior run/d.h5 -s 100 --part $k/3 --quiet || exit 99; done
cp model.h5 zoo.h5 && "$ANPE" validate zoo.h5 -n 60 -s 20 --quiet || exit 99
XDG_DATA_HOME=$PWD/data
export XDG_DATA_HOME
key=$("$ANPE" zoo key secret) && "$ANPE" zoo trust "$key" --name tests --quiet &&
    "$ANPE" zoo publish zoo.h5 registry --key secret --name small --release 1.0 --with emulator.h5 --quiet || exit 99
XDG_DATA_HOME=$PWD/run/data

# Milliseconds of this machine's clock.
now() { date +%s%3N; }
prepare() { :; }
fresh() { rm -rf run && mkdir run && prepare; }
# What is in place. Temporary files are counted; a journal and a zoo's part of a download are to go on from, a checkpoint is a model.
state() { (cd run && find . -type f ! -name '*.part' ! -path '*/.partial/*' ! -name '.*.tmp*' -exec cksum {} + | sort); }

# killed NAME COMMAND...: its share of the kills.
killed() {
    what=$1
    shift
    took=1000000
    for again in 1 2 3; do # the shortest, for the machine may be busy
        fresh
        state >before
        t=$(now)
        "$@" >out 2>err </dev/null || { not_ok "$what: not killed, run $again"; cat err; return; }
        t=$(($(now) - t))
        [ $t -ge $took ] || took=$t
    done
    state >after
    nothing=0 journal=0 checkpoint=0 finished=0 left=0 n=0
    : >faulty
    while [ $n -lt $((KILLS / 6 + (commands < KILLS % 6))) ]; do
        n=$((n + 1)) moment=$((moment + 1))
        fresh
        "$@" >out 2>err </dev/null &
        child=$!
        sleep "$(awk -v took=$took -v seed="$SEED" -v k=$moment 'BEGIN { srand(seed * 1000 + k); rand(); printf "%.3f", rand() * took / 1000 }')"
        kill -9 $child 2>/dev/null
        wait $child 2>/dev/null
        state >now
        if cmp -s now after; then finished=$((finished + 1))
        elif [ -n "$(find run -name '*.part' -o -path '*/.partial/*' -type f)" ]; then journal=$((journal + 1))
        elif cmp -s now before; then nothing=$((nothing + 1))
        else checkpoint=$((checkpoint + 1)); fi
        sort before after | comm -13 - now | while read -r _ _ file; do
            "$ANPE" info "run/$file" >/dev/null 2>&1 || echo "kill $n: $file is neither old nor whole"
        done >>faulty
        "$@" >out 2>err </dev/null || echo "kill $n: does not go on: $(tail -n 1 err)" >>faulty
        state >now
        cmp -s now after || { echo "kill $n: ends with another result"; diff after now; } >>faulty
        find run -name '*.part' -o -path '*/.partial/*' -type f >>faulty
        left=$((left + $(find run -name '.*.tmp*' | wc -l)))
    done
    commands=$((commands + 1))
    check "$what: goes on to the same bytes after each of $n kills" none cat faulty
    figure "$what, $took ms, $n kills: nothing yet | blocks or a part | a checkpoint | finished" \
        "$nothing | $journal | $checkpoint | $finished"
    figure "$what, temporary files of killed runs that the next run has left" $left
}
commands=0 moment=0
killed train "$ANPE" train all.cfg -o run/model.h5 --resume --quiet --threads 1
killed infer "$ANPE" infer model.h5 mocks.h5 -o run/stars.fits --posterior run/d.h5 -s 100 --resume --quiet --threads 2
killed "simulate, a grid" "$ANPE" simulate all.cfg -n 100000 --design sobol --own-grid --resume -o run/grid.h5 --quiet --threads 1
prepare() { cp model.h5 run/; }
killed validate "$ANPE" validate run/model.h5 -n 1500 -s 100 --exact 60 --resume -o run/report.txt --quiet --threads 2
prepare() { cp -r data run/; }
killed "zoo get" "$ANPE" zoo get small --from registry --quiet
prepare() { :; }
killed merge "$ANPE" merge stars.fits.1-of-3 stars.fits.2-of-3 stars.fits.3-of-3 -o run/stars.fits --quiet
finish
