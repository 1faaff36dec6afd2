"""A user's own equation, from text or sympy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction
from typing import TYPE_CHECKING, Any, final
from unicodedata import normalize

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.numbers import exact_number
from geomflow.core.program import Program
from geomflow.field import MetricField, PotentialField, Torus
from geomflow.field.potential import reference_rows
from geomflow.field.sampling import require_periodic_program
from geomflow.field.state import Field
from geomflow.flow.equation import Equation, checked_state, equations_of
from geomflow.flow.equations.kahler import KahlerSetting
from geomflow.flow.equations.rates import OPERATORS, RateReader
from geomflow.flow.equations.ricci import minors
from geomflow.flow.flow import Flow
from geomflow.flow.observe import Monitor
from geomflow.symbolic.given import given, names_written
from geomflow.symbolic.jets import metric_nodes
from geomflow.symbolic.parse import CONSTANTS, FUNCTIONS

if TYPE_CHECKING:
    import sympy


UNKNOWN = "u"
"""The name of the unknown field of a single equation."""


@final
@dataclass(frozen=True)
class ExpressionFlow(Flow):
    """∂_t u = rate for a rate given as text or sympy; see `Flow.from_expression`.

    Where the state is a metric or a potential, the metric must stay positive: a run that loses this ends as singular.

    Raises InputError for a parameter that is not a finite number, that does not occur in the rate or has the name of
    something else in it; at binding, ExpressionError for text that cannot be read, and InputError for a rate whose
    coefficients are not periodic on the torus.
    """

    rate: Any
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", {name: _plain(value, number) for (name, value), number in
                                                zip(self.parameters.items(), self._numbers().values(), strict=True)})
        line = Torus(dim=1)
        self._refuse_reserved(line, tuple(self.rates))
        if self._unused() and not self._open_names().difference(self.parameters):
            self._program(line, tuple(self.rates))

    def _numbers(self) -> dict[str, Fraction]:
        """The parameters as fractions: exactly, where they are given so."""
        return {name: exact_number(value, f"the parameter '{name}'") for name, value in self.parameters.items()}

    def _refuse_reserved(self, torus: Any, names: tuple[str, ...]) -> None:
        meanings = {**dict.fromkeys(OPERATORS, "an operator"), **dict.fromkeys(torus.coordinates, "a coordinate"),
                    **dict.fromkeys((*self.rates, *names), "the unknown"), "t": "the time"}
        for name in self.parameters:
            if name in meanings:
                raise InputError(f"'{name}' is {meanings[name]} of the equation and cannot be a parameter too: give "
                                 "the parameter another name.")

    def _open_names(self) -> set[str]:
        """What the rates name beside unknowns, operators, functions and constants."""
        written = set().union(*map(names_written, self.rates.values()))
        return written - {*self.rates, *OPERATORS, *FUNCTIONS, *CONSTANTS}.difference(self.parameters)

    def _unused(self) -> list[str]:
        written = self._open_names() if self.parameters else ()
        return [name for name in self.parameters if normalize("NFKC", name) not in written]

    @property
    def name(self) -> str:
        """"expression"."""
        return "expression"

    @property
    def rates(self) -> dict[str, Any]:
        """The rate of each unknown, by name."""
        return dict(self.rate) if isinstance(self.rate, Mapping) else {UNKNOWN: self.rate}

    @property
    def equation(self) -> sympy.Eq:
        """The equation as it was given, its operators not carried out; of tuples for a system.

        Raises ExpressionError for text that cannot be read.
        """
        import sympy

        from geomflow.symbolic.variation import display

        t = sympy.Symbol("t")
        unknowns = {name: sympy.Function(name)(t) for name in self.rates}
        operators = {"laplacian": display.shown_laplacian, "d": display.shown_derivative,
                     "div": display.shown_divergence}
        names = {**{name: sympy.Symbol(name) for name in self._open_names()}, **unknowns, **operators}
        left = [sympy.Derivative(u, t) for u in unknowns.values()]
        right = [given(rate, names) for rate in self.rates.values()]
        if len(left) == 1:
            return sympy.Eq(left[0], right[0], evaluate=False)
        return sympy.Eq(sympy.Tuple(*left), sympy.Tuple(*right), evaluate=False)

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The equations written out on a torus."""
        return equations_of(self._program(torus, tuple(self.rates)), torus)

    def on(self, state: Any) -> Equation:
        """The equation for a field whose components are the unknowns (any name for a field of one component)."""
        checked_state(self, state, Field, "grid.scalar(...), grid.metric(...) or grid.potential(...)")  # type: ignore[type-abstract]
        names = tuple(self.rates)
        if len(names) != len(state.component_names):
            raise InputError(f"{len(names)} rates were given ({', '.join(names)}) for a state with components "
                             f"{', '.join(state.component_names)}; give one for each.")
        if len(names) > 1:
            self._check_names(state)
            names = state.component_names
        unknowns = [gr.jet(name, (0,) * state.grid.dim) for name in names]
        rows = reference_rows(state) if isinstance(state, PotentialField) else None
        statics = () if rows is None else KahlerSetting.of(state).static_names
        program = self._program(state.grid.torus, names, statics)
        require_periodic_program(state.grid.torus, program, f"a coefficient of {self._shown()}")
        return Equation(
            program=program,
            statics=rows,
            positive=positivity(state, names),
            lower=True,
            monitors=tuple(monitor for node, name in zip(unknowns, names, strict=True) for monitor in (
                Monitor(f"{name}_mean", "mean", node), Monitor(f"{name}_min", "min", node),
                Monitor(f"{name}_max", "max", node))),
            facts={"rates": {name: str(rate) for name, rate in self.rates.items()},
                   "parameters": {name: float(number) for name, number in self._numbers().items()}},
        )

    def _check_names(self, state: Field) -> None:
        missing = [name for name in state.component_names if name not in self.rates]
        if missing:
            raise InputError(f"no rate was given for the component '{missing[0]}'; the state has components "
                             f"{', '.join(state.component_names)}.")

    def _program(self, torus: Any, names: tuple[str, ...], statics: tuple[str, ...] = ()) -> Program:
        import sympy

        self._refuse_reserved(torus, names)
        values = {name: sympy.Rational(*number.as_integer_ratio()) for name, number in self._numbers().items()}
        reader = RateReader(torus, names, values, statics)
        stages = reader.stages({f"rate_{name}": self.rates[name] for name in names})
        for name in self._unused():
            near = get_close_matches(name, self._open_names(), n=1)
            raise InputError(f"the parameter '{name}' does not occur in {self._shown()}: "
                             f"{f'did you mean {near[0]!r}?' if near else 'write it there, or leave it out.'}")
        return Program(tuple(torus.coordinates), names, statics, (), stages)

    def _shown(self) -> str:
        return f"the rate {', '.join(repr(str(rate)) for rate in self.rates.values())}"


Flow.expression_flow = ExpressionFlow


def _plain(value: Any, number: Fraction) -> int | float | Fraction:
    """A number as Python has it, so that equal numbers of any kind make equal flows."""
    if isinstance(value, int | float):
        return value
    return float(number) if Fraction(float(number)) == number else number


def positivity(state: Field, names: tuple[str, ...]) -> tuple[str, tuple[gr.Node, ...]] | None:
    """What must stay positive of a metric or of a potential whose components are called `names`; None otherwise."""
    if isinstance(state, MetricField):
        nodes = minors(metric_nodes(state.grid.torus.coordinates)[1])
    elif isinstance(state, PotentialField):
        nodes = KahlerSetting.of(state).minors()
    else:
        return None
    called = dict(zip(state.component_names, names, strict=True))
    jets = [leaf for leaf in gr.leaves(nodes) if leaf.op == "jet" and leaf.data[0] in called]
    renamed = {leaf: gr.jet(called[leaf.data[0]], leaf.data[1]) for leaf in jets}
    return "the smallest leading principal minor of g", tuple(gr.substitute(list(nodes), renamed))
