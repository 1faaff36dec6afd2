"""Kernels of infinitely wide perceptrons with layer normalisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.kernels.layers import Alone, Layer, LayeredRecursion, Pairs, Trace, hidden_layer, traced
from geomflow.kernels.network import InfiniteNetwork


@dataclass(frozen=True)
class NormalisedNetwork(InfiniteNetwork):
    """What both kernels of an infinitely wide perceptron with layer normalisation share."""

    @property
    def _recursion(self) -> NormalisedRecursion:
        m = self.weight_std**2
        return NormalisedRecursion(hidden_layer(self._function, m, self.bias_std**2), self.depth, m)

    def read(self, x: Any) -> np.ndarray:
        """As for other networks; InputError for a point at zero without a bias, whose layers have no deviation."""
        points = super().read(x)
        if not (lengths := np.any(points, axis=1)).all():
            raise InputError(f"point {int(np.argmin(lengths))} of {len(points)} is zero and bias_std is 0: all sums of "
                             "the first layer vanish there, and no deviation divides them. Take a positive bias_std.")
        exponents = np.frexp(np.abs(points).max(axis=1))[1]
        return np.ldexp(points, -exponents[:, None])  # along rays nothing changes


@final
@dataclass(frozen=True)
class NormalisedKernel(NormalisedNetwork):
    """The tangent kernel Θ of infinitely wide perceptrons with layer normalisation, by recursion in depth.

    Networks are those of `NetworkKernel`, but that the sums u of every hidden layer are normalised before the
    activation, û = (u − mean u)/√(var u), mean and variance taken over the neurons of the layer at one point: Ba, Kiros
    and Hinton (2016), eq. (3), with gains one and no shifts. In infinite width means vanish and the variance is
    K(x, x); derivatives of mean and variance add O(1/N) to the tangent kernel. So û has the covariance C and the
    tangent kernel Θ̂,

        C = K_{l−1}(x, x')/√(K_{l−1}(x, x) K_{l−1}(x', x')),        Θ̂ = Θ_{l−1}/√(K_{l−1}(x, x) K_{l−1}(x', x')),
        K_l = σ_w² E[φ(u) φ(v)] + σ_b²,        Θ_l = K_l + σ_w² E[φ'(u) φ'(v)] Θ̂,        (u, v) ~ N(0, C),

    from K_0 = Θ_0 = σ_w² x·x'/d + σ_b². Kernels are the same along rays of (x, σ_b√d/σ_w). `covariance` is K. Errors
    are those of `NetworkKernel`, and InputError for a point at zero without a bias.

    Parameters
    ----------
    activation : str, LeakyRelu, Polynomial, Quadrature or callable
        φ, as for `NetworkKernel`.
    depth : int
        Hidden layers.
    weight_std, bias_std : float
        σ_w > 0 and σ_b >= 0.
    embedding : FourierEmbedding, optional
        With it points are torus coordinates.

    Examples
    --------
    >>> NormalisedKernel("identity").matrix([[1.0], [2.0], [-3.0]]).tolist()
    [[2.0, 2.0, -2.0], [2.0, 2.0, -2.0], [-2.0, -2.0, 2.0]]
    """

    @property
    def _tangent(self) -> bool:
        return True

    @property
    def covariance(self) -> NormalisedCovariance:
        """The covariance of the outputs of the same networks."""
        return NormalisedCovariance(self.activation, self.depth, self.weight_std, self.bias_std, self.embedding)


@final
@dataclass(frozen=True)
class NormalisedCovariance(NormalisedNetwork):
    """The covariance E[f(x) f(x')] of the outputs at initialisation, K of `NormalisedKernel`.

    Parameters
    ----------
    activation : str, LeakyRelu, Polynomial, Quadrature or callable
        φ, as for `NetworkKernel`.
    depth : int
        Hidden layers.
    weight_std, bias_std : float
        σ_w > 0 and σ_b >= 0.
    embedding : FourierEmbedding, optional
        With it points are torus coordinates.
    """

    @property
    def _tangent(self) -> bool:
        return False


@final
@dataclass(frozen=True)
class NormalisedRecursion(LayeredRecursion):
    """The recursion of `NormalisedKernel`; m = σ_w²."""

    hidden: Layer
    depth: int
    m: float

    def layers(self, points: np.ndarray, more: int = 1) -> Trace:
        """The same hidden layer at every depth."""
        return traced(points, self.m, lambda first: self._steps(len(first), more))

    def _steps(self, count: int, more: int) -> tuple[Alone, ...]:
        return (self.hidden.alone(np.ones(count), more),) * self.depth

    def pairs(self, x: Trace, y: Trace) -> Pairs:
        """Correlations are kept by the normalisation; what is divided is the tangent kernel."""
        found, before = Pairs.of(x, y, self.m), (x.first, y.first)
        for first, second in zip(x.steps, y.steps):
            found.tangent[:] /= np.multiply.outer(*before)
            self.hidden.pass_on(first, second, found)
            before = first.after, second.after
        return found

    def diagonal(self, x: Trace, tangent: bool) -> np.ndarray:
        """K, or Θ by the gains of the layers; the first one's tangent kernel is its covariance."""
        last = x.steps[-1].after ** 2
        if not tangent:
            return last
        theta = np.ones(len(x))
        for step in x.steps:
            theta = 1 + step.gain / step.after**2 * theta
        return last * theta
