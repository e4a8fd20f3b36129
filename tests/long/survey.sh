#!/bin/sh
# A survey's worth of spectra through `anpe infer`: memory does not grow with them, five kills change no byte,
# and parts are the whole. A small linear model and all formats, or FITS with MODEL, a file or one that comes with anpe;
# N=1000000 for more.
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
[ -x /usr/bin/time ] || skip_all "GNU time is not installed"
: "${N:=100000}" "${MODEL:=}"
export SOURCE_DATE_EPOCH=1700000000
ANPE_ZOO=$(cd "$ANPE_SRCDIR/zoo" && pwd)
export ANPE_ZOO

make_small() {
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
}
formats=fits
[ -n "$MODEL" ] || { make_small && MODEL=$PWD/model.h5 formats="fits h5 csv vot"; }
for n in 1000 "$N"; do "$ANPE" simulate "$MODEL" -n "$n" --observed -o "mocks$n.h5" --quiet || exit 99; done
rm -f out.* draws.h5 whole.*

# peak N EXTENSION OPTIONS: KiB resident
peak() {
    n=$1 e=$2
    shift 2
    /usr/bin/time -f "%M %e" -o rss "$ANPE" infer "$MODEL" "mocks$n.h5" -o "whole.$e" --samples 100 --quiet "$@" || exit 99
    cut -d ' ' -f 1 rss
}
for e in $formats; do
    small=$(peak 1000 $e)
    large=$(peak "$N" $e)
    figure "KiB for 1000 spectra, .$e" "$small"
    # recovery of known labels: 56 bytes a mock
    demand "KiB for $N spectra, .$e" "$large" "<=" $((small + N * 56 / 1024 + 8192))
done
large=$(peak "$N" fits --posterior whole.draws.h5)
demand "KiB with draws" "$large" "<=" 500000
figure "spectra a second, 100 draws each" "$(awk -v n="$N" '{ printf "%.0f", n / $2 }' rss)"

size() { if [ -e "$1" ]; then wc -c <"$1"; else echo 0; fi; }
grown() { [ "$(size "$1")" -gt "$2" ]; }
bytes=$(size whole.draws.h5)
for kill in 1 2 3 4 5; do
    "$ANPE" infer "$MODEL" "mocks$N.h5" -o out.fits --samples 100 --quiet --posterior draws.h5 --resume &
    child=$!
    await grown out.fits.part $((kill * bytes / 6))
    [ -e out.fits ] && say "kill $kill came too late"
    kill -9 $child 2>/dev/null
    wait $child 2>/dev/null
    figure "bytes of the journal at kill $kill" "$(size out.fits.part)"
done
"$ANPE" infer "$MODEL" "mocks$N.h5" -o out.fits --samples 100 --quiet --posterior draws.h5 --resume
check "after five kills: the same catalogue" cmp whole.fits out.fits
check "and the same draws" cmp whole.draws.h5 draws.h5
rm -f out.fits draws.h5
for k in 1 2 3 4; do
    "$ANPE" infer "$MODEL" "mocks$N.h5" -o out.fits --samples 100 --quiet --posterior draws.h5 --part $k/4
done
/usr/bin/time -f "%M %e" -o rss "$ANPE" merge out.fits.?-of-4 -o out.fits --quiet
demand "KiB of the merge" "$(cut -d ' ' -f 1 rss)" "<=" 500000
check "four parts: the same catalogue" cmp whole.fits out.fits
check "and the same draws" cmp whole.draws.h5 draws.h5
rm -f out.* draws.h5 whole.* "mocks$N.h5"
finish
