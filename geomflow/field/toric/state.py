"""A toric Kähler metric as numbers: the coefficients of h in u = Σ l_a log l_a + h."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, NotFiniteError, PositivityError, ShapeError
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import real_array, require_unmasked
from geomflow.field.toric.curvature import Curvature, curvature_at
from geomflow.field.toric.regular import Regular, Three
from geomflow.field.toric.spectrum import eigenvalues
from geomflow.symbolic.metric import Metric
from geomflow.symbolic.toric.geometry import X, read_function

if TYPE_CHECKING:
    from geomflow.field.toric.grid import ToricGrid

OUTSIDE = 1e-9
"""How far outside of the polygon places may lie, in units of its constants: rounding."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class ToricState(InNotebook):
    """A toric metric. `state.at(x)` is g_{ij̄} = u^ij in the coordinates log z, `state.scalar(x)` its scalar curvature.

    Parameters
    ----------
    grid : ToricGrid
        The polynomials.
    packed : (1, size) array
        The coefficients of h by the polynomials of `grid.span`.
    """

    grid: ToricGrid
    packed: np.ndarray

    component_names = ("h",)

    def __post_init__(self) -> None:
        require_unmasked(self.packed, "the packed values")
        rows = np.array(self.packed, dtype=float)
        if rows.shape != (1, self.grid.size):
            raise ShapeError(f"packed values of shape {rows.shape} were given where (1, {self.grid.size}) is needed.")
        rows.flags.writeable = False
        object.__setattr__(self, "packed", rows)

    @property
    def values(self) -> np.ndarray:
        """The coefficients of h, (size,)."""
        return np.asarray(self.packed[0])

    @cached_property
    def coefficients(self) -> np.ndarray:
        """The coefficients of h by all orthonormal polynomials of the degree."""
        return np.asarray(self.grid.span @ self.packed[0])

    def h(self, x: Any) -> np.ndarray:
        """h at places, (M,).

        Parameters
        ----------
        x : (M, 2) array
            Places in the polygon.
        """
        return np.asarray(self._derivatives(self._inside(x), 0)[0])

    def potential(self, x: Any) -> np.ndarray:
        """The symplectic potential u = Σ l_a log l_a + h at places, (M,).

        Parameters
        ----------
        x : (M, 2) array
            Places in the polygon.
        """
        from scipy.special import xlogy

        places = self._inside(x)
        sides = np.maximum([edge(places.T) for edge in _sides(self)], 0.0)
        return np.asarray(xlogy(sides, sides).sum(axis=0) + self._derivatives(places, 0)[0])

    def complex_coordinates(self, x: Any) -> np.ndarray:
        """y = ∂u/∂x = log |z|² at places inside of the polygon, (M, 2): Legendre's transform, of which x = ∂K/∂y.

        Parameters
        ----------
        x : (M, 2) array
            Places.
        """
        places = self._inside(x)
        sides = _sides(self)
        with np.errstate(divide="ignore"):
            logs = [np.log(np.maximum(edge(places.T), 0.0)) + 1 for edge in sides]
        slopes = sum(np.multiply.outer(np.array(edge.normal), log) for edge, log in zip(sides, logs, strict=True))
        return np.asarray((slopes + self._derivatives(places, 1)[1:3]).T)

    def at(self, x: Any) -> np.ndarray:
        """g_{ij̄} = u^ij in the coordinates log z_i at places, (M, 2, 2); smooth up to the sides, where it degenerates.

        Parameters
        ----------
        x : (M, 2) array
            Places in the polygon.
        """
        places = self._inside(x)
        _, (a, b, c) = Regular.at(self.grid.toric.polygon, places).inverse(self._hessian(places))
        return np.moveaxis(np.array([[a, b], [b, c]]), -1, 0)

    def scalar(self, x: Any) -> np.ndarray:
        """The Riemannian scalar curvature R = −2 ∂_i∂_j u^ij at places, (M,) (Abreu 1998).

        Parameters
        ----------
        x : (M, 2) array
            Places in the polygon.
        """
        return self.curvature(x).scalar

    def curvature(self, x: Any) -> Curvature:
        """R, Ric and |Rm| at places.

        Parameters
        ----------
        x : (M, 2) array
            Places in the polygon.
        """
        places = self._inside(x)
        return curvature_at(self.grid.toric.polygon, places, self._derivatives(places, 4))

    def spectrum(self, count: int = 6, drift: Any = (0.0, 0.0), symmetric: bool = False) -> np.ndarray:
        """The lowest eigenvalues of −Δ_R on functions that the torus keeps, by polynomials of the grid's degree.

        With a drift c they are those of −Δ_R − 2⟨∂⟨c, x⟩, ∂·⟩, which is symmetric for e^{⟨c, x⟩}dμ. 0 comes first;
        where Ric = g + ∂∂̄⟨c, x⟩ the two functions x_i − mean have the eigenvalue 2.

        Parameters
        ----------
        count : int
            How many.
        drift : pair of float
            c.
        symmetric : bool
            Only functions that all symmetries of the polygon keep.
        """
        return eigenvalues(self, count, drift, symmetric)

    def exact_h(self) -> sympy.Expr:
        """h as a polynomial in x1 and x2, whose coefficients are the floats exactly."""
        return self.grid.polynomials.expression(self.coefficients, X)

    def metric(self) -> Metric:
        """The exact metric in action and angle coordinates with this h, for checks by exact geometry; see `Toric`."""
        return self.grid.toric.metric(self.exact_h())

    def volume(self) -> float:
        """(2π)²|P|."""
        return float((2 * np.pi) ** 2 * self.grid.toric.area)

    def pack(self) -> np.ndarray:
        """The coefficients, a new array (1, size)."""
        return self.packed.copy()

    def unpack(self, packed: np.ndarray) -> ToricState:
        """The metric with other coefficients.

        Parameters
        ----------
        packed : (1, size) array
            Of h.
        """
        return ToricState(self.grid, packed)

    def on(self, grid: ToricGrid) -> ToricState:
        """The same metric by other polynomials, of the same or a higher degree, or the nearest by those of a lower one.

        Parameters
        ----------
        grid : ToricGrid
            On the same polygon.
        """
        if getattr(grid, "toric", None) != self.grid.toric:
            raise ShapeError(f"{self!r} cannot be told on {grid!r}: the polygons differ.")
        rows = np.zeros(max(grid.polynomials.size, len(self.coefficients)))
        rows[: len(self.coefficients)] = self.coefficients
        return ToricState(grid, (grid.span.T @ rows[: grid.polynomials.size])[None])

    def distance(self, other: ToricState) -> float:
        """The root of ∫(h − k)² over the polygon, modulo affine functions, which change no metric; k is the other's h.

        Parameters
        ----------
        other : ToricState
            On the same polygon.
        """
        if not isinstance(other, ToricState) or other.grid.toric != self.grid.toric:
            raise ShapeError(f"{self!r} cannot be compared with {other!r}: give two metrics on one polygon.")
        size = max(len(self.coefficients), len(other.coefficients))
        rows = [np.pad(state.coefficients, (0, size - len(state.coefficients))) for state in (self, other)]
        return float(np.linalg.norm(rows[0] - rows[1]))

    def _inside(self, x: Any) -> np.ndarray:
        """Places (M, 2), checked to lie in the polygon."""
        places = np.atleast_2d(real_array(x, "the places", "give pairs of real numbers, (M, 2)"))
        if places.ndim != 2 or places.shape[1] != 2:
            raise ShapeError(f"places have the shape {places.shape}, and (M, 2) is needed.")
        if not np.isfinite(places).all():
            raise InputError("a coordinate of a place is not finite: give places in the polygon.")
        for edge in _sides(self):
            values = edge(places.T)
            if values.size and values.min() < -OUTSIDE * (1 + abs(edge.constant)):
                worst = places[int(values.argmin())]
                raise InputError(f"the place ({worst[0]:.6g}, {worst[1]:.6g}) lies outside of the polygon: {edge} is "
                                 f"{values.min():.3g} there.")
        return places

    def _derivatives(self, places: np.ndarray, order: int) -> np.ndarray:
        return self.grid.polynomials.combined(self.coefficients, places, order)

    def _hessian(self, places: np.ndarray) -> Three:
        a, b, c = self._derivatives(places, 2)[3:]
        return a, b, c

    def __facts__(self) -> Facts:
        values = self.scalar(self.grid.fine)
        yield "scalar curvature", f"from {values.min():.6g} to {values.max():.6g}"
        yield "on", self.grid

    def __repr__(self) -> str:
        values = self.scalar(self.grid.fine)
        return f"a toric metric with R from {values.min():.6g} to {values.max():.6g} on {self.grid!r}"


@dataclass(frozen=True)
class _Side:
    normal: tuple[int, int]
    constant: float
    name: str

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.normal[0] * x[0] + self.normal[1] * x[1] + self.constant)

    def __str__(self) -> str:
        return self.name


def _sides(state: ToricState) -> list[_Side]:
    return [_Side(edge.normal, float(edge.constant), str(edge)) for edge in state.grid.toric.polygon.edges]


def make_state(grid: ToricGrid, h: Any) -> ToricState:
    """The state of `grid.state(h)`, checked."""
    if isinstance(h, np.ndarray | list | tuple):
        found = real_array(h, "the coefficients of h")
        if not np.isfinite(found).all():
            raise NotFiniteError("a coefficient of h is not finite: give real numbers.")
        state = ToricState(grid, found.reshape(1, -1))
    else:
        state = ToricState(grid, _projected(grid, read_function(h))[None])
    density = grid.regular.density(state._hessian(grid.rule.points))
    if not density.min() > 0:
        place = grid.rule.points[int(density.argmin())]
        raise PositivityError(f"u = Σ l log l + h is not convex near ({place[0]:.4g}, {place[1]:.4g}), where det u_ij "
                              f"times Π l is {density.min():.4g}: take a smaller h.")
    return state


def _projected(grid: ToricGrid, h: sympy.Expr) -> np.ndarray:
    """The coefficients of a polynomial. Raises InputError for one that the grid does not hold."""
    if not h.is_polynomial(*X) or h.free_symbols - {*X}:
        raise InputError(f"h is a polynomial in x1 and x2, and {h} was given.")
    polynomial = sympy.Poly(h, *X)
    if polynomial.total_degree() > grid.degree:
        raise InputError(f"h has the degree {polynomial.total_degree()}, and the grid's polynomials have up to "
                         f"{grid.degree}: take grid({polynomial.total_degree()}).")
    rule = grid.polynomials.polygon_rule
    places = dict(zip((gr.symbol(x.name) for x in X), rule.points.T, strict=True))
    values = np.broadcast_to(gr.evaluate([from_sympy(h)], places)[0], len(rule.points))
    found = grid.polynomials.jets(rule.points)[0].T @ (rule.weights * values)
    kept = grid.kept.T @ found
    lost = float(np.linalg.norm(found - grid.kept @ kept))
    if lost > 1e-9 * max(1e-300, float(np.linalg.norm(found))):
        raise InputError(f"h = {h} is not kept by the {len(grid.group)} symmetries of the polygon: take "
                         f"grid({grid.degree}), without symmetric=True, or an h that is.")
    return np.asarray(grid.span.T @ found)
