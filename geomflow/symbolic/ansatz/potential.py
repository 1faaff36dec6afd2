"""Kähler metrics whose potential is a profile P of one function s of the coordinates, and Calabi's momentum y = P'(s).

A flow of potentials that keeps such metrics becomes an equation for P(s), up to the real part of a holomorphic
function.
In y = P' and F(y) = P'' (E. Calabi, Extremal Kähler metrics, 1982; A. Hwang, M. Singer, Trans. AMS 354, 2002) the rate
P_t = Q is F_t = F² Q_yy at fixed y.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any, final

import sympy

from geomflow.core.errors import InputError
from geomflow.core.graph.sympy_bridge import UNKNOWN, Applied, applied, contents
from geomflow.symbolic.ansatz.reduction import Reduction
from geomflow.symbolic.ansatz.unknowns import Unknown
from geomflow.symbolic.exact import all_zero
from geomflow.symbolic.kahler import KahlerMetric
from geomflow.symbolic.show import InLatex, shortened

PROFILE, MOMENTUM = "s", "y"
"""What the function of the coordinates is called, and its momentum."""


@final
@dataclass(frozen=True)
class PotentialAnsatz(InLatex):
    """∂∂̄ P(s), s a real function of the coordinates. Made by `Ansatz(metric)` of a `KahlerMetric`.

    Parameters
    ----------
    metric : KahlerMetric
        Of a potential P(s) with one unknown function P.
    unknown : Unknown
        P(s), of a coordinate called s.
    argument : sympy expression
        s in the coordinates.
    """

    metric: KahlerMetric
    unknown: Unknown
    argument: sympy.Expr

    @classmethod
    def of(cls, metric: KahlerMetric, unknowns: str | Iterable[str] | None = None) -> PotentialAnsatz:
        """The ansatz of a metric. Raises InputError where its potential is no unknown function of one argument.

        Parameters
        ----------
        metric : KahlerMetric
            With an unknown profile in its potential.
        unknowns : str, optional
            Its name, to make sure.
        """
        potential = metric.potential
        held = [] if potential is None else contents([potential]).unknown
        if len(held) != 1 or len(held[0].args) != 1 or potential != held[0].value:
            raise InputError("an ansatz of Kähler metrics is a potential P(s) with one unknown function of one "
                             "function of the coordinates, such as P(log(z*conj(z) + w*conj(w))), and "
                             f"{shortened(str(potential))} was given.")
        (found,) = held
        if unknowns is not None and str(unknowns) != found.name:
            raise InputError(f"the unknown of this potential is {found.name}, and {unknowns!r} was given.")
        value = sympy.Function(found.name, real=True)(sympy.Symbol(PROFILE, real=True))
        return cls(metric, Unknown(value, (PROFILE,), False), found.args[0])

    def reduce(self, flow: Any) -> Reduction:
        """∂_t P = Q(s), up to a constant.

        Raises InputError where the flow leaves the ansatz.

        Parameters
        ----------
        flow : Flow
            Of Kähler potentials: KahlerRicciFlow, CalabiFlow.
        """
        if not hasattr(flow, "of_potential"):
            raise InputError("an ansatz of potentials reduces flows of Kähler potentials, such as KahlerRicciFlow() "
                             f"and CalabiFlow(), and {shortened(repr(flow))} was given.")
        rate = flow.of_potential(self.metric)
        self._require_profile(rate)
        return Reduction((self.unknown,), (self._of_profile(rate),), (), self)

    def momentum(self, flow: Any, name: str = "F") -> Reduction:
        """The flow of F(y) = P'' at fixed y = P': F_t = F² Q_yy.

        Parameters
        ----------
        flow : Flow
            Of Kähler potentials.
        name : str
            What F is called.
        """
        y = sympy.Symbol(MOMENTUM, positive=True)
        value = sympy.Function(name, positive=True)(y)
        (rate,) = self.reduce(flow).rates
        slope = _along_momentum(_in_momentum(rate, self.unknown.value, value, y), value, y)
        second = _along_momentum(slope, value, y)
        found = sympy.expand(sympy.cancel(value**2 * second))
        return Reduction((Unknown(value, (MOMENTUM,), True),), (found,), (), self)

    def _require_profile(self, rate: sympy.Expr) -> None:
        symbols = self.metric.chart.all_symbols
        turned = [rate.diff(a) * self.argument.diff(b) - rate.diff(b) * self.argument.diff(a)
                  for a, b in combinations(symbols, 2)]
        if not all_zero(turned, self.metric.chart):
            raise InputError(f"the flow leaves the ansatz: the rate of the potential is no function of "
                             f"s = {self.argument} alone.")

    def _of_profile(self, rate: sympy.Expr) -> sympy.Expr:
        """The rate as a function of s and the jets of P."""
        s, (first, *others) = self.unknown.value.args[0], self.metric.chart.symbols
        bars = [self.metric.chart.conjugate(z) for z in (first, *others)]
        jets = _jets(rate, self.unknown.name)
        flat = rate.xreplace({part: sympy.Symbol(f"P{found.index[0]}", positive=True) for part, found in jets.items()})
        zero = dict.fromkeys((*others, *bars[1:]), sympy.Integer(0))
        (place,) = sympy.solve(self.argument.xreplace(zero) - s, bars[0])
        along = sympy.together(flat.xreplace(zero).xreplace({bars[0]: place}))
        moved = sympy.expand_log(sympy.cancel(along), force=True)
        back = {sympy.Symbol(f"P{found.index[0]}", positive=True): self.unknown.value.diff(s, found.index[0])
                for found in jets.values()}
        return sympy.expand(moved.xreplace(back))

    def __str__(self) -> str:
        return f"the ansatz with the potential {self.unknown}, s = {self.argument}"

    __repr__ = __str__

    def __exact__(self) -> sympy.Expr:
        return self.metric.potential

    def _latex(self, printer: Any = None) -> str:
        return self.metric._latex()


def _jets(expression: sympy.Expr, name: str) -> dict[sympy.Basic, Applied]:
    """Derivatives of the function `name` in an expression."""
    parts = {part: applied(part) for part in sympy.preorder_traversal(expression) if isinstance(part, UNKNOWN)}
    return {part: found for part, found in parts.items() if found is not None and found.name == name}


def _in_momentum(rate: sympy.Expr, potential: sympy.Expr, value: sympy.Expr, y: sympy.Symbol) -> sympy.Expr:
    """The rate with P' = y, P'' = F and ∂_s = F ∂_y; s and P stay as functions of y."""
    s, order = potential.args[0], max((len(d.variables) for d in rate.atoms(sympy.Derivative)), default=0)
    table, jet = {}, y
    for k in range(1, order + 1):
        table[potential.diff(s, k)] = jet
        jet = value * jet.diff(y)
    moved = rate.xreplace(table)
    return moved.xreplace({potential: sympy.Function("P")(y), s: sympy.Function("s")(y)})


def _along_momentum(expression: sympy.Expr, value: sympy.Expr, y: sympy.Symbol) -> sympy.Expr:
    """∂_y, with s_y = 1/F and P_y = y/F."""
    slopes = {sympy.Function("s")(y).diff(y): 1 / value, sympy.Function("P")(y).diff(y): y / value}
    return expression.diff(y).xreplace(slopes)
