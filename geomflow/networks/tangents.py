"""The complex Hessian ∂_a∂_b̄ φ of a perceptron along complex tangents, and its derivatives by the parameters.

With h^l the pre-activations, s^l_a = ∂_a h^l and λ^l = ∂φ/∂σ(h^l),

    ∂_a∂_b̄ φ = Σ_l Σ_i λ^l_i σ''(h^l_i) s^l_{a,i} s̄^l_{b,i} + Σ_j (∂φ/∂u_j) ∂_a∂_b̄ u_j,

so that one forward sweep of 1 + 2n real channels and one backward sweep of a single channel give all n² real
components, without the 1 + 2n + n² channels of forward jets. The gradient of Σ c_{ab} ∂_a∂_b̄ φ needs one more forward
channel (the contracted second derivatives Λ) and a reverse sweep of 1 + 2n: the cotangent of Λ is λ, already known.

Hermitian matrices are packed as n² real numbers, see `geomflow.core.hermitian`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, final

import numpy as np

from geomflow.core.errors import ShapeError
from geomflow.core.hermitian import pack
from geomflow.networks import tangent_routines as routine
from geomflow.networks.perceptron import Perceptron

Layers = list[tuple[np.ndarray, np.ndarray]]


class Inputs(Protocol):
    """Inputs u of a network at `count` points, with derivatives along n complex tangents."""

    count: int
    width: int
    n: int
    curved: bool

    def fill(self, block: slice, first: np.ndarray, second: np.ndarray | None) -> None:
        """first[0] = u, first[1 + a] = Re ∂_a u, first[1 + n + a] = Im ∂_a u; second[c] = packed ∂_a∂_b̄ u."""


@final
class GivenInputs:
    """Inputs from arrays: `values` (P, m), `tangents` (P, n, m) complex and, unless zero, `second` (P, n, n, m)."""

    def __init__(self, values: np.ndarray, tangents: np.ndarray, second: np.ndarray | None = None) -> None:
        values, tangents = np.asarray(values, dtype=float), np.asarray(tangents, dtype=complex)
        if values.ndim != 2 or tangents.ndim != 3 or tangents.shape[::2] != values.shape:
            raise ShapeError(
                f"the inputs have shape {values.shape} and their tangents {tangents.shape}; "
                "give (points, inputs) and (points, n, inputs)"
            )
        self.count, self.width = values.shape
        self.n = tangents.shape[1]
        parts = [values[None], np.moveaxis(tangents.real, 1, 0), np.moveaxis(tangents.imag, 1, 0)]
        self._first = np.concatenate(parts)
        self.curved = second is not None
        self._second = np.moveaxis(pack(np.moveaxis(second, 3, 1)), 2, 0) if second is not None else None

    def fill(self, block: slice, first: np.ndarray, second: np.ndarray | None) -> None:
        """Copy a block."""
        first[...] = self._first[:, block]
        if second is not None:
            second[...] = self._second[:, block]


@final
class Sweep:
    """Room for one block of points, and the sweeps through the layers; made once, used for many blocks."""

    def __init__(self, count: int, widths: tuple[int, ...], n: int, curved: bool, dtype: type) -> None:
        d = 2 * n
        self.n, self.d = n, d
        hidden = widths[1:-1]
        self.post = [np.empty((d + 2, count, w), dtype) for w in widths[:-1]]
        self.pre = [np.empty((d + 2, count, w), dtype) for w in hidden]
        self.slopes = [np.empty((4, count, w), dtype) for w in hidden]
        self.bent = [np.empty((d + 1, count, w), dtype) for w in hidden]
        self.cotangent = [np.empty((d + 2, count, w), dtype) for w in hidden]
        self.sensitivity = [np.empty((count, w), dtype) for w in hidden]
        self.gradient = np.empty((count, widths[0]), dtype)
        self.second = np.empty((n * n, count, widths[0]), dtype) if curved else None
        self.value = np.empty(count, dtype)
        self.packed = np.empty((count, n * n), dtype)
        self.form = np.empty((count, d, d), dtype)

    @property
    def inputs(self) -> np.ndarray:
        """Where the inputs and their tangents go, (1 + 2n, P, m)."""
        return self.post[0][: self.d + 1]

    def forward(self, layers: Layers, activation: Callable[..., None]) -> None:
        """φ in `value`, and the packed ∂_a∂_b̄ φ in `packed`."""
        for number, (weights, bias) in enumerate(layers[:-1]):
            pre, slopes, post = self.pre[number], self.slopes[number], self.post[number + 1]
            _times(self.post[number][:-1], weights.T, pre[:-1])
            activation(bias, pre, slopes)
            routine.forward(pre, post, slopes)
        weights, bias = layers[-1]
        np.matmul(self.post[-1][0], weights[0], out=self.value)
        self.value += bias[0]
        self._second_order(layers)

    def _second_order(self, layers: Layers) -> None:
        self.packed[:] = 0
        self.cotangent[-1][-1] = layers[-1][0][0]
        for number in range(len(self.pre) - 1, -1, -1):
            change = self.sensitivity[number]
            change[:] = self.cotangent[number][-1]
            routine.hessian(change, self.slopes[number], self.pre[number], self.n, self.packed)
            if number or self.second is not None:
                below = self.cotangent[number - 1][-1] if number else self.gradient
                np.matmul(change, layers[number][0], out=below)
        if self.second is not None:
            routine.contract(self.second, self.gradient, self.packed)

    def backward(self, layers: Layers, change: np.ndarray, dual: np.ndarray) -> None:
        """Cotangents of every layer for the sum of change·φ + dual·(packed ∂∂̄φ)."""
        routine.quadratic(dual, self.n, self.form)
        if self.second is not None:
            routine.trace(dual, self.second, self.post[0][-1])
        else:
            self.post[0][-1] = 0
        for number, (weights, _) in enumerate(layers[:-1]):
            pre, slopes, post, bent = (a[number] for a in (self.pre, self.slopes, self.post[1:], self.bent))
            np.matmul(self.post[number][-1], weights.T, out=pre[-1])
            routine.bend(self.form, slopes, pre, post, bent)
        top = self.cotangent[-1]
        np.multiply(change[:, None], layers[-1][0][0], out=top[0])
        top[1:-1] = 0
        for number in range(len(self.pre) - 1, -1, -1):
            here, pre = self.cotangent[number], self.pre[number]
            routine.reverse(self.sensitivity[number], self.slopes[number], pre, self.bent[number], here)
            if number:
                _times(here[:-1], layers[number][0], self.cotangent[number - 1][:-1])

    def gradients(self, layers: Layers, change: np.ndarray) -> Layers:
        """After `backward`: the sum over points of the gradient by each layer's W and b."""
        out = []
        for cotangent, post in zip(self.cotangent, self.post):
            flat = cotangent.reshape(-1, cotangent.shape[2])
            out.append((flat.T @ post.reshape(-1, post.shape[2]), cotangent[0].sum(axis=0)))
        last = change @ self.post[-1][0] + self.post[-1][-1].sum(axis=0)
        return [*out, (last[None], change.sum(keepdims=True))]

    def rows(self, network: Perceptron, change: np.ndarray, out: np.ndarray) -> None:
        """After `backward`: every point's own gradient by the parameters, out (P, size)."""
        places = network.layout.slices
        for number, (cotangent, post) in enumerate(zip(self.cotangent, self.post)):
            routine.outer(cotangent, post, places[f"W{number}"].start, out)
            if network.biased:
                out[:, places[f"b{number}"]] = cotangent[0]
        last = len(self.pre)
        out[:, places[f"W{last}"]] = change[:, None] * self.post[-1][0] + self.post[-1][-1]
        if network.biased:
            out[:, places[f"b{last}"]] = change[:, None]


def _times(source: np.ndarray, matrix: np.ndarray, out: np.ndarray) -> None:
    """All channels and points times one matrix."""
    np.matmul(source.reshape(-1, source.shape[2]), matrix, out=out.reshape(-1, out.shape[2]))
