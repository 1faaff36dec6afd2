"""Signs that the ranges of coordinates prove, and what follows from them: |u| = u, sign(u) = 1, √|det g|.

A sum has a sign if it has one after every symbol was written in positive ones: x in (a, ∞) is a + p, in (−∞, b) it is
b − p, in (a, b) it is (a + b p)/(1 + p). If all coefficients of numerator and denominator then have one sign, that is
a proof; if not, nothing is known. Functions are taken to have real values, and complex symbols have no sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import sympy

Range: TypeAlias = tuple[Any, Any]
Ranges: TypeAlias = Mapping[str, Range]
WHOLE: Range = (-sympy.oo, sympy.oo)
ODD = (sympy.sinh, sympy.tanh, sympy.asinh, sympy.atan, sympy.asin, sympy.atanh, sympy.erf, sympy.sign)
"""Functions with the sign of their argument."""
CIRCULAR = {sympy.sin: (1, 0), sympy.csc: (1, 0), sympy.cos: (0, 1), sympy.sec: (0, 1), sympy.tan: (1, 1),
            sympy.cot: (1, 1)}  # fmt: skip
"""Functions whose sign is that of a product of sines and cosines of their argument."""
LONGEST_SUM = 60


def sign_of(e: sympy.Expr, ranges: Ranges) -> int | None:
    """1 if e ≥ 0 all over the ranges, −1 if e ≤ 0, None if neither was proved."""
    if e.has(sympy.I) or any(s.is_real is not True and s.is_complex for s in e.free_symbols):
        return None
    return _sign(e, ranges)


def _sign(e: sympy.Expr, ranges: Ranges) -> int | None:
    if e.is_nonnegative or e.is_nonpositive:
        return 1 if e.is_nonnegative else -1
    if e.is_Mul:
        return _product(*(_sign(a, ranges) for a in e.args))
    if e.is_Pow:
        return _of_power(e, ranges)
    if e.is_Add:
        return _of_sum(e, ranges)
    if isinstance(e, ODD):
        return _sign(e.args[0], ranges)
    if isinstance(e, sympy.log):
        return _sign(e.args[0] - 1, ranges)
    if e.func in CIRCULAR:
        return _of_angle(*CIRCULAR[e.func], e.args[0], ranges)
    if isinstance(e, sympy.Symbol) and e.name in ranges:
        low, high = ends(e, ranges)
        return 1 if low.is_nonnegative else -1 if high.is_nonpositive else None
    return None


def without_moduli(e: sympy.Expr, ranges: Ranges) -> sympy.Expr:
    """The expression with |u| and sign(u) written without them where the sign of u is proved."""
    if not e.has(sympy.Abs, sympy.sign):
        return e

    def modulus(u: sympy.Expr) -> sympy.Expr:
        return _modulus(u, ranges)

    def sign(u: sympy.Expr) -> sympy.Expr:
        return sympy.sign(u) if (found := sign_of(u, ranges)) is None else sympy.Integer(found)

    return e.replace(sympy.Abs, modulus).replace(sympy.sign, sign)


def root_of_modulus(e: sympy.Expr, ranges: Ranges) -> sympy.Expr:
    """√|e|, factor by factor: the moduli that remain are those whose sign the ranges do not prove."""
    return sympy.Mul(*[_root(f, ranges) for f in sympy.Mul.make_args(e)])


def ends(symbol: sympy.Expr, ranges: Ranges) -> Range:
    """The open interval of a symbol or an unknown function: its range, cut to the sign that it was declared to have."""
    low, high = (sympy.sympify(end, strict=True) for end in ranges.get(getattr(symbol, "name", ""), WHOLE))
    if symbol.is_nonnegative and low.is_nonnegative is not True:
        low = sympy.Integer(0)
    if symbol.is_nonpositive and high.is_nonpositive is not True:
        high = sympy.Integer(0)
    return low, high


def _root(factor: sympy.Expr, ranges: Ranges) -> sympy.Expr:
    base, exponent = factor.as_base_exp()
    if base is sympy.E:
        return sympy.exp(exponent / 2)
    half = exponent / 2
    return base**half if half.is_even else _modulus(base, ranges) ** half


def _modulus(u: sympy.Expr, ranges: Ranges) -> sympy.Expr:
    sign = sign_of(u, ranges)
    return sympy.Abs(u) if sign is None else sign * u


def _product(*signs: int | None) -> int | None:
    result = 1
    for sign in signs:
        if sign is None:
            return None
        result *= sign
    return result


def _of_power(e: sympy.Expr, ranges: Ranges) -> int | None:
    base, exponent = e.as_base_exp()
    if base is sympy.E or exponent.is_even:
        return 1
    sign = sign_of(base, ranges)
    return sign if exponent.is_odd or sign == 1 else None


def _of_angle(sines: int, cosines: int, angle: sympy.Expr, ranges: Ranges) -> int | None:
    """The sign of sin^sines cos^cosines of an angle whose range is known."""
    low, high = _reach(angle, ranges)
    if not (low.is_finite and high.is_finite and low.is_number and high.is_number):
        return None
    signs = []
    for times, shift in ((sines, 0), (cosines, sympy.pi / 2)):
        half_turn = sympy.floor((low + shift) / sympy.pi)
        inside = sympy.Le(high + shift, (half_turn + 1) * sympy.pi)
        signs.append((-1) ** (int(half_turn) * times) if inside == sympy.true or not times else None)
    return _product(*signs)


def _reach(e: sympy.Expr, ranges: Ranges) -> Range:
    """The interval that contains all values of a symbol, of a sine or cosine, or of a linear function of one symbol."""
    if isinstance(e, (sympy.sin, sympy.cos)):
        sign = sign_of(e, ranges)
        return sympy.Integer(0 if sign == 1 else -1), sympy.Integer(0 if sign == -1 else 1)
    if e.is_Symbol:
        return ends(e, ranges)
    if len(e.free_symbols) == 1 and e.is_polynomial(x := next(iter(e.free_symbols))) and sympy.degree(e, x) == 1:
        at = [e.coeff(x, 0) + e.coeff(x, 1) * end for end in ends(x, ranges)]
        return (at[0], at[1]) if e.coeff(x, 1).is_positive else (at[1], at[0])
    sign = sign_of(e, ranges) if not e.is_Add else None
    return (sympy.Integer(0), sympy.oo) if sign == 1 else (-sympy.oo, sympy.Integer(0)) if sign == -1 else WHOLE


def _of_sum(e: sympy.Expr, ranges: Ranges) -> int | None:
    terms = {sign_of(a, ranges) for a in e.args}
    if len(terms) == 1:
        return terms.pop()
    if len(e.args) > LONGEST_SUM:
        return None
    return _product(*(_of_polynomial(p, ranges) for p in sympy.fraction(sympy.together(e))))


def _of_polynomial(e: sympy.Expr, ranges: Ranges) -> int | None:
    """The sign of a polynomial in symbols and functions, by its coefficients in positive symbols."""
    if e.is_number:
        return sign_of(e, {}) if e.is_real else None
    moved, signed = sympy.sympify(e), []
    if e.has(sympy.Piecewise):
        return None
    generators = sorted(sympy.Poly(e).gens, key=lambda g: sum(end.is_finite is not False and not end.is_number
                                                              for end in _reach(g, ranges)), reverse=True)  # fmt: skip
    for g in [*generators, *sorted(_in_ends(generators, ranges), key=str)]:
        low, high = _reach(g, ranges)
        p = sympy.Dummy(positive=True)
        image = _image(low, high, p)
        if image is not None:
            moved = moved.subs(g, image)
            signed.append(p)
    return _product(*(_one_sign(part, signed) for part in sympy.fraction(sympy.together(moved))))


def _in_ends(generators: list[sympy.Expr], ranges: Ranges) -> set[sympy.Expr]:
    """The symbols that only the bounds of others bring in."""
    found: set[sympy.Expr] = set().union(*(end.free_symbols for g in generators for end in _reach(g, ranges)))
    return found - set(generators)


def _image(low: sympy.Expr, high: sympy.Expr, p: sympy.Expr) -> sympy.Expr | None:
    """The interval (low, high) as the image of the positive p; None for all real numbers."""
    if low == -sympy.oo:
        return None if high == sympy.oo else high - p
    return low + p if high == sympy.oo else (low + high * p) / (1 + p)


def _one_sign(e: sympy.Expr, positive: list[sympy.Symbol]) -> int | None:
    """The sign of a polynomial if all coefficients share it and all other variables occur in even powers."""
    e = sympy.expand(e)
    if e.is_number:
        return sign_of(e, {})
    polynomial = sympy.Poly(e)
    free = [k for k, g in enumerate(polynomial.gens) if g not in positive]
    terms = polynomial.terms()
    if any(monomial[k] % 2 for monomial, _ in terms for k in free):
        return None
    signs = {sign_of(c, {}) for _, c in terms}
    return signs.pop() if len(signs) == 1 else None
