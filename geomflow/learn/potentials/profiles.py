"""Functions f of an inner product t that make kernels K = f(t), with the derivatives that ∂∂̄K and curvature need."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import perm
from typing import final

import numpy as np

from geomflow.core.errors import InputError


class Profile(ABC):
    """f with f(⟨u, u'⟩) positive semi-definite on unit vectors, and f(1) = 1.

    On features that are no unit vectors `radial` profiles take t = 1 − |u − u'|²/2, which is ⟨u, u'⟩ on unit ones,
    and the others t = ⟨u, u'⟩.
    """

    radial: bool = False

    @abstractmethod
    def derivatives(self, t: np.ndarray, order: int) -> list[np.ndarray]:
        """f, f', …, the derivative of that order (at most four), each of t's shape."""


@final
@dataclass(frozen=True)
class Exponential(Profile):
    """f(t) = exp(β (t − 1)): the Gaussian exp(−β |u − u'|²/2) of the distance of features, positive for every β > 0.

    On the features z z†/|z|² of projective space 1 − t is sin² of the Fubini–Study distance d, and β = 1/s² is the
    Gaussian exp(−sin²d/2s²) of eq. (3.5), in the chordal distance, for which it is positive semi-definite, up to the
    factor in β. Raises `InputError` unless β > 0.
    """

    beta: float
    radial = True

    def __post_init__(self) -> None:
        if not 0 < self.beta < np.inf:
            raise InputError(f"β is {self.beta}: give a positive number; 1 is the width of projective space")

    def derivatives(self, t: np.ndarray, order: int) -> list[np.ndarray]:
        """β^k exp(β (t − 1))."""
        value = np.exp(self.beta * (t - 1))
        return [self.beta**k * value for k in range(order + 1)]


@final
@dataclass(frozen=True)
class Power(Profile):
    """f(t) = t^k; on projective space the Bergman kernel of O(k), whose functions are all P/|z|^{2k} of degree (k, k).

    k = 1 on other features is the linear kernel. Raises `InputError` unless k is a whole number >= 1.
    """

    degree: int

    def __post_init__(self) -> None:
        if not isinstance(self.degree, (int, np.integer)) or self.degree < 1:
            raise InputError(f"the degree is {self.degree}: give a whole number >= 1")

    def derivatives(self, t: np.ndarray, order: int) -> list[np.ndarray]:
        """k (k − 1) … t^{k−j}."""
        return [perm(self.degree, j) * t ** max(self.degree - j, 0) for j in range(order + 1)]


@final
@dataclass(frozen=True)
class ArcCosine(Profile):
    """The arc-cosine kernel of order two, with bias b: f = J₂(θ)/3π, cos θ = (t + b)/(1 + b).

    J₂ = 3 sin θ cos θ + (π − θ)(1 + 2 cos²θ) is the covariance of an infinitely wide layer of squared ReLUs
    (Cho and Saul, 2009). The order is the least for which the Ricci-flat equation makes sense in the kernel's space:
    near t = 1 the kernels of order q have a term d^{2q+1} in the distance d. The tangent kernel of a ReLU network (d¹)
    has an infinite ∂∂̄K at its centre, order one (d³) gives functions whose ∂∂̄ at a point is no bounded functional,
    which takes four derivatives of K; order two (d⁵) has these. Raises `InputError` unless b >= 0.
    """

    bias: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.bias < np.inf:
            raise InputError(f"the bias is {self.bias}: give a number >= 0")

    def derivatives(self, t: np.ndarray, order: int) -> list[np.ndarray]:
        """J₂' = 4 J₁ and J₁' = J₀ = π − θ by cos θ; further ones are infinite at t = 1, where they are set to zero.

        There they only ever stand beside powers of ∂t, which vanish faster.
        """
        slope = 1 / (1 + self.bias)
        u = np.clip((t + self.bias) * slope, -1.0, 1.0)
        theta, s = np.arccos(u), np.sqrt((1 - u) * (1 + u))
        rest = np.pi - theta
        table = [3 * s * u + rest * (1 + 2 * u * u), 4 * (s + rest * u), 4 * rest]
        if order > 2:
            inverse = np.divide(1.0, s, out=np.zeros_like(s), where=s > 1e-12)
            table += [4 * inverse, 4 * u * inverse**3]
        return [slope**k * value / (3 * np.pi) for k, value in enumerate(table[: order + 1])]
