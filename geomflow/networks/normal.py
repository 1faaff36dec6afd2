"""The normal distribution function and the error function, without branches, so that the loops vectorise.

Φ(−x) = e^{−x²/2} M(x)/√(2π) for x >= 0, with Mills' ratio M: (x + 4) M(x)/√(2π) is smooth in r = 1/(x + 4) and is taken
as a polynomial in s = A − B r, its Chebyshev interpolant over 0 <= x <= 39 (beyond, the exponential underflows).
Relative errors of Φ(−x) beside those of the exponential are below 5e-16.
"""

from __future__ import annotations

from math import factorial, pi, sqrt

import numpy as np
from numba import njit

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
def _tail(x, bell):
    """Φ(−x) for x >= 0, given bell = e^{−x²/2}."""
    inverse = 1.0 / (x + _SHIFT)
    s = _START - _SLOPE * inverse
    value = 0.0
    for n in range(_RATIO.size):
        value = value * s + _RATIO[n]
    return bell * value * inverse


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _cumulative(u, bell, out):
    for m in range(u.size):
        tail = _tail(abs(u[m]), bell[m])
        out[m] = tail if u[m] < 0.0 else 1.0 - tail


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _error(u, bell, out):
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
