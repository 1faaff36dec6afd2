"""A derived gradient flow as data: stages and rates over real coordinates, ready for code generation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, final

from geomflow.core import graph as gr
from geomflow.symbolic.show import InLatex
from geomflow.symbolic.variation.staged import Stage, Staged

if TYPE_CHECKING:
    import sympy

    from geomflow.symbolic.functionals.functional import Functional
    from geomflow.symbolic.functionals.linear import Linearisation, PrincipalSymbol


@dataclass(frozen=True)
class Mean:
    """A number that the rates depend on: ∫ top d^dx / ∫ bottom d^dx, at each state."""

    parameter: str
    top: gr.Node
    bottom: gr.Node


@dataclass(frozen=True)
class Elliptic:
    """A field that is not evolved but solved for at each state: the ground state u of `operator` u = λu.

    `operator` is linear in the jets of `unknown`; `recover` gives the field from u (up to a constant).
    """

    field: str
    unknown: str
    operator: gr.Node
    recover: gr.Node


@dataclass(frozen=True)
class Program:
    """Everything that is computed along a run, over real coordinates.

    coordinates   names, in order                        fields      evolving components, packed order
    statics       given arrays that may be differentiated   parameters  numbers that nodes depend on
    stages        named inner expressions, in order; later ones use jets of earlier ones
    rates         ∂_t of each field
    energy        density of loss * E by d^dx
    dissipation   density of ‖loss grad E‖² by d^dx: d(loss E)/dt = −∫ dissipation
    means         parameters that are averages over the state
    elliptic      fields solved for at each state
    backward      fields whose equation is parabolic backward in time only
    measure       density by d^dx of the measure in the gradient's inner product; None if that is not a pointwise one
    """

    coordinates: tuple[str, ...]
    fields: tuple[str, ...]
    statics: tuple[str, ...]
    parameters: tuple[str, ...]
    stages: tuple[Stage, ...]
    rates: tuple[gr.Node, ...]
    energy: gr.Node | None
    dissipation: gr.Node | None
    means: tuple[Mean, ...] = ()
    elliptic: tuple[Elliptic, ...] = ()
    backward: tuple[str, ...] = ()
    measure: gr.Node | None = None

    @property
    def staged(self) -> Staged:
        """The rates on their stages."""
        return Staged(self.coordinates, (len(self.coordinates),), self.stages, self.rates)

    def needed(self, nodes: Sequence[gr.Node]) -> tuple[Stage, ...]:
        """Those stages that the nodes stand on, directly or not; stages that can be computed together are one."""
        wanted = {leaf.data[0] for leaf in gr.leaves(nodes) if leaf.op == "jet"}
        kept: list[Stage] = []
        for stage in reversed(self.stages):
            if wanted & set(stage.names):
                kept.insert(0, stage)
                wanted |= {leaf.data[0] for leaf in gr.leaves(stage.nodes) if leaf.op == "jet"}
        return merged(kept)


def merged(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """As few stages as the dependences allow: one for each depth."""
    depth: dict[str, int] = {}
    levels: dict[int, list[tuple[str, gr.Node]]] = {}
    for stage in stages:
        below = [depth[leaf.data[0]] for leaf in gr.leaves(stage.nodes) if leaf.op == "jet" and leaf.data[0] in depth]
        level = 1 + max(below, default=0)
        depth.update(dict.fromkeys(stage.names, level))
        levels.setdefault(level, []).extend(stage.outputs)
    return tuple(Stage(tuple(levels[level])) for level in sorted(levels))


@final
@dataclass(frozen=True)
class DerivedFlow(InLatex):
    """∂_t u = −loss grad E, derived by varying a functional.

    `program(**setting)` gives the stages and rates over real coordinates; for potentials the setting may name another
    reference metric (`reference`, an (n, n) Hermitian matrix of numbers or nodes) and the numbers of its Kähler class
    (`kahler_class`, needed where the reference varies).
    """

    latex_style: ClassVar[str] = "\\displaystyle "

    functional: Functional
    metric: str
    equation: sympy.Eq
    make: Callable[..., Program] = field(repr=False)
    linear: Callable[[], Linearisation] = field(repr=False)

    @property
    def name(self) -> str:
        """The functional's name and the metric's."""
        return f"{self.functional.name}-{self.metric}"

    @property
    def loss(self) -> Fraction | int:
        """The factor of E in what the flow decreases."""
        return self.functional.loss

    def program(self, **setting: Any) -> Program:
        """The flow over real coordinates."""
        return self.make(**setting)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The inner stages that the rates stand on, over the flat reference."""
        whole = self.program()
        return whole.needed(whole.rates)

    @property
    def rates(self) -> Mapping[str, gr.Node]:
        """∂_t of each field, by name, over the flat reference."""
        whole = self.program()
        return dict(zip(whole.fields, whole.rates, strict=True))

    @property
    def order(self) -> int:
        """The order of the linearised flow at the flat metric; 0 where that vanishes."""
        return self.linearisation.order

    @cached_property
    def linearisation(self) -> Linearisation:
        """The linearised flow at the flat metric."""
        return self.linear()

    def decay_rate(self, wave: Sequence[Any]) -> Any:
        """The slowest decay rate of a small plane wave e^{ik·x}; negative where it grows."""
        return self.linearisation.decay_rate(wave)

    def principal_symbol(self, **setting: Any) -> PrincipalSymbol:
        """The principal symbol at any state, over jets of the state and of the stages."""
        from geomflow.symbolic.functionals.linear import PrincipalSymbol

        whole = self.program(**setting)
        return PrincipalSymbol.of(whole.staged, whole.fields)

    def latex(self) -> str:
        """The equation in LaTeX."""
        import sympy

        return str(sympy.latex(self.equation))

    def explain(self) -> str:
        """The steps of the derivation, then what is known of the flow."""
        verdict = self.linearisation.verdict
        shown = str(self).partition(": ")[2]
        descent = f"Gradient in the {self.metric} metric, descent of {self.loss} E: {shown}"
        return "\n".join([self.functional.explain(), descent, verdict, *self.functional.remarks])

    def __str__(self) -> str:
        import sympy

        return f"{self.name}: {sympy.sstr(self.equation.lhs)} = {sympy.sstr(self.equation.rhs)}"

    def _latex(self, printer: Any = None) -> str:
        return self.latex()
