"""Reduced equations on a span from a to b in regular fields: w with F = m (y − a)(b − y)/(b − a) e^{ρ²w}, and the ends.

With u = (y − a)/(b − a), ξ = 1 − 2u and ρ² = 1 − ξ² = 4u(1 − u), F vanishes at both ends with the slopes ±m of a smooth
metric for every smooth w. Rates are at fixed u: the ends move, and what is transported with them is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy

from geomflow.core import graph as gr
from geomflow.symbolic.ansatz.axis import LOW, Axis, Factor
from geomflow.symbolic.ansatz.domain import Domain, Interval
from geomflow.symbolic.ansatz.regular import Regular, Regularised
from geomflow.symbolic.ansatz.regular_fields import RegularField
from geomflow.symbolic.ansatz.span import closing_of, ends_of, span_of
from geomflow.symbolic.ansatz.unknowns import Unknown

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz


class RegularisedSpan(Regularised):
    """Rates of the unknown of a span and of its ends in regular fields.

    Parameters
    ----------
    ansatz : Ansatz
        On a span.
    """

    def __init__(self, ansatz: Ansatz) -> None:
        span = span_of(ansatz)
        assert span is not None
        self._closing, self._ends = closing_of(ansatz), (span.a, span.b)
        super().__init__(ansatz)

    def _fields_of(self, ansatz: Ansatz) -> tuple[RegularField, ...]:
        unknown = self._closing.unknown
        profile = RegularField(f"w_{unknown.name}", unknown, 1, factor=Factor(True, True))
        return (profile, *(RegularField(end.name, end, 0) for end in ends_of(ansatz)))

    def _axis(self, name: str, domain: Domain) -> Axis:
        return Axis(name, Interval(0, sympy.pi))

    def _of_rates(self, rates: Sequence[sympy.Expr]) -> Regular:
        profile, ends = rates[0], dict(zip(self._ends[-len(rates) + 1:], rates[1:], strict=True))
        low, high = (ends.get(end, sympy.Integer(0)) for end in self._ends)
        (a, b), value = self._ends, self._closing.unknown.value
        y = value.args[0]
        drift = low + (y - a) / (b - a) * (high - low)
        moved = (profile + value.diff(y) * drift) / value - (high - low) / (b - a)
        found = [self.node(moved / self._square(self.fields[0])), *(self.node(rate) for rate in rates[1:])]
        return Regular(self.fields, tuple(found), self.remainders(found))

    def _flat(self, expression: sympy.Expr, functions: Sequence[Unknown]) -> sympy.Expr:
        """With symbols for jets of w and of functions, for e^{ρ²w}, b − a and 1/y."""
        (axis,), field = self._axes, self.fields[0]
        square, table = self._square(field), dict[sympy.Basic, sympy.Expr]()
        slope = self._along(square * self._plain(field.name), axis)
        profile = self._closing.slope * LENGTH * square / 4
        order = max((len(d.variables) for d in expression.atoms(sympy.Derivative)), default=0)
        for unknown, jet, rest in ((field.unknown, profile, self._exponential(field.name)),
                                   *((u, self._plain(u.name), sympy.Integer(1)) for u in functions)):
            for k in range(order + 1):
                table[unknown.value.diff(unknown.value.args[0], k) if k else unknown.value] = jet * rest
                jet = -2 / LENGTH * (self._along(jet, axis) + (jet * slope if unknown is field.unknown else 0))
        named = {part: sympy.Dummy() for part in table}
        placed = self._placed_momentum(expression.xreplace(named), field.unknown.value.args[0])
        return placed.xreplace({named[part]: flat for part, flat in table.items()})

    def _placed_momentum(self, expression: sympy.Expr, y: sympy.Symbol) -> sympy.Expr:
        """With a + (b − a)u for powers of y, and a symbol for those of 1/y unless a = 0."""
        low, high = self._ends
        place, ends = low + LENGTH * (1 - self._axes[0].xi) / 2, {high: low + LENGTH}
        top, bottom = sympy.fraction(sympy.together(expression.xreplace(ends)))
        below = sympy.Poly(bottom, y)
        if low == 0 or len(below.terms()) > 1:
            return (top / bottom).xreplace({y: place})
        (((k,), rest),) = below.terms()
        return sympy.Add(*[c * (place ** (j - k) if j >= k else INVERSE ** (k - j))
                           for (j,), c in sympy.Poly(top, y).terms()]) / rest

    def _placed(self, node: gr.Node) -> gr.Node:
        """The node with jets, exponentials, ends and 1/y in the places of their symbols."""
        low, high = (gr.jet(end.name, (0,)) if end.is_Symbol else gr.ZERO for end in self._ends)
        share = gr.symbol(f"{LOW}_{self._names[0]}") / 2
        table = {LENGTH.name: high - low, INVERSE.name: 1 / (low + (high - low) * share)}
        table |= {end.name: jet for end, jet in zip(self._ends, (low, high), strict=True) if end.is_Symbol}
        held = {leaf: table[leaf.data] for leaf in gr.leaves([node]) if leaf.op == "symbol" and leaf.data in table}
        return gr.substitute([super()._placed(node)], held)[0]


LENGTH, INVERSE = sympy.Symbol("span|length", positive=True), sympy.Symbol("span|inverse", positive=True)
"""b − a and 1/y."""
