"""A user's own equation, from text or sympy, for the fields of a state: read in the language of tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, ClassVar, Literal, final
from unicodedata import normalize

import sympy

from geomflow.core.errors import IllPosedError, InputError, require_known
from geomflow.core.numbers import exact_number
from geomflow.core.program import Program, Stage
from geomflow.field import Field, Fields, Torus
from geomflow.field.sampling import require_periodic_program
from geomflow.flow.blocks import Block, growth_of
from geomflow.flow.compiled import character_at
from geomflow.flow.equation import Equation, checked_state
from geomflow.flow.equations.beside import (
    example,
    flat_target,
    given_arrays,
    log_det_stages,
    modulo,
    monitors_of,
    positivity,
    size_of_curvature,
    written_out,
)
from geomflow.flow.equations.gauge import GAUGES, shown_gauge
from geomflow.flow.equations.reading import Reading
from geomflow.flow.equations.unknowns import UNKNOWN, held, matched
from geomflow.flow.flow import Flow as Flow
from geomflow.symbolic.ansatz.typed import METRIC, Typed
from geomflow.symbolic.given import names_written
from geomflow.symbolic.language.shown import shown
from geomflow.symbolic.language.words import NUMBERS, RESERVED, TIME
from geomflow.symbolic.meaning import CONSTANTS, FUNCTIONS


@final
@dataclass(frozen=True)
class ExpressionFlow(Flow):
    """∂_t u = rate for rates given as text or sympy; see `Flow.from_expression`.

    Metrics and potentials must stay positive: a run that loses this ends as singular.

    Raises InputError for a parameter that is not a finite number, that does not occur in the rates or has the name of
    something else in them; at binding, ExpressionError for text that cannot be read and for rates of the wrong type,
    and InputError for a rate whose coefficients are not periodic on the torus, and where rates and fields do not fit.

    Parameters
    ----------
    rate : str, sympy expression or mapping
        Of one unknown, or by the names of several.
    parameters : mapping
        Numbers by name.
    where : mapping
        Definitions by name, which the rates and later definitions may use.
    covariant : bool
        Whether rates beside a metric that moves must not name coordinates.
    gauge : {None, "deturck", "deturck+conformal"}
        Whether L_Y is added to the rates, and s g to the metric's; see `equations.gauge.Gauge`.
    forced : bool
        Run an ill-posed equation all the same.
    start : float
        When runs begin: rates that depend on the time are judged there, and along the run.
    """

    name: ClassVar[str] = "expression"
    rate: Any
    parameters: Mapping[str, float] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)
    covariant: bool = True
    gauge: Literal["deturck", "deturck+conformal"] | None = None
    forced: bool = False
    start: float = 0.0

    def __post_init__(self) -> None:
        if self.gauge is not None:
            require_known("gauge", self.gauge, GAUGES)
        self._require_definitions()
        object.__setattr__(self, "parameters", {name: _plain(value, number) for (name, value), number in
                                                zip(self.parameters.items(), self._numbers().values(), strict=True)})
        self._refuse_reserved(Torus(dim=1).coordinates, tuple(self.rates))
        if self._unused() and not self._open_names().difference(self.parameters):
            self._refuse_unused()

    def _require_definitions(self) -> None:
        if not isinstance(self.where, Mapping):
            raise InputError(f"where={self.where!r} must be a mapping from names to definitions, as in "
                             "where={'A': 'trace(T)'}.")
        for name in self.where:
            if not isinstance(name, str) or not name.isidentifier():
                raise InputError(f"{name!r} cannot be the name of a definition: take letters, as in "
                                 "where={'A': 'trace(T)'}.")
            if name in self.parameters:
                raise InputError(f"'{name}' is a parameter and a definition: give one of the two another name.")

    def _numbers(self) -> dict[str, Fraction]:
        """The parameters as fractions: exactly, where they are given so."""
        return {name: exact_number(value, f"the parameter '{name}'") for name, value in self.parameters.items()}

    def _refuse_reserved(self, coordinates: tuple[str, ...], names: tuple[str, ...]) -> None:
        meanings = {**RESERVED, **NUMBERS, **dict.fromkeys(coordinates, "a coordinate"),
                    **dict.fromkeys((*self.rates, *names), "the unknown")}
        for name in (*self.parameters, *self.where):
            if name in meanings:
                kind = "parameter" if name in self.parameters else "definition"
                raise InputError(f"'{name}' is {meanings[name]} of the equation and cannot be a {kind} too: give "
                                 f"the {kind} another name.")
        meanings = {**RESERVED, **NUMBERS, **dict.fromkeys(coordinates, "a coordinate")}
        for name in (*self.rates, *names):
            if name in meanings:
                raise InputError(f"'{name}' is {meanings[name]} of the equation and cannot be a field too: give the "
                                 "field another name.")

    def _written(self) -> set[str]:
        """What the rates name, and the definitions that they stand on."""
        written, pending = set[str](), list(self.rates.values())
        left = {normalize("NFKC", name): definition for name, definition in self.where.items()}
        while pending:
            written |= names_written(pending.pop())
            pending += [left.pop(name) for name in written.intersection(left)]
        return written

    def _open_names(self) -> set[str]:
        """What the rates name beside unknowns, operators, functions and constants."""
        known = {*self.rates, *RESERVED, *FUNCTIONS, *CONSTANTS, *self.where}
        return self._written() - known.difference(self.parameters)

    def _unused(self) -> list[str]:
        written = self._written() if self.parameters else ()
        return [name for name in self.parameters if normalize("NFKC", name) not in written]

    def _refuse_unused(self) -> None:
        for name in self._unused():
            near = get_close_matches(name, self._open_names(), n=1)
            raise InputError(f"the parameter '{name}' does not occur in {self._shown()}: "
                             f"{f'did you mean {near[0]!r}?' if near else 'write it there, or leave it out.'}")

    @property
    def rates(self) -> dict[str, Any]:
        """The rate of each unknown, by name."""
        return dict(self.rate) if isinstance(self.rate, Mapping) else {UNKNOWN: self.rate}

    @property
    def equation(self) -> sympy.Eq:
        """The equation as it was given, its operators not carried out; of tuples for a system.

        Raises ExpressionError for text that cannot be read.
        """
        t = sympy.Symbol("t")
        unknowns = {name: sympy.Function(name)(t) for name in self.rates}
        left = [sympy.Derivative(u, t) for u in unknowns.values()]
        right = [shown(rate, unknowns) + shown_gauge(self.gauge, name, unknowns) for name, rate in self.rates.items()]
        if len(left) == 1:
            return sympy.Eq(left[0], right[0], evaluate=False)
        return sympy.Eq(sympy.Tuple(*left), sympy.Tuple(*right), evaluate=False)

    def typed(self, dim: int) -> Typed:
        """The rate of g, the one unknown."""
        if set(self.rates) - {UNKNOWN, METRIC}:
            raise InputError(f"an ansatz reduces flows of a metric, and this is one of {', '.join(self.rates)}: give "
                             "the rate of g alone.")
        return Typed(str(next(iter(self.rates.values()))), self._numbers(), dict(self.where), self.gauge)

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The equations written out on a torus, whose unknown is a metric where it is called g, else a function.

        On a complex torus it is a potential where it is called phi, over the flat unit reference form, and a Hermitian
        metric where it is called h.
        """
        grid = torus.grid(3, scheme="spectral")  # no numbers are computed on it
        parts = {name: example(grid, name) for name in self.rates}
        return written_out(self.written(grid.fields(**parts) if len(parts) > 1 else parts.popitem()[1]).program, torus)

    def on(self, state: Any) -> Equation:
        """The equation for a field, or for several; see `Flow.from_expression` for what the unknowns are called.

        Raises IllPosedError, which is an InputError too, for an equation that grows without bound at the state.
        """
        equation, moving = self.written(state), self.moving(state)
        for program in (equation.program, *map(equation.program.averaged, equation.averages)):
            require_periodic_program(moving.grid, program, f"a coefficient of {self._shown()}")
        blocks = character_at(equation, moving)
        if not self.forced:
            self._refuse_ill_posed(blocks, TIME in equation.program.parameters)
        if equation.curvature and not any(block.oscillation for block in blocks):
            return replace(equation, lower=False)  # a metric moves, and diffusion alone limits the step
        return equation

    def written(self, state: Any) -> Equation:
        """The equation for a field, or for several, also where it is ill-posed or its coefficients not periodic."""
        checked_state(self, state, Field, "grid.scalar(...), grid.metric(...), grid.fields(...) and the like")  # type: ignore[type-abstract]
        torus, alone = state.grid.torus, not isinstance(self.rate, Mapping)
        state = held(state, self.rates, alone)
        rates, parts = matched(state, self.rates, alone)
        still = {name: parts[name] for name in state.still} if isinstance(state, Fields) else {}
        moving = {name: part for name, part in parts.items() if name not in still}
        self._refuse_reserved(torus.coordinates, tuple(parts))
        reading = Reading(torus, parts, self._numbers(), self.where, self.covariant, self.gauge, state.grid.ignorable,
                          self.start)
        read = reading.rates(rates)
        self._refuse_unused()
        components = [own for name, part in moving.items() for own in part.names(name)]
        statics, rows = given_arrays(parts, still)
        symbols, flat = reading.symbols(read), flat_target(parts)
        averages = (*(average for average in flat.averages if average.parameter in symbols), *reading.averages.found)
        named = (*((TIME,) if TIME in symbols else ()), *(average.parameter for average in averages))
        parameters = (*named, *(name for name in flat.numbers if name in symbols))
        final = Stage(tuple((f"rate_{name}", node) for name, node in zip(components, read, strict=True)))
        program = Program(torus.coordinates, tuple(components), statics, parameters, (*reading.stages, final))
        monitors = monitors_of(moving, torus.coordinates, state.grid.ignorable)
        return Equation(
            program=program,
            statics=rows,
            positive=positivity(state, moving),
            stages=log_det_stages(moving),
            averages=averages,
            numbers=flat.numbers,
            modulo=modulo(program, moving),
            lower=True,
            start=self.start,
            judged=not self.forced,
            monitors=monitors,
            curvature=size_of_curvature(monitors),
            facts={"rates": {name: str(rate) for name, rate in rates.items()},
                   "parameters": {name: float(number) for name, number in self._numbers().items()},
                   **({"gauge": reading.gauge_words} if self.gauge else {}),
                   **({"where": {name: str(text) for name, text in self.where.items()}} if self.where else {})},
        )

    def moving(self, state: Any) -> Any:
        """The state with those of its fields still that have no rate."""
        return held(state, self.rates, not isinstance(self.rate, Mapping))

    def starting(self, time: float) -> ExpressionFlow:
        """The flow judged at the time t0 at which a run starts."""
        return replace(self, start=time)

    def _refuse_ill_posed(self, blocks: Sequence[Block], timed: bool) -> None:
        if growth := growth_of(blocks):
            when = f" and t = {self.start:.9g}" if timed else ""
            raise IllPosedError(f"{self._shown()} is ill-posed at this state{when}: {growth}. Look at its signs; to "
                                "run it all the same, as a demonstration, give forced=True.")

    def _shown(self) -> str:
        return f"the rate {', '.join(repr(str(rate)) for rate in self.rates.values())}"


Flow.expression_flow = ExpressionFlow


def _plain(value: Any, number: Fraction) -> int | float | Fraction:
    """A number as Python has it, so that equal numbers of any kind make equal flows."""
    if isinstance(value, int | float):
        return value
    return float(number) if Fraction(float(number)) == number else number

