#!/usr/bin/env python3
"""336 real giants on 100 pixels: the data as anpe reads them, and what anpe is compared with.

    giants.py convert GIANTS.npz SPECTRA.h5     flux, sigma, mask and ASPCAP's labels; prints the
                                                terms of the Cannon model as --terms takes them
    giants.py fit GIANTS.npz FITS.npz           every star by least squares, and its posterior by
                                                quadrature, both with the error budget of anpe
    giants.py compare GIANTS.npz FITS.npz CATALOGUE.csv NAME

The budget is sigma^2 + (FACTOR scatter)^2 in every good pixel; the factor and the box are those of
giants.cfg. The fit is
Levenberg-Marquardt inside the box, from the best of 80 000 points of a grid, whose model spectra
also give the posterior: sums over the grid of exp(-chi2/2), marginalised to each label.
"""
import csv
import sys

import h5py
import numpy as np

NAMES = ("teff", "logg", "m_h")
LOW, HIGH = np.array([3700, 0.4, -1.75]), np.array([5450, 4.0, 0.45])
FACTOR = 1.75
BAD = 0.5  # APOGEE gives bad pixels huge errors
SHAPE = (44, 45, 41)


def features(theta, z):
    a, b, c = (np.atleast_2d(theta) - z["cannon_pivots"]).T
    return np.stack([np.ones_like(a), a**4, a**3, a**2, a, b**3, b**2, b, a * b, a * c, b * c, c, c * c])


def model(theta, z):
    return (z["cannon_coeffs"] @ features(theta, z)).T


def weights(z):
    return (z["flux_err"] < BAD) / (z["flux_err"] ** 2 + (FACTOR * z["cannon_scatter"]) ** 2)


def convert(z, path):
    with h5py.File(path, "w") as h:
        h["flux"], h["sigma"] = z["flux"].astype("f4"), z["flux_err"].astype("f4")
        h["mask"] = (z["flux_err"] >= BAD).astype("u1")
        h["theta"] = z["labels"]
        h["theta"].attrs["labels"] = np.array(NAMES, dtype="S")
    print(str(z["cannon_terms"]).lower().replace("param_m_h", "m_h"))


def jacobian(theta, z, step):
    return np.stack([(model(theta + d, z) - model(theta - d, z))[0] / (2 * d.sum())
                     for d in np.diag(step)], 1)


def fit_star(flux, w, start, z):
    """Levenberg-Marquardt in units of the box, kept inside it -> labels, their errors, chi2."""
    scale, theta, damping = HIGH - LOW, start, 1e-3
    chi2 = np.sum(w * (flux - model(theta, z)[0]) ** 2)
    for _ in range(200):
        j = jacobian(theta, z, 1e-5 * scale) * scale
        free = ~(((theta <= LOW) | (theta >= HIGH)))
        gradient, hessian = j.T @ (w * (flux - model(theta, z)[0])), (j.T * w) @ j
        free |= ((theta <= LOW) & (gradient > 0)) | ((theta >= HIGH) & (gradient < 0))
        step = np.zeros(3)
        h = hessian[np.ix_(free, free)]
        step[free] = np.linalg.solve(h + damping * np.diag(np.diag(h) + 1e-12), gradient[free])
        trial = np.clip(theta + step * scale, LOW, HIGH)
        value = np.sum(w * (flux - model(trial, z)[0]) ** 2)
        if value < chi2:
            small = chi2 - value < 1e-9 * chi2
            theta, chi2, damping = trial, value, damping / 3
            if small:
                break
        else:
            damping *= 4
            if damping > 1e9:
                break
    return theta, np.sqrt(np.diag(np.linalg.pinv(hessian))) * scale, chi2


def marginal(p, k):
    """Median and half the central 68 % interval of label k."""
    mass = p.sum(tuple(i for i in range(3) if i != k))
    q = np.interp([0.16, 0.5, 0.84], np.concatenate([[0], np.cumsum(mass) / mass.sum()]),
                  np.linspace(LOW[k], HIGH[k], SHAPE[k] + 1))
    return q[1], (q[2] - q[0]) / 2


def fit(z, path):
    axes = [LOW[k] + (np.arange(SHAPE[k]) + 0.5) / SHAPE[k] * (HIGH - LOW)[k] for k in range(3)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    flux_of_grid, w = model(grid, z), weights(z)
    square, out = flux_of_grid**2, {"fit": [], "fit_sd": [], "median": [], "sd": [], "chi2": []}
    for star, weight in zip(z["flux"], w):
        chi2 = square @ weight - 2 * flux_of_grid @ (weight * star) + np.sum(weight * star**2)
        theta, sd, best = fit_star(star, weight, grid[chi2.argmin()], z)
        p = np.exp(-0.5 * (chi2 - chi2.min())).reshape(SHAPE)
        median, width = zip(*[marginal(p, k) for k in range(3)])
        for name, value in zip(out, (theta, sd, median, width, best)):
            out[name].append(value)
    np.savez(path, **out)


def robust(x):
    return 1.4826 * np.median(np.abs(x - np.median(x)))


def report(name, value, sd, truth):
    for k, label in enumerate(NAMES):
        d = value[:, k] - truth[:, k]
        print(f"figure {name} {label} bias {np.median(d):.4g}")
        print(f"figure {name} {label} scatter {robust(d):.4g}")
        print(f"figure {name} {label} pull {robust(d / sd[:, k]):.3g}")


def compare(z, fits, path, name):
    with open(path) as f:
        rows = list(csv.DictReader(line for line in f if not line.startswith("#")))
    median = np.array([[float(r[k]) for k in NAMES] for r in rows])
    sd = np.array([[(float(r[k + "_p84"]) - float(r[k + "_p16"])) / 2 for k in NAMES] for r in rows])
    report("fit", fits["fit"], fits["fit_sd"], z["labels"])
    report("quadrature", fits["median"], fits["sd"], z["labels"])
    report(name, median, sd, z["labels"])
    for k, label in enumerate(NAMES):
        d = (median - fits["median"])[:, k] / fits["sd"][:, k]
        print(f"figure {name} {label} off_quadrature {robust(d):.3g}")
        print(f"figure {name} {label} width_over_quadrature {np.median(sd[:, k] / fits['sd'][:, k]):.3g}")


def correlation(z, fits):
    """Of what the fits leave over, between pixels at a distance of 1, 2, 3."""
    left = np.clip((z["flux"] - model(fits["fit"], z)) * np.sqrt(weights(z)), -4, 4)
    r = [np.mean(left[:, k:] * left[:, :-k]) / np.mean(left**2) for k in (1, 2, 3)]
    print("figure residuals correlation", " ".join(f"{x:.2f}" for x in r))
    print(f"figure residuals factor {np.sqrt(1 + 2 * sum(r)):.3g}")


def main():
    what, z = sys.argv[1], np.load(sys.argv[2])
    if what == "convert":
        convert(z, sys.argv[3])
    elif what == "fit":
        fit(z, sys.argv[3])
    else:
        compare(z, np.load(sys.argv[3]), sys.argv[4], sys.argv[5])
        correlation(z, np.load(sys.argv[3]))


main()
