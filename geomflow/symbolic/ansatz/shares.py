"""Places on a span from a to b by shares u of it, 0 ≤ u ≤ 1, and how they move with the ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import sympy

from geomflow.core import graph as gr

LENGTH = sympy.Symbol("span|length", positive=True)
"""b − a."""
STRETCH, REST = sympy.Symbol("span|stretch", positive=True), sympy.Symbol("span|rest", positive=True)
"""d = √(b/a) − 1, and q = 1 + d(1 − u)."""
INVERSE = sympy.Symbol("span|inverse", positive=True)
"""1/(1 + du) = 1/(2 + d − q)."""


@final
@dataclass(frozen=True)
class Shares:
    """y(u) and what it is made of.

    Parameters
    ----------
    place, stretch : sympy expressions
        y and y_u.
    inverse : sympy expression, optional
        1/y, with a symbol in it; none where y = 0 is reached.
    ends : mapping
        The ends in these symbols.
    by_ends : mapping
        The derivatives of the symbols by the ends.
    rest : sympy expression
        q.
    """

    place: sympy.Expr
    stretch: sympy.Expr
    inverse: sympy.Expr | None
    ends: Mapping[sympy.Symbol, sympy.Expr]
    by_ends: Mapping[sympy.Symbol, Mapping[sympy.Symbol, sympy.Expr]] = field(default_factory=dict)
    rest: sympy.Expr = field(default=REST)

    @classmethod
    def of(cls, a: sympy.Expr, b: sympy.Symbol, u: sympy.Expr) -> Shares:
        """y = bu where a = 0; else y = a(1 + d)(1 + du)/(1 + d(1 − u)), d = √(b/a) − 1.

        Parameters
        ----------
        a, b : sympy expression
            The ends.
        u : sympy expression
            The share.
        """
        if a == 0:
            return cls(LENGTH * u, LENGTH, None, {b: LENGTH}, {LENGTH: {b: sympy.Integer(1)}})
        ratio, rest = 1 + STRETCH, 1 + STRETCH * (1 - u)
        by_ends = {a: {a: sympy.Integer(1)}, STRETCH: {a: -ratio / (2 * a), b: 1 / (2 * a * ratio)}}
        return cls(a * ratio * (2 + STRETCH - REST) / REST, a * ratio * STRETCH * (2 + STRETCH) / REST**2,
                   REST * INVERSE / (a * ratio), {b: a * ratio**2}, by_ends, rest)

    def along(self, rates: Mapping[sympy.Symbol, sympy.Expr], what: sympy.Expr) -> sympy.Expr:
        """The rate of an expression in the symbols at fixed u, with q written out.

        Parameters
        ----------
        rates : mapping
            Of the ends.
        what : sympy expression
            The place, or the logarithm of y_u.
        """
        what = what.xreplace({REST: self.rest})
        slopes = [what.diff(symbol) * slope * rates[end].xreplace(self.ends)
                  for symbol, by in self.by_ends.items() for end, slope in by.items()]
        return sympy.cancel(sympy.Add(*slopes))

    def nodes(self, low: gr.Node, high: gr.Node, u: gr.Node) -> dict[str, gr.Node]:
        """What stands for the symbols by name.

        Parameters
        ----------
        low, high, u : Node
            The ends, and the share.
        """
        found = {end.name: high for end in self.ends}
        if self.inverse is None:
            return found | {LENGTH.name: high}
        stretch = (high - low) / (low * (1 + gr.sqrt(high / low)))
        (a,) = (symbol for symbol in self.by_ends if symbol != STRETCH)
        return found | {a.name: low, STRETCH.name: stretch, INVERSE.name: 1 / (1 + stretch * u),
                        REST.name: 1 + stretch * (1 - u)}
