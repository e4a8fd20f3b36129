#!/usr/bin/env python3
"""Classifier two-sample test of posterior draws against reference draws, and a sliced distance.

    c2st.py DRAWS.h5 REFERENCE.npz [K]

DRAWS.h5 is what `anpe infer --posterior` writes for the observations obs_1, obs_2, ... of
REFERENCE.npz, whose reference draws are post_1, post_2, ... C2ST is the accuracy of a classifier
(two hidden layers of 10 x dimension, five folds, both samples standardised by the reference) that
tells draws from reference draws: 0.5 is perfect, 1 is a posterior that shares nothing with it
(Lopez-Paz & Oquab 2017; Lueckmann et al. 2021). The sliced distance is the mean over 200 random
directions of the Wasserstein-1 distance, in standard deviations of the reference.
"""
import sys

import h5py
import numpy as np
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier


def c2st(draws, reference):
    mean, sd = reference.mean(0), reference.std(0)
    x = np.concatenate([(reference - mean) / sd, (draws - mean) / sd])
    y = np.concatenate([np.zeros(len(reference)), np.ones(len(draws))])
    order = np.random.RandomState(1).permutation(len(x))
    width = 10 * draws.shape[1]
    net = MLPClassifier((width, width), max_iter=1000, random_state=1)
    return cross_val_score(net, x[order], y[order], cv=5, scoring="accuracy").mean()


def sliced(draws, reference, n=200):
    r = np.random.RandomState(2)
    mean, sd = reference.mean(0), reference.std(0)
    d = r.randn(n, draws.shape[1])
    d /= np.linalg.norm(d, axis=1)[:, None]
    a = np.sort((draws - mean) / sd @ d.T, 0)
    b = np.sort((reference - mean) / sd @ d.T, 0)
    return np.abs(a - b).mean()


def main():
    samples = h5py.File(sys.argv[1], "r")["samples"][:]
    reference = np.load(sys.argv[2])
    n = int(sys.argv[3]) if len(sys.argv) > 3 else 10000
    scores, distances = [], []
    for i in range(len(samples)):
        a, b = samples[i][:n], np.asarray(reference[f"post_{i + 1}"][:n], float)
        a, b = a[:min(len(a), len(b))], b[:min(len(a), len(b))]
        scores.append(c2st(a, b))
        distances.append(sliced(a, b))
        print(f"figure c2st_{i + 1} {scores[-1]:.4f}")
        print(f"figure sliced_{i + 1} {distances[-1]:.4f}")
    print(f"figure c2st_mean {np.mean(scores):.4f}")
    print(f"figure c2st_observations {len(scores)}")
    print(f"figure c2st_lowest {np.min(scores):.4f}")
    print(f"figure c2st_highest {np.max(scores):.4f}")
    print(f"figure sliced_mean {np.mean(distances):.4f}")


main()
