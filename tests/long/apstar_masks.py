"""What flagged visits do to the combinations of apStar files: instruments/apogee/README.md.

    python3 tests/long/apstar_masks.py apStar*.fits

Robust widths (1.4826 times the median) and 95th percentiles over the pixels of the three detectors,
in sigma of row 0: row 0 and row 1 minus the mean of the visits that do not flag the pixel, and row
0 minus row 1. Pixels: no visit flags; some flag, for a sky line (bit 12) alone; some flag, for other
reasons. Each visit is first scaled to row 0 by a running median."""
import sys
import warnings

import numpy as np
from astropy.io import fits

SKY = 1 << 12
BAD = sum(1 << bit for bit in (0, 1, 2, 3, 4, 5, 6, 7, 12))
PIXELS = np.r_[322:3242, 3648:6048, 6412:8306]


def scaled(visit, sigma, bad, combined):
    n = visit.size
    ratio = np.where(bad, np.nan, visit / combined)
    knots = np.arange(0, n, 20)
    medians = [np.nanmedian(ratio[max(0, k - 150):k + 151:3]) for k in knots]
    scale = np.interp(np.arange(n), knots, medians)
    return visit / scale, sigma / scale


def pulls(path):
    flux, error, mask = (np.atleast_2d(fits.getdata(path, k))[:, PIXELS] for k in (1, 2, 3))
    if len(flux) < 4:
        return None
    flux, error, mask = flux.astype(float), error.astype(float), mask.astype(int)
    bad = ((mask[2:] & BAD) != 0) | ~(error[2:] < 1e8)
    visits = [scaled(f, e, b, flux[0]) for f, e, b in zip(flux[2:], error[2:], bad)]
    weight = np.where(bad, 0, [1 / e**2 for _, e in visits])
    mean = (weight * [f for f, _ in visits]).sum(0) / weight.sum(0)
    some, seen = bad.any(0), weight.sum(0) > 0
    other = ((mask[2:] & BAD & ~SKY) != 0).any(0)
    sky = ((mask[2:] & SKY) != 0).any(0)
    kinds = {"no visit flags": seen & ~some, "some: a sky line": seen & some & sky & ~other,
             "some: other bits": seen & some & ~sky}
    return {kind: np.array([flux[0] - mean, flux[1] - mean, flux[0] - flux[1]])[:, where]
            / error[0][where] for kind, where in kinds.items()}


warnings.simplefilter("ignore")
files = [p for p in map(pulls, sys.argv[1:]) if p]
print(f"{len(files)} files with visits")
print(f"{'pixels':18s} {'number':>7s}   row 0 - good visits   row 1 - good visits   row 0 - row 1")
for kind in files[0] if files else ():
    all_pulls = np.abs(np.concatenate([f[kind] for f in files], axis=1))
    all_pulls = all_pulls[:, np.isfinite(all_pulls).all(0)]
    words = [f"{1.4826 * np.median(p):6.2f} (95 %: {np.percentile(p, 95):5.2f})" for p in all_pulls]
    print(f"{kind:18s} {all_pulls.shape[1]:7d} ", "  ".join(words))
