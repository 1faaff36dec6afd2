"""Kähler–Ricci and Calabi flow bound to a toric metric: initial value problems for the coefficients of h.

In the class c₁/λ Kähler–Ricci flow ∂_t g = −Ric + λg is ∂_t h = log(Π l det u_ij) − λ(⟨x − x₀, Σ n_a + ∂h⟩ − h) and
Calabi flow ∂_t φ = R − R̄ is ∂_t h = −2(r − r̄), weakly and projected on polynomials: the gradient flow of the discrete
K-energy in L². Affine functions are projected out: they change no metric, and would grow, as constants do, at the rate
λ, or drift, as coordinates do, by automorphisms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, final

import numpy as np
import sympy

from geomflow.core import memory
from geomflow.core.errors import InputError
from geomflow.field.toric.curvature import curvature_at
from geomflow.field.toric.quadrature import fine_points
from geomflow.field.toric.state import ToricState
from geomflow.flow.events import TerminalEvent
from geomflow.flow.problem import Problem, Violation, lost_positivity
from geomflow.flow.toric.destabilised import Destabilised, potential_size
from geomflow.flow.toric.equations import Abreu, Logarithmic
from geomflow.flow.toric.moving import bind_moving, described
from geomflow.flow.toric.steady import equation_of, require_multiple

if TYPE_CHECKING:
    from geomflow.field.toric.grid import ToricGrid
    from geomflow.flow.flow import Flow

RTOL = 1e-9
"""What steps may err unless the user says otherwise: unknowns are few, and rates want digits."""

PARTS = 10
"""Of a side of a triangle, at whose corners curvature is watched along runs."""


class Rates(Protocol):
    """A flow of the coefficients of h."""

    def rate(self, h: np.ndarray) -> np.ndarray:
        """dh/dt, (size,)."""

    def jacobian(self, h: np.ndarray) -> np.ndarray:
        """Its derivative, (size, size)."""


@final
@dataclass(frozen=True)
class KahlerRicciRates:
    """∂_t h = speed · F, projected.

    Parameters
    ----------
    equation : Logarithmic
        F.
    speed : float
        1 for ∂_t g = −Ric + λg.
    """

    equation: Logarithmic
    speed: float

    def rate(self, h: np.ndarray) -> np.ndarray:
        """∫φ F for the polynomials φ."""
        values = self.equation.values(h, self.equation.own)
        return np.asarray(self.speed * ((self.equation.grid.rule.weights * values) @ self.equation.grid.modes[0]))

    def jacobian(self, h: np.ndarray) -> np.ndarray:
        """∫φ ∂F."""
        grid = self.equation.grid
        weighted = grid.rule.weights[:, None] * grid.modes[0]
        return np.asarray(self.speed * (weighted.T @ self.equation.slopes(h, self.equation.own)))


@final
@dataclass(frozen=True)
class CalabiRates:
    """∂_t h = −2(r − r̄), weakly.

    Parameters
    ----------
    equation : Abreu
        The weak form of r.
    """

    equation: Abreu

    def rate(self, h: np.ndarray) -> np.ndarray:
        """2(∫u^ij φ_ij − ∫_{∂P} φ dσ)."""
        return 2 * self.equation.values(h)

    def jacobian(self, h: np.ndarray) -> np.ndarray:
        """−2∫u^ia u^jb φ_ij ψ_ab."""
        return 2 * self.equation.slopes(h)


def bind_toric(flow: Any, state: ToricState) -> Problem:
    """The problem of a flow from a toric metric on.

    Raises InputError for flows other than Kähler–Ricci and Calabi flow, and for a normalised one in a class that is no
    multiple of c₁.

    Parameters
    ----------
    flow : Flow
        KahlerRicciFlow() or CalabiFlow().
    state : ToricState
        Where the run starts.
    """
    if flow.name == "kahler-ricci" and flow.density is None and not flow.normalised:
        return bind_moving(flow, state, float(flow.speed))
    rates, order, equation = _rates(flow, state.grid)
    observe, abreu = observer(state.grid), Abreu(state.grid)

    def rate(t: float, y: np.ndarray, out: np.ndarray) -> None:
        out[0] = rates.rate(y[0])

    return Problem(
        y0=state.pack(),
        rate=rate,
        unpack=state.unpack,
        jacobian=lambda t, y: rates.jacobian(y[0]),
        rtol=RTOL,
        unit=1.0,
        autonomous=True,
        stiff_order=order,
        check=allowed(abreu),
        curvature=lambda t, y: observe(t, y)["riemann_max"],
        observe=lambda t, y: {"k_energy": abreu.energy(y[0]), **observe(t, y)},
        events=_events(flow, state),
        description=described(flow, state.grid, equation, state.grid.size),
    )


def _rates(flow: Any, grid: ToricGrid) -> tuple[Rates, int, sympy.Eq]:
    """The rates, their order and the equation of h."""
    t = sympy.Symbol("t")
    left = sympy.Derivative(sympy.Function("h")(t), t)
    if flow.name == "calabi":
        return CalabiRates(Abreu(grid)), 4, sympy.Eq(left, sympy.Symbol("Rbar") - sympy.Symbol("R"), evaluate=False)
    if flow.name != "kahler-ricci":
        raise InputError(f"on toric surfaces KahlerRicciFlow() and CalabiFlow() run, and {flow.name} was given.")
    if flow.density is not None:
        raise InputError("a prescribed density belongs to Kähler–Ricci flow on tori: leave it out on toric surfaces.")
    require_multiple(grid.toric)
    equation = equation_of(grid)
    log, size = sympy.Symbol("log_det"), sympy.Rational(grid.toric.einstein_constant)
    shown = sympy.Eq(left, sympy.Rational(flow.speed) * (log - size * sympy.Symbol("Legendre")), evaluate=False)
    return KahlerRicciRates(equation, float(flow.speed)), 2, shown


def _events(flow: Flow, state: ToricState) -> tuple[TerminalEvent, ...]:
    """On an unstable polygon Calabi flow diverges, which is said with the cut."""
    if flow.name != "calabi" or state.grid.toric.stability.cut is None:
        return ()
    return (Destabilised(str(state.grid.toric.stability.cut), potential_size(state.grid)),)


def allowed(equation: Abreu) -> Callable[[float, np.ndarray], Violation | None]:
    """What is wrong with coefficients: u is not convex."""
    def check(t: float, y: np.ndarray) -> Violation | None:
        density, _ = equation.own.inverse(y[0])
        return lost_positivity("det u_ij times the product of all l", density[None])

    return check


def observer(grid: ToricGrid) -> Callable[[float, np.ndarray], dict[str, float]]:
    """Volume, total and extreme scalar curvature, the largest |Rm| and Calabi's energy ∫(R − R̄)²."""
    points = fine_points(grid.toric.polygon, grid.group, PARTS)
    fine = _modes(grid, points)
    inner = _modes(grid, grid.rule.points)
    volume = (2 * np.pi) ** 2 * float(grid.toric.area)
    mean = 2 * float(grid.toric.boundary / grid.toric.area)

    def observe(t: float, y: np.ndarray) -> dict[str, float]:
        seen = curvature_at(grid.toric.polygon, points, fine @ y[0])
        scalar = curvature_at(grid.toric.polygon, grid.rule.points, inner @ y[0]).scalar
        return {
            "volume": volume,
            "total_curvature": mean * volume,
            "curvature_min": float(seen.scalar.min()),
            "curvature_max": float(seen.scalar.max()),
            "riemann_max": float(seen.riemann.max()),
            "calabi_energy": (2 * np.pi) ** 2 * float(grid.rule.weights @ (scalar - mean) ** 2),
        }

    return observe


def _modes(grid: ToricGrid, points: np.ndarray) -> np.ndarray:
    """The unknowns' polynomials with derivatives up to the fourth, (15, N, size)."""
    memory.require(8.0 * 15 * len(points) * grid.size, f"{grid.size} polynomials at {len(points)} places",
                   "take a lower degree, or symmetric=True")
    found = np.zeros((15, len(points), grid.size))
    for k, block in enumerate(grid.polynomials.blocks(points, 4)):
        found += block @ grid.span[grid.polynomials.block(k)]
    return found
