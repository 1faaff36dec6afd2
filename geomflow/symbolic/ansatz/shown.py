"""How reduced equations are shown: ψ_xx for the second derivative of ψ(x), fractions as sums unless they get long."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from geomflow.symbolic.ansatz.unknowns import Unknown
from geomflow.symbolic.show import latex

AVERAGE = "average"
"""How the names of means begin."""
LONGEST_SUM = 400
"""Expressions of more symbols and operations are shown as they are."""


def plainly(expression: sympy.Expr, unknowns: Sequence[Unknown]) -> str:
    """The expression with chi, psi_xx for unknowns and their derivatives, as text."""
    return str(_short(expression, unknowns)[0])


def in_latex(expression: sympy.Expr, unknowns: Sequence[Unknown]) -> str:
    """The expression with χ, ψ_xx for unknowns and their derivatives, in LaTeX."""
    return latex(*_short(expression, unknowns))


def integrals(top: sympy.Expr, bottom: sympy.Expr | None, unknowns: Sequence[Unknown]) -> str:
    """∫ top dx / ∫ bottom dx as text."""
    along = "".join(f" d{name}" for name in _own(unknowns))
    if not along:
        return " / ".join(f"({plainly(part, unknowns)})" for part in (top, bottom) if part is not None)
    return " / ".join(f"integral(({plainly(part, unknowns)}){along})" for part in (top, bottom) if part is not None)


def integrals_in_latex(top: sympy.Expr, bottom: sympy.Expr | None, unknowns: Sequence[Unknown]) -> str:
    """∫ top dx / ∫ bottom dx in LaTeX."""
    signs, along = r"\int " * len(_own(unknowns)), "".join(rf" \, \mathrm{{d}}{name}" for name in _own(unknowns))
    parts = [rf"{signs}\left({in_latex(part, unknowns)}\right){along}" for part in (top, bottom) if part is not None]
    return rf"\frac{{{parts[0]}}}{{{parts[1]}}}" if len(parts) > 1 else parts[0]


def mean_in_latex(name: str) -> str:
    """average_0 upright, with its number below."""
    word, _, number = name.rpartition("_")
    return rf"\mathrm{{{word.rstrip('_')}}}_{{{number}}}"


def _own(unknowns: Sequence[Unknown]) -> list[str]:
    return list(dict.fromkeys(name for u in unknowns for name in u.coordinates))


def _short(expression: sympy.Expr, unknowns: Sequence[Unknown]) -> tuple[sympy.Expr, dict[sympy.Symbol, str]]:
    """The expression in symbols, as a sum unless that is long, and how the symbols are spelled."""
    table, names = _symbols(expression, unknowns)
    whole = expression.xreplace(table)
    if not _own(unknowns) or whole.count_ops() > LONGEST_SUM:
        return whole, names
    sum_ = sympy.expand(whole)
    return sum_ if 2 * len(str(sum_)) <= 3 * len(str(whole)) else whole, names


def _symbols(expression: sympy.Expr, unknowns: Sequence[Unknown]) -> tuple[dict[sympy.Expr, sympy.Symbol],
                                                                           dict[sympy.Symbol, str]]:
    """A symbol for each unknown and derivative in an expression, and its LaTeX."""
    table: dict[sympy.Expr, sympy.Symbol] = {}
    names = {s: mean_in_latex(s.name) for s in expression.free_symbols if s.name.startswith(AVERAGE)}
    own = {u.value: u.name for u in unknowns if u.coordinates}
    for found in sorted(expression.atoms(sympy.Derivative), key=str):
        if found.expr in own:
            along = "".join(str(x) * n for x, n in found.variable_count)
            table[found] = sympy.Symbol(f"{own[found.expr]}_{along}", real=True)
            names[table[found]] = _below(own[found.expr], along)
    return {**table, **{value: sympy.Symbol(name, positive=True) for value, name in own.items()}}, names


def _below(name: str, along: str) -> str:
    """\\psi_{xx}, and \\psi_{1,xx} for psi1."""
    base = latex(sympy.Symbol(name))
    return f"{base[:-1]},{along}}}" if base.endswith("}") and "_{" in base else f"{base}_{{{along}}}"
