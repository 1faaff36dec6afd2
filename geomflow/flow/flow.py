"""The noun `Flow`: an equation that can be bound to a state and then solved."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from geomflow.flow.binding import bind
from geomflow.symbolic.show import InLatex

if TYPE_CHECKING:
    import sympy

    from geomflow.flow.equation import Equation
    from geomflow.flow.problem import Problem


class Flow(InLatex):
    """An evolution equation. `solve(flow, state, t1)` binds it to a state and integrates it."""

    latex_style: ClassVar[str] = "\\displaystyle "
    expression_flow: ClassVar[Callable[[Any, Mapping[str, float]], Flow]]
    """What makes a flow of a user's own equation: `equations.expression`, which knows both, puts it here."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name by which `geomflow run` and stores know the flow."""

    @property
    @abstractmethod
    def equation(self) -> sympy.Eq:
        """The equation in the field's notation, for reading; LaTeX in a notebook."""

    @abstractmethod
    def on(self, state: Any) -> Equation:
        """What the flow says of itself at a state: its rates and what is watched, as expressions.

        Raises InputError when the flow does not act on states of this kind.
        """

    def bind(self, state: Any) -> Problem:
        """The initial value problem from `state`, compiled for its grid.

        A member of a family that is no field on a grid restricts the flow to the family: what `state.restricted(flow)`
        gives is bound then, or the flow itself where that is None.
        """
        if hasattr(state, "restricted") and (restricted := state.restricted(self)) is not None:
            problem: Problem = restricted.bind(state)
            return problem
        return bind(self, state, self.on(state))

    @abstractmethod
    def components(self, torus: Any) -> list[sympy.Eq]:
        """The equation written out on a torus, one for each component of the unknown field."""

    @staticmethod
    def from_expression(rate: str | Any | Mapping[str, Any], **parameters: float) -> Flow:
        """A user's own equation ∂_t u = rate, compiled like the built-in ones.

        `rate` is text (or a sympy expression) in the coordinates of the torus, in the unknown `u`, in the
        `parameters`, and in ``laplacian(u)``, ``d(u, x)``, ``d(u, x, y)`` and ``div(u*d(u, x), u*d(u, y))`` (flat
        derivatives, of any expression); for a system, a mapping from the names of the state's components to rates.
        What stands under a derivative is differentiated as it is, on the grid, and not by the product rule: the mean
        of u is kept to rounding where the rate is a divergence. Coefficients must be periodic on the torus.

        Raises InputError for a parameter that is no finite real number, that does not occur in the rate, or that has
        the name of the unknown, a coordinate, an operator or the time t.

        >>> import geomflow as gf
        >>> heat = gf.Flow.from_expression("kappa * laplacian(u)", kappa=0.1)
        >>> sol = gf.solve(heat, gf.Torus(dim=1).grid(32, scheme="spectral").scalar("cos(2*pi*x)"), t1=0.1)
        >>> print(sol.outcome.kind)
        finished
        """
        return Flow.expression_flow(rate, parameters)

    def __str__(self) -> str:
        import sympy

        return f"{self.name}: {sympy.sstr(self.equation.lhs)} = {sympy.sstr(self.equation.rhs)}"

    def _latex(self, printer: Any = None) -> str:
        import sympy

        return str(sympy.latex(self.equation))
