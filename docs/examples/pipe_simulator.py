#!/usr/bin/env python3
"""A simulator for anpe in Python, with numpy alone: absorption lines whose depths follow from two labels.

Configuration:  simulator = { plugin = "pipe"; command = ["python3"]; program = "pipe_simulator.py"; };
The protocol is described in plugins/simulator/pipe/README.md.
"""
import os
import sys

import numpy as np

LABELS = [("teff", "K", 4000.0, 7000.0), ("fe_h", "dex", -2.0, 0.5)]
RESOLUTION = 20000.0
CENTRE = np.array([5167.3, 5172.7, 5183.6])  # of the lines, vacuum Angstrom
WAVELENGTH = np.exp(np.arange(np.log(5150.0), np.log(5200.0), 1 / (3 * RESOLUTION)))


def simulate(labels):
    """labels (n, 2) -> flux (n, pixels) over a continuum of 1."""
    teff, fe_h = labels[:, 0, None, None], labels[:, 1, None, None]
    depth = 0.8 / (1 + np.exp(-(2 * fe_h - (teff - 5500.0) / 500.0)))
    width = CENTRE[:, None] / RESOLUTION / 2.3548  # FWHM = 2.3548 sd
    profile = np.exp(-0.5 * ((WAVELENGTH - CENTRE[:, None]) / width) ** 2)
    return np.prod(1 - depth * profile, axis=1)


def main():
    out, requests = os.fdopen(os.dup(1), "wb"), sys.stdin.buffer
    sys.stdout = sys.stderr  # what is printed by mistake does not disturb the protocol
    header = ["anpe-pipe 1"]
    header += ["label %s %s %r %r" % label for label in LABELS]
    header += ["pixels %d" % WAVELENGTH.size, "resolution %r" % RESOLUTION, "wavelength", "end"]
    out.write(("\n".join(header) + "\n").encode() + WAVELENGTH.tobytes())
    out.flush()
    while True:
        head = requests.read(8)
        if len(head) < 8:
            return
        n = int(np.frombuffer(head, np.int64)[0])
        labels = np.frombuffer(requests.read(8 * n * len(LABELS))).reshape(n, len(LABELS))
        out.write(head + simulate(labels).astype(np.float32).tobytes())
        out.flush()


if __name__ == "__main__":
    main()
