"""Kähler–Ricci flow ∂_t g = −Ric on toric surfaces: the class moves, and the sides of the polygon move inwards.

On the polygon {l_a ≥ s}, s = t, the potential u = Σ (l_a − s) log(l_a − s) + h has ∂_t h = log(Π (l_a − s) det u_ij),
up to affine functions: a smooth function of places on a polygon that shrinks. h is a polynomial on the whole plane, and
the rate is projected in L² of the polygon where it is. The first side is gone at s = `toric.class_end`, exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import sympy

from geomflow.field.toric.curvature import curvature_at
from geomflow.field.toric.grid import MORE, ToricGrid
from geomflow.field.toric.moving import MovingClass, moved, shrinking_lengths
from geomflow.field.toric.quadrature import fine_points, inner_rule
from geomflow.field.toric.regular import Regular
from geomflow.field.toric.state import ToricState
from geomflow.flow.problem import Problem, Violation, lost_positivity
from geomflow.flow.thresholds import CurvatureGrowth

if TYPE_CHECKING:
    from geomflow.flow.flow import Flow

RTOL = 1e-8
GROWTH = 30.0
"""Factor by which curvature grows until a run has met the end of the class: on polygons that are much smaller than at
the start the polynomials of these are nearly dependent."""

PARTS = 8
STEP = 1e-5
"""Of the last shift, by which the derivative of the rate in the shift is taken from both sides."""

KEPT = 16
"""Shifts whose polynomials are kept: those of a step."""


@final
@dataclass(frozen=True)
class Place:
    """What does not depend on h at one shift.

    Parameters
    ----------
    values : (N, kept) array
        The polynomials, affine ones among them.
    hessians : (3, N, size) array
        The second derivatives of the unknowns'.
    regular : Regular
        Of the polygon that has moved.
    weights : (N,) array
        Of its rule.
    """

    values: np.ndarray
    hessians: np.ndarray
    regular: Regular
    weights: np.ndarray

    @cached_property
    def projection(self) -> np.ndarray:
        """From values to coefficients of all kept polynomials, (kept, N)."""
        root = np.sqrt(self.weights)
        orthogonal, triangle = np.linalg.qr(root[:, None] * self.values)
        return np.asarray(np.linalg.solve(triangle, orthogonal.T * root))


class MovingRates:
    """The rates of the coefficients of h and of the shift.

    Parameters
    ----------
    grid : ToricGrid
        At s = 0.
    speed : float
        1 for ∂_t g = −Ric.
    """

    def __init__(self, grid: ToricGrid, speed: float) -> None:
        self.grid, self.speed = grid, speed
        self.last = float(grid.toric.class_end)
        self._affine = np.abs(grid.kept[:3]).max(axis=0) > 0
        self._places: dict[float, Place] = {}

    def at(self, shift: float) -> Place:
        """What is needed at a shift."""
        if shift not in self._places:
            while len(self._places) >= KEPT:
                del self._places[next(iter(self._places))]
            self._places[shift] = self._made(shift)
        return self._places[shift]

    def _made(self, shift: float) -> Place:
        grid, polygon = self.grid, moved(self.grid.toric.polygon, shift)
        rule = inner_rule(polygon, grid.group, grid.degree + MORE)
        jets = grid.polynomials.jets(rule.points, 2)
        return Place(jets[0] @ grid.kept, jets[3:] @ grid.span, Regular.at(polygon, rule.points), rule.weights)

    def rate(self, y: np.ndarray) -> np.ndarray:
        """dy/dt, (size + 1,); NaN where the class has ended or u is not convex."""
        out = np.full(len(y), np.nan)
        if y[-1] < self.last:
            place = self.at(float(y[-1]))
            a, b, c = place.hessians @ y[:-1]
            density = place.regular.density((a, b, c))
            with np.errstate(invalid="ignore"):
                out[:-1] = (place.projection @ np.log(density))[~self._affine]
            out[-1] = 1.0
        return self.speed * out

    def jacobian(self, y: np.ndarray) -> np.ndarray:
        """Its derivative, (size + 1, size + 1): exact in h, in the shift by symmetric differences."""
        place, size = self.at(float(y[-1])), len(y)
        a, b, c = place.hessians @ y[:-1]
        _, (u, v, w) = place.regular.inverse((a, b, c))
        p, q, r = place.hessians
        traced = u[:, None] * p + (2 * v)[:, None] * q + w[:, None] * r
        found = np.zeros((size, size))
        found[:-1, :-1] = self.speed * (place.projection @ traced)[~self._affine]
        step = min(STEP * self.last, (self.last - float(y[-1])) / 4)
        sides = [self.rate(np.append(y[:-1], y[-1] + sign * step)) for sign in (1, -1)]
        found[:, -1] = (sides[0] - sides[1]) / (2 * step)
        return found


def bind_moving(flow: Flow, state: ToricState, speed: float) -> Problem:
    """The problem of ∂_t g = −speed · Ric from a toric metric on.

    Parameters
    ----------
    flow : Flow
        KahlerRicciFlow().
    state : ToricState
        Where the run starts.
    speed : float
        Positive.
    """
    grid, rates = state.grid, MovingRates(state.grid, speed)
    template = MovingClass.of(state)
    observe = observer(grid)
    equation = sympy.Eq(sympy.Derivative(sympy.Function("h")(sympy.Symbol("t")), sympy.Symbol("t")),
                        sympy.Rational(speed) * sympy.Symbol("log_det"), evaluate=False)

    def rate(t: float, y: np.ndarray, out: np.ndarray) -> None:
        out[0] = rates.rate(y[0])

    return Problem(
        y0=template.pack(),
        rate=rate,
        unpack=template.unpack,
        jacobian=lambda t, y: rates.jacobian(y[0]),
        rtol=RTOL,
        unit=1.0,
        autonomous=True,
        stiff_order=2,
        check=allowed(rates),
        curvature=lambda t, y: observe(t, y)["riemann_max"],
        observe=observe,
        events=(CurvatureGrowth(GROWTH),),
        template=template,
        description={**described(flow, grid, equation, grid.size + 1),
                     "last_time": float(grid.toric.class_end) / speed},
    )


def described(flow: Flow, grid: ToricGrid, equation: sympy.Eq, unknowns: int) -> dict[str, Any]:
    """JSON-able facts of a run of so many unknowns."""
    return {
        "flow": flow.name,
        "equation": f"{flow.name}: {sympy.sstr(equation.lhs)} = {sympy.sstr(equation.rhs)}",
        "latex": sympy.latex(equation),
        "polygon": str(grid.toric.polygon),
        "grid": {"shape": [unknowns], "degree": grid.degree, "symmetric": grid.symmetric},
        "components": ["h"],
        "axes": {"mode": list(range(unknowns))},
        "state": "ToricState",
    }


def allowed(rates: MovingRates) -> Callable[[float, np.ndarray], Violation | None]:
    """What is wrong with a state: a side is gone, or u is not convex."""
    lengths, speeds = shrinking_lengths(rates.grid.toric)
    names = [str(edge) for edge in rates.grid.toric.edges]

    def check(t: float, y: np.ndarray) -> Violation | None:
        left = lengths - y[0, -1] * speeds
        if not left.min() > 0:
            side = int(left.argmin())
            what = f"the length of the side {names[side]}"
            return Violation("positivity", what, float(left.min()), where="the curve over it")
        place = rates.at(float(y[0, -1]))
        a, b, c = place.hessians @ y[0, :-1]
        return lost_positivity("det u_ij times the product of all l", place.regular.density((a, b, c))[None])

    return check


def observer(grid: ToricGrid) -> Callable[[float, np.ndarray], dict[str, float]]:
    """Volume, extreme scalar curvature, the largest |Rm|, and the shortest side."""
    lengths, speeds = shrinking_lengths(grid.toric)

    def observe(t: float, y: np.ndarray) -> dict[str, float]:
        polygon = moved(grid.toric.polygon, float(y[0, -1]))
        points = fine_points(polygon, grid.group, PARTS)
        seen = curvature_at(polygon, points, grid.polynomials.combined(grid.span @ y[0, :-1], points, 4))
        corners = np.array(polygon.vertices, dtype=float)
        after = np.roll(corners, -1, axis=0)
        area = float((corners[:, 0] * after[:, 1] - corners[:, 1] * after[:, 0]).sum()) / 2
        return {
            "volume": (2 * np.pi) ** 2 * area,
            "curvature_min": float(seen.scalar.min()),
            "curvature_max": float(seen.scalar.max()),
            "riemann_max": float(seen.riemann.max()),
            "shortest_side": float((lengths - y[0, -1] * speeds).min()),
        }

    return observe
