"""Answers of the graph made short: fractions cancel, and cosh² − sinh² is 1, in whatever they are written.

Unknown functions, their derivatives, and functions that a field of fractions does not know stand as symbols of their
own, so that the field is small; nothing is differentiated in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy.core.function import AppliedUndef

from geomflow.symbolic.fractions import OutsideField, field_of
from geomflow.symbolic.fractions.survey import CIRCULAR, HYPERBOLIC

LARGEST_ANSWER = 5_000
LARGEST_FRACTION = 100
"""Answers of more symbols and operations, or with fractions of more terms, are left as they are: they stay long."""
_READ = (*CIRCULAR, *HYPERBOLIC, sympy.exp)


def collapsed(expressions: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """Each expression in factored normal form, or as it is where that is shorter or not to be had."""
    return [_collapsed(e) for e in expressions]


def _collapsed(expression: sympy.Expr) -> sympy.Expr:
    size = _size(expression, {})
    if size > LARGEST_ANSWER:
        return expression
    standing = {atom: sympy.Dummy() for atom in _opaque(expression)}
    plain = expression.xreplace(standing)
    try:
        field = field_of([plain], (), largest=LARGEST_FRACTION)
        form = field.form(field.read(plain))
    except OutsideField:
        return expression
    written = form.xreplace({symbol: atom for atom, symbol in standing.items()})
    return written if _size(written, {}) < size else expression


def _opaque(expression: sympy.Expr) -> list[sympy.Basic]:
    """The outermost parts that only functions of a field's kind stand around, in an order that no hash changes."""
    found, seen, pending = [], set(), [expression]
    while pending:
        e = pending.pop()
        if e in seen:
            continue
        seen.add(e)
        if isinstance(e, (AppliedUndef, sympy.Derivative, sympy.Subs)) or (e.is_Function and not isinstance(e, _READ)):
            found.append(e)
        else:
            pending.extend(e.args)
    return found


def _size(e: sympy.Basic, known: dict[sympy.Basic, int]) -> int:
    """The number of symbols, numbers and operations in the expression when it is written out."""
    if e not in known:
        known[e] = 1 + sum(_size(a, known) for a in e.args)
    return known[e]
