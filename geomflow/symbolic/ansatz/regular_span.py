"""Reduced equations on a span from a to b in regular fields: w, and the ends.

A share u of the span is y = bu where a = 0, else y = √(ab) (√a (1 − u) + √b u)/(√b (1 − u) + √a u), half of them on
either side of √(ab): what happens at the scale of y is resolved at both ends until a/b is N⁻⁴. With ξ = 1 − 2u and
ρ² = 1 − ξ² = 4u(1 − u), F = m y_u ρ²/4 e^{ρ²w} vanishes at both ends with the slopes ±m of a smooth metric for every
smooth w. Rates are at fixed u: the ends move, and what is transported with them is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.symbolic.ansatz.axes import BetweenEven
from geomflow.symbolic.ansatz.axis import LOW, Axis, Factor
from geomflow.symbolic.ansatz.domain import Domain, Interval
from geomflow.symbolic.ansatz.regular import Regular, Regularised
from geomflow.symbolic.ansatz.regular_fields import RegularField
from geomflow.symbolic.ansatz.shares import REST, Shares
from geomflow.symbolic.ansatz.span import closing_of, ends_of, span_of, stretch_of
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
        self._shares = Shares.of(*self._ends, (1 - self.axes[0].xi) / 2)

    def _fields_of(self, ansatz: Ansatz) -> tuple[RegularField, ...]:
        unknown = self._closing.unknown
        profile = RegularField(f"w_{unknown.name}", unknown, 1, factor=Factor(True, True))
        return (profile, *(RegularField(end.name, end, 0) for end in ends_of(ansatz)))

    def _axis(self, name: str, domain: Domain) -> Axis:
        return BetweenEven(name, Interval(0, sympy.pi))

    def _of_rates(self, rates: Sequence[sympy.Expr]) -> Regular:
        profile, ends = rates[0], dict(zip(self._ends[-len(rates) + 1:], rates[1:], strict=True))
        value, shares = self._closing.unknown.value, self._shares
        drift, spreading = (shares.along(ends, what) for what in (shares.place, sympy.log(shares.stretch)))
        moved = self._flat(profile / value, ())
        if drift != 0:
            moved += self._flat(value.diff(value.args[0]) / value, ()) * drift - spreading
            moved = moved.xreplace({REST: shares.rest})
        found = [self._divided(moved / self._square(self.fields[0]))]
        found += [self._placed(from_sympy(rate)) for rate in rates[1:]]
        return Regular(self.fields, tuple(found), self.remainders(found))

    def _flat(self, expression: sympy.Expr, functions: Sequence[Unknown]) -> sympy.Expr:
        """With symbols for jets of w and of functions, for e^{ρ²w}, and for what places depend on."""
        (axis,), field = self.axes, self.fields[0]
        square, stretch, table = self._square(field), self._shares.stretch, dict[sympy.Basic, sympy.Expr]()
        slope = self._along(square * self._plain(field.name), axis)
        profile = self._closing.slope * stretch * square / 4
        order = max((len(d.variables) for d in expression.atoms(sympy.Derivative)), default=0)
        for unknown, jet, rest in ((field.unknown, profile, self._exponential(field.name)),
                                   *((u, self._plain(u.name), sympy.Integer(1)) for u in functions)):
            for k in range(order + 1):
                table[unknown.value.diff(unknown.value.args[0], k) if k else unknown.value] = jet * rest
                jet = sympy.cancel(-2 / stretch * (self._along(jet, axis)
                                                   + (jet * slope if unknown is field.unknown else 0)))
        value = field.unknown.value
        named = {part: sympy.Dummy() for part in table}
        placed = self._placed_momentum(expression.xreplace({sympy.Abs(value): value}).xreplace(named), value.args[0])
        return placed.xreplace({named[part]: flat for part, flat in table.items()})

    def _placed_momentum(self, expression: sympy.Expr, y: sympy.Symbol) -> sympy.Expr:
        """With places for powers of y, and a symbol in those of 1/y unless y = 0 is reached."""
        shares, stretch = self._shares, {stretch_of(y.name): self._shares.stretch}
        top, bottom = sympy.fraction(sympy.together(expression.xreplace(shares.ends)))
        below = sympy.Poly(bottom, y)
        if shares.inverse is None or len(below.terms()) > 1:
            return (top / bottom).xreplace({y: shares.place}).xreplace(stretch)
        (((k,), rest),) = below.terms()
        found = sympy.Add(*[c * (shares.place ** (j - k) if j >= k else shares.inverse ** (k - j))
                            for (j,), c in sympy.Poly(top, y).terms()]) / rest
        return found.xreplace(stretch)

    def _along(self, expression: sympy.Expr, axis: Axis) -> sympy.Expr:
        """∂/∂ξ, of q too."""
        return super()._along(expression, axis) + expression.diff(REST) * self._shares.rest.diff(axis.xi)

    def _divided(self, flat: sympy.Expr) -> gr.Node:
        """The node without poles: q is written out where that is needed for it."""
        with suppress(InputError):
            return super()._divided(flat)
        return super()._divided(flat.xreplace({REST: self._shares.rest}))

    def _placed(self, node: gr.Node) -> gr.Node:
        """The node with jets, exponentials, ends and what places depend on for their symbols."""
        low, high = (gr.jet(end.name, (0,)) if end.is_Symbol else gr.ZERO for end in self._ends)
        table = self._shares.nodes(low, high, gr.symbol(f"{LOW}_{self._names[0]}") / 2)
        held = {leaf: table[leaf.data] for leaf in gr.leaves([node]) if leaf.op == "symbol" and leaf.data in table}
        return gr.substitute([super()._placed(node)], held)[0]
