"""Layers of infinite width one by one: on points alone and on pairs.

A pair of centred Gaussian variables is kept as in `network_rows`: 1 − c and 1 + c of their correlation, never used near
±1 itself, beside the covariance and the tangent kernel. What is done to pairs here adds numbers that are not negative.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from geomflow.core import memory
from geomflow.core.threads import slices
from geomflow.kernels import network_routines, network_series, stream_routines
from geomflow.kernels.activations import ClosedForm
from geomflow.kernels.expansions import Expanded
from geomflow.kernels.recursion import Known, Recursion

#: Points that a row of pairs has at once, so that blocks of 64 rows stay in the cache.
_COLUMNS = 256


@final
@dataclass(frozen=True, eq=False)
class Alone:
    """What a layer knows of every point alone.

    Parameters
    ----------
    before, after : (p,) array
        The deviations of what enters the layer and of what leaves it.
    gain : (p,) array
        The factor m E[φ'(u)²] of the tangent kernel of a point with itself.
    values, slopes : (order, p) array
        Coefficients of φ and φ' in Hermite polynomials, none for closed forms.
    """

    before: np.ndarray
    after: np.ndarray
    gain: np.ndarray
    values: np.ndarray
    slopes: np.ndarray

    def __getitem__(self, rows: slice) -> Alone:
        return Alone(self.before[rows], self.after[rows], self.gain[rows], self.values[:, rows], self.slopes[:, rows])


@final
@dataclass(frozen=True, eq=False)
class Trace(Known):
    """Points, and what every layer knows of each, in the order of the layers.

    Parameters
    ----------
    points : (p, d) array
        With the bias as last coordinate.
    squares : (p,) array
        |x|².
    first : (p,) array
        The deviations of the first layer's sums.
    steps : tuple of Alone
        The layers behind it.
    """

    points: np.ndarray
    squares: np.ndarray
    first: np.ndarray
    steps: tuple[Alone, ...]

    def __len__(self) -> int:
        return len(self.points)

    @property
    def terms(self) -> int:
        """The most of any layer."""
        return max((len(step.values) for step in self.steps), default=0)

    @cached_property
    def deviations(self) -> np.ndarray:
        """Those of the first layer's sums and of what leaves each layer behind it, (layers + 1, p)."""
        return np.array([self.first, *(step.after for step in self.steps)])

    def __getitem__(self, rows: slice) -> Trace:
        return Trace(self.points[rows], self.squares[rows], self.first[rows], tuple(step[rows] for step in self.steps))


@final
@dataclass(frozen=True, eq=False)
class Pairs:
    """1 − c, 1 + c, covariance and tangent kernel of pairs, arrays (r, q) that layers change in place."""

    near: np.ndarray
    far: np.ndarray
    covariance: np.ndarray
    tangent: np.ndarray

    @classmethod
    def of(cls, x: Trace, y: Trace, m: float) -> Pairs:
        """What leaves the first layer, σ_w x·W/√d + σ_b b."""
        near, far, covariance = np.empty((3, len(x), len(y)))
        scale = m / (x.points.shape[1] - 1)
        network_routines.first_layer(x.points, x.squares, y.points, y.squares, scale, near, far, covariance)
        return cls(near, far, covariance, covariance.copy())

    @property
    def parts(self) -> tuple[np.ndarray, ...]:
        """All four."""
        return self.near, self.far, self.covariance, self.tangent

    def copy(self) -> Pairs:
        """The same in arrays of their own."""
        return Pairs(*(part.copy() for part in self.parts))

    def add(self, share: float, branch: Pairs, p: np.ndarray, q: np.ndarray) -> None:
        """u → u + √share v for v of the branch, as if independent of u.

        p (3, r) and q (3, n) are the deviations of u, of v and of the sum.
        """
        stream_routines.add(share, p, q, *self.parts, *branch.parts)


class Layer(ABC):
    """A layer of infinite width: what it knows of points alone, and what it makes of pairs."""

    @abstractmethod
    def alone(self, deviations: np.ndarray, more: int = 1) -> Alone:
        """What is known of points whose sums u have these deviations, by `more` times as many terms as are enough."""

    @abstractmethod
    def pass_on(self, x: Alone, y: Alone, pairs: Pairs) -> None:
        """Change pairs to those of the next layer's sums."""


@final
@dataclass(frozen=True)
class LinearLayer(Layer):
    """σ_w W h/√N + σ_b b; m = σ_w² and β = σ_b²."""

    m: float
    beta: float

    def alone(self, deviations: np.ndarray, more: int = 1) -> Alone:
        """Deviations alone."""
        none = np.zeros((0, len(deviations)))
        after = np.sqrt(self.m * deviations**2 + self.beta)
        return Alone(deviations, after, np.full(len(deviations), self.m), none, none)

    def pass_on(self, x: Alone, y: Alone, pairs: Pairs) -> None:
        """K' = m K + β, Θ' = K' + m Θ."""
        stream_routines.linear(self.m, self.beta, x.before, x.after, y.before, y.after, *pairs.parts)


@final
@dataclass(frozen=True)
class ClosedLayer(Layer):
    """σ_w W φ(u)/√N + σ_b b by a closed form."""

    form: ClosedForm
    m: float
    beta: float

    def alone(self, deviations: np.ndarray, more: int = 1) -> Alone:
        """Deviations and gains."""
        variance, none = deviations**2, np.zeros((0, len(deviations)))
        after = np.sqrt(self.m * self.form.square(variance) + self.beta)
        return Alone(deviations, after, self.m * self.form.steepness(variance), none, none)

    def pass_on(self, x: Alone, y: Alone, pairs: Pairs) -> None:
        """One compiled row a point."""
        network = self.form.code, 0.0, self.m, self.beta, self.form.slope
        network_routines.pass_on(network, x.before, x.after, y.before, y.after, *pairs.parts)


@final
@dataclass(frozen=True)
class SeriesLayer(Layer):
    """σ_w W φ(u)/√N + σ_b b by the Hermite series of φ."""

    activation: Expanded
    m: float
    beta: float

    def alone(self, deviations: np.ndarray, more: int = 1) -> Alone:
        """Deviations, gains and coefficients."""
        order = more * self.activation.order(deviations)
        memory.require(16.0 * order * len(deviations), f"the series of {order} terms of an activation at "
                       f"{len(deviations):,} points", "take fewer points at a time, or a larger tolerance")
        values, slopes = self.activation.series(deviations, order)
        variance, steepness = (np.einsum("np,np->p", part, part) for part in (values, slopes))
        return Alone(deviations, np.sqrt(self.m * variance + self.beta), self.m * steepness, values, slopes)

    def pass_on(self, x: Alone, y: Alone, pairs: Pairs) -> None:
        """One compiled row of series a point."""
        rows = (np.ascontiguousarray(part) for part in (y.values, y.slopes))
        network_series.pass_on(self.m, self.beta, x.values, x.slopes, x.after, *rows, y.after, *pairs.parts)


def hidden_layer(function: ClosedForm | Expanded, m: float, beta: float) -> ClosedLayer | SeriesLayer:
    """The layer of an activation."""
    return SeriesLayer(function, m, beta) if isinstance(function, Expanded) else ClosedLayer(function, m, beta)


class LayeredRecursion(Recursion[Trace]):
    """A recursion that is carried out layer by layer on blocks of pairs."""

    @abstractmethod
    def pairs(self, x: Trace, y: Trace) -> Pairs:
        """Covariance and tangent kernel of the outputs at pairs of points."""

    def block(self, x: Trace, y: Trace, tangent: bool, out: np.ndarray) -> None:
        """Some columns at a time."""
        for part in slices(len(y), _COLUMNS):
            found = self.pairs(x, y[part])
            out[:, part] = found.tangent if tangent else found.covariance


def traced(points: np.ndarray, m: float, steps: Callable[[np.ndarray], tuple[Alone, ...]]) -> Trace:
    """The points with what the first layer knows of them, and what `steps` makes of its deviations."""
    squares = np.einsum("pi,pi->p", points, points)
    first = np.sqrt(m / (points.shape[1] - 1) * squares)
    return Trace(points, squares, first, steps(first))
