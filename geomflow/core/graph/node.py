"""Nodes of the expression graph, and the constructors that bring them to canonical form.

Nodes are immutable and interned: equal expressions are one object. Sums collect rational coefficients, products
collect powers. Light sums are merged into sums, products always into products; heavy sums stay whole, so that a
subexpression shared by many is computed once. Sums are kept primitive (coprime integer coefficients, the first of them
positive) and the rational content stands in front, so that a - b and b - a share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import gcd, isqrt, lcm
from typing import Any
from weakref import WeakValueDictionary

from geomflow.core.errors import ExpressionError
from geomflow.core.graph.show import text

Rational = int | Fraction

LIGHT = 4
"""Sums of at most this many terms are merged into a sum that contains them."""


class Node:
    """One operation of an exact expression; build it with the functions of `geomflow.core.graph`.

    `op` is one of

    - ``"constant"``: `data` is a rational, or the name ``"pi"`` or ``"I"``;
    - ``"symbol"``: `data` is the name of a coordinate or a parameter;
    - ``"jet"``: `data` is ``(field, index)``, the derivative of an unknown field, `index[i]` times in coordinate i;
    - ``"add"``: ``data[0] + sum(c * a for c, a in zip(data[1], args))`` with rational coefficients;
    - ``"mul"``: ``prod(a**e for a, e in zip(args, data))`` with nonzero rational exponents;
    - ``"call"``: the function named `data` of ``args[0]``;
    - ``"apply"``: `data` is ``(function, index)``, the derivative of an unknown function, `index[i]` times in its
      argument i, at the arguments `args`.

    Equality and hash are those of identity. `key` is a 64-bit structural number, the same in every
    process: it fixes the order of arguments, and with it every text generated from a graph.
    """

    __slots__ = ("__weakref__", "args", "data", "key", "op")

    op: str
    args: tuple[Node, ...]
    data: Any
    key: int

    def __add__(self, other: Node | Rational) -> Node:
        return add(self, other)

    def __radd__(self, other: Node | Rational) -> Node:
        return add(other, self)

    def __neg__(self) -> Node:
        return mul(-1, self)

    def __sub__(self, other: Node | Rational) -> Node:
        return subtract(self, other)

    def __rsub__(self, other: Node | Rational) -> Node:
        return subtract(other, self)

    def __mul__(self, other: Node | Rational) -> Node:
        return mul(self, other)

    def __rmul__(self, other: Node | Rational) -> Node:
        return mul(other, self)

    def __truediv__(self, other: Node | Rational) -> Node:
        return divide(self, other)

    def __rtruediv__(self, other: Node | Rational) -> Node:
        return divide(other, self)

    def __pow__(self, exponent: Rational) -> Node:
        return power(self, exponent)

    def __repr__(self) -> str:
        return text(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return (intern, (self.op, self.data, self.args))

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Node:
        return self


@lru_cache(maxsize=65536)
def stable_text(text: str) -> int:
    """A hash of text that is the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest())


def _stable(data: Any) -> int:
    """A hash of node data that is the same in every process and tells -1 from -2."""
    if isinstance(data, int):
        return hash(data + (1 << 60))
    if isinstance(data, str):
        return stable_text(data)
    if isinstance(data, Fraction):
        return hash((7, data.numerator + (1 << 60), data.denominator))
    return hash(tuple(map(_stable, data)))


_interned: WeakValueDictionary[tuple[Any, ...], Node] = WeakValueDictionary()


def intern(op: str, data: Any, args: tuple[Node, ...] = ()) -> Node:
    """The one node with this content; canonical form is the caller's duty."""
    content = (op, data, args)
    node = _interned.get(content)
    if node is None:
        node = object.__new__(Node)
        node.op, node.data, node.args = op, data, args
        node.key = hash((_stable(op), _stable(data), *[a.key for a in args]))
        _interned[content] = node
    return node


def exact(value: Rational | float) -> Rational:
    """The rational number as int where it is integral, else as Fraction; floats are refused."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else value
    raise ExpressionError(f"the expression graph is exact and holds no {type(value).__name__} ({value!r}); "
                          "give an int or a Fraction")


def constant(value: Rational) -> Node:
    """The rational constant `value`."""
    return intern("constant", exact(value))


def symbol(name: str) -> Node:
    """A coordinate or a parameter, by name."""
    return intern("symbol", name)


def jet(field: str, index: Sequence[int]) -> Node:
    """The derivative of the unknown `field`, taken `index[i]` times in coordinate i."""
    return intern("jet", (field, tuple(index)))


def apply(function: str, index: Sequence[int], args: Sequence[Node | Rational]) -> Node:
    """The derivative of an unknown function of any arguments, taken `index[i]` times in argument i, at `args`."""
    return intern("apply", (function, tuple(index)), tuple(map(node, args)))


ZERO, ONE = constant(0), constant(1)
PI, I = intern("constant", "pi"), intern("constant", "I")


def node(value: Node | Rational) -> Node:
    """`value` itself if it is a node, else the constant."""
    return value if isinstance(value, Node) else constant(value)


def is_number(value: Node) -> bool:
    """Whether the node is a rational constant."""
    return value.op == "constant" and not isinstance(value.data, str)


def add(*terms: Node | Rational) -> Node:
    """The sum of the terms."""
    return linear(0, ((1, node(t)) for t in terms))


def subtract(first: Node | Rational, second: Node | Rational) -> Node:
    """first - second."""
    return linear(0, ((1, node(first)), (-1, node(second))))


def linear(start: Rational, terms: Iterable[tuple[Rational, Node]]) -> Node:
    """start + sum of c * x over the pairs (c, x)."""
    collected: dict[Node, Rational] = {}
    pending = list(terms)[::-1]
    while pending:
        factor, term = pending.pop()
        if term.op == "add" and len(term.args) <= LIGHT:
            start += factor * term.data[0]
            pending.extend((factor * c, a) for c, a in zip(term.data[1], term.args, strict=True))
        elif is_number(term):
            start += factor * term.data
        else:
            collected[term] = collected.get(term, 0) + factor
    kept = sorted(((x, c) for x, c in collected.items() if c), key=lambda pair: pair[0].key)
    return _primitive(exact(start), [(x, exact(c)) for x, c in kept])


def _primitive(start: Rational, terms: list[tuple[Node, Rational]]) -> Node:
    if not terms:
        return intern("constant", start)
    if len(terms) == 1 and start == 0:
        return _scaled(terms[0][1], terms[0][0])
    content = _content([c for _, c in terms], start)
    if content != 1:
        start = exact(Fraction(start) / content)
        terms = [(x, exact(Fraction(c) / content)) for x, c in terms]
    whole = intern("add", (start, tuple(c for _, c in terms)), tuple(x for x, _ in terms))
    return _scaled(content, whole)


def _content(coefficients: list[Rational], start: Rational) -> Rational:
    sign = 1 if coefficients[0] > 0 else -1
    values = [*coefficients, start] if start else coefficients
    whole = [v for v in values if isinstance(v, int)]
    if len(whole) == len(values):
        return sign * gcd(*whole)
    numerators, denominators = zip(*(v.as_integer_ratio() for v in values), strict=True)
    return exact(sign * Fraction(gcd(*numerators), lcm(*denominators)))


def _scaled(coefficient: Rational, value: Node) -> Node:
    return value if coefficient == 1 else intern("add", (0, (coefficient,)), (value,))


def split(value: Node) -> tuple[Rational, Node]:
    """The pair (c, x) with value = c * x and x without a rational factor."""
    if value.op == "add" and len(value.args) == 1 and value.data[0] == 0:
        return value.data[1][0], value.args[0]
    return 1, value


def mul(*factors: Node | Rational) -> Node:
    """The product of the factors."""
    return product((node(f), 1) for f in factors)


def divide(first: Node | Rational, second: Node | Rational) -> Node:
    """first / second."""
    return product(((node(first), 1), (node(second), -1)))


def power(base: Node | Rational, exponent: Rational) -> Node:
    """base to a rational exponent; for odd denominators and even ones the principal root is meant."""
    return product(((node(base), exact(exponent)),))


def product(factors: Iterable[tuple[Node, Rational]]) -> Node:
    """The product of x**e over the pairs (x, e)."""
    coefficient: Rational = 1
    collected: dict[Node, Rational] = {}
    pending = list(factors)[::-1]
    while pending:
        base, exponent = pending.pop()
        if is_number(base) and exponent.denominator == 1:
            coefficient = coefficient * _number_power(base, int(exponent))
        elif opened := _opened(base, exponent):
            pending.extend(opened)
        else:
            collected[base] = total = exact(collected.get(base, 0) + exponent)
            if total.denominator == 1 and exponent.denominator != 1 and base.op in ("mul", "add", "constant"):
                pending.append((base, total))
                del collected[base]
    coefficient, collected = _imaginary(coefficient, collected)
    if coefficient == 0:
        return ZERO
    kept = sorted(((x, e) for x, e in collected.items() if e), key=lambda pair: pair[0].key)
    return linear(0, ((exact(coefficient), _product_node(kept)),))


def _product_node(kept: list[tuple[Node, Rational]]) -> Node:
    if not kept:
        return ONE
    if len(kept) == 1 and kept[0][1] == 1:
        return kept[0][0]
    return intern("mul", tuple(e for _, e in kept), tuple(x for x, _ in kept))


def _number_power(base: Node, exponent: int) -> Rational:
    if base.data == 0 and exponent < 0:
        raise ExpressionError("division by zero in an exact expression")
    return exact(Fraction(base.data) ** exponent)


def _opened(base: Node, exponent: Rational) -> list[tuple[Node, Rational]] | None:
    """The factors of a product, of a scaled node, or of a root of a number; None for an atom."""
    if is_number(base):
        return _root_of_number(base.data, exponent)
    coefficient, rest = split(base)
    if coefficient != 1 and (exponent.denominator == 1 or coefficient > 0):
        return [(rest, exponent), (constant(coefficient), exponent)]
    if base.op == "mul" and exponent.denominator == 1:
        return [(a, e * exponent) for a, e in zip(base.args, base.data, strict=True)]
    return None


def _root_of_number(value: Rational, exponent: Rational) -> list[tuple[Node, Rational]] | None:
    """Pull squares out of square roots, and the integer part out of any exponent."""
    if value in (0, 1):
        return [(intern("constant", value), 1)]
    if value < 0 and exponent.denominator == 2:
        return [(I, exponent * 2), (constant(-value), exponent)]
    whole = exponent.numerator // exponent.denominator
    if whole:
        return [(constant(value), whole), (constant(value), exponent - whole)]
    if exponent.denominator != 2:
        return None
    if isinstance(value, Fraction):
        return [(constant(value.numerator * value.denominator), exponent), (constant(value.denominator), -1)]
    square = _largest_square(value)
    return [(constant(square), 1), (constant(value // square**2), exponent)] if square > 1 else None


def _largest_square(value: int) -> int:
    """The largest s <= 1000 (or the exact root) with s**2 dividing value."""
    root = isqrt(value)
    if root * root == value:
        return root
    return next((s for s in range(min(root, 1000), 1, -1) if value % (s * s) == 0), 1)


def _imaginary(coefficient: Rational, collected: dict[Node, Rational]) -> tuple[Rational, dict[Node, Rational]]:
    exponent = collected.get(I, 0)
    if not exponent or exponent.denominator != 1:
        return coefficient, collected
    quarter = int(exponent) % 4
    rest = {x: e for x, e in collected.items() if x is not I}
    if quarter % 2:
        rest[I] = 1
    return (-coefficient if quarter >= 2 else coefficient), rest
