#!/bin/sh
# anpe emulate: a grid of a simulator's spectra becomes an emulator that trains and simulates; grids of others;
# what cannot be learned from.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
cd "$work" || exit 99
cat >lines.cfg <<'END'
simulator = { plugin = "lines"; free = [ "teff", "logg", "fe_h" ]; lambda_min = 15880.0; lambda_max = 15900.0; step = 5.0; };
prior = ({ plugin = "independent"; labels = (
    { name = "teff"; type = "uniform"; min = 4000.0; max = 6500.0; },
    { name = "logg"; type = "uniform"; min = 0.5; max = 5.0; },
    { name = "fe_h"; type = "uniform"; min = -1.5; max = 0.5; } ); });
instrument = { plugin = "apogee"; };
END
"$ANPE" simulate lines.cfg -n 400 --design sobol --own-grid -o grid.h5 --quiet || exit 99
small="--width 8 --steps 40 --quiet"
emulate() { "$ANPE" emulate "$@"; }

# The whole of it, on three labels: the error that is asked of an emulator.
run emulate grid.h5 -o payne.h5 --width 64 --steps 10000 --rate 0.02 --json
check "trains" test "$status" = 0 -a -s payne.h5
cp "$work/out" report.json
value() { sed -n "/\"$1\"/,/}/s/.*\"$2\": \([-+.0-9e]*\),*/\1/p" report.json | head -1; }
check "the median error of held-out spectra is at most 1e-3" \
    awk -v x="$(value held_out median)" 'BEGIN { exit !(x > 0 && x <= 1e-3) }'
check "40 of 400 spectra are held out" grep -q '"n_held_out": 40' report.json
check "the error of every label's fifths" grep -q '"by_label"' report.json
run emulate grid.h5 -o two.h5 --width 64 --steps 10000 --rate 0.02 --quiet --threads 2 --no-halves
check "1 and 2 threads give the same emulator, byte for byte" cmp payne.h5 two.h5
run "$ANPE" info payne.h5
check "info says what it is" grep -q "^kind *dense" "$work/out"
check "and how good" grep -q "^held_out *rms of 40 spectra: median" "$work/out"

# What it says of its error is the error of the spectra that it simulates: on the labels of another design.
sed 's/plugin = "lines".*step = 5.0; }/plugin = "payne"; file = "payne.h5"; }/' lines.cfg >payne.cfg
sed 's/type = "uniform"; min = 4000.0; max = 6500.0/type = "uniform"; min = 4100.0; max = 6400.0/
    s/min = 0.5; max = 5.0/min = 0.7; max = 4.8/; s/min = -1.5; max = 0.5/min = -1.4; max = 0.4/' payne.cfg >inner.cfg
run "$ANPE" simulate inner.cfg -n 20 --design sobol --own-grid -o again.h5 --quiet
check "the emulator simulates" test "$status" = 0 -a -s again.h5
# Over all of an instrument's wavelengths, coarsely, and a training on it.
sed 's/lambda_min.*step = 5.0/step = 25.0/' lines.cfg >wide.cfg
"$ANPE" simulate wide.cfg -n 40 --design latin --own-grid -o wide.h5 --quiet
# shellcheck disable=SC2086
run emulate wide.h5 -o wide_payne.h5 $small --no-halves
check "an emulator of a whole instrument" test "$status" = 0
sed 's/payne.h5/wide_payne.h5/; s/min = 4100.0; max = 6400.0/min = 4300.0; max = 6200.0/
    s/min = 0.7; max = 4.8/min = 1.0; max = 4.5/; s/min = -1.4; max = 0.4/min = -1.2; max = 0.2/' inner.cfg >train.cfg
run "$ANPE" train train.cfg -o model.h5 --quiet --set network.context=4 --set train.steps=1 --set train.epochs=1 \
    --set train.batch=4 --set train.n_validation=4 --set featurizer.plugin=mlp --set noise.plugin=gaussian --set noise.sigma=0.01
check "trains a model" test "$status" = 0 -a -s model.h5
run "$ANPE" simulate payne.cfg -n 2 -o bad.h5
expect_error "labels outside what it was trained on are refused" 1 "outside the simulator's"

# Half precision: half the size, nearly the error.
run emulate grid.h5 -o half.h5 --width 64 --steps 10000 --rate 0.02 --half --no-halves --json
check "half precision" test "$status" = 0
check "is smaller" test "$(wc -c <half.h5)" -lt "$(wc -c <payne.h5)"
cp "$work/out" report.json
check "and as good" awk -v x="$(value held_out median)" 'BEGIN { exit !(x > 0 && x <= 1e-3) }'

# A network that gives coefficients of components: the error of both, the file, the bytes.
run emulate grid.h5 -o parts.h5 --width 64 --steps 10000 --rate 0.02 --components 30 --no-halves --json
check "components" test "$status" = 0
cp "$work/out" report.json
check "are as good" awk -v x="$(value held_out median)" 'BEGIN { exit !(x > 0 && x <= 1e-3) }'
check "what they leave is less" awk -v x="$(value components median)" -v y="$(value held_out median)" \
    'BEGIN { exit !(x > 0 && x < y / 2) }'
check "they do not limit" grep -q '"more_components": false' report.json
run "$ANPE" info parts.h5
check "info says that they are components" grep -q "^kind *components" "$work/out"
run emulate grid.h5 -o two.h5 --width 64 --steps 10000 --rate 0.02 --components 30 --quiet --threads 2 --no-halves
check "1 and 2 threads give the same components, byte for byte" cmp parts.h5 two.h5
sed 's/payne.h5/parts.h5/' inner.cfg >parts.cfg
run "$ANPE" simulate parts.cfg -n 20 --design sobol --own-grid -o parts_again.h5 --quiet
check "they simulate" test "$status" = 0 -a -s parts_again.h5
run emulate grid.h5 -o little.h5 --width 64 --steps 10000 --rate 0.02 --components 2 --half
check "two components, in half precision" test "$status" = 0
check "take less room than the pixels" test "$(wc -c <little.h5)" -lt "$(wc -c <half.h5)"
check "and are what limits" \
    grep -q "the components alone leave [01].[0-9]* times the error: more components would help more than more units" "$work/out"

# Bad input.
gone() { check "$1: nothing is written" test ! -e bad.h5; }
# shellcheck disable=SC2086
refused() { # NAME REGEX ARGUMENTS
    name=$1; expected=$2; shift 2
    run emulate "$@" -o bad.h5 $small
    expect_error "$name" 1 "$expected"
    gone "$name"
}
refused "a grid that is not there" "nosuch.h5.*No such file" nosuch.h5
head -c 3000 grid.h5 >cut.h5
refused "a truncated grid" "cut.h5" cut.h5
"$ANPE" simulate lines.cfg -n 12 --own-grid -o few.h5 --quiet
refused "few spectra" "few.h5: 12 spectra; at least 20 are needed" few.h5
refused "labels of the wrong number" "labels" grid.h5 --labels teff,logg
refused "an array that is not there" "no dataset 'fluxes'; did you mean 'flux'" grid.h5 --flux fluxes
refused "labels as spectra" "wavelengths in 'wavelength' for 3 pixels" grid.h5 --flux theta
refused "spectra of another number" "grid.h5: wavelength has shape \([0-9]*\), expected \(\*, \*\)" grid.h5 --theta wavelength
run emulate grid.h5 -o bad.h5 --components 39
expect_error "components of more than half the pixels" 1 \
    "grid.h5: --components must be at most 38, half of its 77 pixels and less than the 360 spectra trained on, not 39"
gone "too many components"
# What an instrument has convolved is convolved again when the emulator is observed.
sed 's/^instrument.*/instrument = { plugin = "spectrum"; windows = [15882.0, 15898.0]; resolution = 60000.0; };\
observe = { max_rv = 10.0; }; noise = { plugin = "gaussian"; snr = 100.0; };/' lines.cfg >convolved.cfg
"$ANPE" simulate convolved.cfg -n 24 -o convolved.h5 --quiet
refused "an instrument's spectra" "convolved.h5: spectra as instrument '.*' gives them; .*--own-grid" convolved.h5
"$ANPE" simulate convolved.cfg -n 24 --observed -o observed.h5 --quiet
refused "observed spectra" "observed.h5: spectra as instrument '.*' gives them" observed.h5
# Wavelengths that are there and cannot be read are not wavelengths that are not there.
"${ANPE_BUILDDIR:-.}/tests/cli/make_sets" odd.h5 theta=40x3 flux=40x8 wavelength=2000000000x1,empty
refused "wavelengths that cannot be read" "odd.h5: .*wavelength" odd.h5 --labels a,b,c
run emulate grid.h5 -o grid.h5
expect_error "the grid itself as output" 1 "grid.h5"
check "the grid stays" test "$("$ANPE" info grid.h5 | grep -c '^flux')" = 1
run emulate grid.h5 -o bad.h5 --activation tanh
expect_error "unknown activation" 2 "--activation must be .*not 'tanh'"
run emulate grid.h5 -o bad.h5 --held-out 0.9
expect_error "too much held out" 2 "--held-out must be a number in"
gone "wrong command lines"
finish
