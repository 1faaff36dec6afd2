"""A soliton near the place where its orbits close: polynomials in the square of the distance from there.

With z = s², u = (s/q)^e e^{e z w(z)} of an unknown that closes, u = e^{e w(z)} of others and V = s φ(z), all of w and φ
are analytic; they are found at Gauss's nodes in z by Newton's method.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.core.errors import ConvergenceError
from geomflow.field.bases import polynomials
from geomflow.field.bases.polynomials import Angles

NODES, STEPS, SMALL, CLOSE = 14, 40, 1e-12, 1e-6
"""Nodes in z, the most steps of Newton's method, the change of a number that ends it, and that below which it ends once
changes fall no more, by rounding."""

PROBE = 1e-6
"""The change by which slopes of residuals are taken."""

Equations = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(u, u', V) -> (u'', V'), (unknowns, N) and (N,)."""


@final
@dataclass(frozen=True)
class Shape:
    """How unknowns begin: by which power of the radius they vanish.

    Parameters
    ----------
    exponents : tuple of int
        e of each unknown.
    closing : tuple of bool
        Whether it vanishes.
    cones : tuple of float
        q.
    """

    exponents: tuple[int, ...]
    closing: tuple[bool, ...]
    cones: tuple[float, ...]


@final
@dataclass(frozen=True, eq=False)
class Tip:
    """Unknowns and V for 0 ≤ s ≤ reach.

    Parameters
    ----------
    shape : Shape
        How unknowns begin.
    reach : float
        How far the polynomials go.
    rows : (unknowns + 1, N) array
        w of each unknown, and φ, at the nodes.
    """

    shape: Shape
    reach: float
    rows: np.ndarray

    def at(self, s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """u, u' and V at distances s > 0, (unknowns, M), (unknowns, M) and (M,).

        Parameters
        ----------
        s : (M,) array
            Arclength from where the orbits close.
        """
        modes = self._modes(s)
        matrix = modes @ _analysis(self.rows.shape[1])
        slopes = modes @ polynomials.slopes(self.rows.shape[1]) @ _analysis(self.rows.shape[1])
        values, first, _, drag, _ = self._jets(s, matrix, slopes * (2 / self.reach**2), np.zeros_like(slopes))
        return values, first, drag

    @property
    def nodes(self) -> np.ndarray:
        """The distances of the nodes, (N,)."""
        return _distances(self.reach, self.rows.shape[1])

    def smooth(self, values: np.ndarray, s: np.ndarray) -> np.ndarray:
        """Analytic functions of s² from their values at the nodes, at other distances, 0 included, (..., M).

        Parameters
        ----------
        values : (..., N) array
            At `nodes`.
        s : (M,) array
            Distances up to `reach`.
        """
        return np.asarray(values @ (self._modes(s) @ _analysis(self.rows.shape[1])).T)

    def _modes(self, s: np.ndarray) -> np.ndarray:
        return polynomials.legendre(self.rows.shape[1], Angles.of(np.arccos(2 * (s / self.reach) ** 2 - 1)))

    @property
    def tail(self) -> float:
        """The largest share of log u and of V that is in the last two coefficients."""
        last = np.abs(_analysis(self.rows.shape[1])[-2:] @ self.rows.T).max(axis=0)
        return float((last * [*(self.reach**2 if own else 1.0 for own in self.shape.closing), self.reach]).max())

    def _jets(self, s: np.ndarray, matrix: np.ndarray, slope: np.ndarray, bend: np.ndarray
              ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """u, u', u'', V and V', from matrices of values and of derivatives in z."""
        z = s**2
        rows, once, twice = (self.rows @ m.T for m in (matrix, slope, bend))
        logs = np.empty((3, len(rows) - 1, len(s)))
        for k, (e, closing, cone) in enumerate(zip(self.shape.exponents, self.shape.closing, self.shape.cones,
                                                   strict=True)):
            w, w1, w2 = rows[k], once[k], twice[k]
            if closing:
                logs[:, k] = (np.log(s / cone) + z * w, 1 / s + 2 * s * (w + z * w1),
                              -1 / z + 2 * (w + z * w1) + 4 * z * (2 * w1 + z * w2))
            else:
                logs[:, k] = w, 2 * s * w1, 2 * w1 + 4 * z * w2
            logs[:, k] *= e
        values = np.exp(logs[0])
        return values, values * logs[1], values * (logs[1] ** 2 + logs[2]), s * rows[-1], rows[-1] + 2 * z * once[-1]


def tip(equations: Equations, shape: Shape, reach: float, at_start: Sequence[float]) -> Tip:
    """The soliton up to s = reach.

    Raises ConvergenceError where Newton's method does not find it.

    Parameters
    ----------
    equations : function
        u'' and V' from u, u' and V.
    shape : Shape
        How unknowns begin.
    reach : float
        How far.
    at_start : sequence of float
        w(0) of each unknown that does not vanish (NaN for those that do), and φ(0).
    """
    given = np.asarray(at_start, dtype=float)
    rows = np.zeros((len(given), NODES)) + np.where(np.isnan(given), 0.0, given)[:, None]
    angles = polynomials.gauss(NODES)[0]
    s = _distances(reach, NODES)
    modes = polynomials.legendre(NODES, angles)
    matrices = [np.eye(NODES)] + [modes @ np.linalg.matrix_power(polynomials.slopes(NODES), k) @ _analysis(NODES)
                                  * (2 / reach**2) ** k for k in (1, 2)]
    start = polynomials.legendre(NODES, Angles.of(np.array([np.pi]))) @ _analysis(NODES)

    def residual(flat: np.ndarray) -> np.ndarray:
        found = Tip(shape, reach, flat.reshape(rows.shape))
        values, first, second, drag, stretch = found._jets(s, *matrices)
        bends, wanted = equations(values, first, drag)
        fixed = (found.rows @ start[0] - given)[~np.isnan(given)]
        return np.concatenate([((second - bends) / values * s**2).ravel(), (stretch - wanted) * reach**2, fixed])

    return Tip(shape, reach, _root(residual, rows.ravel()).reshape(rows.shape))


def _distances(reach: float, n: int) -> np.ndarray:
    return np.asarray(reach * np.sqrt(polynomials.gauss(n)[0].from_end / 2))


def _analysis(n: int) -> np.ndarray:
    """From values at Gauss's nodes to coefficients."""
    angles, weights = polynomials.gauss(n)
    return np.asarray(polynomials.legendre(n, angles).T * weights)


def _root(residual: Callable[[np.ndarray], np.ndarray], start: np.ndarray) -> np.ndarray:
    """The least squares of residuals that vanish together, by Newton's method with symmetric differences."""
    x, known = start, np.inf
    for _ in range(STEPS):
        step = np.linalg.lstsq(_slopes(residual, x), -residual(x), rcond=1e-14)[0]
        size = float(np.abs(step).max())
        if not np.isfinite(size):
            break
        x = x + step
        if size < SMALL or known / 2 < size < CLOSE:
            return np.asarray(x)
        known = size
    raise ConvergenceError("no smooth soliton was found about the place where its orbits close: give other values "
                           "there.")


def _slopes(residual: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    columns = []
    for k in range(len(x)):
        change = PROBE * max(1.0, abs(x[k]))
        ahead, behind = x.copy(), x.copy()
        ahead[k] += change
        behind[k] -= change
        columns.append((residual(ahead) - residual(behind)) / (2 * change))
    return np.stack(columns, axis=1)
