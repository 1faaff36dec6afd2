"""The expressions of an equation, compiled for the grid of a state: rates, bounds, monitors and its character."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, NotFiniteError
from geomflow.core.program import Program, Stage
from geomflow.field.grid import Grid
from geomflow.field.operators import Operator, discretise
from geomflow.field.state import Field
from geomflow.flow.blocks import Block
from geomflow.flow.character import character
from geomflow.flow.composed import Row, SymbolBound, composed, order_of
from geomflow.flow.degenerate import symmetries
from geomflow.flow.equation import Equation
from geomflow.flow.forecast import foretell
from geomflow.flow.implicit import FrozenPrincipal
from geomflow.flow.principal import SpectralBound, principal_part
from geomflow.flow.problem import Spectrum, Violation, lost_positivity
from geomflow.flow.watch import Watch

TIME = "t"
"""The parameter of a program that holds the time."""


class Compiled:
    """The expressions of an equation, compiled for the grid of a state on first use."""

    def __init__(self, equation: Equation, state: Field) -> None:
        self.equation, self.grid, self._start = equation, state.grid, state.pack()
        self.part = principal_part(equation.program, equation.lower)

    @cached_property
    def _operator(self) -> Operator:
        return discretise(self.equation.program, self.grid, self.equation.statics)

    @cached_property
    def _observer(self) -> Observer:
        return Observer(self.equation, self.grid)

    @property
    def _symbol(self) -> list[Row] | None:
        return composed(self.equation.program, self.equation.lower)

    @property
    def order(self) -> int:
        """The highest order of differentiation in the rates."""
        if self._symbol is None:
            return self.part.order
        return max((order_of(way) for row in self._symbol for _, way in row), default=0)

    @cached_property
    def _bound(self) -> SymbolBound | SpectralBound:
        program, statics = self.equation.program, self.equation.statics
        if self._symbol is None:
            return SpectralBound(self.part, self.grid, statics)
        return SymbolBound(self._symbol, program, self.grid, statics)

    @cached_property
    def _averages(self) -> list[Operator]:
        fields = self.equation.program.fields
        return [self._inner(fields, average.stages, {"top": average.top, "bottom": average.bottom})
                for average in self.equation.averages]

    @cached_property
    def _positive(self) -> Operator:
        """On the state alone: that what is solved for exists need not be known before the state is allowed."""
        assert self.equation.positive is not None
        outputs = {f"positive_{n}": node for n, node in enumerate(self.equation.positive[1])}
        return self._inner(self.equation.program.fields[: len(self._start)], (), outputs)

    def _inner(self, fields: tuple[str, ...], stages: tuple[Stage, ...], outputs: dict[str, gr.Node]) -> Operator:
        program, final = self.equation.program, Stage(tuple(outputs.items()))
        symbols = {leaf.data for stage in (*stages, final) for leaf in gr.leaves(stage.nodes) if leaf.op == "symbol"}
        parameters = tuple(name for name in program.parameters if name in symbols)
        inner = Program(program.coordinates, fields, program.statics, parameters, (*stages, final))
        return discretise(inner, self.grid, self.equation.statics)

    def _whole(self, y: np.ndarray) -> np.ndarray:
        """The fields of the program: the state, and what is solved for."""
        solved = self.equation.solved
        return y if solved is None else np.concatenate([y, solved(y)[None]])

    def parameters(self, t: float, whole: np.ndarray) -> tuple[float, ...]:
        """The numbers of the program at its fields: the time, averages and all others."""
        values = self._numbers(t, whole)
        return tuple(values[name] for name in self.equation.program.parameters)

    def _numbers(self, t: float, whole: np.ndarray) -> dict[str, float]:
        values = {TIME: t, **self.equation.numbers}
        for average, operator in zip(self.equation.averages, self._averages, strict=True):
            top, bottom = operator(whole, [values[name] for name in operator.program.parameters if name in values])
            values[average.parameter] = quotient(average.parameter, float(top.sum()), float(bottom.sum()))
        return values

    def rate(self, t: float, y: np.ndarray, out: np.ndarray) -> None:
        """dy/dt into `out`."""
        self._operator(*self._fields(t, y), out=out)

    def spectral_radius(self, t: float, y: np.ndarray) -> float:
        """A bound of the stiff eigenvalues."""
        return self._bound(*self._fields(t, y))

    def oscillation(self, t: float, y: np.ndarray) -> float:
        """A bound of their imaginary parts."""
        if not self.part.slopes:
            return 0.0
        if len(self.equation.program.fields) > 1:
            return self.spectral_radius(t, y) * self._share
        even, odd = self._bound.parts(*self._fields(t, y))
        return odd if odd == 0 else self.spectral_radius(t, y) * odd / (even + odd)

    @cached_property
    def _share(self) -> float:
        """Of systems, how oscillating they are: the spectrum at the state where they start."""
        start = self.spectrum(self.equation.start, self._start)
        return start.oscillation / max(start.oscillation, start.damping, np.finfo(float).tiny)

    def spectrum(self, t: float, y: np.ndarray) -> Spectrum:
        """Where the stiff eigenvalues lie."""
        return self.implicit.spectrum(t, y)

    @property
    def implicit(self) -> FrozenPrincipal:
        """The principal part with frozen coefficients."""
        return FrozenPrincipal(self.part, self.grid, self.equation.statics, self._fields)

    def _fields(self, t: float, y: np.ndarray) -> tuple[np.ndarray, tuple[float, ...]]:
        whole = self._whole(y)
        return whole, self.parameters(t, whole)

    def observe(self, t: float, y: np.ndarray) -> dict[str, float]:
        """The equation's monitors."""
        whole = self._whole(y)
        return self._observer(whole, self._numbers(t, whole) if self._observer.parameters else {})

    def curvature(self, t: float, y: np.ndarray) -> float:
        """The monitor that measures the size of the curvature."""
        assert self.equation.curvature is not None
        return abs(self.observe(t, y)[self.equation.curvature])

    def positivity(self, t: float, y: np.ndarray) -> float:
        """The least value of what must stay positive."""
        return float(self._positive(y).min())

    def check(self, t: float, y: np.ndarray) -> Violation | None:
        """The place where positivity is lost, if it is."""
        assert self.equation.positive is not None
        return lost_positivity(self.equation.positive[0], self._positive(y))

    @cached_property
    def watch(self) -> Watch | None:
        """What sees whether the equation turns ill-posed along a run; None where it cannot, or is too large."""
        rows = composed(self.equation.program, True) if self.equation.judged else None
        if rows is None:
            return None
        watch = Watch(rows, self.equation.program, self.grid, self.equation.statics)
        if not watch.turns:
            return None
        watch.start(*self._fields(self.equation.start, self._start))
        return watch

    def growth(self, t: float, y: np.ndarray) -> str | None:
        """How short waves grow without bound, in words; None where they do not."""
        assert self.watch is not None
        return self.watch.growth(*self._fields(t, y))


class Observer:
    """Evaluates monitors at a state: one generated routine for all their expressions, then reductions."""

    def __init__(self, equation: Equation, grid: Grid) -> None:
        self._monitors, program = equation.monitors, equation.program
        self._nodes = list(dict.fromkeys(m.node for m in self._monitors))
        outputs = Stage(tuple((f"observed_{n}", node) for n, node in enumerate(self._nodes)))
        stages = (*equation.stages, outputs)
        held = {leaf.data for stage in stages for leaf in gr.leaves(stage.nodes) if leaf.op == "symbol"}
        averages = (average.parameter for average in equation.averages if average.parameter in held)
        self.parameters = (*equation.numbers, *averages)
        inner = replace(program, parameters=self.parameters, stages=stages)
        self._operator = discretise(inner, grid, equation.statics) if self._monitors else None
        self._volume = grid.torus.cell_volume

    def __call__(self, y: np.ndarray, numbers: Mapping[str, float]) -> dict[str, float]:
        """The monitors at the packed fields y of the program, where its parameters have these numbers."""
        if self._operator is None:
            return {}
        values = tuple(numbers[name] for name in self.parameters)
        rows = dict(zip(self._nodes, self._operator(y, values), strict=True))
        return {m.name: m.reduced(rows[m.node], self._volume) for m in self._monitors}


def character_at(equation: Equation, state: Field) -> tuple[Block, ...]:
    """The blocks of an equation at a state."""
    if equation.solved is not None:
        raise InputError("a field is solved for at each state, and the symbol of the equation is not a polynomial.")
    foretell(equation.program)
    numbers = Compiled(equation, state).parameters(equation.start, state.pack())
    return character(equation.program, state.grid, equation.statics, state.pack(), numbers, symmetries(state))


def modulo_constants(rate: np.ndarray) -> float:
    """Half the range of a rate: its size up to an additive constant."""
    return float(rate.max() - rate.min()) / 2


def quotient(name: str, top: float, bottom: float) -> float:
    """An average. Raises NotFiniteError where its denominator is 0."""
    if bottom == 0:
        raise NotFiniteError(f"'{name}' of the equation is a quotient of two means, and the lower one is 0 at this "
                             "state: what is kept does not change there to first order. Start elsewhere, or leave it "
                             "out of keep.")
    return top / bottom
