"""Flows that descend the gradient of a functional, derived by varying it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, final

import sympy

from geomflow.core import graph as gr
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.program import Stage
from geomflow.symbolic.functionals.linear import Linearisation, PrincipalSymbol
from geomflow.symbolic.functionals.system import GradientSystem
from geomflow.symbolic.show import InLatex, mathml
from geomflow.symbolic.variation.staged import Staged

if TYPE_CHECKING:
    from geomflow.symbolic.functionals.functional import Functional


@final
@dataclass(frozen=True)
class DerivedFlow(InNotebook, InLatex):
    """∂_t u = −c grad E, derived by varying a functional, c its `factor`.

    `system(**setting)` gives all that is computed over real coordinates, over the flat reference metric unless the
    setting names another.

    Parameters
    ----------
    functional : Functional
        E.
    metric : str
        The metric that is descended in.
    equation : sympy.Eq
        In the usual notation.
    system : callable
        From a setting to a GradientSystem. For potentials the setting may name another reference metric, `reference`,
        an (n, n) Hermitian matrix of numbers or nodes, and the numbers of its Kähler class, `kahler_class`, which are
        needed where the reference varies.
    linear : callable
        The linearisation at the flat metric.
    """

    latex_style: ClassVar[str] = "\\displaystyle "

    functional: Functional
    metric: str
    equation: sympy.Eq
    system: Callable[..., GradientSystem] = field(repr=False)
    linear: Callable[[], Linearisation] = field(repr=False)

    def __content__(self) -> dict[str, Any]:
        """What the flow is: all else follows from these."""
        return {"functional": self.functional, "metric": self.metric}

    @property
    def name(self) -> str:
        """The functional's name and the metric's."""
        return f"{self.functional.name}-{self.metric}"

    @cached_property
    def flat(self) -> GradientSystem:
        """The flow over the flat reference."""
        return self.system()

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The inner stages that the rates stand on, over the flat reference."""
        return self.flat.program.inner

    @property
    def rates(self) -> Mapping[str, gr.Node]:
        """∂_t of each field, by name, over the flat reference."""
        return dict(zip(self.flat.unknowns, self.flat.rates, strict=True))

    @property
    def order(self) -> int:
        """The order of the linearised flow at the flat metric; 0 where that vanishes."""
        return self.linearisation.order

    @cached_property
    def linearisation(self) -> Linearisation:
        """The linearised flow at the flat metric."""
        return self.linear()

    def decay_rate(self, wave: Sequence[Any]) -> Any:
        """The slowest decay rate of a small plane wave e^{ik·x}; negative where it grows.

        Parameters
        ----------
        wave : (d,) sequence of numbers
            The wave vector k over the real coordinates.
        """
        return self.linearisation.decay_rate(wave)

    def principal_symbol(self, **setting: Any) -> PrincipalSymbol:
        """The principal symbol at any state, over jets of the state and of the stages.

        Parameters
        ----------
        **setting
            As `system` takes.
        """
        whole = self.system(**setting)
        return PrincipalSymbol.of(Staged.of(whole.program), whole.unknowns)

    def explain(self) -> str:
        """The steps of the derivation, then what is known of the flow."""
        verdict = self.linearisation.verdict
        shown = str(self).partition(": ")[2]
        descent = f"Gradient in the {self.metric} metric, descent of {self.functional.factor} E: {shown}"
        return "\n".join([self.functional.explain(), descent, verdict, *self.functional.remarks])

    def __str__(self) -> str:
        return f"{self.name}: {sympy.sstr(self.equation.lhs)} = {sympy.sstr(self.equation.rhs)}"

    def __facts__(self) -> Facts:
        E = self.functional
        scaled = "E" if E.factor == 1 else f"{E.factor} E"
        return [("equation", mathml(self.latex_style + self.latex())), ("functional", str(E)),
                ("descent", f"of {scaled} in the {self.metric} metric")]

    def __exact__(self) -> sympy.Eq:
        return self.equation

    def _latex(self, printer: Any = None) -> str:
        return str(sympy.latex(self.equation))
