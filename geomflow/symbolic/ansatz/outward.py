"""Gradient Ricci solitons of an ansatz of one coordinate as ordinary differential equations in arclength.

Ric + ∇∇f = λ g is −2 Ric + 2 λ g + L_V g = 0 with V = −∇f. Where g_xx = 1 its components are linear in the second
derivatives of the unknowns and in V', and are solved for these, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.ansatz.closing import radial
from geomflow.symbolic.ansatz.reduction import reduced, scalar_on, transported
from geomflow.symbolic.ansatz.typed import Typed
from geomflow.symbolic.ansatz.unknowns import Unknown

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz

VALUE, SLOPE, DRAG = "value_{}", "slope_{}", "drag"
"""Symbols of an unknown, of its derivative, and of V, in the equations."""


@final
@dataclass(frozen=True)
class OutwardEquations:
    """u_i'' and V' of a soliton in symbols of u_i, u_i' and V; ' is d/ds along arclength.

    Parameters
    ----------
    unknowns : tuple of Unknown
        The u_i: all but that of g_xx.
    bends : tuple of sympy expressions
        u_i''.
    stretch : sympy expression
        V' = −f''.
    """

    unknowns: tuple[Unknown, ...]
    bends: tuple[sympy.Expr, ...]
    stretch: sympy.Expr


def soliton_equations(ansatz: Ansatz, constant: int) -> OutwardEquations:
    """The equations of Ric + ∇∇f = λ g.

    Raises InputError for an ansatz of other than one coordinate x, or whose g_xx has no unknown of its own.

    Parameters
    ----------
    ansatz : Ansatz
        With unknown functions of one coordinate.
    constant : int
        λ.
    """
    x, along = _coordinate(ansatz)
    rates = reduced(ansatz, Typed(f"-2*Ric + {2 * constant}*g" if constant else "-2*Ric")).rates
    speed = sympy.Function("V")(x)
    dragged = transported(ansatz, speed)
    others = tuple(u for u in ansatz.unknowns if u != along)
    bends = [sympy.Symbol(f"bend_{u.name}", real=True) for u in others]
    stretch = sympy.Symbol("stretch", real=True)
    table = {speed.diff(x): stretch, speed: sympy.Symbol(DRAG, real=True), **_jets(others, x, bends)}
    whole = [_in_arclength(a + b, along, x).xreplace(table) for a, b in zip(rates, dragged, strict=True)]
    matrix, right = sympy.linear_eq_to_matrix(whole, [*bends, stretch])
    solution = matrix.LUsolve(right).applyfunc(sympy.factor)
    return OutwardEquations(others, tuple(solution[:-1]), solution[len(others)])


def scalar_in_arclength(ansatz: Ansatz, text: str, equations: OutwardEquations) -> sympy.Expr:
    """A function of the metric such as "R" on a soliton, in symbols of u_i, u_i' and V.

    Parameters
    ----------
    ansatz : Ansatz
        Of the soliton.
    text : str
        In the language of `Flow.from_expression`; of derivatives of the metric up to the second.
    equations : OutwardEquations
        By which second derivatives are replaced.
    """
    x, along = _coordinate(ansatz)
    found = _in_arclength(scalar_on(ansatz, text), along, x)
    return found.xreplace(_jets(equations.unknowns, x, equations.bends))


def _coordinate(ansatz: Ansatz) -> tuple[sympy.Symbol, Unknown]:
    along = radial(ansatz, ansatz.coordinates[0]) if len(ansatz.coordinates) == 1 else None
    if along is None:
        raise InputError("solitons are followed outward along one coordinate x whose g_xx has an unknown of its own, "
                         f"and {ansatz} is not of that kind.")
    return next(s for s in ansatz.metric.chart.symbols if s.name in ansatz.coordinates), along[0]


def _in_arclength(expression: sympy.Expr, along: Unknown, x: sympy.Symbol) -> sympy.Expr:
    """With g_xx = 1."""
    return expression.subs(along.value, sympy.Integer(1)).doit()


def _jets(unknowns: tuple[Unknown, ...], x: sympy.Symbol, bends: tuple[sympy.Expr, ...] | list[sympy.Symbol]
          ) -> dict[sympy.Expr, sympy.Expr]:
    table: dict[sympy.Expr, sympy.Expr] = {}
    for unknown, bend in zip(unknowns, bends, strict=True):
        u = unknown.value
        table |= {u.diff(x, 2): bend, u.diff(x): sympy.Symbol(SLOPE.format(unknown.name), real=True),
                  u: sympy.Symbol(VALUE.format(unknown.name), positive=unknown.positive)}
    return table
