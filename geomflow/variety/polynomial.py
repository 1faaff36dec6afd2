"""Polynomials as tables of exact terms: read, checked, differentiated by compiled loops."""

from __future__ import annotations

import math
import re
from cmath import inf, isfinite
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from sys import float_info

import numpy as np
import sympy

from geomflow.codegen import PointRoutine, compile_points
from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, InputError
from geomflow.core.exact_numbers import overgrown
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.symbolic.given import given, given_names
from geomflow.symbolic.meaning import CONSTANTS, FUNCTIONS
from geomflow.symbolic.parse import parse
from geomflow.symbolic.words import tokens
from geomflow.variety.routines import polynomial as routine


@dataclass(frozen=True, eq=False)
class Polynomial:
    """Σ_t coefficients[t] · z^{exponents[t]}: (terms, N) whole exponents, exact and complex coefficients.

    Parameters
    ----------
    names : tuple of str
        The N coordinates.
    exponents : (terms, N) array of int
        Powers >= 0.
    exact : tuple of sympy.Expr
        The coefficients, one a term.
    """

    names: tuple[str, ...]
    exponents: np.ndarray
    exact: tuple[sympy.Expr, ...]

    @cached_property
    def coefficients(self) -> np.ndarray:
        """The coefficients in double precision, shape (terms,)."""
        return np.array([complex(c) for c in self.exact])

    @cached_property
    def table(self) -> routine.Table:
        """(left, right, monomial, coefficient), what the compiled loops read: see `routines.polynomial`."""
        return routine.table(self.exponents, self.coefficients)

    @cached_property
    def routine(self) -> PointRoutine:
        """Compiled (Q, ∂Q/∂z_0, …): a routine of the N coordinates with readable `.source`, result (…, 1 + N)."""
        symbols = sympy.symbols(self.names)
        outputs = [self.expression, *(self.expression.diff(s) for s in symbols)]
        return compile_points([from_sympy(sympy.expand(e)) for e in outputs], [gr.symbol(n) for n in self.names])

    @cached_property
    def expression(self) -> sympy.Expr:
        """The polynomial as a sympy expression."""
        symbols = sympy.symbols(self.names)
        return sympy.Add(
            *(c * sympy.prod([s ** int(e) for s, e in zip(symbols, m)]) for c, m in zip(self.exact, self.exponents))
        )

    def scaled(self, scale: np.ndarray) -> Polynomial:
        """Q(s·y) as a polynomial in y, for powers of two s, (N,): exact.

        Parameters
        ----------
        scale : (N,) array
            Powers of two.
        """
        factors = [sympy.prod([sympy.Rational(s) ** int(e) for s, e in zip(scale, m) if e]) for m in self.exponents]
        return Polynomial(self.names, self.exponents, tuple(c * f for c, f in zip(self.exact, factors)))

    def value(self, z: np.ndarray) -> np.ndarray:
        """Q(z) for z of shape (..., N).

        Parameters
        ----------
        z : (..., N) complex array
            Homogeneous coordinates.
        """
        return self.gradient(z)[0]

    def gradient(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Q(z) and ∂Q/∂z_i: (..., N) -> (...), (..., N).

        Parameters
        ----------
        z : (..., N) complex array
            Homogeneous coordinates.
        """
        z = np.ascontiguousarray(z, dtype=complex)
        values, slopes = np.empty(z.shape[:-1], complex), np.empty_like(z)
        rows = z.reshape(-1, z.shape[-1])
        routine.gradients(rows, self.table, values.reshape(-1), slopes.reshape(rows.shape))
        return values, slopes

    def hessian(self, z: np.ndarray) -> np.ndarray:
        """∂²Q/∂z_i∂z_j: (..., N) -> (..., N, N).

        Parameters
        ----------
        z : (..., N) complex array
            Homogeneous coordinates.
        """
        z = np.ascontiguousarray(z, dtype=complex)
        out = np.empty((*z.shape, z.shape[-1]), complex)
        routine.hessians(z.reshape(-1, z.shape[-1]), self.table, out.reshape(-1, *out.shape[-2:]))
        return out

    def __str__(self) -> str:
        text = " + ".join(_term(c, self.names, m) for c, m in zip(self.exact, self.exponents))
        return text.replace("+ -", "- ")


def _term(coefficient: sympy.Expr, names: Sequence[str], exponents: np.ndarray) -> str:
    powers = "*".join(n if e == 1 else f"{n}^{e}" for n, e in zip(names, exponents) if e)
    if coefficient == 1 or coefficient == -1:
        return powers if coefficient == 1 else f"-{powers}"
    number = str(coefficient).replace("**", "^")
    return f"({number})*{powers}" if coefficient.is_Add else f"{number}*{powers}"


def read(source: str | sympy.Expr | Polynomial, names: Sequence[str] | None = None) -> Polynomial:
    """The polynomial that a text or a sympy expression says.

    `names` are the homogeneous coordinates in order; without them every name in the text is one, in natural order
    (z2 before z10). Raises `ExpressionError` where it cannot be read and `InputError` where it is no polynomial.
    """
    if isinstance(source, Polynomial):
        return _without_zeros(source)
    names = None if names is None else [str(name) for name in given_names(names)]
    if isinstance(source, (list, tuple, set, np.ndarray, sympy.MatrixBase)):
        raise InputError(
            f"{len(source)} polynomials in a {type(source).__name__} were given, and a hypersurface has one equation: "
            "give that polynomial alone (intersections of several hypersurfaces are not offered)"
        )
    expression, symbols = _read_text(source, names) if isinstance(source, str) else _read_sympy(source, names)
    if not symbols:
        raise ExpressionError(f"no coordinates in '{source}'; write for example 'z0^5 + z1^5 + z2^5 + z3^5 + z4^5'")
    require_short(expression, symbols)
    try:
        polynomial = sympy.Poly(expression, *symbols)
    except sympy.PolynomialError as error:
        raise InputError(f"not a polynomial in {', '.join(map(str, symbols))}: {error}") from None
    terms = polynomial.terms()
    loose = sorted({str(s) for _, c in terms for s in c.free_symbols})
    if loose:
        raise InputError(f"the coefficients contain {', '.join(loose)}; substitute numbers for them")
    if polynomial.is_zero:
        raise InputError("the polynomial is zero: every point would be on the variety")
    for monomial, c in terms:
        if wrong := _beyond_doubles(c):
            raise InputError(f"the coefficient of {_term(sympy.S.One, list(map(str, symbols)), monomial)} is {wrong}")
    exponents = np.array([m for m, _ in terms], dtype=np.int64)
    return Polynomial(tuple(map(str, symbols)), exponents, tuple(c for _, c in terms))


def _beyond_doubles(number: sympy.Expr) -> str:
    """What keeps a coefficient that is not zero from being a double; nothing where it is one."""
    large = "beyond double precision (1.8e308): the variety is that of a multiple of the polynomial"
    if overgrown(number):
        return large
    if number.is_Rational:
        value: complex = 0.0 if abs(number) < float_info.min else 1.0 if abs(number) <= float_info.max else inf
    else:
        value = complex(number)
    if not isfinite(value):
        return large
    return "" if value else f"zero or below double precision ({float_info.min:.2g}): leave this term out"


def _read_text(text: str, names: Sequence[str] | None) -> tuple[sympy.Expr, list[sympy.Symbol]]:
    if names is None:
        written = {word.text for word in tokens(text) if word.kind == "name"}
        names = sorted(written - {*CONSTANTS, *FUNCTIONS}, key=natural)
    symbols = [sympy.Symbol(name) for name in names]
    return parse(text, dict(zip(names, symbols))), symbols


def _read_sympy(expression: sympy.Expr, names: Sequence[str] | None) -> tuple[sympy.Expr, list[sympy.Symbol]]:
    expression = given(expression)
    free = {s.name: s for s in expression.free_symbols}
    chosen = list(names) if names is not None else sorted(free, key=natural)
    return expression, [free.get(name, sympy.Symbol(name)) for name in chosen]


def _without_zeros(polynomial: Polynomial) -> Polynomial:
    kept = [t for t, c in enumerate(polynomial.exact) if c != 0]
    return Polynomial(polynomial.names, polynomial.exponents[kept], tuple(polynomial.exact[t] for t in kept))


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts z2 before z10."""
    parts = re.findall(r"\d+|\D+", name)
    return tuple((1, int(p), "") if p.isdigit() else (0, 0, p) for p in parts)


MOST_TERMS = 10_000
"""All monomials of a Calabi–Yau hypersurface in P^7 are 6,435."""
MANY = 10**18
"""All larger numbers are told alike."""


def require_short(expression: sympy.Expr, symbols: Sequence[sympy.Symbol]) -> None:
    """Raise `InputError`, with the number, where a polynomial written out may have more than `MOST_TERMS` terms."""
    terms, degree = size_written_out(expression, frozenset(symbols))
    if terms > MOST_TERMS:
        raise InputError(f"written out, the polynomial has up to {_count(terms)} terms of degree up to {_count(degree)}"
                         f"; the most is {MOST_TERMS:,} terms")


def size_written_out(expression: sympy.Expr, symbols: frozenset[sympy.Symbol]) -> tuple[int, int]:
    """Bounds of the number of terms and of the degree of an expression that is written out in some symbols.

    >>> x, y, z = sympy.symbols("x y z")
    >>> size_written_out((x + y + z)**200, frozenset((x, y, z)))
    (20301, 200)
    """
    if not expression.free_symbols & symbols:
        return 1, 0
    if isinstance(expression, sympy.Add | sympy.Mul):
        parts = [size_written_out(part, symbols) for part in expression.args]
        if expression.is_Add:
            return sum(terms for terms, _ in parts), max(degree for _, degree in parts)
        degree = sum(degree for _, degree in parts)
        return min(math.prod(terms for terms, _ in parts), _all(len(symbols), degree)), degree
    if isinstance(expression, sympy.Pow) and expression.exp.is_Integer and expression.exp > 0:
        terms, degree = size_written_out(expression.base, symbols)
        power = int(expression.exp)
        return min(_all(terms, power, homogeneous=True), _all(len(symbols), degree * power)), degree * power
    return 1, 1


def _all(variables: int, degree: int, homogeneous: bool = False) -> int:
    """All monomials of a degree in so many variables, of lower degrees too unless `homogeneous`."""
    if min(variables - homogeneous, degree) > 60:
        return MANY
    return min(MANY, math.comb(variables + degree - homogeneous, degree))


def _count(number: int) -> str:
    return f"{number:,}" if number < MANY else "10^18 or more"
