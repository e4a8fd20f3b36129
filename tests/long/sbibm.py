#!/usr/bin/env python3
"""One task of the SBI benchmark: simulations, configuration, observations and reference draws.

    sbibm.py TASK PUBLISHED_FOLDER OUT_FOLDER

Writes sims.h5 (10 000), task.cfg, observed.h5 and reference.npz (obs_k, true_k, post_k, k = 1..3). Where
PUBLISHED_FOLDER has TASK.npz that is the reference; otherwise the posterior is drawn here: of
gaussian_mixture exactly, of slcp by importance sampling, theta_1 and theta_2 exactly given the rest.
"""
import os
import sys

import h5py
import numpy as np

N, N_POST = 10000, 10000


def two_moons(t, r):
    a, q = r.uniform(-np.pi / 2, np.pi / 2, len(t)), r.normal(0.1, 0.01, len(t))
    return np.stack([q * np.cos(a) + 0.25 - abs(t.sum(1)) / 2**0.5,
                     q * np.sin(a) + (t[:, 1] - t[:, 0]) / 2**0.5], 1)


def linear_uniform(t, r):
    return t + 0.1**0.5 * r.randn(*t.shape)


def slcp(t, r):
    s1, s2, rho = t[:, 2, None]**2, t[:, 3, None]**2, np.tanh(t[:, 4, None])
    e = r.randn(2, len(t), 4)
    x1 = t[:, 0, None] + s1 * e[0]
    x2 = t[:, 1, None] + s2 * (rho * e[0] + np.sqrt(1 - rho**2) * e[1])
    return np.stack([x1, x2], 2).reshape(len(t), 8)


def slcp_posterior(x, r, n=10000000):
    """Of theta_3..5 by importance from the prior, the mean integrated out: x = mean of 4, then rest."""
    x = x.reshape(4, 2)
    mean, d = x.mean(0), (x - x.mean(0)).astype(float)
    t = r.uniform(-3, 3, (n, 3))
    s1, s2, rho = t[:, 0]**2, t[:, 1]**2, np.tanh(t[:, 2])
    e = r.randn(2, n)
    t1 = mean[0] + s1 / 2 * e[0]
    t2 = mean[1] + s2 / 2 * (rho * e[0] + np.sqrt(1 - rho**2) * e[1])
    q = ((d[:, 0]**2).sum() / s1**2 - 2 * rho * (d[:, 0] * d[:, 1]).sum() / s1 / s2 +
         (d[:, 1]**2).sum() / s2**2) / (1 - rho**2)
    w = -q / 2 - 3 * np.log(s1 * s2 * np.sqrt(1 - rho**2))
    w[(abs(t1) > 3) | (abs(t2) > 3)] = -np.inf
    w = np.exp(w - w.max())
    w /= w.sum()
    print(f"figure slcp_reference_effective_size {1 / (w**2).sum():.0f}")
    return np.c_[t1, t2, t][r.choice(n, N_POST, p=w)]


def mixture(t, r):
    return t + r.randn(*t.shape) * np.where(r.rand(len(t), 1) < 0.5, 1, 0.1)


def mixture_posterior(x, r):
    t = mixture(np.repeat(x[None], 20 * N_POST, 0), r)
    return t[(abs(t) < 10).all(1)][:N_POST]


TASKS = {  # labels, half-width of the prior, simulator, posterior
    "two_moons": (2, 1.0, two_moons, None),
    "gaussian_linear_uniform": (10, 1.0, linear_uniform, None),
    "slcp": (5, 3.0, slcp, slcp_posterior),
    "gaussian_mixture": (2, 10.0, mixture, mixture_posterior),
}


def configuration(n, edge, size):
    names = ", ".join(f'{{ name = "theta_{i + 1}"; }}' for i in range(n))
    priors = ",\n".join(f'    {{ name = "theta_{i + 1}"; type = "uniform"; min = {-edge}; max = {edge}; }}'
                        for i in range(n))
    return f"""simulator = {{ plugin = "array"; labels = ( {names} ); }};
prior = ({{ plugin = "independent"; labels = (
{priors} ); }});
instrument = {{ plugin = "array"; shape = [ {size} ]; }};
noise = {{ plugin = "none"; }};
network = {{ context = 0; }};
featurizer = {{ plugin = "identity"; }};
flow = {{ plugin = "nsf"; }};
compute = {{ micro_batch = 64; }};
train = {{ batch = 128; }};
"""


def reference(task, published):
    n, edge, simulate, posterior = TASKS[task]
    path = os.path.join(published, task + ".npz")
    if os.path.exists(path):
        return dict(np.load(path))
    r, z = np.random.RandomState(77), {}
    for k in (1, 2, 3):
        true = r.uniform(-edge, edge, (1, n))
        x = simulate(true, r)[0]
        z[f"true_{k}"], z[f"obs_{k}"], z[f"post_{k}"] = true[0], x, posterior(x, r)
    return z


def main():
    task, published, out = sys.argv[1:]
    n, edge, simulate, _ = TASKS[task]
    r = np.random.RandomState(1)
    t = r.uniform(-edge, edge, (N, n))
    x = simulate(t, r)
    with h5py.File(os.path.join(out, "sims.h5"), "w") as h:
        h["theta"], h["x"] = t, x
    with open(os.path.join(out, "task.cfg"), "w") as f:
        f.write(configuration(n, edge, x.shape[1]))
    z = reference(task, published)
    np.savez(os.path.join(out, "reference.npz"), **z)
    with h5py.File(os.path.join(out, "observed.h5"), "w") as h:
        h["x"] = np.stack([np.ravel(z[f"obs_{k}"]) for k in (1, 2, 3)])


main()
