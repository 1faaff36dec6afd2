"""Equations of toric metrics at the places of a rule, with their exact derivatives in the coefficients of h.

Ric = λg + ∂∂̄⟨c, x⟩ is log det u_ij = λ(⟨x − x₀, ∂u⟩ − u) + ⟨c, x⟩ + const, and with u = Σ l_a log l_a + h, where
l_a(x₀) = 1/λ for all a, the logarithms of l_a fall out on both sides:

    log(Π l_a det u_ij) = λ(⟨x − x₀, Σ n_a + ∂h⟩ − h) + ⟨c, x⟩ + const.

The scalar curvature is r = −∂_i∂_j u^ij, weakly ∫r φ = ∫_{∂P} φ dσ − ∫u^ij φ_ij (Donaldson 2002): no derivative of
u^ij is taken, and no boundary term is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from geomflow.field.toric.grid import ToricGrid
from geomflow.field.toric.quadrature import boundary_rule
from geomflow.field.toric.regular import Regular, Three


@final
@dataclass(frozen=True)
class Logarithmic:
    """F(h) = log(Π l det u_ij) − λ(⟨x − x₀, Σ n_a + ∂h⟩ − h) − ⟨c, x⟩, constant where Ric = λg + ∂∂̄⟨c, x⟩.

    Parameters
    ----------
    grid : ToricGrid
        The polynomials h.
    constant : float
        λ.
    centre : pair of float
        x₀.
    drift : pair of float
        c.
    """

    grid: ToricGrid
    constant: float
    centre: tuple[float, float]
    drift: tuple[float, float] = (0.0, 0.0)

    @property
    def own(self) -> Strip:
        """The places of the grid's rule."""
        return self._strips[0]

    @property
    def fine(self) -> Strip:
        """The places at which maxima are looked for."""
        return self._strips[1]

    @cached_property
    def _strips(self) -> tuple[Strip, Strip]:
        grid = self.grid
        own = Strip(grid.rule.points, grid.modes, grid.regular)
        return own, Strip(grid.fine, grid.modes_at(grid.fine), Regular.at(grid.toric.polygon, grid.fine))

    def values(self, h: np.ndarray, at: Strip) -> np.ndarray:
        """F, (N,); NaN where u is not convex.

        Parameters
        ----------
        h : (size,) array
            Coefficients.
        at : Strip
            Places.
        """
        away = at.points - np.array(self.centre)
        found = at.derivatives(h)
        density = at.regular.density(_three(found))
        normal = np.sum(self.grid.toric.normals, axis=0)
        affine = self.constant * (away @ normal) + at.points @ np.array(self.drift)
        logs = np.log(np.where(density > 0, density, np.nan))
        return np.asarray(logs - affine - self.constant * (away[:, 0] * found[1] + away[:, 1] * found[2] - found[0]))

    def slopes(self, h: np.ndarray, at: Strip) -> np.ndarray:
        """∂F = u^ij φ_ij − λ(⟨x − x₀, ∂φ⟩ − φ), (N, size).

        Parameters
        ----------
        h : (size,) array
            Coefficients.
        at : Strip
            Places.
        """
        away = (at.points - np.array(self.centre)).T[:, :, None]
        f, first, second = at.modes[:3]
        return np.asarray(at.traced(h) - self.constant * (away[0] * first + away[1] * second - f))


@final
@dataclass(frozen=True)
class Abreu:
    """∫u^ij φ_ij − ∫_{∂P} φ dσ for the unknowns' polynomials φ: −∫(r − s)φ with any affine s.

    It is minus the gradient of the K-energy E(h) = −∫log(Π l det u_ij) + ∫_{∂P} h dσ, convex in h.

    Parameters
    ----------
    grid : ToricGrid
        The polynomials h.
    """

    grid: ToricGrid

    @cached_property
    def own(self) -> Strip:
        """The places of the grid's rule."""
        return Strip(self.grid.rule.points, self.grid.modes, self.grid.regular)

    @cached_property
    def boundary(self) -> np.ndarray:
        """∫_{∂P} φ dσ."""
        rule = boundary_rule(self.grid.toric.polygon, self.grid.degree // 2 + 1)
        return np.asarray(rule.weights @ (self.grid.polynomials.jets(rule.points)[0] @ self.grid.span))

    def energy(self, h: np.ndarray) -> float:
        """E(h), infinite where u is not convex.

        Parameters
        ----------
        h : (size,) array
            Coefficients.
        """
        density = self.own.regular.density(_three(self.own.derivatives(h)))
        if not density.min() > 0:
            return np.inf
        return float(self.boundary @ h - self.grid.rule.weights @ np.log(density))

    def values(self, h: np.ndarray) -> np.ndarray:
        """∫u^ij φ_ij − ∫_{∂P} φ dσ, (size,).

        Parameters
        ----------
        h : (size,) array
            Coefficients.
        """
        return np.asarray(self.grid.rule.weights @ self.own.traced(h) - self.boundary)

    def slopes(self, h: np.ndarray) -> np.ndarray:
        """Their derivative −∫u^ia u^jb φ_ij ψ_ab, (size, size), symmetric and negative.

        Parameters
        ----------
        h : (size,) array
            Coefficients.
        """
        _, (a, b, c) = self.own.inverse(h)
        p, q, r = self.own.modes[3:]
        w = self.grid.rule.weights
        rows = [[a * a, 2 * a * b, b * b], [2 * a * b, 2 * (a * c + b * b), 2 * b * c], [b * b, 2 * b * c, c * c]]
        raised = [(w * row[0])[:, None] * p + (w * row[1])[:, None] * q + (w * row[2])[:, None] * r for row in rows]
        return np.asarray(-(p.T @ raised[0] + q.T @ raised[1] + r.T @ raised[2]))


@final
@dataclass(frozen=True)
class Strip:
    """The unknowns' polynomials at places.

    Parameters
    ----------
    points : (N, 2) array
        Places.
    modes : (6, N, size) array
        Polynomials with their first and second derivatives.
    regular : Regular
        What of metrics does not depend on h.
    """

    points: np.ndarray
    modes: np.ndarray
    regular: Regular

    def derivatives(self, h: np.ndarray) -> np.ndarray:
        """h with its first and second derivatives, (6, N).

        Parameters
        ----------
        h : (size,) array
            Coefficients.
        """
        return np.asarray(self.modes @ h)

    def inverse(self, h: np.ndarray) -> tuple[np.ndarray, Three]:
        """Π l det u_ij and u^ij.

        Parameters
        ----------
        h : (size,) array
            Coefficients.
        """
        return self.regular.inverse(_three(self.derivatives(h)))

    def traced(self, h: np.ndarray) -> np.ndarray:
        """u^ij φ_ij, (N, size).

        Parameters
        ----------
        h : (size,) array
            Coefficients.
        """
        _, (a, b, c) = self.inverse(h)
        p, q, r = self.modes[3:]
        return np.asarray(a[:, None] * p + (2 * b)[:, None] * q + c[:, None] * r)


def _three(found: np.ndarray) -> Three:
    return found[3], found[4], found[5]
