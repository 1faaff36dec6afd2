"""Kernels of wide networks on a sphere of inputs: power series in the cosine of the angle, none of them negative.

On unit vectors û every sum of a layer has the same variance, so that E[φ(u) φ(v)] = Σ_n a_n² cⁿ by Mehler's formula for
the correlation c, with the coefficients a_n of φ in normalised Hermite polynomials. Series of series are series.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import finite_number
from geomflow.kernels.architectures import GaussianNetwork
from geomflow.kernels.expansions import Expanded, Quadrature
from geomflow.kernels.functions import function_and_slope
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.network import InfiniteNetwork
from geomflow.kernels.normalised import NormalisedNetwork
from geomflow.kernels.residual import ResidualNetwork

_FIRST, _LAST = 32, 512


def zonal_series(kernel: Kernel, tolerance: float = 1e-12) -> np.ndarray:
    """f_0, f_1, … ≥ 0 with K(√d û, √d û') = Σ_n f_n ⟨û, û'⟩ⁿ for unit vectors û of any dimension d.

    A function of ⟨û, û'⟩ is positive in every dimension exactly if it is such a series: Schoenberg (1942). What is left
    out is at most its value at û = û', the sum of the coefficients, which is known: terms are added until it is below
    `tolerance` of K(û, û). Raises InputError where 512 are not enough, as for kinks (ReLU), whose terms fall as powers
    of n; and for kernels that are none of `NetworkKernel`, `ResidualKernel`, `NormalisedKernel`, `GaussNetKernel`,
    `CosineNetKernel` (with an amplitude) and the covariances of these, or that have an embedding.

    Parameters
    ----------
    kernel : Kernel
        Of what networks.
    tolerance : float
        The relative error at û = û'.

    Examples
    --------
    >>> from geomflow.kernels import NetworkKernel, Polynomial
    >>> zonal_series(NetworkKernel(Polynomial((0, 0, 1))).covariance).round(12).tolist()  # E[u² v²] = 1 + 2 c²
    [1.0, 0.0, 2.0]
    """
    if not isinstance(kernel, InfiniteNetwork | GaussianNetwork) or kernel._embedding is not None:
        raise InputError(f"the kernels of networks of points are series on a sphere, and {kernel!r} was given.")
    if None in (getattr(one, "amplitude", 1.0) for one in (kernel, getattr(kernel, "kernel", kernel))):
        raise InputError(f"the amplitude of {kernel!r} depends on the dimension of the inputs: give one.")
    tolerance = finite_number(tolerance, "the tolerance")
    if not tolerance > 0:
        raise InputError(f"the tolerance is a relative error, and {tolerance:g} was given.")
    whole, terms = float(kernel.diagonal([[1.0]])[0]), _FIRST
    series = _terms(kernel, terms)
    while abs(1 - series.sum() / whole) > tolerance and terms < _LAST:
        terms *= 2
        series = _terms(kernel, terms)
    if (error := abs(1 - series.sum() / whole)) > tolerance:
        raise InputError(f"{terms} terms leave out {error:.2g} of {kernel!r}, and {tolerance:g} was asked for: its "
                         "activation has a kink or is steep. Take a smooth one, a smaller weight_std or a larger "
                         "tolerance.")
    beyond = np.cumsum(series[::-1])[::-1] > 1e-3 * tolerance * whole
    return series[: int(beyond.sum())]


def _terms(kernel: Any, terms: int) -> np.ndarray:
    """The first terms, which may leave out something."""
    if isinstance(kernel, GaussianNetwork):
        return _gaussian(kernel, terms)
    start = np.zeros(terms)
    start[:2] = kernel.bias_std**2, kernel.weight_std**2
    series = Zonal(kernel.weight_std**2, kernel.bias_std**2, _expanded(kernel.activation), start, start.copy())
    if isinstance(kernel, ResidualNetwork):
        for _ in range(kernel.depth):
            series = series.plus(kernel.branch**2, series.linear().hidden())
        series = series.linear()
    else:
        for _ in range(kernel.depth):
            series = (series.normalised() if isinstance(kernel, NormalisedNetwork) else series).hidden()
    return series.tangent if kernel._tangent else series.covariance


def _gaussian(kernel: GaussianNetwork, terms: int) -> np.ndarray:
    """h + G (a + b σ_w² t) with G = e^{σ_w² (t − 1)}."""
    height, constant, slope = kernel._parts(1)
    square = kernel._waves**2
    out = np.exp(-square) * np.cumprod(np.concatenate([[1.0], square / np.arange(1, terms)]))
    out[1:], out[0] = constant * out[1:] + slope * square * out[:-1], constant * out[0] + height
    return out


def _expanded(activation: Any) -> Expanded:
    """The activation by its Hermite series; "gauss" has the kernels of sin + cos."""
    if isinstance(activation, Expanded):
        return activation
    return Quadrature(*function_and_slope("sin+cos" if activation == "gauss" else activation))


@final
@dataclass(frozen=True, eq=False)
class Zonal:
    """Covariance and tangent kernel of a layer's sums as truncated power series; m = σ_w² and β = σ_b²."""

    m: float
    beta: float
    activation: Expanded
    covariance: np.ndarray
    tangent: np.ndarray

    def _with(self, covariance: np.ndarray, tangent: np.ndarray) -> Zonal:
        return Zonal(self.m, self.beta, self.activation, covariance, tangent)

    def plus(self, share: float, other: Zonal) -> Zonal:
        """K + share K', Θ + share Θ'."""
        return self._with(self.covariance + share * other.covariance, self.tangent + share * other.tangent)

    def normalised(self) -> Zonal:
        """Divided by the variance."""
        variance = self.covariance.sum()
        return self._with(self.covariance / variance, self.tangent / variance)

    def linear(self) -> Zonal:
        """m K + β and m (K + Θ) + β."""
        covariance = self._next(self.covariance)
        return self._with(covariance, covariance + self.m * self.tangent)

    def hidden(self) -> Zonal:
        """m Σ a_n² cⁿ + β, c = K/K(û, û), and Θ' = K' + m Σ d_n² cⁿ Θ."""
        variance = self.covariance.sum()
        correlation = self.covariance / variance
        found = self.activation.series(np.sqrt([variance]), len(correlation))
        value, slope = (composed(part[:, 0] ** 2, correlation) for part in found)
        covariance = self._next(value)
        return self._with(covariance, covariance + self.m * product(slope, self.tangent))

    def _next(self, series: np.ndarray) -> np.ndarray:
        out = self.m * series
        out[0] += self.beta
        return out


def product(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The product of two series, of as many terms."""
    return np.convolve(first, second)[: len(first)]


def composed(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Σ_n outer_n innerⁿ by Horner's rule."""
    out = np.zeros_like(inner)
    for number in outer[::-1]:
        out = product(out, inner)
        out[0] += number
    return out
