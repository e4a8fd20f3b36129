#!/usr/bin/env python3
"""One task of the SBI benchmark: simulations, configuration, observations and reference draws.

    sbibm.py TASK PUBLISHED_FOLDER OUT_FOLDER

Writes sims.h5 (10 000), task.cfg, observed.h5 and reference.npz (obs_k, true_k, post_k, k = 1..3). Where
PUBLISHED_FOLDER has TASK.npz that is the reference; otherwise the posterior is drawn here: of
gaussian_mixture and gaussian_linear exactly, of slcp by importance sampling, theta_1 and theta_2 exactly
given the rest, of bernoulli_glm, sir and lotka_volterra by adaptive importance sampling. Tasks as
Lueckmann et al. (2021) have them; observations of our own.
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


def linear(t, r):
    return t + 0.1**0.5 * r.randn(*t.shape)


def linear_posterior(x, r):
    """Prior and likelihood have variance 0.1 each."""
    return x / 2 + 0.05**0.5 * r.randn(N_POST, 10)


def glm_design(n=100, m=9):
    """Stimulus u_1..n, and rows (1, u_i, u_i-1, ...) that it is seen through by m filter weights."""
    u = np.random.RandomState(42).randn(n)
    lags = np.stack([np.r_[np.zeros(k), u[:n - k]] for k in range(m)], 1)
    return np.c_[np.ones(n), lags]


def glm_prior():
    """Covariance of offset (variance 2) and filter, whose second differences are smooth."""
    m = 9
    f = np.diag(1 + np.sqrt(np.arange(m) / (m - 1))) + np.diag(-2 * np.ones(m - 1), -1) + np.diag(np.ones(m - 2), -2)
    c = np.zeros((m + 1, m + 1))
    c[0, 0], c[1:, 1:] = 2, np.linalg.inv(f.T @ f)
    return c


def glm_draw(n, r):
    return r.multivariate_normal(np.zeros(10), glm_prior(), n)


def glm(t, r):
    """Sums of the design over the spikes: sufficient statistics."""
    v = glm_design()
    return (r.rand(len(t), len(v)) < 1 / (1 + np.exp(-t @ v.T))).astype(float) @ v


def glm_posterior(x, r):
    v, inverse = glm_design(), np.linalg.inv(glm_prior())

    def log_density(t):
        return t @ x - np.logaddexp(0, t @ v.T).sum(1) - 0.5 * np.einsum("ki,ij,kj->k", t, inverse, t)
    return importance("bernoulli_glm", log_density, np.zeros(10), np.eye(10), r)


def sir_course(t):
    """Infected of 10^6, one at first, at 10 times in 160 days; Runge-Kutta of fourth order."""
    def rate(y):
        new, gone = t[:, 0] * y[0] * y[1] / 1e6, t[:, 1] * y[1]
        return np.stack([-new, new - gone])
    y, out, h = np.stack([np.full(len(t), 1e6 - 1), np.ones(len(t))]), [], 0.5
    for i in range(1, 321):
        y = runge_kutta(rate, y, h)
        if i % 32 == 0:
            out.append(y[1])
    return np.clip(np.stack(out, 1) / 1e6, 0, 1)


def runge_kutta(rate, y, h):
    a = rate(y)
    b = rate(y + h / 2 * a)
    c = rate(y + h / 2 * b)
    return y + h / 6 * (a + 2 * b + 2 * c + rate(y + h * c))


def sir(t, r):
    return r.binomial(1000, sir_course(t)).astype(float)


def sir_posterior(x, r):
    mean, sd = np.array([np.log(0.4), np.log(0.125)]), np.array([0.5, 0.2])

    def log_density(u):
        p = np.clip(sir_course(np.exp(np.minimum(u, 2))), 1e-12, 1 - 1e-12)
        return (x * np.log(p) + (1000 - x) * np.log1p(-p)).sum(1) - 0.5 * (((u - mean) / sd)**2).sum(1)
    return np.exp(importance("sir", log_density, mean, np.diag(sd**2), r))


def prey_course(t):
    """30 hares and 1 lynx, both at 10 times in 20 years."""
    def rate(y):
        return np.stack([t[:, 0] * y[0] - t[:, 1] * y[0] * y[1], -t[:, 2] * y[1] + t[:, 3] * y[0] * y[1]])
    y, out, h = np.stack([np.full(len(t), 30.0), np.ones(len(t))]), [], 0.04
    for i in range(1, 501):
        y = runge_kutta(rate, y, h)
        if i % 50 == 0:
            out.append(y)
    return np.clip(np.nan_to_num(np.concatenate(out).T, nan=1e4), 1e-10, 1e4)


PREY = np.array([-0.125, -3, -0.125, -3])


def prey(t, r):
    return prey_course(t) * np.exp(0.1 * r.randn(len(t), 20))


def prey_posterior(x, r):
    def log_density(u):
        with np.errstate(all="ignore"):
            d = np.log(x) - np.log(prey_course(np.exp(np.minimum(u, 3))))
        return -0.5 * (d**2).sum(1) / 0.01 - 0.5 * ((u - PREY)**2).sum(1) / 0.25
    return np.exp(importance("lotka_volterra", log_density, PREY, 0.25 * np.eye(4), r))


def importance(task, log_density, mean, covariance, r, rounds=14, n=4000):
    """Draws by adaptive importance sampling: a Student t of 5 degrees is moved and shaped by weighted
    draws, whose weights are raised to a power that leaves 200 of them, until it is 1."""
    d = len(mean)
    for last in range(rounds + 1):
        if last == rounds:
            n = 40000
        root, chi = np.linalg.cholesky(covariance), r.chisquare(5, n) / 5
        z = r.randn(n, d)
        t = mean + (z / np.sqrt(chi)[:, None]) @ root.T
        w = log_density(t) + (5 + d) / 2 * np.log1p((z**2).sum(1) / chi / 5)
        w = np.where(np.isfinite(w), w, -np.inf)
        power = 1.0
        while True:
            p = np.exp(power * (w - w.max()))
            p /= p.sum()
            if last == rounds or power < 1e-9 or 1 / (p**2).sum() > 200:
                break
            power *= 0.9
        mean = p @ t
        covariance = 1.2 * ((t - mean).T * p) @ (t - mean) + 1e-12 * np.eye(d)
    print(f"figure {task}_reference_effective_size {1 / (p**2).sum():.0f}")
    return t[r.choice(n, N_POST, p=p)]


def box(n, edge):
    return [f'type = "uniform"; min = {-edge}; max = {edge};'] * n


def normal(sds):
    return [f'type = "normal"; mean = 0.0; sd = {s};' for s in sds]


def log_normal(means, sds):
    return [f'type = "log_normal"; mean = {m}; sd = {s};' for m, s in zip(means, sds)]


def uniform(n, edge):
    return lambda count, r: r.uniform(-edge, edge, (count, n))


SIR = (np.log([0.4, 0.125]), np.array([0.5, 0.2]))
TASKS = {  # prior in the configuration and its draws, simulator, posterior
    "two_moons": (box(2, 1.0), uniform(2, 1), two_moons, None),
    "gaussian_linear_uniform": (box(10, 1.0), uniform(10, 1), linear_uniform, None),
    "slcp": (box(5, 3.0), uniform(5, 3), slcp, slcp_posterior),
    "gaussian_mixture": (box(2, 10.0), uniform(2, 10), mixture, mixture_posterior),
    "gaussian_linear": (normal([0.1**0.5] * 10), lambda n, r: 0.1**0.5 * r.randn(n, 10), linear, linear_posterior),
    # its prior is correlated; with stored simulations the configuration says the support only
    "bernoulli_glm": (normal(np.sqrt(np.diag(glm_prior()))), glm_draw, glm, glm_posterior),
    "sir": (log_normal(*SIR), lambda n, r: np.exp(SIR[0] + SIR[1] * r.randn(n, 2)), sir, sir_posterior),
    "lotka_volterra": (log_normal(PREY, [0.5] * 4), lambda n, r: np.exp(PREY + 0.5 * r.randn(n, 4)), prey,
                       prey_posterior),
}


def configuration(prior, size):
    names = ", ".join(f'{{ name = "theta_{i + 1}"; }}' for i in range(len(prior)))
    priors = ",\n".join(f'    {{ name = "theta_{i + 1}"; {p} }}' for i, p in enumerate(prior))
    return f"""simulator = {{ plugin = "array"; labels = ( {names} ); }};
prior = ({{ plugin = "independent"; labels = (
{priors} ); }});
instrument = {{ plugin = "array"; shape = [ {size} ]; }};
noise = {{ plugin = "none"; }};
network = {{ context = 0; }};
featurizer = {{ plugin = "identity"; }};
flow = {{ plugin = "nsf"; }};
"""


def reference(task, published):
    _, draw, simulate, posterior = TASKS[task]
    path = os.path.join(published, task + ".npz")
    if os.path.exists(path):
        return dict(np.load(path))
    r, z = np.random.RandomState(77), {}
    for k in (1, 2, 3):
        true = draw(1, r)
        x = simulate(true, r)[0]
        z[f"true_{k}"], z[f"obs_{k}"], z[f"post_{k}"] = true[0], x, posterior(x, r)
    return z


def main():
    task, published, out = sys.argv[1:]
    prior, draw, simulate, _ = TASKS[task]
    r = np.random.RandomState(1)
    t = draw(N, r)
    x = simulate(t, r)
    with h5py.File(os.path.join(out, "sims.h5"), "w") as h:
        h["theta"], h["x"] = t, x
    with open(os.path.join(out, "task.cfg"), "w") as f:
        f.write(configuration(prior, x.shape[1]))
    z = reference(task, published)
    np.savez(os.path.join(out, "reference.npz"), **z)
    with h5py.File(os.path.join(out, "observed.h5"), "w") as h:
        h["x"] = np.stack([np.ravel(z[f"obs_{k}"]) for k in (1, 2, 3)])


main()
