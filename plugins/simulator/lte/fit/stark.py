#!/usr/bin/env python3
"""A fit of the Stark profiles of hydrogen that `lte` carries instead of a table.

    stark.py LEMKE > table_hydrogen.c

LEMKE is the table of Lemke 1997 (A&AS 122, 285; unified theory of Vidal, Cooper & Smith), gzip'ed. Its profiles are Stark
profiles convolved with the Doppler profile of their temperature; their area is made 1 first (completed). What is fitted is the Stark profile alone, which is
smooth in alpha, ne and T; the convolution is part of the fit and done again where a profile is wanted (hydrogen_stark.c,
which this file repeats):

    ln S = k - 5/4 ln(alpha^2 + a^2) + (1 - u) sum_i d_i T_i(2 u - 1),  u = sqrt(alpha) / (sqrt(alpha) + sqrt(a))
    d_i = sum_mn c_imn T_m(log ne) T_n(log T)

k is the table's wing, a follows from k as S without the sum is normalised, T_i are Chebyshev's. Up to the density of
Inglis & Teller at which the line merges with its neighbours, 1e17 at most, and from 2500 to 20 000 K. Needs
numpy."""
import gzip
import sys

import numpy as np
from numpy.polynomial import chebyshev

ORDER, DEGREE, DEGREE_T = 14, 5, 2
INNER, OUTER, STEPS, INNER_STEP = 0.03, 14.0, 88, 0.18
FAR = 8.0  # widths of Doppler's profile
PAIRS = [(m, n) for m in range(DEGREE + 1) for n in range(DEGREE_T + 1) if m + n <= DEGREE]
RIDGE = 1e-4


def read(path):
    """lower, upper, log alpha, log ne, log T, ln S (ne, T, alpha) of each line."""
    v = np.array([w for line in gzip.open(path, "rt") if "nl=" not in line for w in line.split()], float)
    at, out = 1, []
    for _ in range(int(v[0])):
        n = int(v[at])
        heads = v[at + 1:at + 1 + 11 * n].reshape(n, 11)
        at += 1 + 11 * n
        for h in heads:
            a, d, t = (int(x) for x in h[8:])
            s = v[at:at + d * t * (a + 1)].reshape(d, t, a + 1)[:, :, 1:]
            at += d * t * (a + 1)
            axes = [h[2 + i] + h[5 + i] * np.arange(m) for i, m in enumerate((a, d, t))]
            if h[0] >= 2:
                out.append(completed((int(h[0]), int(h[1]), *axes, s * np.log(10))))
    return out


def completed(line):
    """The table's profiles of low density lack up to a sixth of their area, and some have more than 1: that of Doppler's
    core, which is put right where Doppler's profile is the core."""
    lower, upper, log_a, log_ne, log_t, s = line
    x, h = 10 ** log_a, (log_a[1] - log_a[0]) * np.log(10)
    k = np.median(s[:, :4, -1]) + 2.5 * log_a[-1] * np.log(10)
    a = scale(k)
    out = s.copy()
    for i, j in np.ndindex(s.shape[:2]):
        y = np.exp(s[i, j])
        area = 2 * h * (x * y).sum() + 2 * x[0] * y[0] * (1 - h / 2) + 2 * x[-1] * y[-1] * (2 / 3 - h / 2)
        w = np.hypot(doppler(lower, upper, 10 ** log_ne[i], 10 ** log_t[j]), a / 2)
        out[i, j] = np.log(np.maximum(y + (1 - area) * np.exp(-(x / w) ** 2) / (np.sqrt(np.pi) * w), 1e-3 * y))
    return lower, upper, log_a, log_ne, log_t, out


def scale(k):
    """a, with which S without the sum has an area of 1."""
    return (np.exp(k) * 2.396280) ** (2 / 3)


def level(n):
    return (0, 0, 82259.11, 97492.30, 102823.90)[n] if n < 5 else 109678.772 - 109677.583 / n ** 2


def doppler(lower, upper, ne, t):
    """Width of Doppler's profile exp(-(alpha / width)^2), in alpha."""
    wavelength = 1e8 / (level(upper) - level(lower))
    return wavelength * np.sqrt(2 * 1.380649e-16 * t / (1.008 * 1.66053906660e-24)) / 2.99792458e10 / (1.25e-9 * ne ** (2 / 3))


def densest(upper):
    return min(17.0, np.floor(2 * (23.26 - 7.5 * np.log10(upper))) / 2)


def quadrature(alpha, a, w):
    """Places x and a matrix with S(alpha) = matrix @ stark(x)."""
    x0 = INNER * w
    inner, weight = np.array([x0]), np.array([2 * x0])
    if x0 > 1e-3 * a:
        n = int(np.ceil(np.log(x0 / (1e-3 * a)) / INNER_STEP))
        inner = 1e-3 * a * np.exp(np.arange(n + 1) * np.log(x0 / (1e-3 * a)) / n)
        weight = 2 * inner * np.log(x0 / (1e-3 * a)) / n
        weight[[0, -1]] *= 0.5
        weight[0] += 2 * inner[0]
    h = np.log(OUTER / INNER) / STEPS
    outer = x0 * np.exp(h * np.arange(STEPS + 1))
    step = outer * h
    step[[0, -1]] *= 0.5
    far = alpha > FAR * w
    x = np.concatenate([inner, outer] + [np.abs(alpha[far] + d * w) for d in (0, np.sqrt(1.5), -np.sqrt(1.5))])
    q = np.zeros((len(alpha), len(x)))
    near = alpha[~far][:, None]
    q[~far, :len(inner)] = weight * np.exp(-(near / w) ** 2) / (np.sqrt(np.pi) * w)
    q[~far, len(inner):len(inner) + STEPS + 1] = step * (
        np.exp(-((near - outer) / w) ** 2) + np.exp(-((near + outer) / w) ** 2)) / (np.sqrt(np.pi) * w)
    first, rows, m = len(inner) + STEPS + 1, np.flatnonzero(far), int(far.sum())
    for k, weight in enumerate((2 / 3, 1 / 6, 1 / 6)):
        q[rows, first + k * m + np.arange(m)] = weight
    return x, q


def pairs(log_ne, log_t, top):
    u, v = 2 * (log_ne - 10) / (top - 10) - 1, (log_t - np.log10(7071.0678)) / np.log10(2 * np.sqrt(2))
    one = np.eye(DEGREE + 1)
    return np.array([chebyshev.chebval(u, one[m]) * chebyshev.chebval(v, one[n]) for m, n in PAIRS])


def cells(line):
    """Indices of density and temperature, and which alphas count: not the feet of Doppler's profile at low density, where
    the table has values that no convolution gives."""
    lower, upper, log_a, log_ne, log_t, s = line
    for i in np.flatnonzero(log_ne <= densest(upper) + 1e-6):
        for j in np.flatnonzero(log_t < 4.31):
            x = 10 ** log_a / doppler(lower, upper, 10 ** log_ne[i], 10 ** log_t[j])
            yield i, j, (x < 2.5) | (x > 8) | (log_ne[i] > 12.6)


def fit(line):
    lower, upper, log_a, log_ne, log_t, s = line
    k = np.median(s[:, :4, -1]) + 2.5 * log_a[-1] * np.log(10)
    a = scale(k)
    parts = []
    for i, j, keep in cells(line):
        x, q = quadrature(10 ** log_a[keep], a, doppler(lower, upper, 10 ** log_ne[i], 10 ** log_t[j]))
        u = np.sqrt(x) / (np.sqrt(x) + np.sqrt(a))
        parts.append((q, k - 1.25 * np.log(x * x + a * a), (1 - u)[:, None] * chebyshev.chebvander(2 * u - 1, ORDER - 1),
                      pairs(log_ne[i], log_t[j], densest(upper)), s[i, j, keep]))

    def model(c, slopes):
        r, g = [], []
        for q, bare, basis, t, y in parts:
            f = np.exp(bare + basis @ (c @ t))
            total = q @ f
            r.append(y - np.log(total))
            if slopes:
                g.append((((q * f) @ basis) / total[:, None])[:, :, None] * t)
        return np.concatenate(r), np.concatenate(g).reshape(-1, c.size) if slopes else None

    c, damping = np.zeros((ORDER, len(PAIRS))), 1e-2
    for _ in range(60):  # Levenberg and Marquardt
        r, g = model(c, True)
        cost = r @ r + RIDGE * (c * c).sum()
        normal, slope = g.T @ g + RIDGE * np.eye(c.size), g.T @ r - RIDGE * c.ravel()
        for _ in range(12):
            new = c + np.linalg.solve(normal + damping * np.diag(np.diag(normal)), slope).reshape(c.shape)
            better = model(new, False)[0]
            gain = cost - better @ better - RIDGE * (new * new).sum()
            if gain > 0:
                break
            damping *= 4
        else:
            break
        c, damping = new, max(damping / 6, 1e-9)
        if gain < 1e-3 * cost:
            break
    return k, c, model(np.round(c, 4), False)[0]


def main():
    lines = read(sys.argv[1])
    heads, rows, worst = [], [], []
    for line in lines:
        k, c, r = fit(line)
        worst.append(r)
        heads.append("    {%d, %d, %.5f}, /* error %.2f %% (rms), %.1f %% (99 %%), %.0f %% (largest) */" % (
            line[0], line[1], k, 100 * np.sqrt(np.mean(r * r)), 100 * np.quantile(abs(r), 0.99), 100 * abs(r).max()))
        rows.append("    {%s},\n" % ",\n     ".join(
            "{%s}" % ", ".join("%gF" % x if "." in "%g" % x or "e" in "%g" % x else "%g.0F" % x for x in np.round(y, 4)) for y in c))
        print(*line[:2], heads[-1], file=sys.stderr, flush=True)
    r = np.concatenate(worst)
    print("/* Made by fit/stark.py, which see. */\n#include \"lte.h\"\n")
    print("/* Levels, ln S alpha^5/2 far from the centre. All lines: error %.2f %% (rms), %.1f %% (99 %%) of S */"
          % (100 * np.sqrt(np.mean(r * r)), 100 * np.quantile(abs(r), 0.99)))
    print("const anpe_lte_stark_line anpe_lte_stark_lines[ANPE_LTE_STARK_LINES] = {\n%s};\n" % "".join(h + "\n" for h in heads))
    print("const float anpe_lte_stark_fit[ANPE_LTE_STARK_LINES][ANPE_LTE_STARK_ORDER][ANPE_LTE_STARK_PAIRS] = {\n%s};"
          % "".join(rows), end="\n")


if __name__ == "__main__":
    main()
