"""Fits of the cross sections of Anstee & O'Mara 1995, Barklem & O'Mara 1997 and Barklem, O'Mara & Ross 1998 for broadening
by hydrogen, over the effective quantum numbers of both levels.

    broadening.py FOLDER > table_broadening.c

FOLDER holds abo_spdata.dat, abo_pddata.dat, abo_dfdata.dat (github.com/barklem/abo-cross). ln sigma and alpha are
polynomials of Chebyshev's of total degree 8 in ln of the effective quantum numbers of the lower and the upper level, one for
each order of the two levels; the errors are printed beside them."""
import sys

import numpy as np
from numpy.polynomial import chebyshev

DEGREE, LEAST, MOST = 8, (1.0, 1.3), (4.0, 5.0)
TABLES = (("sp", 1.0, 1.3), ("pd", 1.3, 2.3), ("df", 2.3, 3.3))


def table(folder, name):
    rows = [line.split() for line in open("%s/abo_%sdata.dat" % (folder, name)) if line.strip() and line[0] != "c"]
    v = np.array(rows, float)
    return v[:len(v) // 2], v[len(v) // 2:]


def basis(lower, upper):
    u, v = (2 * np.log(x / a) / np.log(b / a) - 1 for x, a, b in zip((lower, upper), LEAST, MOST))
    one = np.eye(DEGREE + 1)
    return np.array([chebyshev.chebval(u, one[i]) * chebyshev.chebval(v, one[j])
                     for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)]).T


def points(folder, name, first, second, rising):
    """lower, upper, ln sigma, alpha where the second level of the pair is the upper one (rising), or the first."""
    sigma, alpha = table(folder, name)
    a = first + 0.1 * np.arange(sigma.shape[0])[:, None] + 0 * sigma
    b = second + 0.1 * np.arange(sigma.shape[1])[None] + 0 * sigma
    lower, upper = (a, b) if rising else (b, a)
    keep = (lower <= upper + 1e-9) & (lower < MOST[0] + 1e-9) & (upper < MOST[1] + 1e-9)
    return lower[keep], upper[keep], np.log(sigma[keep]), alpha[keep]


def main():
    print("/* Made by fit/broadening.py, which see. */\n#include \"lte.h\"\n")
    print("/* ln sigma (a0^2) and alpha; [s-p, p-d, d-f][upper level: that of larger l, of smaller l] */")
    print("const float anpe_lte_broadening_fit[3][2][2][ANPE_LTE_BROADENING_TERMS] = {")
    for name, first, second in TABLES:
        print("    {")
        for rising in (1, 0):
            lower, upper, *values = points(sys.argv[1], name, first, second, rising)
            a = basis(lower, upper)
            print("        {")
            for what, y in zip(("ln sigma", "alpha"), values):
                c = np.linalg.lstsq(a, y, rcond=1e-6)[0]
                e = np.abs(a @ c - y)
                print("            /* %s %s: error %.3f (rms), %.3f (95 %%), %.2f (largest) */"
                      % (name, what, np.sqrt(np.mean(e * e)), np.quantile(e, 0.95), e.max()))
                print("            {%s}," % ", ".join("%.6gF" % x if "." in "%.6g" % x or "e" in "%.6g" % x
                                                     else "%.1fF" % x for x in c))
            print("        },")
        print("    },")
    print("};")


if __name__ == "__main__":
    main()
