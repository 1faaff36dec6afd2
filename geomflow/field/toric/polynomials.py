"""Orthonormal polynomials on a polygon, degree by degree, and their derivatives, by recurrence.

Multiplied by both coordinates, the polynomials of one degree give those of the next, made orthogonal to the two degrees
before and to each other: a polynomial times x is orthogonal to all of lower degree (Xu 1993). The coefficients of the
recurrence evaluate polynomials and derivatives anywhere (Brubeck, Nakatsukasa and Trefethen 2021).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias, final

import numpy as np
import sympy

from geomflow.core.threads import one_thread_products
from geomflow.field.toric.quadrature import Rule, alone, centre, inner_rule
from geomflow.symbolic.toric import Polygon

Index: TypeAlias = tuple[int, int]


@lru_cache(maxsize=8)
def indices_to(order: int) -> tuple[Index, ...]:
    """Counts of derivatives in x1 and x2 up to an order, the lowest first: (0, 0), (1, 0), (0, 1), (2, 0), ..."""
    return tuple((k - j, j) for k in range(order + 1) for j in range(k + 1))


@final
@dataclass(frozen=True)
class OrthogonalPolynomials:
    """The polynomials of total degree up to `degree`, orthonormal for dx on a polygon; (d + 1)(d + 2)/2 of them.

    Parameters
    ----------
    polygon : Polygon
        Where they are orthonormal.
    degree : int
        d.
    """

    polygon: Polygon
    degree: int

    @property
    def size(self) -> int:
        """How many there are."""
        return (self.degree + 1) * (self.degree + 2) // 2

    def block(self, degree: int) -> slice:
        """The places of those of one degree."""
        return slice(degree * (degree + 1) // 2, (degree + 1) * (degree + 2) // 2)

    @cached_property
    def _frame(self) -> tuple[np.ndarray, np.ndarray]:
        """m and T of ξ = T(x − m), for which the polygon lies about 0 with moments of inertia as a disc's."""
        rule = inner_rule(self.polygon, alone(self.polygon), 2)
        away = rule.points - centre(self.polygon)
        spread = away.T @ (rule.weights[:, None] * away) / rule.weights.sum()
        return centre(self.polygon), np.linalg.inv(2 * np.linalg.cholesky(spread))

    @cached_property
    def _recurrence(self) -> tuple[float, list[tuple[np.ndarray, np.ndarray, np.ndarray]]]:
        """The constant, and for each degree coefficients of the two degrees before and of what is left."""
        with one_thread_products():
            return self._found_recurrence()

    def _found_recurrence(self) -> tuple[float, list[tuple[np.ndarray, np.ndarray, np.ndarray]]]:
        whole = self.polygon_rule
        root = np.sqrt(whole.weights)[:, None]
        xi = self._local(whole.points)
        constant = 1 / float(np.sqrt(whole.weights.sum()))
        before, last, steps = np.zeros((len(root), 0)), root * constant, []
        for _ in range(self.degree):
            new = _raised(xi, last)
            lower, first = np.zeros((before.shape[1], new.shape[1])), np.zeros((last.shape[1], new.shape[1]))
            for _ in range(2):  # twice is enough
                low, own = before.T @ new, last.T @ new
                new = new - before @ low - last @ own
                lower, first = lower + low, first + own
            sizes, vectors = np.linalg.eigh(new.T @ new)
            kept = vectors[:, -last.shape[1] - 1 :] / np.sqrt(sizes[-last.shape[1] - 1 :])
            kept = kept * np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(kept.shape[1])])
            steps.append((lower, first, kept))
            before, last = last, new @ kept
        return constant, steps

    @cached_property
    def polygon_rule(self) -> Rule:
        """A rule on the whole polygon that is exact for products of two of them."""
        return inner_rule(self.polygon, alone(self.polygon), self.degree + 1)

    def _local(self, points: np.ndarray) -> np.ndarray:
        middle, turn = self._frame
        return np.asarray((points - middle) @ turn.T)

    def blocks(self, points: np.ndarray, order: int = 0) -> Iterator[np.ndarray]:
        """For each degree the derivatives at places: (indices, N, number of that degree), as `indices_to` lists them.

        Parameters
        ----------
        points : (N, 2) array
            Places.
        order : int
            Of the highest derivatives.
        """
        places, turn = np.asarray(points, dtype=float).reshape(-1, 2), self._frame[1]
        xi, indices = self._local(places), indices_to(order)
        constant, steps = self._recurrence
        before = np.zeros((len(indices), len(places), 0))
        last = np.zeros((len(indices), len(places), 1))
        last[0] = constant
        yield last
        for lower, first, inverse in steps:
            new = np.stack([_raised(xi, last[k]) + _lowered(last, index, indices, turn)
                            for k, index in enumerate(indices)])
            before, last = last, (new - before @ lower - last @ first) @ inverse
            yield last

    def jets(self, points: np.ndarray, order: int = 0) -> np.ndarray:
        """All of them and their derivatives at places, (indices, N, size).

        Parameters
        ----------
        points : (N, 2) array
            Places.
        order : int
            Of the highest derivatives.
        """
        return np.concatenate(list(self.blocks(points, order)), axis=2)

    def combined(self, coefficients: np.ndarray, points: np.ndarray, order: int = 0) -> np.ndarray:
        """The derivatives of a combination at places, (indices, N).

        Parameters
        ----------
        coefficients : (size,) array
            Of each.
        points : (N, 2) array
            Places.
        order : int
            Of the highest derivatives.
        """
        parts = [block @ coefficients[self.block(k)] for k, block in enumerate(self.blocks(points, order))]
        return np.asarray(sum(parts))

    def expression(self, coefficients: np.ndarray, symbols: Sequence[sympy.Symbol]) -> sympy.Expr:
        """A combination as a polynomial, with floats as coefficients of its monomials, as they are exactly.

        Parameters
        ----------
        coefficients : (size,) array
            Of each.
        symbols : pair of symbols
            The coordinates.
        """
        middle, turn = self._frame
        away = [x - sympy.Rational(float(m)) for x, m in zip(symbols, middle, strict=True)]
        xi = [sum(sympy.Rational(float(t)) * x for t, x in zip(row, away, strict=True)) for row in turn]
        constant, steps = self._recurrence
        before: list[sympy.Poly] = []
        last = [sympy.Poly(sympy.Rational(constant), *symbols)]
        axes = [sympy.Poly(each, *symbols) for each in xi]
        total = last[0] * sympy.Rational(float(coefficients[0]))
        for k, (lower, first, inverse) in enumerate(steps, start=1):
            new = [axis * each for axis in axes for each in last]
            new = [each - _mixed(before, lower[:, j]) - _mixed(last, first[:, j]) for j, each in enumerate(new)]
            before, last = last, [_mixed(new, inverse[:, j]) for j in range(k + 1)]
            total = total + _mixed(last, coefficients[self.block(k)])
        terms = [sympy.Rational(float(factor)) * sympy.Mul(*(x**n for x, n in zip(symbols, powers, strict=True)))
                 for powers, factor in total.terms()]
        return sympy.Add(*terms)


def _mixed(polynomials: list[sympy.Poly], factors: np.ndarray) -> Any:
    return sum((sympy.Rational(float(f)) * p for f, p in zip(factors, polynomials, strict=True) if f), sympy.Integer(0))


def _raised(xi: np.ndarray, last: np.ndarray) -> np.ndarray:
    """ξ₁ and ξ₂ times all."""
    return np.concatenate([xi[:, :1] * last, xi[:, 1:] * last], axis=1)


def _lowered(last: np.ndarray, index: Index, indices: tuple[Index, ...], turn: np.ndarray) -> np.ndarray:
    """What derivatives do to the coordinate in `_raised`: Σ_i α_i ∂_i ξ ∂^{α − e_i}."""
    found = np.zeros((last.shape[1], 2 * last.shape[2]))
    for axis, times in enumerate(index):
        if times:
            one_less = (index[0] - 1, index[1]) if axis == 0 else (index[0], index[1] - 1)
            slopes = turn[:, axis]
            found += times * np.concatenate([slope * last[indices.index(one_less)] for slope in slopes], axis=1)
    return found
