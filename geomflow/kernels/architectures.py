"""Kernels of other wide networks of one hidden layer in closed form: Gauss-net, and the cosine network fully trained.

Both are a Gaussian G = e^{−s|x − x'|²/2}, s = σ_w²/d, times a polynomial of s x·x': Halverson and Ruehle, section 2.3;
Halverson, Maiti and Stoner (2020).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from math import pi, sqrt
from typing import Any, Self, final

import numpy as np

from geomflow.core.errors import InputError, NotFiniteError
from geomflow.core.numbers import finite_number
from geomflow.kernels.blocks import require_square, same_dimension
from geomflow.kernels.embedded import EmbeddedKernel
from geomflow.kernels.tile_rows import EUCLIDEAN
from geomflow.kernels.tiles import TiledGaussian
from geomflow.networks import FourierEmbedding


class GaussianNetwork(EmbeddedKernel):
    """A kernel h + G (a + b s x·x'), of networks whose wave vectors have the deviation σ_w/√d.

    Behind an embedding x stands for the d cosines and sines of a point.
    """

    @property
    @abstractmethod
    def _waves(self) -> float:
        """σ_w."""

    @abstractmethod
    def _parts(self, dim: int) -> tuple[float, float, float]:
        """h, a and b, none negative."""

    def read(self, x: Any) -> np.ndarray:
        """Points (p, d), or NotFiniteError where the kernel overflows."""
        points = super().read(x)
        with np.errstate(over="ignore"):
            found = self._diagonal(points)
        if not np.isfinite(found).all():
            worst = int(np.argmin(np.isfinite(found)))
            raise NotFiniteError(f"the kernel is {found[worst]} at point {worst} of {len(points)}, {points[worst]}: "
                                 "take larger units, or a smaller weight_std.")
        return points

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """K(x_p, y_q), (p, q)."""
        same_dimension(x, y)
        dim = x.shape[1]
        height, constant, slope = self._parts(dim)
        out = TiledGaussian(EUCLIDEAN, dim, sqrt(dim) / self._waves).matrix(x, y)
        out *= constant + slope * self._waves**2 / dim * (x @ y.T) if slope else constant
        return out + height

    def diagonal(self, x: Any) -> np.ndarray:
        """K(x_p, x_p), (p,)."""
        return self._diagonal(self.read(x))

    def _diagonal(self, points: np.ndarray) -> np.ndarray:
        height, constant, slope = self._parts(points.shape[1])
        return height + constant + slope * self._waves**2 / points.shape[1] * np.sum(points**2, axis=1)


@final
@dataclass(frozen=True)
class GaussNetKernel(GaussianNetwork):
    """The tangent kernel σ_0² + σ_a² G (1 + σ_b² + s x·x') of infinitely wide Gauss-net, G = e^{−s|x − x'|²/2}.

    The network is f(x) = σ_0 b_0 + (σ_a/√N) Σ_i a_i exp(√s w_i·x + σ_b b_i − σ_b² − s|x|²), s = σ_w²/d, all numbers
    N(0, 1) and trained. `covariance` is σ_0² + σ_a² G, exactly at every width, and the tangent kernel where the last
    layer alone is trained. Random networks approach it slowly: the square of one neuron at x has the relative deviation
    √(e^{4v} − 1), v = s|x|² + σ_b². sin u + cos u in place of the exponential has the same kernels and is bounded:
    `NetworkKernel("sin+cos")`. `periodic(torus)` is translation-invariant. Raises InputError for deviations out of
    range.

    Parameters
    ----------
    weight_std, bias_std : float
        σ_w > 0 and σ_b ≥ 0 of the hidden layer.
    output_weight_std, output_bias_std : float
        σ_a > 0 and σ_0 ≥ 0 of the output layer.
    embedding : FourierEmbedding, optional
        With it points are torus coordinates.

    Examples
    --------
    >>> GaussNetKernel(1.0, bias_std=0.5).matrix([[0.0], [1.0]]).round(4).tolist()
    [[1.25, 0.7582], [0.7582, 2.25]]
    """

    weight_std: float
    bias_std: float = 0.0
    output_weight_std: float = 1.0
    output_bias_std: float = 0.0
    embedding: FourierEmbedding | None = None

    def __post_init__(self) -> None:
        for name, positive in (("weight_std", True), ("bias_std", False),
                               ("output_weight_std", True), ("output_bias_std", False)):
            object.__setattr__(self, name, _deviation(getattr(self, name), name, positive))
        self._require_embedding()

    @property
    def _waves(self) -> float:
        return self.weight_std

    def _parts(self, dim: int) -> tuple[float, float, float]:
        variance = self.output_weight_std**2
        return self.output_bias_std**2, variance * (1 + self.bias_std**2), variance

    @property
    def _embedding(self) -> FourierEmbedding | None:
        return self.embedding

    def periodic(self, torus: Any, harmonics: int = 1) -> Self:
        """The same network behind a Fourier embedding of the torus."""
        return replace(self, embedding=FourierEmbedding(torus, harmonics))

    @property
    def covariance(self) -> OutputCovariance:
        """σ_0² + σ_a² G."""
        return OutputCovariance(self)


@final
@dataclass(frozen=True)
class CosineNetKernel(GaussianNetwork):
    """The tangent kernel (A²/2) G (2 + s x·x') of the infinitely wide cosine network with all its weights trained.

    The network is that of `networks.CosineNetwork`, (A/√N) Σ_i a_i cos(σ_w/√d ω_i·x + b_i), of which there the a_i
    alone are trained, and here ω and the phases b too; a, ω ~ N(0, 1), b uniform. `covariance` is (A²/2) G, which is
    `GaussianKernel(√d/σ_w)` for A as there. `periodic(torus)` is the network of the cosines and sines of a point, and
    not the one whose ω_i lie in the dual lattice: that one's covariance is the wrapped Gaussian. Raises InputError for
    numbers out of range.

    Parameters
    ----------
    weight_std : float
        σ_w > 0.
    amplitude : float, optional
        A; that of a covariance of unit integral, A² = 2 (σ_w²/2πd)^{d/2}, unless given.
    embedding : FourierEmbedding, optional
        With it points are torus coordinates, and d is the number of their cosines and sines.

    Examples
    --------
    >>> CosineNetKernel(1.0, amplitude=1.0).matrix([[0.0], [1.0]]).round(4).tolist()
    [[1.0, 0.6065], [0.6065, 1.5]]
    """

    weight_std: float
    amplitude: float | None = None
    embedding: FourierEmbedding | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight_std", _deviation(self.weight_std, "weight_std", True))
        if self.amplitude is not None:
            object.__setattr__(self, "amplitude", _deviation(self.amplitude, "amplitude", True))
        self._require_embedding()

    @property
    def _waves(self) -> float:
        return self.weight_std

    def _parts(self, dim: int) -> tuple[float, float, float]:
        own = self.amplitude
        with np.errstate(over="ignore"):
            half = float(np.float64(self.weight_std**2 / (2 * pi * dim)) ** (dim / 2)) if own is None else own**2 / 2
        return 0.0, 2 * half, half

    @property
    def _embedding(self) -> FourierEmbedding | None:
        return self.embedding

    def periodic(self, torus: Any, harmonics: int = 1) -> Self:
        """The same network behind a Fourier embedding of the torus."""
        return replace(self, embedding=FourierEmbedding(torus, harmonics))

    @property
    def covariance(self) -> OutputCovariance:
        """(A²/2) G."""
        return OutputCovariance(self)


@final
@dataclass(frozen=True)
class OutputCovariance(GaussianNetwork):
    """The covariance E[f(x) f(x')] of the networks of a kernel, and the tangent kernel of their last layer.

    Parameters
    ----------
    kernel : GaussNetKernel or CosineNetKernel
        Of what networks.
    """

    kernel: GaussNetKernel | CosineNetKernel

    @property
    def _embedding(self) -> FourierEmbedding | None:
        return self.kernel.embedding

    def periodic(self, torus: Any, harmonics: int = 1) -> Self:
        """The covariance of the same network behind a Fourier embedding of the torus."""
        return replace(self, kernel=self.kernel.periodic(torus, harmonics))

    @property
    def _waves(self) -> float:
        return self.kernel.weight_std

    def _parts(self, dim: int) -> tuple[float, float, float]:
        height, _, variance = self.kernel._parts(dim)
        return height, variance, 0.0


def _deviation(value: Any, name: str, positive: bool) -> float:
    number = finite_number(value, name)
    if number < 0 or (positive and number == 0):
        raise InputError(f"{name} is a standard deviation, finite and {'positive' if positive else '>= 0'}, and it is "
                         f"{number:g}.")
    require_square(name, number if positive else max(number, 1.0))  # a small one may vanish
    return number
