"""Activations of kernels as functions of u with their slopes, for finite networks and for quadrature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from geomflow.core.errors import InputError
from geomflow.kernels.activations import LeakyRelu
from geomflow.kernels.expansions import QUADRATURES, Polynomial, Quadrature
from geomflow.networks.activation import ACTIVATIONS

Function = Callable[[np.ndarray], np.ndarray]
#: φ and φ' of what kernels know by name, and networks do not.
_FUNCTIONS: Mapping[str, tuple[Function, Function]] = MappingProxyType({
    "sin": (np.sin, np.cos),
    "identity": (np.positive, np.ones_like),
    "exp": (np.exp, np.exp),
    "sin+cos": (lambda u: np.sin(u) + np.cos(u), lambda u: np.cos(u) - np.sin(u)),
})
#: The step of differences in place of a slope.
_STEP = 1e-5


def function_and_slope(own: Any) -> tuple[Function, Function]:
    """φ and φ' of an activation of `NetworkKernel`; InputError for "gauss", which is no function of u alone."""
    if isinstance(own, LeakyRelu):
        return lambda u: np.where(u > 0, u, own.slope * u), lambda u: np.where(u > 0, 1.0, own.slope)
    if isinstance(own, Polynomial):
        line = np.polynomial.Polynomial(own.coefficients)
        return line, line.deriv()
    known = own if isinstance(own, Quadrature) else QUADRATURES.get(own)
    if known is not None:
        return known.function, known.derivative or partial(_difference, known.function)
    if own == "gauss":
        raise InputError("e^{u − E[u²]} depends on the deviation of u beside u, and networks take functions of u "
                         "alone: draw those of 'sin+cos', which have the same kernels.")
    if own in _FUNCTIONS:
        return _FUNCTIONS[own]
    return tuple(partial(_derivative, own, order) for order in (0, 1))  # type: ignore[return-value]  # two of them


def _derivative(name: str, order: int, u: np.ndarray) -> np.ndarray:
    return ACTIVATIONS[name].derivatives(u, order)[order]


def _difference(function: Function, u: np.ndarray) -> np.ndarray:
    return (function(u + _STEP) - function(u - _STEP)) / (2 * _STEP)
