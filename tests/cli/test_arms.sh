#!/bin/sh
# Files that are arms of one star: a row a star, whichever of them are given; libraries of their error bars.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
galah=$ANPE_SHARED/data/galah rvs=$ANPE_SHARED/data/gaia_rvs
[ -d "$galah" ] && [ -d "$rvs" ] || skip_all "no shared data"
galah=$(cd "$galah" && pwd) rvs=$(cd "$rvs" && pwd)
cd "$work" || exit 99

cat >arms.cfg <<'END'
simulator = { plugin = "lines"; free = "teff"; logg = 2.5; };
prior = ({ plugin = "independent"; labels = ({ name = "teff"; type = "uniform"; min = 4000.0; max = 6000.0; }); });
instrument = { plugin = "galah"; windows = [5660.0, 5700.0, 6550.0, 6580.0]; };
noise = { plugin = "galah"; };
featurizer = { plugin = "mlp"; hidden = [8]; };
flow = { plugin = "maf"; num_blocks = 1; hidden = 8; };
network = { context = 4; };
train = { batch = 16; steps = 2; epochs = 1; n_validation = 16; };
END
run "$ANPE" train arms.cfg -o model.h5 --quiet
check "a model to infer with" test "$status" = 0 -a -s model.h5

# Rows of a catalogue.
rows() { grep -vc '^#\|^id,' "$1"; }

run "$ANPE" infer model.h5 "$galah"/*.fits -o all.csv --quiet
check "four files of a star" test "$status" = 0
check "four files are a row" test "$(rows all.csv)" = 1
check "it is the star's" grep -q '^Flux Standard - mu Leo,' all.csv
run "$ANPE" infer model.h5 "$galah"/*1.fits -o one.csv --quiet
grep -v '^# RUN' all.csv >all && grep -v '^# RUN' one.csv >one # of other files
check "the first of four is the same" cmp -s all one
run "$ANPE" infer model.h5 "$galah"/*3.fits -o none.csv --quiet
expect "another of four alone" 1 "anpe: $(echo "$galah"/*3.fits): read with another file of its star, which was not given"
check "and nothing is written" test ! -e none.csv
mkdir red && cp "$galah"/*3.fits red
run "$ANPE" infer model.h5 red/*.fits -o red.csv --quiet
check "an arm without others is read" test "$status" = 0 -a "$(rows red.csv)" = 1

run "$ANPE" noise galah "$galah"/*.fits -o galah.h5 --json
check "a library of arms" test "$status" = 0
check "it has a row a star" grep -q '"n_spectra": *1[,}]' "$work/out"
run "$ANPE" noise gaia_rvs "$rvs"/*.csv -o rvs.h5 --json
check "a library of RVS spectra" test "$status" = 0
run "$ANPE" train arms.cfg -o again.h5 --quiet --set noise.library=rvs.h5
check "a library of another instrument is refused" test "$status" = 1
finish
