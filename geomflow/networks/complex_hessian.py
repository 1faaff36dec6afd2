"""The complex Hessian ∂_a∂_b̄ φ of a perceptron along complex tangents, and its derivatives by the parameters.

With h^l the pre-activations, s^l_a = ∂_a h^l and λ^l = ∂φ/∂σ(h^l),

    ∂_a∂_b̄ φ = Σ_l Σ_i λ^l_i σ''(h^l_i) s^l_{a,i} s̄^l_{b,i} + Σ_j (∂φ/∂u_j) ∂_a∂_b̄ u_j,

so that one forward sweep of 1 + 2n real channels and one backward sweep of a single channel give all n² real
components, without the 1 + 2n + n² channels of forward jets. The gradient of Σ c_{ab} ∂_a∂_b̄ φ needs one more forward
channel (the contracted second derivatives Λ) and a reverse sweep of 1 + 2n: the cotangent of Λ is λ, already known.

Hermitian matrices are packed as n² real numbers: the diagonal, then real and imaginary part of each a < b.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Protocol, final

import numpy as np

from geomflow.core.errors import InputError, ShapeError
from geomflow.core.threads import each, one_thread_products, slices
from geomflow.networks import complex_hessian_routines as routine
from geomflow.networks.activation import Activation
from geomflow.networks.perceptron import Perceptron

Layers = list[tuple[np.ndarray, np.ndarray]]
Real = type[np.floating[Any]]


class Inputs(Protocol):
    """Inputs u of a network at `count` points, with derivatives along n complex tangents."""

    @property
    def count(self) -> int:
        """The number of points."""

    @property
    def width(self) -> int:
        """The number of inputs."""

    @property
    def n(self) -> int:
        """The number of tangents."""

    @property
    def curved(self) -> bool:
        """Whether the inputs have second derivatives."""

    def fill(self, block: slice, first: np.ndarray, second: np.ndarray | None) -> None:
        """first[0] = u, first[1 + a] = Re ∂_a u, first[1 + n + a] = Im ∂_a u; second[c] = packed ∂_a∂_b̄ u."""


@final
class Sweep:
    """Room for one block of points, and the sweeps through the layers; made once, used for many blocks."""

    def __init__(self, count: int, widths: tuple[int, ...], n: int, curved: bool, dtype: Real) -> None:
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

    def forward(self, layers: Layers, activation: Activation) -> None:
        """φ in `value`, and the packed ∂_a∂_b̄ φ in `packed`."""
        for number, (weights, bias) in enumerate(layers[:-1]):
            pre, slopes, post = self.pre[number], self.slopes[number], self.post[number + 1]
            _times(self.post[number][:-1], weights.T, pre[:-1])
            pre[0] += bias
            activation.fill(pre[0], slopes)
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


#: A function of (block, φ (P,), packed ∂∂̄φ (P, n²)) that returns its sum over the block and its derivatives by both.
Local = Callable[[slice, np.ndarray, np.ndarray], tuple[Any, np.ndarray, np.ndarray]]

_BLOCK = 128


@final
class ComplexHessian:
    """φ and ∂_a∂_b̄φ of a perceptron with one output, as functions of its parameters.

    `precision` "single" halves the time and the memory; results then carry about six digits. Parameters so large that
    numbers overflow give values that are not finite, and no warning.
    Raises `InputError` for several outputs, an embedding, an activation that is not smooth, or another precision.
    """

    def __init__(self, network: Perceptron, precision: str = "double") -> None:
        if network.outputs != 1 or network.embedding is not None:
            raise InputError(f"φ is one function of the inputs themselves: no embedding, outputs=1; this is {network}")
        if network.activation.kinked:
            raise InputError(f"the Hessian of a network of {network.activation.name} is zero almost everywhere; take "
                             "gelu, tanh, softplus, ...")
        if precision not in ("double", "single"):
            raise InputError(f"the precision is {precision!r}; choose 'double' or 'single'")
        self.network = network
        self.dtype: Real = np.float64 if precision == "double" else np.float32
        self._room: dict[tuple[int, int, bool], SimpleQueue[Sweep]] = {}

    def __call__(self, parameters: np.ndarray, inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
        """φ (P,) and the packed ∂_a∂_b̄φ (P, n²)."""
        layers = self._layers(parameters, inputs)
        value, hessian = np.empty(inputs.count), np.empty((inputs.count, inputs.n**2))

        def work(block: slice, sweep: Sweep) -> None:
            value[block], hessian[block] = sweep.value, sweep.packed

        self._over_blocks(layers, inputs, work)
        return value, hessian

    def gradient(self, parameters: np.ndarray, inputs: Inputs, local: Local) -> tuple[float, np.ndarray]:
        """Σ_p f_p(φ, ∂∂̄φ) and its gradient (size,) by the parameters; `local` knows f and its derivatives."""
        layers = self._layers(parameters, inputs)

        def work(block: slice, sweep: Sweep) -> tuple[float, Layers]:
            total, change, dual = local(block, sweep.value, sweep.packed)
            change, dual = change.astype(self.dtype, copy=False), dual.astype(self.dtype, copy=False)
            sweep.backward(layers, change, dual)
            return total, sweep.gradients(layers, change)

        parts = self._over_blocks(layers, inputs, work)
        def over_parts(number: int, k: int) -> np.ndarray:
            return np.asarray(sum(np.asarray(part[number][k], dtype=float) for _, part in parts))

        sums = [(over_parts(number, 0), over_parts(number, 1)) for number in range(len(layers))]
        return float(sum(total for total, _ in parts)), self.network.gather(sums)

    def jacobian(self, parameters: np.ndarray, inputs: Inputs, local: Local, out: np.ndarray) -> np.ndarray:
        """Each point's own gradient of f_p, into `out` (P, size) of this precision; returns the values `local` gave."""
        layers = self._layers(parameters, inputs)

        def work(block: slice, sweep: Sweep) -> Any:
            values, change, dual = local(block, sweep.value, sweep.packed)
            change, dual = change.astype(self.dtype, copy=False), dual.astype(self.dtype, copy=False)
            sweep.backward(layers, change, dual)
            sweep.rows(self.network, change, out[block])
            return values

        values = np.concatenate(self._over_blocks(layers, inputs, work))
        if self.network.parametrisation == "ntk":
            out *= self.network.scales.astype(self.dtype)
        return values

    def _layers(self, parameters: np.ndarray, inputs: Inputs) -> Layers:
        if inputs.width != self.network.inputs:
            raise ShapeError(f"the points have {inputs.width} inputs, and {self.network} takes {self.network.inputs}")
        parameters = self.network.layout.checked(parameters)
        return [
            (np.ascontiguousarray(w, self.dtype), b.astype(self.dtype)) for w, b in self.network.layers(parameters)
        ]

    def _over_blocks(self, layers: Layers, inputs: Inputs, work: Callable[[slice, Sweep], Any]) -> list[Any]:
        def one(block: slice) -> Any:
            size = block.stop - block.start
            room = self._room.setdefault((size, inputs.n, inputs.curved), SimpleQueue())
            try:
                sweep = room.get_nowait()
            except Empty:
                sweep = Sweep(size, self.network.widths, inputs.n, inputs.curved, self.dtype)
            inputs.fill(block, sweep.inputs, sweep.second)
            with np.errstate(over="ignore", invalid="ignore"):
                sweep.forward(layers, self.network.activation)
                result = work(block, sweep)
            room.put(sweep)
            return result

        with one_thread_products():
            return each(one, slices(inputs.count, _BLOCK))
