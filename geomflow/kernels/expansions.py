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
_FIRST, _LAST = 64, 16384
#: A moment that grows by this factor from an eighth of the nodes on does not seem to exist.
_GROWTH = 1.1
#: Deviations below it count as it where φ' is read off φ.
_SMALL = 1e-5


Elementwise = Callable[[np.ndarray], np.ndarray]
Series = tuple[np.ndarray, np.ndarray]


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
        numbers = cls(coefficients).coefficients
        return cls(tuple(np.polynomial.hermite_e.herme2poly([a / factorial(n) ** 0.5 for n, a in enumerate(numbers)])))

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
    nodes than there are (tanh above a deviation of 8, swish above 16, softplus above 22), and functions that grow like
    e^{u²} have no moments: both are refused, with the error that was reached, when the kernel is evaluated. Functions
    that are not elementwise are refused when it is made.

    Parameters
    ----------
    function : callable
        φ of an array, elementwise.
    derivative : callable, optional
        φ'; read off φ's series unless given, by E[φ'(pz) h_n(z)] = √(n + 1) a_{n+1}(p)/p.
    tolerance : float
        The relative error of a layer, at least 1e-14.
    """

    function: Elementwise
    derivative: Elementwise | None = None
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
        for given in (self.function, self.derivative):
            if given is not None:
                _require_elementwise(given)

    def order(self, deviations: np.ndarray) -> int:
        """Half the number of nodes that is enough. InputError where none is."""
        levels = np.unique(np.exp2(np.ceil(2 * np.log2(np.maximum(deviations, _SMALL))) / 2))
        nodes, found = _FIRST, self._series(levels, _FIRST // 2)
        while True:
            coarse, found = found, self._series(levels, nodes)
            error = self._errors(levels, nodes, coarse, found)
            if error.max(initial=0.0) <= self.tolerance:
                return nodes // 2
            if nodes >= _LAST:
                raise self._refusal(levels[int(np.argmax(error))], error.max())
            nodes *= 2

    def _refusal(self, level: float, error: float) -> InputError:
        """What to say where no number of nodes is enough at a deviation."""
        return InputError(f"for u of deviation {level:.3g} the means of {_name(self.function)} are known to "
                          f"{error:.1g} by {_LAST:,} nodes, and {self.tolerance:g} was asked for: "
                          f"{self._cause(np.array([level]))}. Take a smooth activation that grows slower, smaller "
                          "deviations or Quadrature(function, tolerance=...).")

    def _cause(self, p: np.ndarray) -> str:
        z = hermite.rule(_LAST)[0]
        shares = self._squares(p, _LAST)[0]
        if not shares[np.abs(z) > z.max() / 2].sum() <= self.tolerance * shares.sum():
            return f"E[φ(u)²] comes from as far as u = {p[0] * z.max():.3g}, as where it is infinite"
        values = [self._squares(p, nodes).sum() for nodes in (_LAST // 4, 2 * _LAST)]
        slopes = [np.sum(self._series(p, order)[1] ** 2) for order in (_LAST // 8, _LAST)]
        for name, (before, after) in (("φ(u)²", values), ("φ'(u)²", slopes)):
            if not after <= _GROWTH * before:
                return f"E[{name}] grows from {before:.3g} to {after:.3g} with the nodes, as where it is infinite"
        return "it has a kink, is too steep for that or comes in single precision"

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

    def _errors(self, p: np.ndarray, nodes: int, coarse: Series, fine: Series) -> np.ndarray:
        """What is missing in the variances of φ and φ' with half as many terms, relative; the larger of the two.

        A φ' that vanishes to the rounding of φ, as that of a constant, has no error.
        """
        (few, slow), (many, steep) = ([np.sum(part**2, axis=0) for part in series] for series in (coarse, fine))
        whole = np.maximum(np.sum(self._squares(p, 2 * nodes), axis=1), many)
        least = np.finfo(float).eps * whole / np.maximum(p, _SMALL) ** 2
        with np.errstate(invalid="ignore", over="ignore"):
            values = np.abs(few - whole) / np.where(whole > 0, whole, 1.0)
            slopes = np.abs(slow - steep) / np.maximum(np.maximum(slow, steep), np.where(least > 0, least, 1.0))
        return np.maximum(values, slopes)

    def _squares(self, p: np.ndarray, nodes: int) -> np.ndarray:
        """What each node adds to E[φ²], (p, nodes)."""
        with np.errstate(over="ignore"):
            found: np.ndarray = (self._at(self.function, p, nodes) * hermite.rule(nodes)[1]) ** 2
        return found

    def _at(self, function: Elementwise, p: np.ndarray, nodes: int) -> np.ndarray:
        u = np.multiply.outer(p, hermite.rule(nodes)[0])
        found = _called(function, u)
        bad = ~np.isfinite(found)
        if bad.any():
            where = int(np.argmax(bad))
            raise NotFiniteError(f"{_name(function)} is {found.flat[where]} at {u.flat[where]:.3g}: an activation is "
                                 "finite everywhere and has a second moment, for which it has to grow slower than "
                                 "e^{u²/4p²}, p the deviation of u.")
        return found


def _called(function: Elementwise, u: np.ndarray) -> np.ndarray:
    """The values of a user's function, as many as there are numbers; ShapeError or InputError."""
    try:
        with np.errstate(all="ignore"):
            given = function(u.copy())
    except (TypeError, ValueError, ArithmeticError) as error:
        raise InputError(f"an activation works elementwise on an array, as np.tanh and np.maximum do, and "
                         f"{_name(function)} does not work on one of shape {u.shape}: {error}.") from error
    found = real_array(given, "the values of an activation")
    if found.shape != u.shape:
        raise ShapeError(f"an activation works elementwise: {_name(function)} made {found.shape} of {u.shape}.")
    return found


def _require_elementwise(function: Elementwise) -> None:
    """InputError where values depend on what else is in the array."""
    u = np.array([[-1.5, -0.75, -0.1], [0.2, 0.8, 1.6]])
    together = _called(function, u)
    alone = np.array([[_called(function, u[i:i + 1, j:j + 1])[0, 0] for j in range(3)] for i in range(2)])
    size = np.abs(together[np.isfinite(together)]).max(initial=0.0)
    if not np.allclose(alone, together, rtol=1e-5, atol=1e-5 * size, equal_nan=True):
        raise InputError(f"an activation is a function of each number alone, and {_name(function)} gives others where "
                         "it is called with several, or every time.")


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
