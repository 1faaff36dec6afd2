"""Many perceptrons of one hidden layer at once: parameters θ (n, size), and all they give with the networks first.

Small networks are slow one by one. Those here are of one output and in NTK parametrisation; points are features (p, d),
what enters the first layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.networks import Perceptron


@final
@dataclass(frozen=True, eq=False)
class Passed:
    """What networks (n) make of points (p).

    values  f, (n, p)       hidden  φ(u) of the N neurons, (n, N, p)       slopes  ∂f/∂u, (n, N, p)
    """

    values: np.ndarray
    hidden: np.ndarray
    slopes: np.ndarray


def passed(network: Perceptron, theta: np.ndarray, features: np.ndarray) -> Passed:
    """f = W₁ φ(W₀ z + b₀) + b₁, all scales in the weights."""
    views = network.layout.views(theta * network.scales)
    u = views["W0"] @ features.T + views["b0"][:, :, None]
    both = np.empty((2, *u.shape))
    network.activation.fill(u, both)
    values = (views["W1"] @ both[0])[:, 0] + views["b1"]
    return Passed(values, both[0], views["W1"][:, 0, :, None] * both[1])


def pulled(network: Perceptron, seen: Passed, features: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
    """Jᵀ c of every network, (n, size), for c (n, p)."""
    out = np.empty((len(cotangents), network.size))
    views, back = network.layout.views(out), seen.slopes * cotangents[:, None]
    views["W0"][...] = back @ features
    views["b0"][...] = back.sum(axis=2)
    views["W1"][:, 0] = (seen.hidden @ cotangents[:, :, None])[:, :, 0]
    views["b1"][:, 0] = cotangents.sum(axis=1)
    return np.asarray(out * network.scales)


def tangent_kernels(network: Perceptron, seen: Passed, features: np.ndarray, count: int) -> np.ndarray:
    """Θ of every network between all points and the first `count`, (n, p, count)."""
    weight, bias = network.weight_std**2, network.bias_std**2
    inner = features @ features[:count].T * (weight / features.shape[1]) + bias
    first = seen.slopes.transpose(0, 2, 1) @ seen.slopes[:, :, :count]
    last = seen.hidden.transpose(0, 2, 1) @ seen.hidden[:, :, :count]
    return np.asarray(last * (weight / network.widths[1]) + bias + first * inner)


def descended(network: Perceptron, theta: np.ndarray, features: np.ndarray, y: np.ndarray, steps: int,
              rate: float) -> np.ndarray:
    """θ after steps of gradient descent of ½ Σ_p (f − y)², each network by itself."""
    for _ in range(steps):
        seen = passed(network, theta, features)
        theta = theta + rate * pulled(network, seen, features, y - seen.values)
    return theta
