"""Sums over points of functions of φ and ∂∂̄φ, with their gradients by the parameters, in blocks on all threads."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import final

import numpy as np

from geomflow.core.errors import InputError, ShapeError
from geomflow.core.threads import each, one_thread_products, slices
from geomflow.networks import tangent_routines as routine
from geomflow.networks.activation import Activation
from geomflow.networks.perceptron import Perceptron
from geomflow.networks.tangents import Inputs, Layers, Sweep

#: A function of (block, φ (P,), packed ∂∂̄φ (P, n²)) that returns its sum over the block and its derivatives by both.
Local = Callable[[slice, np.ndarray, np.ndarray], tuple[float, np.ndarray, np.ndarray]]

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
        self.dtype = np.float64 if precision == "double" else np.float32
        self._activate = _activation(network.activation)
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
        summed = [
            tuple(sum(np.asarray(part[number][k], dtype=float) for _, part in parts) for k in (0, 1))
            for number in range(len(layers))
        ]
        return float(sum(total for total, _ in parts)), self.network.gather(summed)

    def jacobian(self, parameters: np.ndarray, inputs: Inputs, local: Local, out: np.ndarray) -> np.ndarray:
        """Each point's own gradient of f_p, into `out` (P, size) of this precision; returns the values `local` gave."""
        layers = self._layers(parameters, inputs)

        def work(block: slice, sweep: Sweep) -> np.ndarray:
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

    def _over_blocks(self, layers: Layers, inputs: Inputs, work: Callable) -> list:
        def one(block: slice):
            size = block.stop - block.start
            room = self._room.setdefault((size, inputs.n, inputs.curved), SimpleQueue())
            try:
                sweep = room.get_nowait()
            except Empty:
                sweep = Sweep(size, self.network.widths, inputs.n, inputs.curved, self.dtype)
            inputs.fill(block, sweep.inputs, sweep.second)
            with np.errstate(over="ignore", invalid="ignore"):
                sweep.forward(layers, self._activate)
                result = work(block, sweep)
            room.put(sweep)
            return result

        with one_thread_products():
            return each(one, slices(inputs.count, _BLOCK))


def _activation(activation: Activation) -> Callable[[np.ndarray, np.ndarray, np.ndarray], None]:
    """The compiled activation of that name, or the user's own."""
    code = routine.CODES.get(activation.name)

    def compiled(bias: np.ndarray, pre: np.ndarray, slopes: np.ndarray) -> None:
        routine.table(code, bias, pre, slopes)

    def own(bias: np.ndarray, pre: np.ndarray, slopes: np.ndarray) -> None:
        pre[0] += bias
        slopes[...] = activation.derivatives(pre[0], 3)

    return compiled if code is not None else own
