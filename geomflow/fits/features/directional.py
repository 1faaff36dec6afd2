"""The rate of φ and ∂_a∂_b̄φ of a perceptron as its parameters move along a direction: forward, exact.

A block carries, for every neuron, the value h, its tangents ∂_a h (complex, n of them), the packed ∂_a∂_b̄ h, and the
rates of all three along the direction.
"""

from __future__ import annotations

import numpy as np

from geomflow.core.threads import each, one_thread_products, slices
from geomflow.networks.complex_hessian import Inputs
from geomflow.networks.perceptron import Perceptron

_BLOCK = 128


def along(
    network: Perceptron, parameters: np.ndarray, direction: np.ndarray, inputs: Inputs
) -> tuple[np.ndarray, np.ndarray]:
    """d/dε of φ (P,) and of the packed ∂_a∂_b̄φ (P, n²) at θ + ε·direction; both arrays are (size,)."""
    layers = network.layers(network.layout.checked(parameters))
    moves = network.layers(network.layout.checked(direction, "components of the direction"))
    value, hessian = np.empty(inputs.count), np.empty((inputs.count, inputs.n**2))

    def work(block: slice) -> None:
        jet, rate = _start(inputs, block), None
        for number, ((weights, bias), (step, shift)) in enumerate(zip(layers, moves)):
            moved = _linear(jet, step, shift)
            rate = moved if rate is None else [a + b @ weights.T for a, b in zip(moved, rate)]
            jet = _linear(jet, weights, bias)
            if number < len(layers) - 1:
                jet, rate = _activated(network.activation.derivatives(jet[0], 3), jet, rate)
        value[block], hessian[block] = rate[0][:, 0], rate[2][..., 0].T

    with one_thread_products():
        each(work, slices(inputs.count, _BLOCK))
    return value, hessian


def _start(inputs: Inputs, block: slice) -> list[np.ndarray]:
    """(u, ∂_a u, packed ∂_a∂_b̄ u) of a block: (P, m), (n, P, m) and (n², P, m)."""
    n, count = inputs.n, block.stop - block.start
    first = np.empty((1 + 2 * n, count, inputs.width))
    second = np.zeros((n * n, count, inputs.width))
    inputs.fill(block, first, second if inputs.curved else None)
    return [first[0], first[1 : 1 + n] + 1j * first[1 + n :], second]


def _linear(jet: list[np.ndarray], weights: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
    parts = [part @ weights.T for part in jet]
    parts[0] += bias
    return parts


def _activated(slopes: np.ndarray, jet: list[np.ndarray], rate: list[np.ndarray]) -> tuple[list, list]:
    """σ(h): value, σ'∂h, σ'∂∂̄h + σ''∂h∂̄h; and the rates of these three."""
    value, once, twice, thrice = slopes
    (_, tangent, second), (moved, moved_tangent, moved_second) = jet, rate
    square = _hermitian(tangent, tangent)
    moved_square = 2 * _hermitian(tangent, moved_tangent)
    after = [value, once * tangent, once * second + twice * square]
    bent = twice * moved
    rates = [
        once * moved,
        bent * tangent + once * moved_tangent,
        bent * second + once * moved_second + thrice * moved * square + twice * moved_square,
    ]
    return after, rates


def _hermitian(s: np.ndarray, t: np.ndarray) -> np.ndarray:
    """½ (s_a t̄_b + t_a s̄_b), packed: (n, P, W) twice to (n², P, W)."""
    n = len(s)
    out = np.empty((n * n, *s.shape[1:]))
    row = n
    for a in range(n):
        out[a] = (s[a] * t[a].conj()).real
        for b in range(a + 1, n):
            mixed = (s[a] * t[b].conj() + t[a] * s[b].conj()) / 2
            out[row], out[row + 1] = mixed.real, mixed.imag
            row += 2
    return out
