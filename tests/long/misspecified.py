"""Spectra that the simulator cannot make, from mocks that it made.

misspecified.py make CLEAN.h5 OBSERVED.h5   writes binary.h5 emission.h5 ripple.h5 slope.h5 shift.h5
                                            detector.h5 in the current directory
misspecified.py rates CATALOGUE.h5          fraction of rows with each flag: NAME VALUE lines

CLEAN and OBSERVED are the same mocks (one seed) without and with noise: what is added to the one has
the noise, the error bars and the bad pixels of the other.
"""
import sys

import h5py
import numpy as np

C_KMS = 299792.458
NAMES = ["FAILED", "PRIOR_EDGE", "CHI2", "FEW_PIXELS", "UNFINISHED_MODEL", "NOT_EXACT", "KHAT",
         "OUT_OF_TRAINING", "PREDICTIVE_CHI2", "BAD_PIXELS_OUTSIDE", "SNR_OUTSIDE", "NOT_VALIDATED"]


def detectors(wavelength):
    """Runs of pixels without a gap."""
    step = np.diff(np.log(wavelength))
    cut = np.flatnonzero(step > 1.5 * np.median(step)) + 1
    return np.split(np.arange(len(wavelength)), cut)


def shifted(wavelength, flux, velocity):
    """The spectrum seen at this velocity (km/s)."""
    out = np.empty_like(flux)
    for pixels in detectors(wavelength):
        w = wavelength[pixels]
        out[pixels] = np.interp(w / (1 + velocity / C_KMS), w, flux[pixels])
    return out


def binary(rng, wavelength, flux, i):
    """A second star, flux ratio 0.1 to 1, up to 100 km/s apart."""
    ratio, velocity = rng.uniform(0.1, 1), rng.uniform(-100, 100)
    other = shifted(wavelength, flux[(i + 1) % len(flux)], velocity)
    return (flux[i] + ratio * other) / (1 + ratio)


def emission(rng, wavelength, flux, i):
    """One to three emission lines, 10 to 50 % of the continuum, 0.7 to 5 Angstrom wide."""
    out = flux[i].copy()
    for _ in range(rng.integers(1, 4)):
        centre = rng.choice(wavelength)
        sigma = np.exp(rng.uniform(np.log(0.7), np.log(5))) / 2.3548
        out += rng.uniform(0.1, 0.5) * np.exp(-0.5 * ((wavelength - centre) / sigma) ** 2)
    return out


def ripple(rng, wavelength, flux, i):
    """A continuum that waves by 1 to 5 % with a period of 10 to 100 Angstrom."""
    period = np.exp(rng.uniform(np.log(10), np.log(100)))
    phase = rng.uniform(0, 2 * np.pi)
    return flux[i] * (1 + rng.uniform(0.01, 0.05) * np.sin(2 * np.pi * wavelength / period + phase))


def slope(rng, wavelength, flux, i):
    """A continuum that rises or falls by 5 to 30 % from one end to the other."""
    x = 2 * (wavelength - wavelength[0]) / (wavelength[-1] - wavelength[0]) - 1
    return flux[i] * (1 + rng.choice([-1, 1]) * rng.uniform(0.025, 0.15) * x)


def shift(rng, wavelength, flux, i):
    """The whole wavelength scale is off by 10 to 50 km/s, beyond the prior of rv."""
    return shifted(wavelength, flux[i], rng.choice([-1, 1]) * rng.uniform(10, 50))


def detector(rng, wavelength, flux, i):
    """One detector's wavelengths are off by 0.3 to 2 pixels (4.1 km/s each)."""
    out = flux[i].copy()
    pixels = detectors(wavelength)[rng.integers(len(detectors(wavelength)))]
    out[pixels] = shifted(wavelength, flux[i], rng.choice([-1, 1]) * rng.uniform(1.2, 8.3))[pixels]
    return out


def make(clean_path, observed_path):
    with h5py.File(clean_path) as f:
        flux, wavelength = f["flux"][:].astype(float), f["wavelength"][:]
    with h5py.File(observed_path) as f:
        noisy, sigma, mask = f["flux"][:].astype(float), f["sigma"][:], f["mask"][:]
    noise = noisy - flux
    for change in (binary, emission, ripple, slope, shift, detector):
        rng = np.random.default_rng(1)
        made = [change(rng, wavelength, flux, i) for i in range(len(flux))]
        with h5py.File(change.__name__ + ".h5", "w") as f:
            f["flux"] = (np.asarray(made) + noise).astype("f4")
            f["sigma"], f["mask"], f["wavelength"] = sigma, mask, wavelength


def rates(path):
    with h5py.File(path) as f:
        flags = f["flags"][:]
    for bit, name in enumerate(NAMES):
        if np.any(flags & (1 << bit)):
            print(name, "%.4f" % np.mean((flags & (1 << bit)) != 0))
    misfit = (1 << 7) | (1 << 8)
    print("misfit", "%.4f" % np.mean((flags & misfit) != 0))
    print("any", "%.4f" % np.mean((flags & (misfit | 2 | 4)) != 0))


if __name__ == "__main__":
    {"make": make, "rates": rates}[sys.argv[1]](*sys.argv[2:])
