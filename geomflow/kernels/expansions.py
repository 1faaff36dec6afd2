"""Activations of infinitely wide networks by their Hermite series: polynomials exactly, any other by quadrature."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import factorial
from types import MappingProxyType
from typing import Any, final

import numpy as np
from scipy.special import expit

from geomflow.core.errors import InputError, NotFiniteError, ShapeError
from geomflow.core.numbers import finite_number, real_array
from geomflow.kernels import hermite

MOST_DEGREE = 32
#: Nodes of the quadrature that is tried first, and last; there are half as many terms.
_FIRST, _LAST = 64, 2048
#: Deviations below it count as it where φ' is read off φ.
_SMALL = 1e-5


class Expanded(ABC):
    """An activation φ by the coefficients of φ(p z) and φ'(p z) in normalised Hermite polynomials."""

    @abstractmethod
    def order(self, deviations: np.ndarray) -> int:
        """How many terms keep the error below what is promised.

        Parameters
        ----------
        deviations : (p,) array
            Those of u.
        """

    @abstractmethod
    def series(self, deviations: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
        """The coefficients of φ and of φ', (order, p) each.

        Parameters
        ----------
        deviations : (p,) array
            Those of u.
        order : int
            How many terms.
        """


@final
@dataclass(frozen=True)
class Polynomial(Expanded):
    """φ(u) = Σ_k c_k u^k, an activation of `NetworkKernel`, in closed form. Raises InputError for degrees above 32.

    Parameters
    ----------
    coefficients : sequence of float
        c_0, c_1, …

    Examples
    --------
    >>> from geomflow.kernels import NetworkKernel
    >>> NetworkKernel(Polynomial((0, 0, 1))).covariance.matrix([[1.0]]).round(12).tolist()  # E[u⁴]
    [[3.0]]
    """

    coefficients: Sequence[float]

    def __post_init__(self) -> None:
        numbers = real_array(self.coefficients, "the coefficients of a polynomial")
        if numbers.ndim != 1 or not len(numbers):
            raise ShapeError(f"a polynomial has a list of coefficients, and the shape {numbers.shape} was given.")
        if not np.isfinite(numbers).all() or not numbers.any():
            raise InputError(f"the coefficients of a polynomial are finite and not all zero, and {numbers} were given.")
        if len(numbers) > MOST_DEGREE + 1:
            raise InputError(f"polynomials have degrees up to {MOST_DEGREE}, and {len(numbers) - 1} was given.")
        object.__setattr__(self, "coefficients", tuple(map(float, numbers)))

    @classmethod
    def hermite(cls, coefficients: Sequence[float]) -> Polynomial:
        """Σ_n a_n He_n(u)/√n!, which are orthonormal for u ~ N(0, 1).

        Parameters
        ----------
        coefficients : sequence of float
            a_0, a_1, …
        """
        numbers = [a / factorial(n) ** 0.5 for n, a in enumerate(coefficients)]
        return cls(tuple(np.polynomial.hermite_e.herme2poly(numbers)))

    def order(self, deviations: np.ndarray) -> int:
        """One more than the degree."""
        return len(self.coefficients)

    def series(self, deviations: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
        """The coefficients of φ and of φ', (order, p) each, zero beyond the degree."""
        own, out = np.array(self.coefficients), np.zeros((2, order, len(deviations)))
        for part, numbers in zip(out, (own, np.polynomial.polynomial.polyder(own))):
            powers = numbers[:, None] * deviations ** np.arange(len(numbers))[:, None]
            part[: len(numbers)] = np.einsum("kn,kp->np", hermite.monomials(len(numbers) - 1), powers)
        return out[0], out[1]


@final
@dataclass(frozen=True)
class Quadrature(Expanded):
    """Any function as an activation of `NetworkKernel`, by Gauss–Hermite quadrature to a relative error.

    Nodes are doubled until E[φ(u)²] and E[φ'(u)²] agree to `tolerance` at all deviations of u; the kernel's other
    values are then as good in proportion to √(K(x, x) K(x', x')). Kinks, and steep functions of large u, ask for more
    nodes than there are, and functions that grow like e^{u²} have no moments: both are refused, with the error that
    was reached.

    Parameters
    ----------
    function : callable
        φ of an array, elementwise.
    derivative : callable, optional
        φ'; read off φ's series unless given, by E[φ'(pz) h_n(z)] = √(n + 1) a_{n+1}(p)/p.
    tolerance : float
        The relative error of a layer, at least 1e-14.
    """

    function: Callable[[np.ndarray], np.ndarray]
    derivative: Callable[[np.ndarray], np.ndarray] | None = None
    tolerance: float = 1e-10

    def __post_init__(self) -> None:
        for given in (self.function, self.derivative):
            if given is not None and not callable(given):
                raise InputError(f"an activation and its derivative are functions of an array, and {given!r} was "
                                 "given.")
        number = finite_number(self.tolerance, "the tolerance")
        if not 1e-14 <= number < 1:
            raise InputError(f"the tolerance is a relative error, at least 1e-14 and below 1, and it is {number:g}.")
        object.__setattr__(self, "tolerance", number)

    def order(self, deviations: np.ndarray) -> int:
        """Half the number of nodes that is enough. InputError where none is."""
        levels = np.unique(np.exp2(np.ceil(2 * np.log2(np.maximum(deviations, _SMALL))) / 2))
        nodes, error = _FIRST, self._errors(levels, _FIRST)
        while not error.max() <= self.tolerance and nodes < _LAST:
            nodes *= 2
            error = self._errors(levels, nodes)
        if not error.max() <= self.tolerance:
            worst = int(np.argmax(error))
            cause = "its second moment does not exist" if error[worst] > 0.5 else "it has a kink or is too steep"
            raise InputError(f"for u of deviation {levels[worst]:.3g} the means of {_name(self.function)} are known "
                             f"to {error[worst]:.1g} by {nodes} nodes, and {self.tolerance:g} was asked for: {cause}. "
                             "Take an activation that grows slower and is smooth, smaller deviations or a larger "
                             "tolerance.")
        return nodes // 2

    def series(self, deviations: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
        """The coefficients of φ and of φ' from twice as many nodes, (order, p) each."""
        levels, back = np.unique(deviations, return_inverse=True)
        values, slopes = self._series(levels, order)
        return values[:, back], slopes[:, back]

    def _series(self, p: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
        values = hermite.coefficients(self._at(self.function, p, 2 * order), 2 * order, order)
        if self.derivative is not None:
            return values, hermite.coefficients(self._at(self.derivative, p, 2 * order), 2 * order, order)
        safe = np.maximum(p, _SMALL)
        near = hermite.coefficients(self._at(self.function, safe, 2 * order), 2 * order, order + 1)[1:]
        return values, near * np.sqrt(np.arange(1, order + 1))[:, None] / safe

    def _errors(self, p: np.ndarray, nodes: int) -> np.ndarray:
        """What is missing in the variances of φ and φ' with half as many terms, relative; the larger of the two."""
        coarse, fine = self._series(p, nodes // 2), self._series(p, nodes)
        pairs = [(np.sum(a**2, axis=0), np.sum(b**2, axis=0)) for a, b in zip(coarse, fine)]
        whole = np.sum((self._at(self.function, p, 2 * nodes) * hermite.rule(2 * nodes)[1]) ** 2, axis=1)
        pairs[0] = pairs[0][0], np.maximum(whole, pairs[0][1])
        with np.errstate(invalid="ignore", over="ignore"):
            return np.max([np.abs(a - b) / np.where(b > 0, b, 1.0) for a, b in pairs], axis=0)

    def _at(self, function: Callable[[np.ndarray], np.ndarray], p: np.ndarray, nodes: int) -> np.ndarray:
        u = np.multiply.outer(p, hermite.rule(nodes)[0])
        with np.errstate(over="ignore", invalid="ignore"):
            found = real_array(function(u), "the values of an activation")
        if found.shape != u.shape:
            raise ShapeError(f"an activation works elementwise: {_name(function)} made {found.shape} of {u.shape}.")
        if not np.isfinite(found).all():
            where = u.ravel()[int(np.argmin(np.isfinite(found)))]
            raise NotFiniteError(f"{_name(function)} is not finite at {where:.3g}: an activation needs its second "
                                 "moment, for which it has to grow slower than e^{u²/4p²}, p the deviation of u.")
        return found


def _name(function: Any) -> str:
    return getattr(function, "__name__", "the activation")


def _tanh_slope(u: np.ndarray) -> np.ndarray:
    return 1 - np.tanh(u) ** 2


def _softplus(u: np.ndarray) -> np.ndarray:
    return np.logaddexp(0.0, u)


def _swish(u: np.ndarray) -> np.ndarray:
    return u * expit(u)


def _swish_slope(u: np.ndarray) -> np.ndarray:
    return expit(u) * (1 + u * expit(-u))


#: Activations by quadrature that have names.
QUADRATURES: Mapping[str, Quadrature] = MappingProxyType({
    "tanh": Quadrature(np.tanh, _tanh_slope),
    "softplus": Quadrature(_softplus, expit),
    "swish": Quadrature(_swish, _swish_slope),
})
