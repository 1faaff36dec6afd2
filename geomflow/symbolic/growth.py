"""Numbers that nobody can evaluate: exp(exp(exp(20))), and what is made of it."""

from __future__ import annotations

import math

import sympy

#: Binary digits, before or behind the point, of the largest and the smallest number that is evaluated.
MOST_BITS = 20_000
_EXPONENTIAL = (sympy.exp, sympy.sinh, sympy.cosh, sympy.tanh, sympy.coth)
_PERIODIC = (sympy.sin, sympy.cos, sympy.tan, sympy.cot, sympy.sec, sympy.csc)


def overgrown(expression: sympy.Expr) -> bool:
    """Whether a number in it is beyond 2^±20,000: its size, or its place in a period, takes for ever to find.

    Parts come before what they stand in, so that only numbers within the bound are evaluated.
    """
    return any(_beyond(node) for node in sympy.postorder_traversal(expression) if node.args and node.is_number)


def _beyond(node: sympy.Expr) -> bool:
    most = MOST_BITS * math.log(2)
    if isinstance(node, sympy.Pow) and not node.base.is_zero:
        exponent = node.exp if node.base == sympy.E else node.exp * sympy.log(node.base)
        return _size(sympy.re(exponent)) > most
    if isinstance(node, _EXPONENTIAL):
        return _size(sympy.re(node.args[0])) > most
    if isinstance(node, _PERIODIC):
        return _size(sympy.im(node.args[0])) > most
    if isinstance(node, sympy.erf):
        return _size(sympy.im(node.args[0])) ** 2 > most
    return isinstance(node, sympy.Add | sympy.Mul) and abs(_exponent(node)) > MOST_BITS


def _exponent(number: sympy.Expr) -> int:
    """e where the number is about 2^e."""
    parts = [part._mpf_ for part in sympy.N(number, 15).as_real_imag() if isinstance(part, sympy.Float) and part]
    return max((exponent + bits for _, _, exponent, bits in parts), default=0)


def _size(number: sympy.Expr) -> float:
    return float(abs(sympy.N(number, 15))) if _exponent(number) < 1000 else math.inf
