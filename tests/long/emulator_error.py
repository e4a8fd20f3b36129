"""How far an emulator is from syntheses that it has not seen, at an instrument's resolution.

    emulator_error.py EMULATOR.h5 SPECTRA.h5 RESOLUTION

SPECTRA.h5: of `anpe simulate --own-grid`, by the simulator that the emulator was trained on, at labels of its range. Prints the
root mean square of emulator - synthesis over the pixels of a spectrum, before and after a Gaussian of that resolution."""
import sys

import h5py
import numpy as np


def emulate(e, theta):
    x = (theta - e["x_min"][:]) / (e["x_max"][:] - e["x_min"][:]) - 0.5
    layers = sum(k[0] == "w" and k[1:].isdigit() for k in e)
    for i in range(layers):
        x = x @ e["w%d" % i][:].astype(float).T + e["b%d" % i][:]
        if i < layers - 1:
            x = 1 / (1 + np.exp(-x))
    return x


def blurred(error, log_wave, resolution):
    """Window by window, without what sees beyond a window's ends."""
    step = np.median(np.diff(log_wave))
    sigma = 1 / (2.3548 * resolution * step)
    half = int(5 * sigma) + 1
    k = np.arange(-half, half + 1)
    gauss = np.exp(-0.5 * (k / sigma) ** 2)
    gauss /= gauss.sum()
    starts = np.flatnonzero(np.diff(log_wave) > 1.5 * step) + 1
    return np.concatenate([np.array([np.convolve(row, gauss, "valid") for row in error[:, pixels]])
                           for pixels in np.split(np.arange(len(log_wave)), starts)], axis=1)


def say(what, error):
    rms = np.sqrt((error ** 2).mean(1))
    print("%-24s median %.2e  95 %% %.2e  largest %.2e" % (what, np.median(rms), np.quantile(rms, 0.95), rms.max()))


with h5py.File(sys.argv[1]) as e, h5py.File(sys.argv[2]) as t:
    assert e.attrs["activation"] in (b"sigmoid", "sigmoid"), "a network of another activation"
    theta, log_wave = t["theta"][:], np.log(t["wavelength"][:])
    inside = ((theta >= e["x_min"][:]) & (theta <= e["x_max"][:])).all(1)
    error = emulate(e, theta[inside]) - t["flux"][:][inside]
    print("%d spectra" % inside.sum())
    say("emulator's pixels", error)
    say("resolution %s" % sys.argv[3], blurred(error, log_wave, float(sys.argv[3])))
