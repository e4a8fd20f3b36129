#!/bin/sh
# The `array` path end to end: two_moons of the SBI benchmark from 10 000 simulations in HDF5; its
# posterior against reference draws. Published C2ST of a MAF with 10 000 simulations: 0.814.
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
need_shared
need_python numpy,h5py,sklearn
task=$ANPE_SHARED/data/sbibm/two_moons.npz
$python - "$task" <<'P' || exit 99
import sys
import h5py
import numpy as np
r, n = np.random.RandomState(1), 10000
t = r.uniform(-1, 1, (n, 2))
a, q = r.uniform(-np.pi / 2, np.pi / 2, n), r.normal(0.1, 0.01, n)
x = np.stack([q * np.cos(a) + 0.25 - abs(t.sum(1)) / 2**0.5,
              q * np.sin(a) + (t[:, 1] - t[:, 0]) / 2**0.5], 1)
with h5py.File("sims.h5", "w") as h:
    h["theta"], h["x"] = t, x
z = np.load(sys.argv[1])
with h5py.File("observed.h5", "w") as h:
    h["x"] = np.stack([z[f"obs_{k}"] for k in (1, 2, 3)])
P
run "$ANPE" train "$ANPE_SRCDIR/instruments/array/two_moons.cfg" --data sims.h5 -o model.h5 --quiet
check "train" test "$status" = 0
run "$ANPE" infer model.h5 observed.h5 -o catalogue.csv --posterior draws.h5 --samples 10000
check "infer" test "$status" = 0
check "no draw leaves the prior" grep -q "30000 draws, 0 outside" "$work/out"
$python "$ANPE_SRCDIR/tests/long/c2st.py" draws.h5 "$task" 5000 | tee figures
mean=$(sed -n 's/^figure c2st_mean //p' figures)
check "C2ST below the published MAF's 0.814 ($mean)" awk -v a="$mean" 'BEGIN { exit !(a > 0.4 && a < 0.814) }'
finish
