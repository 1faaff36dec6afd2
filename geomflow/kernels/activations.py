"""Activations of infinitely wide networks whose means E[φ(u) φ(v)] and E[φ'(u) φ'(v)] have closed forms.

    relu       max(u, 0)                    identity   u
    erf        (2/√π) ∫_0^u e^{−t²} dt      exp        e^u
    gelu       u Φ(u), exact                gauss      e^{u − E[u²]}: exp normalised, as in Gauss-net
    cos, sin   cos u, sin u                 sin+cos    sin u + cos u: bounded, with the kernels of gauss

and `LeakyRelu(slope)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import Any, Literal, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import finite_number
from geomflow.kernels.blocks import require_square

ActivationName = Literal[
    "relu", "erf", "cos", "sin", "gelu", "identity", "exp", "gauss", "sin+cos", "tanh", "softplus", "swish"
]


@final
@dataclass(frozen=True)
class LeakyRelu:
    """φ(u) = u for u > 0 and a u below; an activation of `NetworkKernel`. Raises InputError for a < 0.

    Parameters
    ----------
    slope : float
        a ≥ 0; ReLU is a = 0, the identity a = 1.

    Examples
    --------
    >>> from geomflow.kernels import NetworkKernel
    >>> NetworkKernel(LeakyRelu(0.5)).covariance.matrix([[1.0]]).tolist()
    [[0.625]]
    """

    slope: float = 0.01

    def __post_init__(self) -> None:
        slope = finite_number(self.slope, "the slope of a leaky ReLU")
        if slope < 0:
            raise InputError(f"the slope of a leaky ReLU below zero is not negative, and {slope:g} was given.")
        require_square("the slope of a leaky ReLU", max(slope, 1.0))
        object.__setattr__(self, "slope", slope)


@final
@dataclass(frozen=True)
class ClosedForm:
    """The number of an activation's compiled row, E[φ(u)²] and E[φ'(u)²] for u ~ N(0, a) by a, and its slope if any.

    `most` is the largest a for which two points that are equal to rounding have the kernel of equal ones.
    """

    code: int
    variance: Callable[[np.ndarray], np.ndarray]
    steepness: Callable[[np.ndarray], np.ndarray]
    slope: float = 0.0
    most: float = 1e20

    def square(self, variance: np.ndarray) -> np.ndarray:
        """E[φ(u)²], (p,), of sums u of these variances; InputError for those that are too large."""
        if (too_large := variance > self.most).any():
            worst = int(np.argmax(too_large))
            raise InputError(f"the sums of a layer have the deviation {np.sqrt(variance[worst]):.3g} at point {worst} "
                             f"of {len(variance)}, and beyond {np.sqrt(self.most):g} rounding of points decides the "
                             "kernel of this activation: take larger units, a smaller weight_std or ReLU.")
        return self.variance(variance)


def _erf_variance(a: np.ndarray) -> np.ndarray:
    return 2 / np.pi * np.arctan(2 * a / np.sqrt(1 + 4 * a))


def _cos_variance(a: np.ndarray) -> np.ndarray:
    return (1 + np.exp(-2 * a)) / 2


def _sin_variance(a: np.ndarray) -> np.ndarray:
    return -np.expm1(-2 * a) / 2


def _gelu_variance(a: np.ndarray) -> np.ndarray:
    root = np.sqrt(1 + 2 * a)
    return a / 4 + (a * np.arctan(a / root) + 2 * a**2 / ((1 + a) * root)) / (2 * np.pi)


def _gelu_steepness(a: np.ndarray) -> np.ndarray:
    root = np.sqrt(1 + 2 * a)
    rest = a / root * ((3 - a) / (1 + a) + 2 * a**2 / ((1 + a) * (1 + 2 * a)))
    return 0.25 + (np.arctan(a / root) + rest) / (2 * np.pi)


#: Row, variance and steepness by name; the numbers are those of `network_routines.layer`.
CLOSED_FORMS: Mapping[str, ClosedForm] = MappingProxyType({
    "relu": ClosedForm(0, lambda a: a / 2, lambda a: np.full_like(a, 0.5), most=inf),
    "erf": ClosedForm(1, _erf_variance, lambda a: 4 / np.pi / np.sqrt(1 + 4 * a)),
    "cos": ClosedForm(2, _cos_variance, _sin_variance),
    "sin": ClosedForm(3, _sin_variance, _cos_variance),
    "gelu": ClosedForm(4, _gelu_variance, _gelu_steepness),
    "identity": ClosedForm(5, lambda a: a, np.ones_like, most=inf),
    "exp": ClosedForm(6, lambda a: np.exp(2 * a), lambda a: np.exp(2 * a)),
    "gauss": ClosedForm(7, np.ones_like, np.ones_like),
    "sin+cos": ClosedForm(7, np.ones_like, np.ones_like),
})
_LEAKY = 8


def closed_form(activation: Any) -> ClosedForm:
    """The closed form of an activation that has one."""
    if isinstance(activation, LeakyRelu):
        a = activation.slope
        half = (1 + a * a) / 2
        return ClosedForm(_LEAKY, lambda variance: half * variance, lambda variance: np.full_like(variance, half), a,
                          inf)
    return CLOSED_FORMS[activation]
