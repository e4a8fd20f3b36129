#!/usr/bin/env python3
"""The network of atmospheric structure that `lte` carries instead of a grid of model atmospheres.

    structure.py GRID.h5 > table_structure.c

GRID.h5 is a grid in the simulator's own format (README.md; tests/long/calibrate.py makes one of ATLAS9's models). The network has inputs teff, logg, m_h and one layer of tanh;
its outputs are principal components of ln T, ln P, ln RHOX and ln ne at fixed log tau_Ross. The weights of its last layer
are linear and solved for at each step of Levenberg and Marquardt in those of the first (Golub & Pereyra 1973, with Kaufman's
Jacobian). Every twentieth model takes no part; the errors of these are in the table's heading. Needs numpy, scipy, h5py."""
import sys

import h5py
import numpy as np
from scipy.interpolate import PchipInterpolator

UNITS, PARTS, STEPS, RIDGE = 180, 40, 150, 1e-5
TAU = -6.875 + 0.125 * np.arange(72)
LOW, HIGH = np.array([3500, 0, -2.5]), np.array([9750, 5, 0.5])
# of errors in ln T, ln P, ln RHOX, ln ne, and where spectra are made
WEIGHT = np.array([10, 1, 1, 1])[:, None] * np.where(TAU < -4, 0.4, np.where(TAU <= 1, 1, 0.25))


def read(path):
    """Labels (N, 3), ln T, ln P, ln RHOX, ln ne (N, 4, layers) at TAU, abundances at m_h 0."""
    with h5py.File(path) as f:
        node, structure, abundance = (f[k][:] for k in ("node", "structure", "abundance"))
    y = [PchipInterpolator(s[:, 0], np.log(s[:, [2, 3, 1, 4]]), axis=0, extrapolate=True)(TAU).T for s in structure]
    return node[:, :3], np.array(y), abundance


def inputs(labels):
    low, high, x = (np.concatenate([np.log(v[..., :1]), v[..., 1:]], axis=-1) for v in (LOW[None], HIGH[None], labels))
    return 2 * (x - low) / (high - low) - 1


def hidden(first, x):
    """tanh units and the constant 1; first (3 + 1, UNITS)"""
    return np.column_stack([np.tanh(np.column_stack([x, np.ones(len(x))]) @ first), np.ones(len(x))])


def last_of(first, x, y):
    """Units, the factor of their normal matrix, the last layer that fits y best, its residual, the loss."""
    f = hidden(first, x)
    factor = np.linalg.cholesky(f.T @ f + RIDGE * np.eye(UNITS + 1))
    last = np.linalg.solve(factor.T, np.linalg.solve(factor, f.T @ y))
    r = y - f @ last
    return f, factor, last, r, (r * r).sum() + RIDGE * (last * last).sum()


def train(x, y):
    rng = np.random.default_rng(3)
    first = np.vstack([rng.normal(size=(3, UNITS)) * [[2], [1.2], [1.2]], rng.uniform(-2.2, 2.2, (1, UNITS))])
    now, damping = last_of(first, x, y), 1e-2
    for step in range(STEPS):
        f, factor, last, r, loss = now
        d = ((1 - f[:, :UNITS] ** 2)[:, None] * np.column_stack([x, np.ones(len(x))])[:, :, None]).reshape(len(x), -1)
        g = np.linalg.solve(factor, f.T @ d)
        normal = (d.T @ d - g.T @ g) * np.tile(last[:UNITS] @ last[:UNITS].T, (4, 4))
        slope = (d * np.tile(r @ last[:UNITS].T, (1, 4))).sum(0)
        for _ in range(8):
            change = np.linalg.solve(normal + damping * np.diag(np.diag(normal)) + 1e-9 * np.eye(len(normal)), slope)
            new = last_of(first + change.reshape(first.shape), x, y)
            if new[-1] < loss:
                break
            damping *= 4
        else:
            break
        first, now, damping = first + change.reshape(first.shape), new, max(damping / 5, 1e-8)
        print(step, loss, file=sys.stderr, flush=True)
        if step > 20 and loss - new[-1] < 1e-3 * loss:
            break
    return first, now[2]


def numbers(v):
    texts = ["%.7g" % x for x in v]
    return ", ".join(t + ("F" if "." in t or "e" in t else ".0F") for t in texts)


def block(name, sizes, v):
    v = np.atleast_2d(v)
    print("const float anpe_lte_structure_%s%s = {" % (name, sizes))
    print(",\n".join(("    {%s}" if len(v) > 1 else "    %s") % numbers(r) for r in v) + "};")


def report(what, labels, error):
    """error (N, 4, layers)"""
    t = labels[:, :1] * error[:, 0]
    for low, high in ((-6.9, -4), (-4, -2), (-2, 0), (0, 1), (1, 2.1)):
        k = (TAU >= low) & (TAU < high)
        print(" * %s, log tau %g to %g: T %.1f K (rms), %.0f K (99 %%); P %.2f %%, RHOX %.2f %%, ne %.2f %% (rms)" % (
            (what, low, min(high, 2), np.sqrt(np.mean(t[:, k] ** 2)), np.quantile(abs(t[:, k]), 0.99))
            + tuple(100 * np.sqrt(np.mean(error[:, i][:, k] ** 2)) for i in (1, 2, 3))))


def main():
    labels, y, abundance = read(sys.argv[1])
    out = np.arange(len(y)) % 20 == 7
    weighted = (y * WEIGHT).reshape(len(y), -1)
    mean = weighted[~out].mean(0)
    u, s, basis = np.linalg.svd(weighted[~out] - mean, full_matrices=False)
    basis = basis[:PARTS]
    first, last = train(inputs(labels[~out]), (weighted[~out] - mean) @ basis.T)
    error = (hidden(first, inputs(labels)) @ last @ basis + mean - weighted).reshape(y.shape) / WEIGHT
    print("/* Made by fit/structure.py, which see, of %d models; errors of the %d others:" % ((~out).sum(), out.sum()))
    report("all", labels[out], error[out])
    cool = out & (labels[:, 0] >= 4000) & (labels[:, 0] <= 7000)
    report("4000 to 7000 K", labels[cool], error[cool])
    print(" */\n#include \"lte.h\"\n")
    lowest = [labels[labels[:, 0] == t][:, 1].min() for t in np.unique(labels[:, 0])]
    print("/* lowest logg of the models of teff 3500, 3750, ... */")
    block("lowest", "[ANPE_LTE_STRUCTURE_TEFFS]", lowest)
    print("/* log N at m_h 0; -99: none */")
    block("abundance", "[ANPE_LTE_ELEMENTS]", abundance)
    block("first", "[3 + 1][ANPE_LTE_STRUCTURE_UNITS]", first)
    block("last", "[ANPE_LTE_STRUCTURE_UNITS + 1][ANPE_LTE_STRUCTURE_PARTS]", last)
    full = np.vstack([basis, mean]) / WEIGHT.ravel()
    print("/* ln T, ln P, ln RHOX, ln ne at the depths: components, mean */")
    block("depth", "[ANPE_LTE_STRUCTURE_PARTS + 1][4 * ANPE_LTE_STRUCTURE_LAYERS]", full)


if __name__ == "__main__":
    main()
