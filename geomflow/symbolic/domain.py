"""From charts and sympy's assumptions to the domain on which zero is decided and signs are proved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import sympy
from sympy.core.function import AppliedUndef

from geomflow.core import graph as gr
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.symbolic.chart import Chart, ComplexChart, chart_range
from geomflow.symbolic.signs import Range, Ranges, ends


@dataclass(frozen=True)
class Place:
    """What expressions are written in: `directions` of derivatives, real ranges, and conjugates (z̄: z), by name."""

    directions: tuple[sympy.Symbol, ...]
    ranges: Ranges = field(default_factory=dict)
    conjugates: Mapping[str, str] = field(default_factory=dict)

    def domain(self, expressions: Iterable[sympy.Basic]) -> gr.Domain:
        """The domain that the ranges and the assumptions of all symbols and unknown functions describe.

        A symbol that is not declared complex is real; what has no range and no sign takes all real values.
        """
        given = [*expressions, *(bound for bounds in self.ranges.values() for bound in bounds)]
        symbols = set(self.directions).union(*(e.free_symbols for e in given))
        functions = set().union(*(e.atoms(AppliedUndef) for e in given))
        intervals = {s.name: _interval(s, self.ranges) for s in symbols}
        for f in functions:
            intervals[f.func.__name__] = intervals[str(f)] = _interval(f, {})
        complex_ = {s.name for s in symbols if s.is_complex and s.is_real is not True}
        return gr.Domain(
            {name: bounds for name, bounds in intervals.items() if bounds != (None, None)},
            planes=frozenset((complex_ | set(self.conjugates.values())) - set(self.conjugates)),
            conjugates=self.conjugates,
            integers=frozenset(s.name for s in symbols if s.is_integer),
        )

    def doubled(self, twins: Mapping[sympy.Symbol, sympy.Symbol]) -> Place:
        """The place of two points: every direction has a twin with the same range and conjugate."""
        names = {s.name: twin.name for s, twin in twins.items()}
        moved = {names[n]: tuple(b.xreplace(twins) for b in bounds) for n, bounds in self.ranges.items() if n in names}
        pairs = {names[bar]: names[z] for bar, z in self.conjugates.items()}
        return Place((*self.directions, *twins.values()), {**self.ranges, **moved}, {**self.conjugates, **pairs})


Where: TypeAlias = Chart | ComplexChart | Place | Sequence[sympy.Symbol]
"""A chart, or the symbols along which derivatives are taken."""


def place_of(where: Where, ranges: Mapping[Any, Range] | None = None) -> Place:
    """The place that a chart or symbols describe, with more ranges if they are given, by symbol or by name."""
    if isinstance(where, Place):
        return where
    extra = {str(name): chart_range(str(name), bounds) for name, bounds in (ranges or {}).items()}
    if isinstance(where, ComplexChart):
        return Place(where.all_symbols, extra, {bar.name: z.name for z, bar in where.pairs})
    if isinstance(where, Chart):
        return Place(where.symbols, {**where.ranges, **extra})
    return Place(tuple(where), extra)


def _interval(symbol: sympy.Expr, ranges: Ranges) -> tuple[gr.Node | None, gr.Node | None]:
    low, high = ends(symbol, ranges)
    return _node(low), _node(high)


def _node(bound: Any) -> gr.Node | None:
    return None if bound in (sympy.oo, -sympy.oo) else from_sympy(bound)
