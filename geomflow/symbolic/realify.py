"""From z and z̄ to x and y: exact objects of a complex chart in real coordinates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import sympy

from geomflow.core.graph.sympy_bridge import UNKNOWN, Applied, applied, composed
from geomflow.symbolic.chart import Chart, ComplexChart
from geomflow.symbolic.exact import compute, read_array, written
from geomflow.symbolic.names import fresh, names_in
from geomflow.symbolic.ring import HALF, ExactRing


@final
@dataclass(frozen=True)
class RealForm:
    """A real chart under a complex one, and what the symbols of that are there: z = x + i y, t = t_re + i t_im."""

    chart: Chart
    table: Mapping[sympy.Symbol, sympy.Expr]

    @staticmethod
    def under(chart: ComplexChart, expressions: Iterable[Any]) -> RealForm:
        """The real form of a chart; names of the expressions' other parameters are left to them (see `fresh`)."""
        used = names_in(expressions)
        real = chart.real_chart_beside(used)
        parts = list(real.symbols)
        used |= {*chart.names, *real.coordinates}
        for t, _ in chart.moduli:
            names = [fresh(f"{t.name}_{part}", used) for part in ("re", "im")]
            used |= {*names}
            parts += [sympy.Symbol(name, real=True) for name in names]
        pairs = zip(chart.pairs, parts[0::2], parts[1::2], strict=True)
        table = {s: a + sign * sympy.I * b for pair, a, b in pairs for s, sign in zip(pair, (1, -1), strict=True)}
        return RealForm(real, table)

    def moved(self, expression: sympy.Expr) -> sympy.Expr:
        """The expression in real coordinates; radicands are expanded, so that they are seen to be real."""
        return _expanded(composed(expression, self.table))

    def values(self, expressions: Sequence[sympy.Expr]) -> list[sympy.Expr]:
        """Real-valued expressions in real coordinates, without i."""
        moved = [self.moved(e) for e in expressions]
        return compute(moved, self.chart, lambda ring: ring.write([ring.read(e) for e in moved]))

    def matrix(self, matrix: sympy.ImmutableMatrix) -> sympy.ImmutableMatrix:
        """The matrix of 2 T_{ab̄} dz^a dz̄^b in the coordinates x^1, y^1, ...: with T = A + iB, 2[[A, B], [−B, A]].

        A = (T + Tᵗ)/2 and iB = (T − Tᵗ)/2 because T is Hermitian.
        """
        moved = matrix.applyfunc(self.moved)
        return compute([*moved, sympy.I], self.chart, lambda ring: written(ring, _blocks(ring, moved)))


def _expanded(e: sympy.Expr) -> sympy.Expr:
    if not e.args:
        return e
    if isinstance(e, UNKNOWN) and (found := applied(e)) is not None:
        return Applied(found.function, found.index, tuple(sympy.expand(_expanded(a)) for a in found.args)).written()
    if (e.is_Pow and e.exp.is_Rational and not e.exp.is_Integer) or (e.is_Function and len(e.args) == 1):
        return e.func(sympy.expand(_expanded(e.args[0])), *e.args[1:])
    return e.func(*[_expanded(a) for a in e.args])


def _blocks(ring: ExactRing, matrix: sympy.ImmutableMatrix) -> np.ndarray:
    t, n = read_array(ring, matrix), len(matrix.tolist())
    minus_i = -ring.read(sympy.I)
    result = ring.array((2 * n, 2 * n))
    for a in range(n):
        for b in range(n):
            even, odd = t[a, b] + t[b, a], (t[a, b] - t[b, a]) * minus_i
            result[2 * a, 2 * b] = result[2 * a + 1, 2 * b + 1] = even * (2 * HALF)
            result[2 * a, 2 * b + 1] = odd
            result[2 * a + 1, 2 * b] = -odd
    return result
