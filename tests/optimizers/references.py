"""Optimisers as their papers write them, in plain NumPy, for those that PyTorch does not have.

Each takes the first parameters, a list of arrays, and yields them after every step; gradients are lists of arrays too.
"""

import numpy as np


def lion(weights, gradients, rate, beta1, beta2, decay):
    means = [np.zeros_like(w) for w in weights]
    for slopes in gradients:
        for i, g in enumerate(slopes):
            update = np.sign(beta1 * means[i] + (1 - beta1) * g)
            weights[i] = weights[i] - rate * (update + decay * weights[i])
            means[i] = beta2 * means[i] + (1 - beta2) * g
        yield [w.copy() for w in weights]


def lamb(weights, gradients, rate, beta1, beta2, eps, decay):
    first, second = ([np.zeros_like(w) for w in weights] for _ in range(2))
    for t, slopes in enumerate(gradients, start=1):
        for i, g in enumerate(slopes):
            first[i] = beta1 * first[i] + (1 - beta1) * g
            second[i] = beta2 * second[i] + (1 - beta2) * g * g
            m, v = first[i] / (1 - beta1**t), second[i] / (1 - beta2**t)
            update = m / (np.sqrt(v) + eps) + decay * weights[i]
            weight_norm, update_norm = np.linalg.norm(weights[i]), np.linalg.norm(update)
            trust = weight_norm / update_norm if weight_norm > 0 and update_norm > 0 else 1.0
            weights[i] = weights[i] - rate * trust * update
        yield [w.copy() for w in weights]


def ftrl(weights, gradients, rate, l1, l2, beta, initial, first_total):
    """By coordinate, with the sum of the σ that the proximal terms have; ``first_total`` is √n/η before the first."""
    sums, linear = [np.full_like(w, initial) for w in weights], [np.zeros_like(w) for w in weights]
    totals = [np.full_like(w, first_total) for w in weights]
    for slopes in gradients:
        for i, g in enumerate(slopes):
            sums[i] = sums[i] + g * g
            sigma = np.sqrt(sums[i]) / rate - totals[i]
            totals[i] = totals[i] + sigma
            linear[i] = linear[i] + g - sigma * weights[i]
            shrunk = linear[i] - np.sign(linear[i]) * l1
            weights[i] = np.where(np.abs(linear[i]) <= l1, 0.0, -shrunk / (beta / rate + totals[i] + 2 * l2))
        yield [w.copy() for w in weights]


def schedule_free(weights, gradients, rates, beta1, beta2, eps, decay):
    """The three sequences of the paper; yields (y, x) of each step."""
    base, mean = [w.copy() for w in weights], [w.copy() for w in weights]
    second, total = [np.zeros_like(w) for w in weights], 0.0
    for t, (slopes, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        total += rate**2
        share = rate**2 / total
        for i, g in enumerate(slopes):
            y = (1 - beta1) * base[i] + beta1 * mean[i]
            second[i] = beta2 * second[i] + (1 - beta2) * g * g
            base[i] = base[i] - rate * (g / (np.sqrt(second[i] / (1 - beta2**t)) + eps) + decay * y)
            mean[i] = (1 - share) * mean[i] + share * base[i]
        yield [(1 - beta1) * z + beta1 * x for z, x in zip(base, mean, strict=True)], [x.copy() for x in mean]
