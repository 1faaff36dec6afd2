"""Series through dense layers: forward, reverse and along a direction, for one block of points.

Layers are pairs (W (out, in), b (out,)) with all scales multiplied in. A series is (C, p, n), Taylor coefficients by
the network's inputs; with C = 1 these are plain values. Hidden layers are followed by the activation, the last is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.networks.activation import Activation
from geomflow.networks.series import Series

Layers = list[tuple[np.ndarray, np.ndarray]]


@final
@dataclass(frozen=True)
class Trace:
    """What the way back needs of a block: every layer's input series and the series of σ' before it.

    `inputs[l]` (C, p, n_l) enters layer l; `slopes[l]` (C, p, n_{l+1}) is σ'(u_l), for hidden layers; `output` is the
    series of the last layer.
    """

    inputs: list[np.ndarray]
    slopes: list[np.ndarray]
    output: np.ndarray


def linear(z: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """u = W z + b: the bias enters the value only."""
    u = times(z, weights.T)
    u[0] += bias
    return u


def times(z: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """z (C, p, n) times a matrix (n, m), as one product."""
    return (flat(z) @ matrix).reshape(*z.shape[:-1], matrix.shape[1])


def flat(z: np.ndarray) -> np.ndarray:
    """(..., n) as a matrix (count, n), also where there are no points."""
    return z.reshape(int(np.prod(z.shape[:-1])), z.shape[-1])


def forward(layers: Layers, sigma: Activation, series: Series, z: np.ndarray) -> np.ndarray:
    """The output series (C, p, outputs) at the input series z (C, p, n_0)."""
    for weights, bias in layers[:-1]:
        u = linear(z, weights, bias)
        z = series.compose(sigma.derivatives(u[0], series.order), u)
    return linear(z, *layers[-1])


def trace(layers: Layers, sigma: Activation, series: Series, z: np.ndarray) -> Trace:
    """The forward pass, remembered."""
    inputs, slopes = [z], []
    for weights, bias in layers[:-1]:
        u = linear(z, weights, bias)
        outer = sigma.derivatives(u[0], series.order + 1)
        z = series.compose(outer[:-1], u)
        slopes.append(series.compose(outer[1:], u))
        inputs.append(z)
    return Trace(inputs, slopes, linear(z, *layers[-1]))


def reverse(layers: Layers, series: Series, passed: Trace, cotangent: np.ndarray) -> Layers:
    """Gradients (W̄, b̄) of every layer at a cotangent (C, p, outputs) of the output's coefficients."""
    gradients = []
    for number in range(len(layers) - 1, -1, -1):
        z = passed.inputs[number]
        gradients.append((flat(cotangent).T @ flat(z), cotangent[0].sum(axis=0)))
        if number:
            cotangent = series.transpose_multiply(passed.slopes[number - 1], times(cotangent, layers[number][0]))
    return gradients[::-1]


def along(layers: Layers, directions: Layers, sigma: Activation, series: Series, z: np.ndarray) -> np.ndarray:
    """The rate (C, p, outputs) of the output series as the layers move along `directions`."""
    rate = None
    for number, ((weights, bias), (step, shift)) in enumerate(zip(layers, directions)):
        moved = linear(z, step, shift)
        if rate is not None:
            moved += times(rate, weights.T)
        if number == len(layers) - 1:
            return moved
        u = linear(z, weights, bias)
        outer = sigma.derivatives(u[0], series.order + 1)
        rate = series.multiply(series.compose(outer[1:], u), moved)
        z = series.compose(outer[:-1], u)
    raise AssertionError("a network has at least one layer")


def sensitivities(layers: Layers, passed: Trace) -> list[np.ndarray]:
    """∂f_a/∂u_l at plain values for every layer l: a list of (p, outputs, n_{l+1})."""
    points, outputs = passed.output.shape[1:]
    found = [np.broadcast_to(np.eye(outputs), (points, outputs, outputs))]
    for number in range(len(layers) - 1, 0, -1):
        found.append(times(found[-1], layers[number][0]) * passed.slopes[number - 1][0][:, None, :])
    return found[::-1]
