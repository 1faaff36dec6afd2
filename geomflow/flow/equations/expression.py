"""A user's own equation, from text or sympy: what stands under a derivative is computed, then differentiated.

The derivative of an expression that is not linear in the unknowns is not expanded by the product rule. The expression
becomes an inner stage, a grid function of its own, and the constant stencil of the derivative is applied to that; its
sum over a periodic grid is zero, so that equations in divergence form keep their mean to rounding. A flux a ∂_x w is
differentiated in its symmetric form, which keeps the mean too and, unlike two first differences, sees the shortest
waves of the grid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, ClassVar, final
from unicodedata import normalize

import sympy
from sympy.core.function import AppliedUndef

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, InputError
from geomflow.core.graph.sympy_bridge import all_from_sympy
from geomflow.core.numbers import exact_number
from geomflow.core.program import Program, Stage
from geomflow.field import MetricField, PotentialField, Torus
from geomflow.field.potential import ReferenceForm, reference_rows
from geomflow.field.sampling import require_periodic_program
from geomflow.field.state import Field
from geomflow.flow.equation import Equation, Monitor, checked_state, equations_of
from geomflow.flow.equations.ricci import minors
from geomflow.flow.flow import Flow as Flow
from geomflow.symbolic.given import given, names_written
from geomflow.symbolic.jets import metric_nodes
from geomflow.symbolic.parse import CONSTANTS, FUNCTIONS, parse

OPERATORS = ("laplacian", "d", "div")
"""What a rate may call besides functions."""


class RateReader:
    """Reads rates: unknowns, coordinates, parameters, and the operators `laplacian`, `d` and `div`.

    `names` are those of the unknowns, `values` those of the parameters. `taken` are names that the inner stages must
    not have.
    """

    def __init__(self, torus: Any, names: tuple[str, ...], values: Mapping[str, Any],
                 taken: tuple[str, ...] = ()) -> None:
        self._coordinates = tuple(torus.symbols)
        unknowns = {name: sympy.Function(name)(*self._coordinates) for name in names}
        coordinates = {symbol.name: symbol for symbol in self._coordinates}
        operators = {"laplacian": self._laplacian, "d": self._derivative, "div": self._divergence}
        self.names: dict[str, Any] = {**coordinates, **values, **unknowns, **operators}
        self._stem = "inner"
        while any(name.startswith(self._stem) for name in (*self.names, *taken)):
            self._stem += "_"
        self._inner: dict[sympy.Expr, tuple[int, Any]] = {}

    def stages(self, rates: Mapping[str, Any]) -> tuple[Stage, ...]:
        """The inner stages, by depth, and last the rates, named as they are given."""
        read = [parse(rate, self.names) if isinstance(rate, str) else self._named(rate) for rate in rates.values()]
        held = sorted(self._inner.items(), key=lambda item: item[1][0])
        nodes = all_from_sympy([*(expression for expression, _ in held), *read], [x.name for x in self._coordinates])
        layers: dict[int, list[tuple[str, gr.Node]]] = {}
        for (_, (depth, function)), node in zip(held, nodes, strict=False):
            layers.setdefault(depth, []).append((function.func.__name__, node))
        final = tuple(zip(rates, nodes[len(held):], strict=True))
        return (*(Stage(tuple(layer)) for layer in layers.values()), Stage(final))

    def _laplacian(self, expression: Any) -> Any:
        return sympy.Add(*[self._along(expression, x, x) for x in self._coordinates])

    def _divergence(self, *fluxes: Any) -> Any:
        if len(fluxes) != len(self._coordinates):
            names = ", ".join(f"f_{x}" for x in self._coordinates)
            raise ExpressionError(f"div({names}) takes a flux along each of the {len(self._coordinates)} coordinates, "
                                  f"and {len(fluxes)} were given.")
        return sympy.Add(*[self._along(flux, x) for flux, x in zip(fluxes, self._coordinates, strict=True)])

    def _derivative(self, expression: Any, *along: Any) -> Any:
        strangers = [str(x) for x in along if x not in self._coordinates]
        if strangers or not along:
            names = ", ".join(map(str, self._coordinates))
            raise ExpressionError(f"d(...) differentiates along coordinates ({names}), not along "
                                  f"'{strangers[0] if strangers else 'nothing'}'; write d(u, {self._coordinates[0]}).")
        return self._along(expression, *along)

    def _along(self, expression: Any, *along: Any) -> Any:
        """The derivative, term by term: carried out where the term is linear, else of an inner stage."""
        plain: list[Any] = []
        held: list[Any] = []
        for term in sympy.Add.make_args(expression):
            (plain if is_linear(term) or not _unknowns(term) else held).append(term)
        if not held:
            return sympy.diff(expression, *along)
        if len(along) > 1:
            return sympy.diff(self._held(expression), *along)
        fluxes = [self._symmetric(term, along[0]) for term in held]
        rest = sympy.Add(*(term for term, flux in zip(held, fluxes, strict=True) if flux is None))
        whole = sympy.Add(*(flux for flux in fluxes if flux is not None), sympy.diff(sympy.Add(*plain), *along))
        return whole if rest == 0 else whole + sympy.diff(self._held(rest), *along)

    def _symmetric(self, term: Any, x: Any) -> Any:
        """½(∂²(a w) + a ∂²w − w ∂²a) for a flux a ∂_x w whose a has no derivatives; None for any other flux.

        Its sum over the grid vanishes because the stencil of ∂² is symmetric.
        """
        for factor in sympy.Mul.make_args(term):
            inner = _integrated(factor, x)
            if inner is not None and not (term / factor).has(sympy.Derivative):
                number, a = (term / factor).as_independent(AppliedUndef, *self._coordinates, as_Add=False)
                w, coefficient = self._held(inner), self._held(a)
                outer = sympy.diff(self._held(a * inner), x, 2)
                return number * (outer + coefficient * sympy.diff(w, x, 2) - w * sympy.diff(coefficient, x, 2)) / 2
        return None

    def _held(self, expression: Any) -> Any:
        """The inner stage that computes an expression, as a function of the coordinates; an unknown is itself."""
        if isinstance(expression, AppliedUndef):
            return expression
        if expression not in self._inner:
            depth = 1 + max((known for known, function in self._inner.values() if expression.has(function)), default=-1)
            function = sympy.Function(f"{self._stem}_{len(self._inner)}")(*self._coordinates)
            self._inner[expression] = depth, function
        return self._inner[expression][1]

    def _named(self, rate: Any) -> Any:
        """A sympy rate with its free symbols identified by name, and unevaluated derivatives taken."""
        try:
            expression = given(rate)
        except ExpressionError:
            raise ExpressionError(f"{rate!r} (of type {type(rate).__name__}) is not a rate; give text or a sympy "
                                  "expression, or a mapping from the components of the state to these.") from None
        unknown = sorted(s.name for s in expression.free_symbols if s.name not in self.names)
        if unknown:
            raise ExpressionError(f"the rate depends on '{unknown[0]}', which is no coordinate, parameter or unknown; "
                                  f"known are {', '.join(self.names)}.")
        named = expression.subs({s: self.names[s.name] for s in expression.free_symbols})
        return named.replace(lambda e: isinstance(e, sympy.Derivative) and not isinstance(e.expr, AppliedUndef),
                             lambda e: self._along(e.expr, *e.variables))


def is_linear(expression: Any) -> bool:
    """Whether an expression is a combination of unknowns and their derivatives with constant coefficients."""
    if isinstance(expression, sympy.Add):
        return all(map(is_linear, expression.args))
    if isinstance(expression, sympy.Mul):
        factors = [factor for factor in expression.args if not factor.is_number]
        return len(factors) == 1 and is_linear(factors[0])
    return isinstance(expression, AppliedUndef | sympy.Derivative)


def _unknowns(expression: Any) -> bool:
    return bool(expression.has(AppliedUndef))


def _integrated(factor: Any, x: Any) -> Any:
    """w, where the factor is ∂_x w of a linear w; None where it is not."""
    if isinstance(factor, sympy.Add):
        parts = [_integrated(term, x) for term in factor.args]
        return None if any(part is None for part in parts) else sympy.Add(*parts)
    if isinstance(factor, sympy.Mul) and is_linear(factor):
        number, rest = factor.as_independent(AppliedUndef, as_Add=False)
        inner = _integrated(rest, x)
        return None if inner is None else number * inner
    if isinstance(factor, sympy.Derivative) and x in factor.variables:
        along = list(factor.variables)
        along.remove(x)
        return sympy.Derivative(factor.expr, *along) if along else factor.expr
    return None


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

    Parameters
    ----------
    rate : str, sympy expression or mapping
        Of one unknown, or by the names of several.
    parameters : mapping
        Numbers by name.
    """

    name: ClassVar[str] = "expression"
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
    def rates(self) -> dict[str, Any]:
        """The rate of each unknown, by name."""
        return dict(self.rate) if isinstance(self.rate, Mapping) else {UNKNOWN: self.rate}

    @property
    def equation(self) -> sympy.Eq:
        """The equation as it was given, its operators not carried out; of tuples for a system.

        Raises ExpressionError for text that cannot be read.
        """
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
        statics = () if rows is None else ReferenceForm.of(state).static_names
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
        nodes = ReferenceForm.of(state).metric.minors
    else:
        return None
    called = dict(zip(state.component_names, names, strict=True))
    jets = [leaf for leaf in gr.leaves(nodes) if leaf.op == "jet" and leaf.data[0] in called]
    renamed = {leaf: gr.jet(called[leaf.data[0]], leaf.data[1]) for leaf in jets}
    return "the smallest leading principal minor of g", tuple(gr.substitute(list(nodes), renamed))
