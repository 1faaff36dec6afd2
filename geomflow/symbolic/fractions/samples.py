"""Values of elements at points of the field's domain, as complex balls: what excludes zero is proved not to be zero."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import flint
import sympy

from geomflow.core import graph as gr
from geomflow.core.graph.domain import Frame, OutsideDomain, Twin
from geomflow.core.graph.evaluate import ball
from geomflow.core.graph.sympy_bridge import with_functions
from geomflow.core.graph.unknown import Places, meeting
from geomflow.core.graph.zero import Verdict, is_zero, refuted
from geomflow.symbolic.fractions.element import Element
from geomflow.symbolic.fractions.survey import Generator, Kind

if TYPE_CHECKING:
    from geomflow.symbolic.fractions.field import Field

BITS = 300
POINTS = 4


class Samples:
    """The values of all generators of one field at a few points, each computed once."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._found: dict[int, tuple[dict[gr.Node, Any], _Values] | None] = {}
        self._places = Places(lambda a, b: a is b or bool(is_zero(a - b, field.domain)))

    def refutation(self, element: Element) -> Verdict | None:
        """The proof that the element is not zero: a point where a ball around its value excludes zero."""
        previous, flint.ctx.prec = flint.ctx.prec, BITS
        try:
            for seed in range(POINTS):
                if (found := self._at(seed)) is None:
                    continue
                with suppress(ZeroDivisionError):
                    value = _value(self._field, element.num, found[1]) / _value(self._field, element.den, found[1])
                    if value.is_finite() and not value.contains(0):
                        return refuted(value, found[0])
            return None
        finally:
            flint.ctx.prec = previous

    @cached_property
    def _leaves(self) -> dict[int, gr.Node]:
        """What the free generators are on the graph; π is none of them."""
        found = {}
        for k, g in enumerate(self._field.generators):
            if g.kind is Kind.JET:
                (value,) = self._places.as_jets([with_functions(g.argument)])
                found[k] = gr.jet(value.data[0], g.index)
            elif g.kind is Kind.FREE and g.shown is not sympy.pi:
                found[k] = gr.symbol(g.shown.name)
        return found

    @cached_property
    def _frame(self) -> Frame:
        return Frame(self._field.domain, list(self._leaves.values()), self._twins)

    @cached_property
    def _twins(self) -> dict[str, Twin]:
        return self._places.conjugates(self._field.domain)

    def _at(self, seed: int) -> tuple[dict[gr.Node, Any], _Values] | None:
        """A point and the values there; None where the domain leaves no room."""
        if seed not in self._found:
            try:
                point = meeting(self._places.found, self._frame.point(self._frame.shares(seed)), self._twins)
            except OutsideDomain:
                point = None
            self._found[seed] = None if point is None else (
                point, _Values(self._field, {k: point[leaf] for k, leaf in self._leaves.items()}))
        return self._found[seed]


class _Values(dict[int, Any]):
    """Values of the generators by number, found when they are asked for: arguments may hold generators of their own."""

    def __init__(self, field: Field, free: Mapping[int, Any]) -> None:
        super().__init__()
        self._field, self._free = field, free

    def __missing__(self, k: int) -> Any:
        free = self._free.get(k)
        value = _generator_value(self._field, self._field.generators[k], self) if free is None else ball(free)
        self[k] = value
        return value


def _generator_value(field: Field, generator: Generator, values: Mapping[int, Any]) -> Any:
    if generator.kind is Kind.UNIT:
        return flint.acb(0, 1)
    if generator.shown is sympy.pi:
        return flint.acb.pi()
    element = field.read(generator.argument)
    argument = _value(field, element.num, values) / _value(field, element.den, values)
    if generator.kind is Kind.POWER:
        exponent = field.read(generator.exponent)
        return argument ** (_value(field, exponent.num, values) / _value(field, exponent.den, values))
    if generator.kind is Kind.ROOT:
        return argument ** (flint.acb(1) / generator.degree) * _value(field, element.den, values)
    name = generator.shown.func.__name__ if generator.kind is Kind.PRIMITIVE else generator.kind.value
    return getattr(argument, name)()


def _value(field: Field, polynomial: Any, values: Mapping[int, Any]) -> Any:
    total = flint.acb(0)
    order = [(k, place) for k, place in enumerate(field._place)]
    for exponents, coefficient in polynomial.to_dict().items():
        term = flint.acb(coefficient)
        for k, place in order:
            if exponents[place]:
                term = term * values[k] ** int(exponents[place])
        total = total + term
    return total
