#!/usr/bin/env python3
"""Fits that `lte` carries instead of tables: partition functions of atoms, partition functions and
equilibrium constants of molecules.

    populations.py PHYSICS atoms | molecules

PHYSICS is a folder with tables 1, 4, 7, 8 (edition of November 2022) and 6 of Barklem & Collet (2016,
A&A 588, A96) as bc16_*.dat.gz, and, for molecules of more than two atoms, partition functions of
ExoMol (Tennyson et al. 2024) and atomisation energies as Korg packs them. Prints a C table; the
largest error of each fit goes to its comment. Needs numpy and h5py."""
import gzip
import sys

import numpy as np

SYMBOLS = """H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr
Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W
Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U""".split()
DIATOMIC = """H2 H2+ OH CH NH CO CN C2 N2 O2 NO NO+ CH+ OH+ SiH SiH+ MgH AlH CaH NaH FeH CrH TiH MnH NiH CoH CuH
PH HS HF HCl SiO SiS SiC SiN CS CP PN PO PS NS SO S2 TiO TiS VO ZrO YO ScO LaO AlO MgO MgS CaO CaS FeO AlS CrO NaCl KCl
CaF CaCl AlF AlCl TiO CN- HS- OH- SrO BaO NF KH LiH CF MgF""".split()
# name: atoms, product of 2 I + 1 of the nuclei, which ExoMol includes and astronomers do not
POLYATOMIC = {"H2O": ("HHO", 4), "HCN": ("HCN", 6), "CO2": ("COO", 1), "C2H2": ("HHCC", 4), "CH4": ("HHHHC", 16),
              "H2S": ("HHS", 4), "SiO2": ("OOSi", 1), "CaOH": ("HOCa", 2), "NaOH": ("HONa", 8)}
# eV, where it has been measured better since: Borsovszky et al. 2021, PNAS 118, e2113315118 (theirs: 6.371 +- 0.160)
DISSOCIATION = {"C2": 602.804 / 96.485332}
# cm-1 between the two levels of a doublet Pi, of which theirs are both at 0 (not so NO's), where the lower one is that of the
# dissociation energy: half of the levels are moved up. ExoMol's sum over the levels of OH is 0.961, 0.973, 0.978 of theirs at
# 2000, 3000, 4000 K; this makes it 0.952, 0.968, 0.976. Densities change by it, lines do not.
DOUBLET = {"OH": 139.05, "SiH": 142.83, "CH": 27.95}
KB, H, AMU, EV = 1.380649e-16, 6.62607015e-27, 1.66053906660e-24, 1.602176634e-12
T0 = 4000.0


def table(path):
    lines = gzip.open(path, "rt").read().split("\n")
    t = np.array(lines[2].split()[2:], float)
    rows = {}
    for line in lines[3:]:
        w = line.split()
        if len(w) == len(t) + 1:
            rows[w[0]] = np.array(w[1:], float)
    return t, rows


def fit(t, y, degree):
    """Coefficients, lowest first, of a polynomial in ln(T / 4000 K), and the largest error."""
    x = np.log(t / T0)
    c = np.polynomial.polynomial.polyfit(x, y, degree)
    return c, np.abs(np.polynomial.polynomial.polyval(x, c) - y).max()


def atoms(folder):
    t, u = table(folder + "/bc16_table8_atomic_partition.dat.gz")
    keep = t >= 1000
    worst = []
    for z, symbol in enumerate(SYMBOLS, 1):
        row = []
        for stage in ("I", "II", "III"):
            key = symbol + "_" + stage
            c = np.zeros(7)
            if key in u:
                c, error = fit(t[keep], np.log(u[key][keep]), 6)
                worst.append((error, key))
            row.append("{" + ", ".join("%.7g" % (v if abs(v) > 1e-9 else 0) for v in c) + "}")
        print("    {%s}, /* %s */" % (",\n     ".join(row), symbol))
    print("/* %d fits, largest errors of ln U:" % len(worst),
          ", ".join("%s %.4f" % (k, e) for e, k in sorted(worst)[:-8:-1]), "*/")


def split(name):
    """'Ca' 'O' and the charge of 'CaO+'."""
    charge = name.count("+") - name.count("-")
    name, out = name.strip("+-"), []
    while name:
        n = 2 if name[:2] in SYMBOLS else 1
        out.append(SYMBOLS.index(name[:n]) + 1)
        name = name[n:]
        if name and name[0].isdigit():
            out += out[-1:] * (int(name[0]) - 1)
            name = name[1:]
    return out, charge


def emit(name, zs, ionised, charge, d0, k, q, errors):
    zs = list(zs) + [0] * (5 - len(zs))
    print('    {"%s", {%s}, %d, %d, %.6f, {%s}, {%s}}, /* ln K %.4f, ln Q %.4f */' % (
        name, ", ".join(map(str, zs)), ionised, charge, d0, ", ".join("%.8g" % v for v in k),
        ", ".join("%.8g" % v for v in q), errors[0], errors[1]))


def molecules(folder):
    import h5py
    dissociation = {}
    for line in gzip.open(folder + "/bc16_table1_molecules.dat.gz", "rt").read().split("\n")[4:]:
        w = line.split()
        if len(w) > 8:
            dissociation[w[0]] = (w[1], w[2], float(w[9]))
    tk, ks = table(folder + "/bc16_table7_equilibrium_constants.dat.gz")
    tq, qs = table(folder + "/bc16_table6_molecular_partition.dat.gz")
    keep = tk >= 1000
    for name in dict.fromkeys(DIATOMIC):
        a, b, d0 = dissociation[name]
        ionised = 0  # which of the two parts carries the charge
        for part in (a, b):
            if part[-1] in "+-":
                ionised = SYMBOLS.index(part[:-1]) + 1
        # p(A) p(B) / p(AB), from Pa to dyn/cm2, without the exponential
        y = ks[name][keep] * np.log(10) + np.log(10) + d0 * EV / (KB * tk[keep])
        apart = np.log(0.5 + 0.5 * np.exp(-1.4387769 * DOUBLET.get(name, 0) / tk[keep]))
        k, ek = fit(tk[keep], y - apart, 5)
        q, eq = fit(tq[keep], np.log(qs[name][keep]) + apart, 5)
        zs, charge = split(name)
        emit(name, zs, ionised, charge, DISSOCIATION.get(name, d0), k, q, (ek, eq))
    t8, u = table(folder + "/bc16_table8_atomic_partition.dat.gz")
    energies = dict(line.split(",") for line in open(folder + "/korg_atomization_energies.csv").read().split()[1:])
    packed = h5py.File(folder + "/korg_polyatomic_partition.h5")
    for name, (key, spins) in POLYATOMIC.items():
        d0 = float(energies[key]) * 1e10 / 6.02214076e23 / EV  # kJ/mol
        zs, charge = split(name)
        t = np.geomspace(1000, packed[key]["temp"][-1], 15)
        q = np.log(np.interp(t, packed[key]["temp"], packed[key]["partition_function"]) / spins)
        y = -translation(t, sum(MASS[z] for z in zs)) - q
        for z in zs:
            y += translation(t, MASS[z]) + np.interp(t, t8, np.log(u[SYMBOLS[z - 1] + "_I"]))
        y += (len(zs) - 1) * np.log(KB * t)  # from numbers per volume to pressures
        k, ek = fit(t, y, 5)
        c, eq = fit(t, q, 5)
        emit(name, zs, 0, charge, d0, k, c, (ek, eq))


MASS = {1: 1.008, 6: 12.011, 7: 14.007, 8: 15.999, 11: 22.990, 14: 28.085, 16: 32.06, 20: 40.078}


def translation(t, mass):
    return 1.5 * np.log(2 * np.pi * mass * AMU * KB * t / H**2)


if len(sys.argv) != 3 or sys.argv[2] not in ("atoms", "molecules"):
    sys.exit(__doc__)
{"atoms": atoms, "molecules": molecules}[sys.argv[2]](sys.argv[1])
