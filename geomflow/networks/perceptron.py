"""Multilayer perceptrons of any depth and width, in NTK and standard parametrisation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Any, Literal, final

import numpy as np

from geomflow.core.archive import Archive
from geomflow.core.errors import InputError, require_known
from geomflow.core.numbers import real_number
from geomflow.networks.activation import Activation, ActivationName
from geomflow.networks.activation import activation as named
from geomflow.networks.jets import Series
from geomflow.networks.network import Layout, Network, joined, point_blocks, summed
from geomflow.networks.periodic import FourierEmbedding

_PARAMETRISATIONS = ("ntk", "standard")


@final
class Perceptron(Network):
    """f = W_L σ(… σ(W_0 x + b_0) …) + b_L, a multilayer perceptron with `hidden` widths and one linear output layer.

    NTK parametrisation: every layer is W x σ_w/√(fan-in) + σ_b b with W, b ~ N(0, 1); without biases where σ_b = 0.
    Standard parametrisation: W x + b with W ~ N(0, σ_w²/fan-in) and b ~ N(0, σ_b²); biases start at 0 where σ_b = 0.
    The parameters are W0 (n_1, n_0), b0 (n_1,), W1, b1, … one after the other.

    With an embedding the points are the torus coordinates, the first layer sees the embedding's features, and the
    function is periodic; jets are by the torus coordinates. Raises `InputError` for sizes and deviations out of range
    and `UnknownNameError` for unknown names.

    Parameters
    ----------
    inputs, outputs : int
        How many numbers go in and come out at a point.
    hidden : sequence of int
        Widths of the hidden layers.
    activation : str or Activation
        σ, after every hidden layer.
    parametrisation : "ntk" or "standard"
        Where σ_w and σ_b stand.
    weight_std, bias_std : float
        σ_w > 0 and σ_b >= 0.
    embedding : FourierEmbedding, optional
        What makes the network periodic on a torus.

    Examples
    --------
    >>> Perceptron(2, hidden=(8, 8), outputs=3)
    a perceptron 2-8-8-3 with gelu, NTK parametrisation, 104 parameters
    """

    def __init__(
        self,
        inputs: int,
        hidden: Sequence[int] = (64, 64),
        outputs: int = 1,
        activation: ActivationName | Activation = "gelu",
        parametrisation: Literal["ntk", "standard"] = "ntk",
        weight_std: float = 1.0,
        bias_std: float = 0.0,
        embedding: FourierEmbedding | None = None,
    ) -> None:
        self.widths = _checked_widths(inputs, hidden, outputs, embedding)
        self.inputs, self.outputs, self.embedding = int(inputs), int(outputs), embedding
        self.activation = named(activation)
        require_known("parametrisation", parametrisation, _PARAMETRISATIONS)
        self.parametrisation: Literal["ntk", "standard"] = parametrisation
        self.weight_std = _checked_deviation(weight_std, "weight_std", smallest=np.finfo(float).tiny)
        self.bias_std = _checked_deviation(bias_std, "bias_std", smallest=0.0)
        self.biased = parametrisation == "standard" or self.bias_std > 0
        self.layout = Layout(tuple(self._entries()))

    def _entries(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        for number, (before, after) in enumerate(zip(self.widths, self.widths[1:])):
            yield f"W{number}", (after, before)
            if self.biased:
                yield f"b{number}", (after,)

    def to_json(self) -> str:
        """Sizes, activation and parametrisation as text, for files. Not the embedding."""
        names = ("inputs", "outputs", "parametrisation", "weight_std", "bias_std")
        fields = {name: getattr(self, name) for name in names}
        return json.dumps(fields | {"hidden": self.widths[1:-1], "activation": self.activation.name})

    @classmethod
    def from_file(cls, file: Archive) -> Perceptron:
        """The network that a file holds as 'network', the text of `to_json`. Raises `StoreError` and `InputError`.

        Parameters
        ----------
        file : Archive
            The open file.
        """
        return cls(**file.json("network", dict))

    @property
    def kinked(self) -> bool:
        """Whether the activation is, as ReLU."""
        return self.activation.kinked

    @property
    def depth(self) -> int:
        """The number of hidden layers."""
        return len(self.widths) - 2

    @cached_property
    def scales(self) -> np.ndarray:
        """Factors (size,) with which parameters enter the layers: σ_w/√(fan-in) and σ_b, or ones."""
        return self._deviations() if self.parametrisation == "ntk" else np.ones(self.size)

    def _deviations(self) -> np.ndarray:
        shapes = self.layout.shapes.items()
        numbers = {
            name: np.full(shape, self.weight_std / sqrt(shape[1]) if len(shape) == 2 else self.bias_std)
            for name, shape in shapes
        }
        return self.layout.flat(numbers)

    def initial(self, seed: int | np.random.Generator) -> np.ndarray:
        """θ ~ N(0, 1) in NTK parametrisation, W ~ N(0, σ_w²/fan-in) and b ~ N(0, σ_b²) in the standard one."""
        numbers = self._drawn(seed)
        return numbers if self.parametrisation == "ntk" else numbers * self._deviations()

    def layers(self, parameters: np.ndarray) -> Layers:
        """Pairs (W (out, in), b (out,)) with all scales multiplied in: the network is W z + b and σ, no more.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        """
        views = self.layout.views(parameters * self.scales)
        return [
            (views[f"W{number}"], views[f"b{number}"] if self.biased else np.zeros(after))
            for number, after in enumerate(self.widths[1:])
        ]

    def gather(self, gradients: Layers) -> np.ndarray:
        """The transpose of `layers`: gradients by the scaled layers to the gradient (size,) by the parameters.

        Parameters
        ----------
        gradients : list of (W̄, b̄)
            Of the shapes of `layers`.
        """
        parts = []
        for weights, bias in gradients:
            parts.append(weights.ravel())
            if self.biased:
                parts.append(bias)
        return np.concatenate(parts) * self.scales

    def features(self, x: np.ndarray, series: Series) -> np.ndarray:
        """The series (C, p, n_0) that enters the first layer: the coordinates, or their embedding.

        Parameters
        ----------
        x : (p, inputs) array
            Points.
        series : Series
            The algebra of series.
        """
        return series.start(x) if self.embedding is None else self.embedding.series(x, series)

    def _jets(self, parameters: np.ndarray, x: np.ndarray, series: Series) -> np.ndarray:
        layers, out = self.layers(parameters), np.empty((series.channels, len(x), self.outputs))

        def work(block: slice) -> np.ndarray:
            return forward(layers, self.activation, series, self.features(x[block], series))

        return _derivatives(series, joined(work, self._blocks(x, series), out, axis=1))

    def _jets_jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray, series: Series) -> np.ndarray:
        layers, moves = self.layers(parameters), self.layers(direction)
        out = np.empty((series.channels, len(x), self.outputs))

        def work(block: slice) -> np.ndarray:
            return along(layers, moves, self.activation, series, self.features(x[block], series))

        return _derivatives(series, joined(work, self._blocks(x, series), out, axis=1))

    def _jets_vjp(self, parameters: np.ndarray, x: np.ndarray, cotangents: np.ndarray, series: Series) -> np.ndarray:
        layers = self.layers(parameters)

        def work(block: slice) -> np.ndarray:
            passed = trace(layers, self.activation, series, self.features(x[block], series))
            cotangent = cotangents[:, block] * series.factorials[:, None, None]
            return self.gather(reverse(layers, series, passed, cotangent))

        return summed(work, self._blocks(x, series), self.size)

    def _jacobian(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        layers, out = self.layers(parameters), np.empty((len(x), self.outputs, self.size))
        views = self.layout.views(out)
        for block in point_blocks(len(x), self.size):
            passed = self._trace(layers, x[block])
            for number, change in enumerate(sensitivities(layers, passed)):
                entering = passed.inputs[number][0]
                np.multiply(change[..., None], entering[:, None, None, :], out=views[f"W{number}"][block])
                if self.biased:
                    views[f"b{number}"][block] = change
            out[block] *= self.scales
        return out

    def _tangent_kernel(self, parameters: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        layers = self.layers(parameters)
        right = self._kernel_parts(layers, y)
        left = right if y is x else self._kernel_parts(layers, x)
        out = np.empty((len(x), len(y), self.outputs, self.outputs))

        def work(block: slice) -> np.ndarray:
            return self._kernel_block(left, right, block)

        return joined(work, point_blocks(len(x), len(y) * self.outputs**2), out)

    def _kernel_parts(self, layers: Layers, x: np.ndarray) -> Parts:
        """Per layer the entering values (p, n_l) and the sensitivities (outputs, p, n_{l+1})."""
        passed = self._trace(layers, x)
        changes = sensitivities(layers, passed)
        return [(z[0], np.ascontiguousarray(d.transpose(1, 0, 2))) for z, d in zip(passed.inputs, changes)]

    def _kernel_block(self, left: Parts, right: Parts, block: slice) -> np.ndarray:
        """Σ_l (s_w² z_l(x)·z_l(y) + s_b²) δ_l(x)_a · δ_l(y)_b, layer by layer, never forming J."""
        total: Any = 0.0
        for (z, change), (other, change_other), fan_in in zip(left, right, self.widths):
            gram = (z[block] @ other.T) * self._weight_scale(fan_in) ** 2 + self._bias_scale() ** 2
            pairs = change[:, None, block] @ change_other[None].swapaxes(-1, -2)
            total = total + pairs * gram
        return np.transpose(total, (2, 3, 0, 1))

    def _weight_scale(self, fan_in: int) -> float:
        return self.weight_std / sqrt(fan_in) if self.parametrisation == "ntk" else 1.0

    def _bias_scale(self) -> float:
        return self.bias_std if self.parametrisation == "ntk" else 1.0

    def _trace(self, layers: Layers, x: np.ndarray) -> Trace:
        series = Series(self.inputs, 0)
        return trace(layers, self.activation, series, self.features(x, series))

    def _blocks(self, x: np.ndarray, series: Series) -> list[slice]:
        return point_blocks(len(x), series.channels * max(self.widths))

    def __repr__(self) -> str:
        widths = "-".join(map(str, self.widths))
        kind = "NTK" if self.parametrisation == "ntk" else "standard"
        where = "" if self.embedding is None else f" of {self.embedding}"
        what = f"a perceptron {widths} with {self.activation.name}, {kind} parametrisation"
        return f"{what}, {self.size} parameters{where}"


def _derivatives(series: Series, coefficients: np.ndarray) -> np.ndarray:
    """∂^α f = α! × coefficient, in place."""
    if series.order > 1:
        coefficients *= series.factorials[:, None, None]
    return coefficients


def _checked_widths(inputs: int, hidden: Sequence[int], outputs: int,
                    embedding: FourierEmbedding | None) -> tuple[int, ...]:
    """All widths, input to output, with the embedding's features as the first."""
    if not isinstance(hidden, Sequence):
        raise InputError(f"hidden are the widths of the hidden layers, such as (64, 64), and {hidden!r} was given.")
    for number in (inputs, *hidden, outputs):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
            raise InputError(f"inputs, hidden widths and outputs are whole numbers >= 1, and one is {number!r}.")
    first = int(inputs)
    if embedding is not None:
        if not isinstance(embedding, FourierEmbedding):
            raise InputError(f"an embedding is made by FourierEmbedding(torus), and {embedding!r} was given.")
        if embedding.inputs != first:
            raise InputError(f"the embedding takes {embedding.inputs} coordinates, and inputs is {first}.")
        first = embedding.features
    return (first, *map(int, hidden), int(outputs))


def _checked_deviation(value: Any, name: str, smallest: float) -> float:
    if np.ndim(value):
        raise InputError(f"{name} is one number for all layers, and it is {value!r}. Layers with deviations of their "
                         "own are the same network at other parameters: scale those of initial(seed).")
    number = real_number(value, f"{name} is one number for all layers: it")
    if not (np.isfinite(number) and number >= smallest):
        bound = "positive" if smallest > 0 else ">= 0"
        raise InputError(f"{name} is a standard deviation, finite and {bound}, and it is {number!r}.")
    return number


#: Layers are pairs (W (out, in), b (out,)) with all scales multiplied in. A series is (C, p, n), Taylor coefficients by
#: the network's inputs; with C = 1 these are plain values. Hidden layers are followed by the activation, the last not.
Layers = list[tuple[np.ndarray, np.ndarray]]
Parts = list[tuple[np.ndarray, np.ndarray]]


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
