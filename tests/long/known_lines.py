"""Whether known lines are where physics has them: known_lines.py PROBE ANPE SOURCE SHARED

Every real spectrum of LAMOST, GALAH and Gaia RVS in SHARED/data, as PROBE (tests/cli/read_spectra.c) reads it,
shifted to the star's rest frame by the survey's velocity; the middle of each line against its
vacuum wavelength, in resolution elements. At R = 1800, where the lines of Na D run into each other (as
do the first two of Mg b, which are left out there), the shift of a synthetic spectrum of the simulator
`lines`. Then the velocities of LAMOST's FGK stars, measured with a
synthetic spectrum of the simulator `lines`, against the header's Z. Prints "figure NAME VALUE"."""
import glob
import os
import subprocess
import sys

import h5py
import numpy as np
from astropy.io import fits

PROBE, ANPE, SOURCE, SHARED = sys.argv[1:5]
C = 299792.458
# vacuum Angstrom: air wavelengths of the NIST ASD through Morton (2000)
LINES = {"H_beta": 4862.69, "Mg_b_5168": 5168.76, "Mg_b_5174": 5174.13, "Mg_b_5185": 5185.05,
         "Na_D2": 5891.58, "Na_D1": 5897.56, "H_alpha": 6564.61, "K_7701": 7701.08, "Ca_T_8500": 8500.35,
         "Ca_T_8544": 8544.44, "Ca_T_8664": 8664.52,
         "Fe_I_6548": 6548.05, "Fe_I_6680": 6679.83}
TRIPLET = ["Ca_T_8500", "Ca_T_8544", "Ca_T_8664"]
MAGNESIUM = ["Mg_b_5168", "Mg_b_5174", "Mg_b_5185"]


def probe(configuration, path):
    run = subprocess.run([PROBE, configuration, "pixels", path], capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stderr)
    raw = open("pixels", "rb").read()
    n, at, parts = int(np.frombuffer(raw, np.int64, 1, 88)[0]), 96, []
    for kind, size in ((float, 8), (np.float32, 4), (np.float32, 4), (np.uint8, 1)):
        parts.append(np.frombuffer(raw, kind, n, at).astype(float))
        at += size * n
    w, flux, sigma, mask = parts
    return raw[8:88].split(b"\0")[0].decode(), w, flux, sigma, mask == 0


def rest(w, velocity):
    return w * np.sqrt((1 - velocity / C) / (1 + velocity / C))


def middle(w, flux, good, line, resolution):
    """Centroid of the deepest quarter of a line, whose deepest point is within 0.8 elements of its
    place (the doublets here are 1.8 apart), in elements from it. None: not in the spectrum, no line."""
    element = line / resolution
    near = good & (np.abs(w - line) < 6 * element)
    if near.sum() < 12 or w[near][0] > line - 3 * element or w[near][-1] < line + 3 * element:
        return None
    fine = np.linspace(-5, 5, 2001)
    y = np.interp(fine, (w[near] - line) / element, flux[near])
    sides = [np.percentile(y[(fine * s > 1) & (fine * s < 5)], 90) for s in (-1, 1)]
    depth = 1 - y / np.interp(fine, [-3, 3], sides)
    top = np.argmax(np.where(np.abs(fine) < 0.8, depth, -1))
    if depth[top] < 0.05:
        return None
    low, high, least = top, top, 0.75 * depth[top]
    while depth[low - 1] > least and fine[top] - fine[low] < 1:
        low -= 1
    while depth[high + 1] > least and fine[high] - fine[top] < 1:
        high += 1
    excess = depth[low:high + 1] - least
    return float((excess * fine[low:high + 1]).sum() / excess.sum())


def survey(name, configuration, path, resolution, velocity, lines=LINES):
    star, w, flux, sigma, good = probe(configuration, path)
    offsets = {}
    for line in lines:
        at = middle(rest(w, velocity), flux, good, LINES[line], resolution)
        if at is not None:
            offsets[line] = at
    text = ", ".join("%s %+.2f" % item for item in offsets.items())
    print("-- %s, %s, %+.1f km/s: %s" % (name, star, velocity, text))
    for line, at in offsets.items():
        print("figure %s_%s %.3f" % (name, line, at))
    return offsets


def galah_velocity(path):
    """What the survey's pipeline measured: between the flux and its normalised copy at rest."""
    with fits.open(path) as f:
        return C * (f[0].header["CDELT1"] / f[4].header["CDELT1"] - 1)


def template(configuration, teff, logg):
    """A spectrum without noise at rest."""
    sets = ["prior.[0].labels.[%d].%s=%.6f" % (k, end, value + 0.001 * (end == "max"))
            for k, value in ((0, teff), (1, logg), (2, -0.1), (3, 0.1), (6, 0)) for end in ("min", "max")]
    subprocess.run([ANPE, "simulate", configuration, "-n", "1", "-o", "template.h5", "--quiet"]
                   + [x for s in sets for x in ("--set", s)], check=True)
    with h5py.File("template.h5") as f:
        return f["x" if "x" in f else "flux"][:].reshape(-1)


def smooth(w, y, weight, width):
    k = np.exp(-0.5 * (np.arange(-300, 301) / width) ** 2)
    return np.convolve(y * weight, k, "same") / np.maximum(np.convolve(weight, k, "same"), 1e-30)


def measured_velocity(w, flux, sigma, good, model, window):
    """The shift of the template that leaves the least chi2, both divided by themselves smoothed."""
    weight = good.astype(float)
    y = flux / smooth(w, flux, weight, 60)
    error = sigma / smooth(w, flux, weight, 60)
    good = good & np.isfinite(y) & (error > 0) & (w > window[0]) & (w < window[1])
    trial = np.arange(-400, 401, 2.0)
    chi2 = []
    for v in trial:
        m = np.interp(w, w * np.sqrt((1 + v / C) / (1 - v / C)), model)
        m = m / smooth(w, m, weight, 60)
        a = (y * m / error**2)[good].sum() / (m * m / error**2)[good].sum()
        chi2.append((((y - a * m) / error)[good] ** 2).sum())
    k = int(np.clip(np.argmin(chi2), 1, len(chi2) - 2))
    p = np.polyfit(trial[k - 1:k + 2], chi2[k - 1:k + 2], 2)
    return -0.5 * p[1] / p[0]


LOW, MEDIUM = 'instrument: { plugin = "lamost_lrs"; };', 'instrument: { plugin = "lamost_mrs"; };'


def template_velocity(path, instrument, cool, window=(0, np.inf)):
    """Of all lines, or of those in a window at rest."""
    star, w, flux, sigma, good = probe('instrument: { plugin = "%s"; };' % instrument, path)
    model = template("%s/instruments/%s/lines.cfg" % (SOURCE, instrument), 4700 if cool else 6400,
                     3.5 if cool else 4.2)
    return measured_velocity(w, flux, sigma, good, model, window)


def low_resolution():
    """Those of SHARED whose header has a velocity (Z). One of the four is an A star; its file's red arm lies 50 km/s from the blue one (H alpha, the
    Paschen lines against H gamma, H delta), in the wavelengths as published: shown, not demanded."""
    points, offsets = [], []
    for path in sorted(glob.glob(SHARED + "/data/lamost/spec-*")) + [SHARED + "/data/cases/lamost_table.fits"]:
        h = fits.getheader(path)
        kind, velocity, name = h["SUBCLASS"], C * h["Z"], "LRS_%s_%s" % (h["LMJD"], h["SUBCLASS"])
        if kind[0] == "A":
            survey(name, LOW, path, 1800, velocity, ["H_beta", "H_alpha"])
            continue
        offsets += survey(name, LOW, path, 1800, velocity, ["H_beta", "Mg_b_5185", "H_alpha"] + TRIPLET).values()
        sodium = template_velocity(path, "lamost_lrs", kind[0] == "K", (5880, 5910)) - velocity
        offsets.append(sodium / (C / 1800))
        print("figure %s_Na_D %.3f" % (name, offsets[-1]))
        points.append((velocity, template_velocity(path, "lamost_lrs", kind[0] == "K")))
        print("-- velocity of %s: %.1f, header %.1f km/s" % (name, points[-1][1], velocity))
    x, y = np.array(points).T
    print("figure LAMOST_FGK_spectra %d" % x.size)
    print("figure LAMOST_velocity_slope %.3f" % np.polyfit(x, y, 1)[0])
    print("figure LAMOST_velocity_scatter %.2f" % np.sqrt(np.mean((y - x) ** 2)))
    print("figure LAMOST_velocity_offset %.2f" % np.mean(y - x))
    return offsets


def medium_resolution():
    """No velocity in the header: that of a synthetic spectrum over both arms. (The star of 58646 and
    58649 is that of 57287 at low resolution: its velocity changes by 100 km/s.)"""
    offsets = []
    for path in sorted(glob.glob(SHARED + "/data/lamost/med-*")):
        night = os.path.basename(path)[4:9]
        velocity = template_velocity(path, "lamost_mrs", False)
        offsets += survey("MRS_" + night, MEDIUM, path, 7500, velocity, MAGNESIUM + ["H_alpha"]).values()
    return offsets


def main():
    worst = low_resolution() + medium_resolution()
    arms = sorted(glob.glob(SHARED + "/data/galah/*.fits"))
    worst += survey("GALAH", 'instrument: { plugin = "galah"; };', arms[0], 28000, galah_velocity(arms[2]),
                    ["H_alpha", "K_7701", "Fe_I_6548", "Fe_I_6680"]).values()
    for path in sorted(glob.glob(SHARED + "/data/gaia_rvs/*.csv")):
        worst += survey("RVS_" + os.path.basename(path)[:-4], 'instrument: { plugin = "gaia_rvs"; };', path, 11500,
                        0, TRIPLET).values()
    print("figure lines %d" % len(worst))
    print("figure farthest %.3f" % np.max(np.abs(worst)))


main()
