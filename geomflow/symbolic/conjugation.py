"""Complex conjugation of expressions in which z and its conjugate are symbols of their own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import sympy
from sympy.core.function import UndefinedFunction
from sympy.printing.latex import other_symbols

from geomflow.core.errors import InputError
from geomflow.core.graph.sympy_bridge import UNKNOWN, Applied, applied, resolved
from geomflow.core.graph.unknown import conjugate_name
from geomflow.symbolic.exact import Place, declared_complex, is_zero
from geomflow.symbolic.given import fresh, names_in

Pairs: TypeAlias = tuple[tuple[sympy.Symbol, sympy.Symbol], ...]
"""Symbols, each with its conjugate."""

FORMING = (sympy.conjugate, sympy.Abs, sympy.re, sympy.im, sympy.sign)
"""Functions in which a conjugate is formed."""


@final
@dataclass(frozen=True)
class Conjugation:
    """Conjugation where some symbols have conjugates and all others are real; it needs to know equal arguments."""

    pairs: Pairs
    place: Place

    def carried_out(self, expression: sympy.Expr) -> sympy.Expr:
        """`expression` with conj, abs, sign, re and im written in symbols and their conjugates."""
        if not expression.has(*FORMING):
            return expression
        rules = (
            (sympy.Abs, lambda u: sympy.sqrt(u * self.of(u))),
            (sympy.sign, lambda u: u / sympy.sqrt(u * self.of(u))),
            (sympy.re, lambda u: (u + self.of(u)) / 2),
            (sympy.im, lambda u: (u - self.of(u)) / (2 * sympy.I)),
            (sympy.conjugate, lambda u: self.of(u)),
        )
        for function, rule in rules:
            expression = expression.replace(function, rule)
        return expression

    def of(self, expression: sympy.Expr) -> sympy.Expr:
        """The conjugate: paired symbols change places, i becomes −i; see `ComplexChart.conjugate`."""
        swap = dict(self.pairs) | {bar: s for s, bar in self.pairs}
        own = {s.name: s for s in swap}
        symbols = expression.free_symbols
        moved = {s: swap[own[s.name]] for s in symbols if s.name in own} | {s: -s for s in symbols if s.is_imaginary}
        return self._mirrored(self.carried_out(expression), {**moved, **swap, sympy.I: -sympy.I})

    def _mirrored(self, e: sympy.Expr, swap: Mapping[sympy.Expr, sympy.Expr]) -> sympy.Expr:
        if not isinstance(e, UNKNOWN):
            args = [self._mirrored(a, swap) for a in e.args]
            return swap.get(e, e) if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)
        found = applied(e)
        if found is None:
            return self._mirrored(resolved(e), swap)
        bars = tuple(self._mirrored(a, swap) for a in found.args)
        may_be_real = not declared_complex(found.function._kwargs)
        places = [self._partner(found.args, k, bar) for k, bar in enumerate(bars) if may_be_real]
        if sorted(p for p in places if p is not None) == list(range(len(bars))):
            index = tuple(found.index[p] for p in places if p is not None)
            return Applied(found.function, index, found.args).written()
        return Applied(conjugate_function(found.function), found.index, bars).written()

    def _partner(self, args: Sequence[sympy.Expr], k: int, bar: sympy.Expr) -> int | None:
        """The place of the conjugate of argument k among the arguments: k itself where it is real."""
        order = [k, *(i for i in range(len(args)) if i != k)]
        return next((i for i in order if self._equal(args[i], bar)), None)

    def _equal(self, a: sympy.Expr, b: sympy.Expr) -> bool:
        return bool(a == b) or bool(is_zero(a - b, self.place))


def _may_be_complex(symbol: Any) -> bool:
    return isinstance(symbol, sympy.Symbol) and isinstance(sympy.conjugate(symbol), sympy.conjugate)


def is_complex(symbol: Any) -> bool:
    """Whether the symbol is declared complex, and not real or imaginary."""
    return _may_be_complex(symbol) and (symbol.is_complex or symbol.is_real is False)


def require_one_kind(given: Iterable[Any], known: Mapping[str, Any], coordinates: Collection[str]) -> None:
    """Check that no parameter is real in one place and complex in another: symbols are told apart by name.

    Looked at are the sympy expressions among what is `given`, and the symbols that names are `known` to stand for;
    `coordinates` are no parameters.

    Raises InputError for a name that is declared both.
    """
    symbols = set().union(*(e.free_symbols for e in (*given, *known.values()) if isinstance(e, sympy.Basic)))
    parameters = [s for s in symbols if s.name not in coordinates]
    both = {s.name for s in parameters if is_complex(s)} & {s.name for s in parameters if s.is_real}
    if both:
        name = min(both)
        raise InputError(
            f"'{name}' is a real parameter in one place and a complex one in another, and symbols are told apart by "
            f"name: give one of the two another name, or declare it once, as in parameters={{'{name}': 'complex'}}"
        )


def paired(symbols: Iterable[sympy.Symbol], taken: Iterable[str]) -> Pairs:
    """Complex parameters with their conjugates, which get names that nothing else has."""
    used, found = set(taken), []
    for s in symbols:
        bar = sympy.Symbol(fresh(barred(s.name), used), complex=True)
        used.add(bar.name)
        found.append((s, bar))
    return tuple(found)


def moduli_in(raw: Sequence[sympy.Expr], own: Mapping[str, Any], declared: Mapping[str, Any]) -> Pairs:
    """The complex parameters of expressions beyond `own`: complex by declaration, or conjugated.

    A complex symbol tb beside t is the conjugate of t, unless a conjugate is formed of one of them: then it is unclear
    what is meant, which raises InputError.
    """
    strangers = sorted((s for e in raw for s in e.free_symbols if s.name not in own and _may_be_complex(s)), key=str)
    strangers = list(dict.fromkeys(strangers))
    conjugated = {s for e in raw for part in e.atoms(*FORMING) for s in part.free_symbols}
    bars = {barred(s.name): s for s in strangers}
    given = tuple((bars[s.name], s) for s in strangers if s.name in bars and is_complex(s))
    together = [s for pair in given for s in pair]
    if len(set(together)) < len(together) or conjugated.intersection(together):
        t, bar = given[0]
        raise InputError(
            f"'{bar}' is the name of the conjugate of '{t}', and it is a complex parameter of its own here: "
            f"give it another name, or write conj({t}) if that is meant"
        )
    found = [s for s in strangers if s not in together and (is_complex(s) or s in conjugated)]
    return (*given, *paired(found, {*own, *declared, *names_in(raw)}))


def without_conjugates(expression: sympy.Expr) -> sympy.Expr:
    """The expression, if it forms no conjugate of a complex parameter: on a real chart that has no derivative.

    Raises InputError if it does.
    """
    for part in expression.atoms(*FORMING):
        found = sorted((s.name for s in part.free_symbols if is_complex(s)), key=str)
        if found:
            raise InputError(
                f"'{part}' forms the conjugate of the complex parameter '{found[0]}', which a real chart does not "
                f"carry: write it with real parameters, {found[0]} = {found[0]}_re + i*{found[0]}_im"
            )
    return expression


def barred(name: str) -> str:
    """The name of a conjugate: a b behind the letters, z1 → zb1."""
    head = name.rstrip("0123456789_")
    return f"{head}b{name[len(head) :]}"


def conjugate_function(function: UndefinedFunction) -> UndefinedFunction:
    """The conjugate of an unknown function, which LaTeX shows with a bar, also where sympy would show Planck's ħ."""
    name = conjugate_name(function.__name__)
    own = {"_latex": _barred_latex} if name in other_symbols else None
    return UndefinedFunction(name, __dict__=own, **({"complex": True} if declared_complex(function._kwargs) else {}))


def _barred_latex(applied: Any, printer: Any, exp: str | None = None) -> str:
    head, power = str(applied.func).removesuffix("bar"), "" if exp is None else f"^{{{exp}}}"
    shown = ", ".join(printer.doprint(a) for a in applied.args)
    return rf"\bar{{{head}}}{power}{{\left({shown} \right)}}"
