"""Rates of the fields of a state, read in the language of tensors: nodes, and the stages and averages they stand on."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, InputError
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.core.program import Stage
from geomflow.field import Field
from geomflow.field.lattice import FlatTorus
from geomflow.flow.equations.gauge import Gauge, metric_in
from geomflow.flow.equations.unknowns import metric_of, packed_rate, tensor_of
from geomflow.symbolic.given import given
from geomflow.symbolic.language.averages import Averages
from geomflow.symbolic.language.differences import Differences, jets_of
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tensor import Tensor, mapped, ordered
from geomflow.symbolic.language.words import TIME, Words
from geomflow.symbolic.meaning import Refusal
from geomflow.symbolic.parse import read
from geomflow.symbolic.words import fail


class Reading:
    """Rates over a torus, of fields by name.

    Parameters
    ----------
    torus : FlatTorus
        Its coordinates and its volume.
    parts : mapping
        The fields by the names of the unknowns.
    numbers : mapping
        Parameters by name.
    where : mapping
        Definitions by name, in order.
    covariant : bool
        Whether rates beside a metric that moves must not name coordinates.
    gauge : str, optional
        What is added to the rates, by name.
    ignorable : tuple of str
        Coordinates that nothing depends on.
    start : float
        The time at which runs start, from which a gauge takes its strength.
    """

    def __init__(self, torus: FlatTorus, parts: Mapping[str, Field], numbers: Mapping[str, Fraction],
                 where: Mapping[str, Any], covariant: bool, gauge: str | None, ignorable: tuple[str, ...] = (),
                 start: float = 0.0) -> None:
        self.parts, self._coordinates, self._covariant, self._gauge = parts, torus.coordinates, covariant, gauge
        self.gauge_words: str | None = None
        self._start = start
        self._functions = taken = [own for name, part in parts.items() for own in part.names(name)]
        self._derive = Differences(self._coordinates, [*taken, *numbers, *where], ignorable)
        self._tensors = {name: tensor_of(part, name, self._coordinates) for name, part in parts.items()}
        found = {name: metric_of(part, name, self._derive) for name, part in parts.items()}
        metrics = {name: metric for name, metric in found.items() if metric is not None}
        if len(metrics) > 1:
            raise InputError(f"the state has {len(metrics)} metrics ({', '.join(metrics)}), and indices are raised "
                             "with one: keep the others as symmetric tensors, and potentials as scalars.")
        self.metric = next(iter(metrics), None)
        self.averages = Averages(Fraction(torus.cell_volume), [*taken, *numbers, *where])
        known = {**{name: Tensor.scalar(gr.symbol(name)) for name in (*self._coordinates, TIME)}, **self._tensors,
                 **{name: Tensor.scalar(number) for name, number in numbers.items()}}
        self._space = Space(self._derive, None if self.metric is None else metrics[self.metric])
        self._known, self._bound = known, {name: {name} for name in self._coordinates}
        for name, text in where.items():
            words = self._words(where)
            known[name], self._bound[name] = replace(ordered(self._read(name, text, words)), labels=None), words.fixed
        if gauge is not None:
            metric_in(self._space)

    def rates(self, rates: Mapping[str, Any]) -> list[gr.Node]:
        """The rates of all components of the fields that have one, in packed order.

        Raises ExpressionError for text that cannot be read and rates of the wrong type, InputError for rates that name
        coordinates beside a metric that moves.
        """
        still = [name for name in self.parts if name not in rates]
        if self._gauge is not None and still:
            raise InputError(f"in DeTurck's gauge all fields are moved along, and '{still[0]}' has no rate: give it "
                             "the rate 0, or leave the gauge out.")
        found: dict[str, Tensor] = {}
        packed: dict[str, list[gr.Node]] = {}
        for name in [name for name in self.parts if name in rates]:
            words = self._words()
            found[name] = self._zero(name) if _is_zero(rates[name]) else ordered(self._read(name, rates[name], words))
            packed[name] = self._packed(name, rates[name], found[name])
            self._require_covariant(name, rates, words)
        if self._gauge is not None and self.metric is not None:
            gauge = Gauge.of(self._space, found[self.metric], self._gauge, self._about)
            self.gauge_words = gauge.told
            for name, part in self.parts.items():
                moved = gauge.added(found[name], self._tensors[name], name == self.metric)
                packed[name] = packed_rate(part, ordered(moved), self._space)
        return [node for nodes in packed.values() for node in nodes]

    @property
    def _about(self) -> dict[str, float]:
        """The time at which runs start, and the means of all components."""
        means = {own: float(row.mean()) for name, part in self.parts.items()
                 for own, row in zip(part.names(name), part.pack(), strict=True)}
        return {TIME: self._start, **means}

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The inner stages that the rates stand on."""
        return self._derive.stages

    def symbols(self, nodes: list[gr.Node]) -> set[str]:
        """The names of coordinates, the time and other numbers in rates, in their stages and their averages."""
        inner = [node for stage in self.stages for node in stage.nodes]
        averaged = [node for average in self.averages.found for node in (average.top, average.bottom)]
        return {leaf.data for leaf in gr.leaves([*nodes, *inner, *averaged]) if leaf.op == "symbol"}

    def _words(self, where: Collection[str] = ()) -> Words:
        """The words that may be used where all known so far is, of definitions those before."""
        later = frozenset(where).difference(self._known)
        return Words(self._space, self.averages, dict(self._known), self._bound, later)

    def _read(self, name: str, rate: Any, words: Words) -> Tensor:
        if isinstance(rate, str):
            if not rate.strip():
                raise ExpressionError(f"the rate or definition of '{name}' is empty: write 0 for zero.")
            try:
                found: Tensor = read(rate, words)
            except ExpressionError as error:
                message, *shown = str(error).split("\n")
                what = "rate" if name in self.parts else "definition"
                raise type(error)("\n".join([f"{message} (the {what} of '{name}')", *shown])) from None
            return found
        return Tensor.scalar(self._of_sympy(rate, words))

    def _zero(self, name: str) -> Tensor:
        return replace(self._tensors[name], entries=mapped(lambda entry: gr.ZERO, self._tensors[name].entries))

    def _packed(self, name: str, rate: Any, found: Tensor) -> list[gr.Node]:
        try:
            return packed_rate(self.parts[name], found, self._space)
        except Refusal as refusal:
            if isinstance(rate, str):
                fail(rate, 0, f"{refusal} (the rate of '{name}')")
            raise ExpressionError(f"{refusal}: the rate of '{name}' is {rate}") from None

    def _require_covariant(self, name: str, rates: Mapping[str, Any], words: Words) -> None:
        told = f"the rate of '{name}' names {', '.join(sorted(words.fixed))}, which belongs to the coordinates, and"
        if words.fixed and self._gauge is not None:
            raise InputError(f"{told} a gauge adds L_Y to the rates, after which this is another flow, and not the "
                             "same up to diffeomorphisms: write it in tensors, or leave the gauge out.")
        if self._covariant and words.fixed and self.metric in rates:
            raise InputError(f"{told} the metric of '{self.metric}' moves: a change of coordinates changes the "
                             "equation. Write it in tensors and fields, or say covariant=False.")

    def _of_sympy(self, rate: Any, words: Words) -> gr.Node:
        """A sympy rate as a node: symbols by name, derivatives of what is not linear of inner stages."""
        try:
            expression = given(rate)
        except ExpressionError:
            raise ExpressionError(f"{rate!r} (of type {type(rate).__name__}) is not a rate; give text or a sympy "
                                  "expression, or a mapping from the fields of the state to these.") from None
        unknown = sorted(s.name for s in expression.free_symbols if s.name not in self._known)
        if unknown:
            raise ExpressionError(f"the rate depends on '{unknown[0]}', which is no coordinate, parameter or unknown; "
                                  f"known are {', '.join(self._known)}.")
        along = [v for e in expression.atoms(sympy.Derivative) for v in e.variables if not isinstance(v, sympy.Dummy)]
        if strange := [v.name for v in along if v.name not in self._coordinates]:
            raise ExpressionError(f"the rate {rate} is differentiated along '{strange[0]}', which is no coordinate; "
                                  f"these are {', '.join(self._coordinates)}.")
        held: dict[gr.Node, gr.Node] = {}

        def taken(e: Any) -> Any:
            axes = [self._coordinates.index(str(x)) for x in e.variables]
            stand_in = sympy.Symbol(f"derivative {len(held)}")
            words.fixed.update(self._coordinates[axis] for axis in axes)
            held[gr.symbol(stand_in.name)] = self._derive(self._node(e.expr, held, words), *axes)
            return stand_in

        outside = expression.replace(_is_of_expression, taken)
        return self._node(outside, held, words)

    def _node(self, expression: Any, held: Mapping[gr.Node, gr.Node], words: Words) -> gr.Node:
        node = from_sympy(expression, self._coordinates)
        named, scalars = {leaf.data for leaf in gr.leaves([node]) if leaf.op == "symbol"}, dict[gr.Node, gr.Node]()
        for name in named.intersection(self._known):
            tensor = words.known(name)
            if tensor.rank:
                raise ExpressionError(f"'{name}' is {tensor.kind}, and a rate of sympy's is of functions alone: write "
                                      "the rate as text.")
            scalars[gr.symbol(name)] = tensor.node
        for jet in jets_of(node):
            if jet.data[0] not in self._functions:
                raise ExpressionError(f"the rate depends on the function '{jet.data[0]}', and the functions of the "
                                      f"state are {', '.join(self._functions)}: write its name alone where it is a "
                                      "definition.")
            words.fixed.update(name for name, times in zip(self._coordinates, jet.data[1], strict=True) if times)
        return gr.substitute([node], {**scalars, **held})[0]


def _is_zero(rate: Any) -> bool:
    """Whether this is the number zero, a rate of fields of any kind."""
    return re.fullmatch(r"\s*[+-]?0(\.0*)?\s*", str(rate)) is not None


def _is_of_expression(e: Any) -> bool:
    """Whether this is a derivative of more than an unknown function."""
    return isinstance(e, sympy.Derivative) and not isinstance(e.expr, AppliedUndef)
