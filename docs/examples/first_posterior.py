"""A posterior from Python, with NumPy alone: prints what `anpe infer MODEL FILE...` prints of each star.

    python3 docs/examples/first_posterior.py MODEL FILE...
"""
import sys

import numpy as np

import anpe

model = anpe.Model(sys.argv[1])
stars = model.infer(files=sys.argv[2:], n_draws=1000, seed=1)

for row, name in enumerate(stars["id"]):
    if "FAILED" in stars.flags(row):
        continue
    words = [str(name)]
    for label in stars.labels:
        words.append(f"{label} {stars[label][row]:.4g} +- {stars[label + '_sd'][row]:.2g}")
    if np.isfinite(stars["chi2"][row]):
        words.append(f"chi2/N {stars['chi2'][row] / stars['n_good'][row]:.2f}")
    print("  ".join(words + stars.flags(row)))

# The draws themselves: (stars, draws, labels), here the correlation of the first two labels of the first star.
first, second = stars.draws[0, :, 0], stars.draws[0, :, 1]
print(f"correlation of {stars.labels[0]} and {stars.labels[1]}: {np.corrcoef(first, second)[0, 1]:.2f}",
      file=sys.stderr)
