"""Reduced equations as flows: what an ansatz makes of a flow, or the descent of a functional on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import sympy

from geomflow.core.errors import InputError
from geomflow.field.reduced.state import ReducedState
from geomflow.flow.equation import Equation
from geomflow.flow.flow import Flow
from geomflow.flow.problem import Problem
from geomflow.flow.reduced.binding import bind_reduction
from geomflow.symbolic.ansatz import Reduction


@final
@dataclass(frozen=True)
class ReducedFlow(Flow):
    """The equations of the unknowns of an ansatz. `solve` makes it from what `reduce` or `gradient_flow` gives.

    Of the descent of a functional, "energy" is its value, which falls, and "dissipation" the square of its gradient,
    ∫ h_ij h^ij dV with h = ∂_t g, so that d(energy)/dt = −dissipation.

    Parameters
    ----------
    reduction : Reduction
        The equations.
    """

    name: ClassVar[str] = "reduced"
    reduction: Reduction

    @property
    def equation(self) -> sympy.Eq:
        """The reduced equations; of tuples for several unknowns."""
        found = self.reduction.equations
        if len(found) == 1:
            return found[0]
        return sympy.Eq(sympy.Tuple(*(e.lhs for e in found)), sympy.Tuple(*(e.rhs for e in found)), evaluate=False)

    def on(self, state: Any) -> Equation:
        """Nothing on grids of tori: raises InputError."""
        raise InputError(f"the equations are those of {self.reduction.ansatz}, and a {type(state).__name__} was given: "
                         "give a state of it, ansatz.grid(n).state(...).")

    def bind(self, state: Any) -> Problem:
        """The initial value problem from a state of the same ansatz.

        Raises InputError for another state, and where functions beside the metric would move.
        """
        if not isinstance(state, ReducedState):
            self.on(state)
        ansatz = self.reduction.ansatz
        if state.grid.ansatz != ansatz:
            raise InputError(f"the equations are those of {ansatz}, and the state is one of {state.grid.ansatz}: "
                             "reduce the flow on its own ansatz.")
        beside = [u.name for u in self.reduction.unknowns if u not in state.grid.ansatz.moving]
        if beside:
            raise InputError(f"'{beside[0]}' moves beside the metric, and runs are of metrics of an ansatz: evaluate "
                             "these rates, or take a functional of the metric alone.")
        return bind_reduction(self, state, self.reduction, None)

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The reduced equations."""
        return list(self.reduction.equations)
