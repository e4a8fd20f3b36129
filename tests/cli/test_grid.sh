#!/bin/sh
# Stored simulations and error bars are for one instrument and one grid: another one of as many pixels is
# refused. A plain array that is not whole is not answered.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
case $ANPE in /*) ;; *) ANPE=$PWD/$ANPE ;; esac
export SOURCE_DATE_EPOCH=1700000000
cd "$work" || exit 99

cat >lamost.cfg <<'C'
simulator = { plugin = "lines"; };
prior = ({ plugin = "independent"; labels = (
    { name = "teff";   type = "uniform"; min = 5000.0; max = 6000.0; },
    { name = "logg";   type = "uniform"; min = 3.0;    max = 5.0; },
    { name = "fe_h";   type = "uniform"; min = -0.5;   max = 0.5; },
    { name = "mg_fe";  type = "uniform"; min = -0.1;   max = 0.1; },
    { name = "vmicro"; type = "uniform"; min = 1.0;    max = 2.0; },
    { name = "vmacro"; type = "uniform"; min = 1.0;    max = 10.0; } ); });
instrument = { plugin = "lamost_lrs"; lambda_min = 5000.0; lambda_max = 5200.0; };
noise = { plugin = "lamost_lrs"; snr_min = 50.0; snr_max = 100.0; };
network = { context = 4; };
featurizer = { plugin = "mlp"; hidden = [ 8 ]; };
flow = { plugin = "maf"; num_blocks = 1; hidden = 8; };
train = { batch = 8; steps = 2; epochs = 1; n_validation = 8; };
C
"$ANPE" simulate lamost.cfg -n 64 -o sims.h5 --quiet || exit 99
"$ANPE" simulate lamost.cfg -n 8 --observed -o mocks.h5 --quiet || exit 99
# five pixels of 1e-4 dex
moved="--set instrument.lambda_min=5005.7597 --set instrument.lambda_max=5205.9901"

run "$ANPE" train lamost.cfg --data sims.h5 --quiet -o model.h5
check "simulations of the grid" test "$status" = 0
# shellcheck disable=SC2086
run "$ANPE" train lamost.cfg --data sims.h5 $moved --quiet -o moved.h5
expect_error "simulations of another grid" 1 \
    "^anpe: sims.h5: its wavelengths \(5000.* to .*\) are not the instrument's \(500[56].*pixels apart"
check "simulations of another grid: no model" test ! -e moved.h5
run "$ANPE" train lamost.cfg --data sims.h5 --quiet -o array.h5 --set instrument.plugin=array
expect_error "an option of another instrument" 1 "unknown option"
sed 's/^instrument = .*/instrument = { plugin = "array"; shape = [ 171 ]; };/; s/^noise = .*/noise = { plugin = "gaussian"; sigma = 0.1; };/; s/"lines"/"array"; labels = ({ name = "teff"; }, { name = "logg"; }, { name = "fe_h"; }, { name = "mg_fe"; }, { name = "vmicro"; }, { name = "vmacro"; })/' lamost.cfg >array.cfg
n=$("$ANPE" info model.h5 2>/dev/null | sed -n 's/.*[^0-9]\([0-9][0-9]*\) pixels.*/\1/p' | head -1)
[ -z "$n" ] || sed -i "s/171/$n/" array.cfg
run "$ANPE" train array.cfg --data sims.h5 --quiet -o array.h5
expect_error "simulations for another instrument" 1 \
    "^anpe: sims.h5: (was made for instrument 'lamost_lrs', not for 'array'|flux has 64 rows of)"

run "$ANPE" noise lamost.cfg mocks.h5 -o library.h5
check "a library of the mocks' error bars" test "$status" = 0 -a -s library.h5
run "$ANPE" train lamost.cfg --quiet -o noisy.h5 --set noise.library=library.h5
check "a library of the grid" test "$status" = 0
# shellcheck disable=SC2086
run "$ANPE" train lamost.cfg --quiet -o moved.h5 --set noise.library=library.h5 $moved
expect_error "a library of another grid" 1 "^anpe: .*library.h5: its wavelengths \(5000"

# x = (NaN, 0.3): the first value has no neighbour to be taken from
printf '0.5 0.5\n1 0\n0 1\n0 0\n0 0\n0 0\n' >c.txt
echo 0 0 >pivots.txt
"$ANPE" import cannon c.txt --pivots pivots.txt --labels a_h,b_h --range=-1:1,-1:1 -o e.h5 2>/dev/null >&2
cat >two.cfg <<'C'
simulator = { plugin = "cannon"; file = "e.h5"; };
prior = ({ plugin = "independent"; labels = (
    { name = "a_h"; type = "uniform"; min = -1.0; max = 1.0; },
    { name = "b_h"; type = "uniform"; min = -1.0; max = 1.0; } ); });
instrument = { plugin = "array"; shape = [ 2 ]; };
noise = { plugin = "gaussian"; sigma = 0.1; };
network = { context = 4; };
featurizer = { plugin = "mlp"; hidden = [ 8 ]; };
flow = { plugin = "maf"; num_blocks = 1; hidden = 8; };
train = { batch = 8; steps = 2; epochs = 1; n_validation = 8; };
C
run "$ANPE" train two.cfg --quiet -o two.h5
check "a model of two values" test "$status" = 0
case=$ANPE_SHARED/data/cases/x_nan.h5
if [ -r "$case" ]; then
    run "$ANPE" infer two.h5 "$case" -o nan.csv
    expect_error "x = (NaN, 0.3) is not answered" 1 "x_nan.h5: value 0 of spectrum 0 is nan"
    check "x = (NaN, 0.3): no catalogue" test ! -e nan.csv
else
    skip "x = (NaN, 0.3) is not answered" "no shared data"
fi
case=$ANPE_SHARED/data/cases/sims_nan_row_19000.h5
if [ -r "$case" ]; then
    sed 's/"cannon"; file = "e.h5"/"array"; labels = ({ name = "theta_1"; }, { name = "theta_2"; })/
        s/a_h/theta_1/; s/b_h/theta_2/' two.cfg >theta.cfg
    run "$ANPE" train theta.cfg --data "$case" -o row.h5 --quiet
    expect_error "a simulation that is not finite" 1 "row 19000 of 'x' holds a value that is not finite"
else
    skip "a simulation that is not finite" "no shared data"
fi
# the unit of the noise
"$ANPE" import cannon c.txt --pivots pivots.txt --labels a_h,b_h --range=-1:1,-1:1 --absolute -o e.h5 \
    2>/dev/null >&2
run "$ANPE" train two.cfg --quiet -o snr.h5 --set 'noise={plugin="gaussian";snr=100.0;}'
[ "$status" != 0 ] || not_ok "S/N of an absolute flux without a continuum"
sed 's/sigma = 0.1/snr = 100.0/' two.cfg >snr.cfg
run "$ANPE" train snr.cfg --quiet -o snr.h5
expect_error "S/N of an absolute flux without a continuum" 1 \
    "noise model 'gaussian' gives errors in units of the continuum, the flux of simulator 'cannon' is not normalised"

# what could not take effect is gone
run "$ANPE" train two.cfg --quiet -o clip.h5 --set simulator.clip=true
expect_error "clip" 1 "unknown option 'clip'"
finish
