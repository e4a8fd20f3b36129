"""Every public survey file here, read by its instrument and by astropy: wavelengths, flux, error bars and
bad pixels agree to float precision.

    python3 readings.py READ_SPECTRA DATA WORK

READ_SPECTRA: the program beside this file, DATA: the folder with lamost, galah, ..., WORK: for scratch
files. Prints "ok FILE" or "not ok FILE" and how far they are apart. What is read from the files, the
velocities, the joining of orders and the resampling are written here anew; the grids, which are the
instruments' own, are computed from their descriptions."""
import csv
import glob
import os
import re
import subprocess
import sys
import warnings

import numpy as np
from astropy.io import fits

warnings.simplefilter("ignore")
C_KMS = 299792.458
program, data, work = sys.argv[1:4]


# ---- what the instrument reads -----------------------------------------------------------------


def instrument(options, paths):
    """[[(id, wavelength, flux, sigma, bad) of each spectrum] of each file]"""
    out = os.path.join(work, "spectra.bin")
    subprocess.run([program, "instrument: { %s };" % options, out] + paths, check=True)
    raw, at, files = open(out, "rb").read(), 0, []

    def take(kind, n):
        nonlocal at
        v = np.frombuffer(raw, kind, n, at)
        at += v.nbytes
        return v

    for _ in paths:
        spectra = []
        for _ in range(take("i8", 1)[0]):
            name = take("S80", 1)[0].decode()
            n = take("i8", 1)[0]
            spectra.append((name, take("f8", n), take("f4", n), take("f4", n), take("u1", n) != 0))
        files.append(spectra)
    return files


# ---- what is read here -------------------------------------------------------------------------


def vacuum(air):
    """Morton (2000), eq. 8, which is a function of the vacuum wavelength."""
    w = air.astype(float)
    for _ in range(8):
        s = (1e4 / w) ** 2
        w = air * (1 + 8.34254e-5 + 2.406147e-2 / (130 - s) + 1.5998e-4 / (38.9 - s))
    return w


def edges(w):
    """Half-way to the neighbours, but where they are twice as far on one side (a gap)."""
    step = np.diff(w)
    left, right = np.append(step[0], step), np.append(step, step[-1])
    l, r = np.where(left > 2 * right, right, left), np.where(right > 2 * left, left, right)
    return w - l / 2, w + r / 2


def resample(w, flux, sigma, good, grid):
    """Integrals over the grid's pixels; errors of independent pixels; less than half covered: bad."""
    low, high = edges(w)
    a, b = edges(grid)
    first = np.searchsorted(high, a, side="right")
    total, light, variance = np.zeros((3, len(grid)))
    flux, sigma = flux.astype("f4").astype(float), sigma.astype("f4").astype(float)
    for k in range(int(np.max(np.searchsorted(low, b) - first)) + 1):
        j = np.minimum(first + k, len(w) - 1)
        shared = np.minimum(high[j], b) - np.maximum(low[j], a)
        shared = np.where((first + k < len(w)) & good[j], np.maximum(shared, 0), 0)
        total += shared
        light += shared * np.where(good[j], flux[j], 0)
        variance += (shared * np.where(good[j], sigma[j], 0)) ** 2
    with np.errstate(all="ignore"):
        return (light / total, np.sqrt(variance) / total, total < 0.5 * (b - a) * (1 - 1e-9))


def join(orders, grid):
    """Orders (wavelength, flux, sigma, good), each resampled, weighted with 1/sigma^2."""
    light, weight = np.zeros((2, len(grid)))
    for w, flux, sigma, good in orders:
        good = good & np.isfinite(flux) & np.isfinite(sigma) & (sigma > 0)
        f, s, bad = resample(w, flux, sigma, good, grid)
        f, s = f.astype("f4").astype(float), s.astype("f4").astype(float)
        light += np.where(bad, 0, f / s**2)
        weight += np.where(bad, 0, 1 / s**2)
    with np.errstate(all="ignore"):
        return grid, light / weight, 1 / np.sqrt(weight), weight == 0


def log_grid(windows, resolution):
    """2.5 pixels for each FWHM, each window from its first wavelength."""
    step = 1 / (2.5 * resolution)
    return np.concatenate([first * np.exp(step * np.arange(1 + int(np.log(last / first) / step + 1e-6)))
                           for first, last in windows])


# ---- comparison --------------------------------------------------------------------------------

failures = 0


def compare(path, got, expected):
    """Float precision of flux and sigma: 1e-6, of sums of some hundred pixels."""
    global failures
    _, w, flux, sigma, bad = got
    w0, flux0, sigma0, bad0 = expected
    same = len(w) == len(w0)
    good = ~bad & ~bad0 if same else []
    apart = [np.inf] * 4
    if same and good.any():
        scale = np.median(np.abs(flux0[good]))
        apart = [np.max(np.abs(w / w0 - 1)), np.max(np.abs(flux - flux0)[good]) / scale,
                 np.max(np.abs(sigma / sigma0 - 1)[good]), int(np.sum(bad != bad0))]
    ok = apart[0] < 1e-12 and apart[1] < 1e-6 and apart[2] < 1e-6 and apart[3] == 0
    failures += not ok
    print("%sok %s: %d pixels, %d bad; apart: wavelength %.1e flux %.1e sigma %.1e, %s masks"
          % ("" if ok else "not ", os.path.relpath(path, data), len(w), np.sum(bad), *apart))


def files(pattern):
    found = sorted(glob.glob(os.path.join(data, pattern)))
    if not found:
        print("skip %s: not here" % pattern)
    return found


# ---- LAMOST ------------------------------------------------------------------------------------


def sigma_of(ivar):
    with np.errstate(all="ignore"):
        return np.where(ivar > 0, 1 / np.sqrt(ivar.astype(float)), np.nan)


def lamost_lrs(path):
    flux, ivar, w, mask = fits.getdata(path).astype(float)[:4]
    grid = 10 ** (3.5682 + 1e-4 * np.arange(9000))
    grid = grid[(grid > 3700 * (1 - 1e-9)) & (grid < 9100 * (1 + 1e-9))]
    sigma = sigma_of(ivar)
    good = (mask == 0) & np.isfinite(flux) & (sigma > 0)
    return grid, *resample(w, flux, sigma, good, grid)


def lamost_mrs(path):
    orders = []
    with fits.open(path) as f:
        assert f[0].header["VACUUM"] and f[0].header["HELIO"]
        for arm in ("COADD_B", "COADD_R"):
            t = f[arm].data
            w = 10 ** t["LOGLAM"].astype(float) if "LOGLAM" in t.names else t["WAVELENGTH"].astype(float)
            orders.append((w, t["FLUX"].astype(float), sigma_of(t["IVAR"]), t["ANDMASK"] == 0))
    return join(orders, log_grid([(4950, 5350), (6300, 6800)], 7500))


# ---- APOGEE ------------------------------------------------------------------------------------

DETECTORS = ((322, 3242), (3648, 6048), (6412, 8306))
BAD_BITS = sum(1 << b for b in (0, 1, 2, 3, 4, 5, 6, 7, 12))


def combined_mask(flux, sigma, bits):
    """Row 0: bad where every visit is, or by a bit of its own, or where visits disagree and the two
    combinations do."""
    flagged = (bits[2:] & BAD_BITS) != 0
    own = bits[0] & ~np.bitwise_or.reduce(bits[2:], axis=0)
    differ = ~(np.abs(flux[0] - flux[1]) <= sigma[0])
    return flagged.all(axis=0) | ((own & BAD_BITS) != 0) | (flagged.any(axis=0) & differ)


def apogee(path):
    with fits.open(path) as f:
        flux, sigma, third = (np.atleast_2d(f[k].data) for k in (1, 2, 3))
    has_mask = third.dtype.kind == "i"
    bad = (third[0] & BAD_BITS) != 0 if has_mask else np.zeros(flux.shape[1], bool)
    if has_mask and len(flux) > 2:
        bad = combined_mask(flux, sigma, third)
    flux, sigma = flux[0].astype(float), sigma[0].astype(float)
    bad = bad | ~np.isfinite(flux) | ~np.isfinite(sigma) | (sigma < 1e-15)
    for d in DETECTORS:
        d = slice(*d)
        good = ~bad[d]
        limit = 0.5 * np.median(flux[d][good])
        if not has_mask:
            limit = min(limit, 10 * np.median(sigma[d][good]))
        bad[d] |= ~(sigma[d] <= limit)
    part = np.concatenate([np.arange(*d) for d in DETECTORS])
    return 10 ** (4.179 + 6e-6 * part), flux[part], sigma[part], bad[part]


# ---- MIKE --------------------------------------------------------------------------------------


def mike(path):
    with fits.open(path) as f:
        h, cube = f[0].header, f[0].data.astype(float)
    bands = [h["BANDID%d" % (k + 1)] for k in range(len(cube))]
    counts, noise, flux = (cube[bands.index(b)] for b in (
        "object spectrum", "noise spectrum", "object spectrum divided by normed flat"))
    keys = sorted(k for k in h if k.startswith("WAT2_"))
    text = "".join(h[k].ljust(68) for k in keys)
    orders = []
    for k, spec in enumerate(re.findall(r'spec\d+ = "([^"]*)"', text)):
        v = [float(x) for x in spec.split()]
        assert v[2] == 0 and v[6] == 0  # linear, at rest
        w = vacuum(v[3] + v[4] * np.arange(int(v[5])))
        with np.errstate(all="ignore"):
            sigma = noise[k] * np.abs(flux[k] / counts[k])
        orders.append((w, flux[k], sigma, np.isfinite(sigma)))
    return join(orders, log_grid([(4920, 6860)], 44000))


def check_oxygen(path):
    """Telluric O2 is where it is in air and in the observatory's frame (Moore et al. 1966)."""
    global failures
    with fits.open(path) as f:
        flux, h = f[0].data[6].astype(float), f[0].header
    text = "".join(h[k].ljust(68) for k in sorted(k for k in h if k.startswith("WAT2_")))
    for line in (6883.83, 6885.75):
        for k, spec in enumerate(re.findall(r'spec\d+ = "([^"]*)"', text)):
            v = [float(x) for x in spec.split()]
            w = v[3] + v[4] * np.arange(int(v[5]))
            near = np.abs(w - line) < 0.5
            if near.sum() < 20:
                continue
            found = w[near][np.argmin(flux[k][near])]
            ok = abs(found - line) < 0.04
            failures += not ok
            print("%sok %s: oxygen at %.2f A, in air %.2f" % ("" if ok else "not ", os.path.relpath(path, data),
                                                             found, line))


# ---- GALAH, Gaia -------------------------------------------------------------------------------

ARMS = ((4720, 4900), (5655, 5870), (6485, 6735), (7595, 7885))


def galah(path):
    with fits.open(path) as f:
        h, flux, relative = f[0].header, f[0].data.astype(float), f[1].data.astype(float)
    w = vacuum(h["CRVAL1"] + h["CDELT1"] * (1 + np.arange(len(flux)) - h["CRPIX1"]))
    arm = next(a for a in ARMS if a[0] < w.mean() < a[1])
    sigma = np.abs(flux) * relative
    return join([(w, flux, sigma, np.ones(len(w), bool))], log_grid([arm], 28000))


def gaia_rvs(path):
    with open(path) as f:
        rows = list(csv.DictReader(f))
    w, flux, sigma = (np.array([float(r[k] or "nan") for r in rows])
                      for k in ("wavelength", "flux", "flux_error"))
    return join([(10 * w, flux, sigma, np.ones(len(w), bool))], log_grid([(8470, 8690)], 11500))


def main():
    sets = [('plugin = "lamost_lrs";', lamost_lrs, files("lamost/spec-*")),
            ('plugin = "lamost_mrs";', lamost_mrs, files("lamost/med-*")),
            ('plugin = "apogee";', apogee, files("apogee/apStar*.fits") + files("apogee/apstar/*.fits")
             + files("apogee/aspcap/*.fits")),
            ('plugin = "mike"; blaze = 0.0;', mike, files("mike/*.fits")),
            ('plugin = "spectrum"; medium = "vacuum"; windows = [8470.0, 8690.0]; resolution = 11500.0;',
             gaia_rvs, files("gaia_rvs/*.csv"))]
    for path, arm in zip(files("galah/*.fits"), ARMS):
        sets.append(('plugin = "spectrum"; medium = "air"; error = "relative"; windows = [%.1f, %.1f]; '
                     "resolution = 28000.0;" % arm, galah, [path]))
    for options, reading, paths in sets:
        for path, spectra in zip(paths, instrument(options, paths) if paths else []):
            compare(path, spectra[0], reading(path))
    for path in files("mike/*.fits"):
        check_oxygen(path)
    sys.exit(failures > 0)


main()
