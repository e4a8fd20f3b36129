#!/bin/sh
# Training on 10^6 spectra that are made as they are needed takes no more memory than on 10^3.
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
need_shared
[ -x /usr/bin/time ] || skip_all "GNU time is not installed"
"$ANPE" import payne "$ANPE_SHARED/data/emulators/gaia_xp_3label_dense.npz" -o emulator.h5 \
    --labels teff,logg,fe_h --absolute --quiet || exit 99
cat >small.cfg <<'C'
simulator = { plugin = "payne"; file = "emulator.h5"; };
prior = ({ plugin = "independent"; labels = ({ name = "teff"; type = "uniform"; },
    { name = "logg"; type = "uniform"; }, { name = "fe_h"; type = "uniform"; }); });
instrument = { plugin = "array"; shape = [ 343 ]; };
noise = { plugin = "gaussian"; sigma = 0.01; };
network = { context = 8; };
featurizer = { plugin = "mlp"; hidden = [ 16 ]; };
flow = { plugin = "maf"; num_blocks = 2; hidden = 16; };
train = { batch = 500; epochs = 1; n_validation = 500; };
C
peak() { # STEPS: KiB resident
    /usr/bin/time -f %M -o rss "$ANPE" train small.cfg -o model.h5 --set train.steps="$1" --quiet || exit 99
    cat rss
}
small=$(peak 2)
large=$(peak 2000)
figure "KiB for 10^3 spectra" "$small"
demand "KiB for 10^6 spectra" "$large" "<=" $((small + small / 20 + 1024))
finish
