"""Ricci flow of conformal metrics on the two-dimensional torus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, PositivityError
from geomflow.core.program import Program, Stage
from geomflow.field import ScalarField
from geomflow.flow.equation import Equation, Monitor, checked_state, curvature_monitors, equations_of
from geomflow.flow.flow import Flow
from geomflow.symbolic.ansatz.typed import Typed

if TYPE_CHECKING:
    import sympy


FACTOR, LOG = "f", "log_f"


@final
@dataclass(frozen=True)
class ConformalRicciFlow(Flow):
    """Ricci flow of g = u (dx² + dy²): ∂_t u = Δ_0 log u = −R u (Hamilton 1988).

    The state is the conformal factor u > 0, a ScalarField on a torus of real dimension two. Computed in two stages,
    log u and then its flat Laplacian, so that the area is conserved to rounding.
    """

    name: ClassVar[str] = "conformal-ricci"

    @property
    def equation(self) -> sympy.Eq:
        """∂_t u = Δ_0 log u."""
        import sympy

        t = sympy.Symbol("t")
        u = sympy.Function("u")(t)
        return sympy.Eq(sympy.Derivative(u, t), sympy.Function("Delta_0")(sympy.log(u)), evaluate=False)

    def typed(self, dim: int) -> Typed:
        """"-R*g", which is -2 Ric in dimension two. Raises InputError in another."""
        if dim != 2:
            raise InputError(f"conformal Ricci flow is of surfaces, and this metric has dimension {dim}: say "
                             'RicciFlow(), or "-R*g" for Yamabe\'s.')
        return Typed("-R*g")

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The equation written out."""
        return equations_of(_program(torus.coordinates), torus)

    def on(self, state: Any) -> Equation:
        """The equation for a positive ScalarField in dimension two."""
        field = checked_state(self, state, ScalarField, "grid.scalar(...), the conformal factor")
        if field.grid.dim != 2:
            raise InputError(f"conformal Ricci flow lives on a torus of real dimension 2, and this one has "
                             f"{field.grid.dim}; use RicciFlow on a metric.")
        if not field.min() > 0:
            raise PositivityError(f"the conformal factor must be positive, and it is {field.min():.6g} at its least.")
        coordinates = field.grid.torus.coordinates
        u = gr.jet(FACTOR, (0, 0))
        return Equation(
            program=_program(coordinates),
            positive=("the conformal factor", (u,)),
            stages=(_log_stage(),),
            monitors=_monitors(coordinates, u),
            curvature="curvature_size",
        )


def _log_stage() -> Stage:
    return Stage(((LOG, gr.log(gr.jet(FACTOR, (0, 0)))),))


def _laplacian() -> gr.Node:
    return gr.jet(LOG, (2, 0)) + gr.jet(LOG, (0, 2))


def _program(coordinates: tuple[str, ...]) -> Program:
    return Program(coordinates, (FACTOR,), (), (), (_log_stage(), Stage((("rate_f", _laplacian()),))))


def _monitors(coordinates: tuple[str, ...], u: gr.Node) -> tuple[Monitor, ...]:
    """Energy ½∫|∇ log u|² (which falls along the flow), area, and the scalar curvature R = −Δ_0 log u / u."""
    scalar = -_laplacian() / u
    slopes = gr.jet(LOG, (1, 0)) ** 2 + gr.jet(LOG, (0, 1)) ** 2
    energy, size = Monitor("energy", "integral", slopes / 2), ("curvature_size", gr.call("abs", scalar))
    return energy, *curvature_monitors(u, scalar, size, "factor", u)
