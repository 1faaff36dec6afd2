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

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import factorial, pi, sqrt
from typing import Literal, final

import numpy as np
from numba import njit

from geomflow.codegen.mathematics import exp, fma, log, select
from geomflow.core.errors import InputError, require_known

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
        ``fill(u, out)`` writes σ⁽ᵏ⁾(u) to out[k], k < len(out) <= 6; `out` has shape (k, *u.shape), in single or
        double precision.
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


# The activations as compiled rows: out (6, n) holds σ(u), σ'(u), …, σ⁽⁵⁾(u) for u (n,)

_PLAIN = {"cache": True, "nogil": True, "error_model": "numpy"}

_NORMAL, _TWO_OVER_ROOT_PI, _ROOT_TWO = 1 / sqrt(2 * pi), 2 / sqrt(pi), sqrt(2.0)

# Φ(−x) = e^{−x²/2} M(x)/√(2π) for x >= 0, with Mills' ratio M: (x + 4) M(x)/√(2π) is smooth in r = 1/(x + 4), and
# a polynomial in s = A − B r, its Chebyshev interpolant over 0 <= x <= 39 (beyond, the exponential underflows).
# Relative errors of Φ(−x) beside those of the exponential are below 5e-16. No branches, so that the loops vectorise.
_SHIFT = 4.0
_START = 1.205128205128205
_SLOPE = 8.820512820512821
_RATIO = (
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

#: erf u = u Σ_n series[n] u^{2n}, for |u| < 1/2.
_ERF = tuple(_TWO_OVER_ROOT_PI * (-1) ** n / (factorial(n) * (2 * n + 1)) for n in range(13))[::-1]
#: tanh u = u Σ_n series[n] u^{2n}, for |u| < 1/4: the quotients of the exponential lose digits there.
_TANH = (1.0, -1 / 3, 2 / 15, -17 / 315, 62 / 2835, -1382 / 155925, 21844 / 6081075, -929569 / 638512875,
         6404582 / 10854718875, -443861162 / 1856156927625)[::-1]


@njit(**_PLAIN)
def _horner(value: float, coefficients: tuple[float, ...], s: float) -> float:
    for coefficient in coefficients:
        value = fma(value, s, coefficient)
    return value


@njit(**_PLAIN)
def _tail(x: float, bell: float) -> float:
    """Φ(−x) for x >= 0, given bell = e^{−x²/2}; in two halves, loops so short that they are unrolled."""
    inverse = 1.0 / (x + _SHIFT)
    s = _START - _SLOPE * inverse
    return bell * _horner(_horner(0.0, _RATIO[:11], s), _RATIO[11:], s) * inverse


def _relu(u: np.ndarray, out: np.ndarray) -> None:
    np.maximum(u, 0.0, out=out[0])
    if len(out) > 1:
        np.greater(u, 0.0, out=out[1], casting="unsafe")
    out[2:] = 0.0


@njit(**_PLAIN)
def _gelu(u: np.ndarray, out: np.ndarray) -> None:
    for i in range(u.size):
        x = float(u[i])
        bell = exp(-0.5 * x * x)  # from the left: in single precision x² alone would be rounded
        tail, phi, x2 = _tail(abs(x), bell), bell * _NORMAL, x * x
        total = select(x > 0.0, 1.0 - tail, tail)
        out[0, i] = x * total
        out[1, i] = total + x * phi
        out[2, i] = phi * (2.0 - x2)
        out[3, i] = phi * x * (x2 - 4.0)
        out[4, i] = phi * (x2 * (7.0 - x2) - 4.0)
        out[5, i] = phi * x * ((x2 - 11.0) * x2 + 18.0)


@njit(**_PLAIN)
def _tanh(u: np.ndarray, out: np.ndarray) -> None:
    for i in range(u.size):
        x = float(u[i])
        decay = exp(-2.0 * abs(x))
        size = (1.0 - decay) / (1.0 + decay)
        t = select(abs(x) < 0.25, x * _horner(0.0, _TANH, x * x), select(x > 0.0, size, -size))
        t2 = t * t
        s = 1.0 - t2
        out[0, i] = t
        out[1, i] = s
        out[2, i] = -2.0 * t * s
        out[3, i] = s * (6.0 * t2 - 2.0)
        out[4, i] = t * s * (16.0 - 24.0 * t2)
        out[5, i] = s * (16.0 + 120.0 * t2 * (t2 - 1.0))


@njit(**_PLAIN)
def _erf(u: np.ndarray, out: np.ndarray) -> None:
    for i in range(u.size):
        x = float(u[i])
        x2 = x * x
        bell = exp(-x2)
        far, phi = 1.0 - 2.0 * _tail(abs(x) * _ROOT_TWO, bell), _TWO_OVER_ROOT_PI * bell
        out[0, i] = select(abs(x) < 0.5, x * _horner(0.0, _ERF, x2), select(x > 0.0, far, -far))
        out[1, i] = phi
        out[2, i] = -2.0 * x * phi
        out[3, i] = phi * (4.0 * x2 - 2.0)
        out[4, i] = phi * x * (12.0 - 8.0 * x2)
        out[5, i] = phi * ((16.0 * x2 - 48.0) * x2 + 12.0)


@njit(**_PLAIN)
def _cos(u: np.ndarray, out: np.ndarray) -> None:
    for i in range(u.size):
        c, s = math.cos(float(u[i])), math.sin(float(u[i]))
        out[0, i], out[1, i], out[2, i], out[3, i], out[4, i], out[5, i] = c, -s, -c, s, c, -s


@njit(**_PLAIN)
def _softplus(u: np.ndarray, out: np.ndarray) -> None:
    for i in range(u.size):
        x = float(u[i])
        decay = exp(-abs(x))
        whole = 1.0 + decay
        half = 1.0 / whole
        p = select(x > 0.0, half, decay * half)
        q, tilt = half * half * decay, 1.0 - 2.0 * p
        out[0, i] = select(x > 0.0, x, 0.0) + (log(whole) - ((whole - 1.0) - decay) * half)
        out[1, i] = p
        out[2, i] = q
        out[3, i] = q * tilt
        out[4, i] = q * (1.0 - 6.0 * q)
        out[5, i] = q * tilt * (1.0 - 12.0 * q)


#: Values of u handled together, so that their derivatives stay in the cache.
_ROW = 128


@njit(**_PLAIN)
def _fill_rows(code: int, u: np.ndarray, out: np.ndarray) -> None:
    """The first derivatives at u (n,), as many as `out` (k, n) takes, of the activation at this place of the table."""
    row = np.empty((6, _ROW))
    for start in range(0, u.size, _ROW):
        part = u[start : start + _ROW]
        if code == 0:
            _gelu(part, row)
        elif code == 1:
            _tanh(part, row)
        elif code == 2:
            _erf(part, row)
        elif code == 3:
            _cos(part, row)
        else:
            _softplus(part, row)
        for k in range(out.shape[0]):
            for i in range(part.size):
                out[k, start + i] = row[k, i]


def _fill(code: int, u: np.ndarray, out: np.ndarray) -> None:
    _fill_rows(code, u.reshape(-1), out.reshape(len(out), -1))


#: The known activations by name.
ACTIVATIONS = {"relu": Activation("relu", _relu, kinked=True)} | {
    name: Activation(name, partial(_fill, code))
    for code, name in enumerate(("gelu", "tanh", "erf", "cos", "softplus"))
}


ActivationName = Literal["relu", "gelu", "tanh", "erf", "cos", "softplus"]
"""Activations that have a name."""


def activation(name: ActivationName | Activation) -> Activation:
    """The activation of this name (or the given one, of the user's own).

    Raises `UnknownNameError`, naming the nearest known one.

    Parameters
    ----------
    name : str or Activation
        "relu", "gelu", "tanh", "erf", "cos" or "softplus".
    """
    if isinstance(name, Activation):
        return name
    require_known("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]
