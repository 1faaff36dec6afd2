"""The right-hand sides as one would write them for NumPy and for JAX: rolls and sums of products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.cases import Case, pairs
from benchmarks.peers.ricci_formula import ricci

FIRST = {2: (1 / 2,), 4: (2 / 3, -1 / 12)}
SECOND = {2: (-2.0, 1.0), 4: (-5 / 2, 4 / 3, -1 / 12)}


class Derivatives:
    """Centred periodic derivatives along grid axes, which are the last ones of an array."""

    def __init__(self, xp: Any, case: Case, order: int) -> None:
        self.xp, self.spacing, self.order, self.dim = xp, case.spacing, order, case.dim

    def first(self, u: Any, axis: int) -> Any:
        """∂_axis u."""
        at = axis - self.dim
        steps = enumerate(FIRST[self.order], start=1)
        return sum(w / self.spacing[axis] * (self.xp.roll(u, -k, at) - self.xp.roll(u, k, at)) for k, w in steps)

    def second(self, u: Any, axis: int) -> Any:
        """∂²_axis u."""
        at, square = axis - self.dim, self.spacing[axis] ** 2
        centre, *steps = SECOND[self.order]
        pairs_ = (w / square * (self.xp.roll(u, -k, at) + self.xp.roll(u, k, at)) for k, w in enumerate(steps, 1))
        return centre / square * u + sum(pairs_)

    def mixed(self, u: Any, i: int, j: int) -> Any:
        """∂_i∂_j u."""
        return self.second(u, i) if i == j else self.first(self.first(u, i), j)

    def laplacian(self, u: Any) -> Any:
        """Σ ∂_i² u."""
        return sum(self.second(u, axis) for axis in range(self.dim))


def rate(xp: Any, case: Case, order: int) -> Callable[[Any], Any]:
    """The right-hand side of `case` as a function of the array (components, *grid)."""
    d = Derivatives(xp, case, order)
    return {"krf": _krf, "calabi": _calabi, "ricci": _ricci, "logdet": _logdet}[case.kind](xp, d, case)


def _krf(xp: Any, d: Derivatives, case: Case) -> Callable[[Any], Any]:
    return lambda phi: xp.log(1 + d.laplacian(phi) / 2)


def _calabi(xp: Any, d: Derivatives, case: Case) -> Callable[[Any], Any]:
    def function(phi: Any) -> Any:
        v = 1 + d.laplacian(phi) / 2
        return -d.laplacian(xp.log(v)) / v

    return function


def _logdet(xp: Any, d: Derivatives, case: Case) -> Callable[[Any], Any]:
    def function(phi: Any) -> Any:
        x1, y1, x2, y2 = range(4)
        g11 = 1 / 2 + (d.second(phi, x1) + d.second(phi, y1)) / 4
        g22 = 1 / 2 + (d.second(phi, x2) + d.second(phi, y2)) / 4
        re = (d.mixed(phi, x1, x2) + d.mixed(phi, y1, y2)) / 4
        im = (d.mixed(phi, x1, y2) - d.mixed(phi, y1, x2)) / 4
        return xp.log(4 * (g11 * g22 - re**2 - im**2))

    return function


def _ricci(xp: Any, d: Derivatives, case: Case) -> Callable[[Any], Any]:
    place = {p: k for k, p in enumerate(pairs(case.dim))}

    def function(packed: Any) -> Any:
        def g(i: int, j: int) -> Any:
            return packed[place[min(i, j), max(i, j)]]

        first = [d.first(packed, k) for k in range(case.dim)]
        second = {(k, l): d.second(packed, k) if k == l else d.first(first[k], l) for k, l in pairs(case.dim)}
        entries = ricci(
            case.dim,
            g,
            lambda i, j, k: first[k][place[min(i, j), max(i, j)]],
            lambda i, j, k, l: second[min(k, l), max(k, l)][place[min(i, j), max(i, j)]],
        )
        return xp.stack([-2 * entries[p] for p in pairs(case.dim)])

    return function
