"""Nodes of the expression graph: immutable, and interned so that equal expressions are one object."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary

Rational = int | Fraction


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
        return arithmetic().add(self, other)

    def __radd__(self, other: Node | Rational) -> Node:
        return arithmetic().add(other, self)

    def __neg__(self) -> Node:
        return arithmetic().mul(-1, self)

    def __sub__(self, other: Node | Rational) -> Node:
        return arithmetic().subtract(self, other)

    def __rsub__(self, other: Node | Rational) -> Node:
        return arithmetic().subtract(other, self)

    def __mul__(self, other: Node | Rational) -> Node:
        return arithmetic().mul(self, other)

    def __rmul__(self, other: Node | Rational) -> Node:
        return arithmetic().mul(other, self)

    def __truediv__(self, other: Node | Rational) -> Node:
        return arithmetic().divide(self, other)

    def __rtruediv__(self, other: Node | Rational) -> Node:
        return arithmetic().divide(other, self)

    def __pow__(self, exponent: Rational) -> Node:
        return arithmetic().power(self, exponent)

    def __repr__(self) -> str:
        from geomflow.core.graph.show import text

        return text(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return (intern, (self.op, self.data, self.args))

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Node:
        return self


@lru_cache(maxsize=1)
def arithmetic() -> Any:
    """The module of canonical constructors, which itself stands on this one."""
    from geomflow.core.graph import build

    return build


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
