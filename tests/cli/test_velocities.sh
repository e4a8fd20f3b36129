#!/bin/sh
# An emulator on the instrument's own grid has no flux beyond its ends: what the prior's velocities can reach
# is left out when a model is trained, and a velocity beyond the prior gets no model spectrum.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
case $ANPE in /*) ;; *) ANPE=$PWD/$ANPE ;; esac
export SOURCE_DATE_EPOCH=1700000000
cd "$work" || exit 99

# 7214 pixels of a continuum with a line every 50 pixels that follows a_h
awk 'BEGIN { for (k = 0; k < 3; k++) { for (i = 0; i < 7214; i++)
    printf "%g ", k == 0 ? 1 - 0.2 * (i % 50 == 25) : k == 1 ? -0.1 * (i % 50 == 25) : 0; print "" } }' >c.txt
echo 0 >pivot.txt
"$ANPE" import cannon c.txt --pivots pivot.txt --labels a_h --range=-1:1 --grid apogee -o e.h5 --quiet || exit 99
cat >rv.cfg <<'C'
simulator = { plugin = "cannon"; file = "e.h5"; };
prior = ({ plugin = "independent"; labels = ({ name = "a_h"; type = "uniform"; min = -1.0; max = 1.0; },
    { name = "rv"; type = "uniform"; min = -5.0; max = 5.0; }); });
instrument = { plugin = "apogee"; grid = 7214; };
noise = { plugin = "gaussian"; snr = 100.0; };
observe = { basis = 4; };
network = { context = 4; };
featurizer = { plugin = "mlp"; hidden = [ 8 ]; };
flow = { plugin = "maf"; num_blocks = 1; hidden = 8; };
train = { batch = 8; steps = 4; epochs = 1; n_validation = 16; };
C

run "$ANPE" train rv.cfg -o near.h5
check "train at 5 km/s" test "$status" = 0
near=$(sed -n 's/^anpe: \([0-9]*\) pixels are left out: .*velocities from -5 to 5 .*/\1/p' "$work/err")
check "pixels at the ends are left out" test "${near:-0}" -gt 0
run "$ANPE" train rv.cfg -o far.h5 --set 'prior=({plugin="independent";labels=(
    {name="a_h";type="uniform";min=-1.0;max=1.0;},{name="rv";type="uniform";min=-300.0;max=300.0;});})'
check "train at 300 km/s" test "$status" = 0
far=$(sed -n 's/^anpe: \([0-9]*\) pixels are left out: .*velocities from -300 to 300 .*/\1/p' "$work/err")
# 300 km/s are 72.5 pixels of 6e-6 dex at each end of three detectors, 5 km/s not two
check "more pixels, the further the velocities reach" test "${far:-0}" -ge $((6 * 70 + near))

run "$ANPE" simulate near.h5 -n 3 --observed -o mocks.h5 --quiet
run "$ANPE" infer near.h5 mocks.h5 -o plain.csv --quiet
check "infer" test "$status" = 0
printf 'id,a_h,rv\nx,0.1,1\ny,0.1,200\nz,0.1,nan\n' >labels.csv
run "$ANPE" infer near.h5 mocks.h5 -o compared.csv --compare labels.csv
check "infer --compare" test "$status" = 0
comparison() { awk -F, '/^#/ { next } !head++ { for (i = 1; i <= NF; i++) at[$i] = i; next }
    { print $at["comparison"] ($at["chi2_catalogue"] > 0 ? "+" : "-") }' "$1" | paste -sd' '; }
check "1 km/s is compared, 200 km/s is outside, and there is none in the third row" \
    test "$(comparison compared.csv)" = "compared+ outside- incomplete-"

# The kernels of vsini and vmacro end where the labels do: beyond, there is no model spectrum either.
awk 'BEGIN { for (k = 0; k < 3; k++) { for (i = 0; i < 8575; i++)
    printf "%g ", k == 0 ? 1 - 0.2 * (i % 50 == 25) : k == 1 ? -0.1 * (i % 50 == 25) : 0; print "" } }' >c.txt
awk 'BEGIN { for (i = 0; i < 8575; i++) printf "%.8f\n", 15090 * exp(1.4e-5 * i) }' >w.txt
"$ANPE" import cannon c.txt --pivots pivot.txt --labels a_h --range=-1:1 --wavelength w.txt -o own.h5 --quiet || exit 99
run "$ANPE" train rv.cfg -o turning.h5 --quiet --set simulator.file=own.h5 \
    --set 'prior=({plugin="independent";labels=({name="a_h";type="uniform";min=-1.0;max=1.0;},
    {name="vsini";type="uniform";min=0.0;max=40.0;},{name="vmacro";type="uniform";min=0.0;max=10.0;});})'
check "train with rotation" test "$status" = 0
run "$ANPE" simulate turning.h5 -n 4 --observed -o turning_mocks.h5 --quiet
printf 'id,a_h,vsini,vmacro\nw,0.1,30,5\nx,0.1,900,5\ny,0.1,30,-20\nz,0.1,30,300\n' >labels.csv
run "$ANPE" infer turning.h5 turning_mocks.h5 -o compared.csv --compare labels.csv
check "vsini of 900, vmacro of -20 and 300 km/s are outside" \
    test "$(comparison compared.csv)" = "compared+ outside- outside- outside-"
run "$ANPE" infer turning.h5 turning_mocks.h5 -o twice.csv --compare labels.csv --compare-columns vsini=vsini,vsini=vmacro
expect_error "a label that is given twice" 1 "compare-columns: label 'vsini' is given twice"
finish
