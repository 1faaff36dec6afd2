"""Activation functions with exact derivatives to the fifth order.

| name     | σ(u)                              |
|----------|-----------------------------------|
| relu     | max(u, 0)                         |
| gelu     | u Φ(u), Φ the normal distribution |
| tanh     | tanh u                            |
| erf      | (2/√π) ∫_0^u e^{−t²} dt           |
| cos      | cos u                             |
| softplus | log(1 + e^u)                      |

Fourth-order jets of a network need σ to the fourth derivative, and their reverse the fifth. ReLU's first derivative is
the step (0 at u = 0) and all higher ones are zero: the delta distribution at the kink and its derivatives are left out,
which is the derivative almost everywhere, not in the sense of distributions.

>>> activation("tanh")
the activation tanh
>>> activation("cos").derivatives(np.zeros(1), 4)[:, 0].tolist()
[1.0, -0.0, -1.0, 0.0, 1.0]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import factorial, pi, sqrt
from typing import final

import numpy as np
from numba import njit

from geomflow.core.errors import InputError, UnknownNameError

#: The highest derivative that every activation knows.
HIGHEST = 5


@final
@dataclass(frozen=True, repr=False)
class Activation:
    """A function σ of one variable and its derivatives σ', …, σ⁽⁵⁾, elementwise.

    Parameters
    ----------
    name : str
        The name by which networks and files know it.
    fill : callable
        ``fill(u, out)`` writes σ⁽ᵏ⁾(u) to out[k], k < len(out) <= 6; `out` has shape (k, *u.shape).
    kinked : bool
        Whether σ' jumps somewhere; the higher derivatives leave out the jumps.
    """

    name: str
    fill: Callable[[np.ndarray, np.ndarray], None]
    kinked: bool = False

    def __call__(self, u: np.ndarray) -> np.ndarray:
        """σ(u), elementwise."""
        return self.derivatives(u, 0)[0]

    def derivatives(self, u: np.ndarray, order: int) -> np.ndarray:
        """σ(u), σ'(u), …, σ⁽ᵒʳᵈᵉʳ⁾(u), shape (order + 1, *u.shape).

        Raises `InputError` for an order above five.

        Parameters
        ----------
        u : array
            Where, of any shape.
        order : int
            The highest derivative, 0 to 5.
        """
        if not 0 <= order <= HIGHEST:
            raise InputError(f"derivatives of activations are known to order {HIGHEST}, and {order} was asked for.")
        u = np.asarray(u, dtype=float)
        out = np.empty((order + 1, *u.shape))
        self.fill(u, out)
        return out

    def __repr__(self) -> str:
        return f"the activation {self.name}"


def _relu(u: np.ndarray, out: np.ndarray) -> None:
    np.maximum(u, 0.0, out=out[0])
    if len(out) > 1:
        np.greater(u, 0.0, out=out[1], casting="unsafe")
    out[2:] = 0.0


def _gelu(u: np.ndarray, out: np.ndarray) -> None:
    square = u * u
    bell = np.exp(-0.5 * square)
    below = cumulative(u, bell)
    np.multiply(u, below, out=out[0])
    if len(out) == 1:
        return
    density = np.multiply(bell, 1 / sqrt(2 * pi), out=bell)
    np.add(below, u * density, out=out[1])
    polynomials: tuple[Callable[[], np.ndarray], ...] = (
        lambda: 2 - square,
        lambda: u * (square - 4),
        lambda: (7 - square) * square - 4,
        lambda: u * ((square - 11) * square + 18),
    )
    for target, polynomial in zip(out[2:], polynomials):
        np.multiply(density, polynomial(), out=target)


def _tanh(u: np.ndarray, out: np.ndarray) -> None:
    value = np.tanh(u, out=out[0])
    if len(out) == 1:
        return
    square = value * value
    slope = np.subtract(1.0, square, out=out[1])
    polynomials: tuple[Callable[[], np.ndarray], ...] = (
        lambda: -2 * value,
        lambda: 6 * square - 2,
        lambda: value * (16 - 24 * square),
        lambda: 16 + 120 * square * (square - 1),
    )
    for target, polynomial in zip(out[2:], polynomials):
        np.multiply(slope, polynomial(), out=target)


def _erf(u: np.ndarray, out: np.ndarray) -> None:
    square = u * u
    bell = np.exp(-square)
    out[0] = error(u, bell)
    if len(out) == 1:
        return
    slope = np.multiply(2 / sqrt(pi), bell, out=out[1])
    polynomials: tuple[Callable[[], np.ndarray], ...] = (
        lambda: -2 * u,
        lambda: 4 * square - 2,
        lambda: u * (12 - 8 * square),
        lambda: (16 * square - 48) * square + 12,
    )
    for target, polynomial in zip(out[2:], polynomials):
        np.multiply(slope, polynomial(), out=target)


def _cos(u: np.ndarray, out: np.ndarray) -> None:
    np.cos(u, out=out[0])
    if len(out) > 1:
        np.negative(np.sin(u), out=out[1])
    for order in range(2, len(out)):
        np.negative(out[order - 2], out=out[order])


def _softplus(u: np.ndarray, out: np.ndarray) -> None:
    falling = np.exp(-np.abs(u))
    np.add(np.maximum(u, 0.0), np.log1p(falling), out=out[0])
    if len(out) == 1:
        return
    shared = 1 / (1 + falling)
    np.multiply(shared, np.where(u < 0, falling, 1.0), out=out[1])
    if len(out) == 2:
        return
    bump = np.multiply(shared * shared, falling, out=out[2])
    tilt = 1 - 2 * out[1]
    polynomials: tuple[Callable[[], np.ndarray], ...] = (
        lambda: tilt, lambda: 1 - 6 * bump, lambda: tilt * (1 - 12 * bump))
    for target, polynomial in zip(out[3:], polynomials):
        np.multiply(bump, polynomial(), out=target)


#: The known activations by name.
ACTIVATIONS = {
    name: Activation(name, fill, kinked=fill is _relu)
    for name, fill in (
        ("relu", _relu),
        ("gelu", _gelu),
        ("tanh", _tanh),
        ("erf", _erf),
        ("cos", _cos),
        ("softplus", _softplus),
    )
}


def activation(name: str | Activation) -> Activation:
    """The activation of this name (or the given one, of the user's own).

    Raises `UnknownNameError`, naming the nearest known one.

    Parameters
    ----------
    name : str or Activation
        "relu", "gelu", "tanh", "erf", "cos" or "softplus".
    """
    if isinstance(name, Activation):
        return name
    if name not in ACTIVATIONS:
        raise UnknownNameError.among("activation", str(name), ACTIVATIONS)
    return ACTIVATIONS[name]


# Φ(−x) = e^{−x²/2} M(x)/√(2π) for x >= 0, with Mills' ratio M: (x + 4) M(x)/√(2π) is smooth in r = 1/(x + 4), and
# a polynomial in s = A − B r, its Chebyshev interpolant over 0 <= x <= 39 (beyond, the exponential underflows).
# Relative errors of Φ(−x) beside those of the exponential are below 5e-16. No branches, so that the loops vectorise.
_SHIFT = 4.0
_START = 1.205128205128205
_SLOPE = 8.820512820512821
_RATIO = np.array(
    (
        0.8153383968425169,
        -0.6212441022247249,
        0.3639067368270515,
        -0.15636995546797264,
        0.042906326776423594,
        -0.003258846189420432,
        -0.002501459048646419,
        0.0007374208857899511,
        0.00014720799820607054,
        -8.847014576189665e-05,
        -1.3621990600703993e-05,
        1.0463824796641848e-05,
        2.1831385408939513e-06,
        -1.2137565791986314e-06,
        -4.3375241629634623e-07,
        1.1500243679304522e-07,
        8.19218180766522e-08,
        -3.074296709334896e-09,
        -1.2302954129180907e-08,
        -1.6650858354693667e-09,
        1.062039017166502e-09,
        2.827967190639872e-10,
    )[::-1]
)

#: erf u = u Σ_n series[n] u^{2n}, for |u| < 1/2.
_SERIES = np.array([2 / sqrt(pi) * (-1) ** n / (factorial(n) * (2 * n + 1)) for n in range(13)][::-1])
_NEAR = 0.5


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"}, inline="always")
def _tail(x: float, bell: float) -> float:
    """Φ(−x) for x >= 0, given bell = e^{−x²/2}."""
    inverse = 1.0 / (x + _SHIFT)
    s = _START - _SLOPE * inverse
    value = 0.0
    for n in range(_RATIO.size):
        value = value * s + _RATIO[n]
    return bell * value * inverse


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _cumulative(u: np.ndarray, bell: np.ndarray, out: np.ndarray) -> None:
    for m in range(u.size):
        tail = _tail(abs(u[m]), bell[m])
        out[m] = tail if u[m] < 0.0 else 1.0 - tail


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _error(u: np.ndarray, bell: np.ndarray, out: np.ndarray) -> None:
    for m in range(u.size):
        far = 1.0 - 2.0 * _tail(abs(u[m]) * sqrt(2.0), bell[m])
        square = min(u[m] * u[m], _NEAR * _NEAR)
        near = 0.0
        for n in range(_SERIES.size):
            near = near * square + _SERIES[n]
        signed = far if u[m] > 0.0 else -far
        out[m] = u[m] * near if abs(u[m]) < _NEAR else signed


def cumulative(u: np.ndarray, bell: np.ndarray) -> np.ndarray:
    """Φ(u), given bell = e^{−u²/2}."""
    out = np.empty(u.shape)
    _cumulative(u.ravel(), bell.ravel(), out.ravel())
    return out


def error(u: np.ndarray, bell: np.ndarray) -> np.ndarray:
    """erf u, given bell = e^{−u²}."""
    out = np.empty(u.shape)
    _error(u.ravel(), bell.ravel(), out.ravel())
    return out
