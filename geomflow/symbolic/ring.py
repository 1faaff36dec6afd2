"""Rings with derivations: what a tensor formula needs to know of the expressions it is written in.

The formulas of `curvature` are written once, over object arrays of elements.
Elements bring + - * and /; the ring brings numbers, derivations and sums of products. Rings live on the expression
graph (real, Wirtinger) and on fields of fractions (`geomflow.symbolic.fractions`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any, Generic, Protocol, Self, TypeVar, final

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.graph.sympy_bridge import all_to_sympy, with_functions
from geomflow.core.symmetric import packed_places

HALF = Fraction(1, 2)


class Arithmetic(Protocol):
    """What elements bring: + - * / among themselves and with rational numbers."""

    def __add__(self, other: Any, /) -> Self: ...
    def __sub__(self, other: Any, /) -> Self: ...
    def __mul__(self, other: Any, /) -> Self: ...
    def __truediv__(self, other: Any, /) -> Self: ...
    def __neg__(self) -> Self: ...


E = TypeVar("E", bound=Arithmetic)


class Ring(ABC, Generic[E]):
    """Elements with + - * / and `dim` commuting derivations."""

    zero: E
    one: E
    dim: int
    mirror: Callable[[E], E] | None = None
    """Complex conjugation, where it is an operation of the ring."""

    @abstractmethod
    def number(self, value: int | Fraction) -> E:
        """The rational `value` as an element."""

    @abstractmethod
    def d(self, element: E, axis: int) -> E:
        """The derivation number `axis` of the element."""

    @abstractmethod
    def vanishes(self, element: E) -> bool:
        """Whether the element is seen to be zero without work: used to skip terms, never to decide."""

    @abstractmethod
    def dot(self, pairs: Iterable[tuple[E, E]]) -> E:
        """The sum of x * y over the pairs."""

    def total(self, terms: Iterable[E]) -> E:
        """The sum of the terms."""
        return self.dot((term, self.one) for term in terms)

    def real(self, element: E) -> E:
        """An element known to be real, written so that it is seen."""
        return element

    def array(self, shape: int | tuple[int, ...]) -> np.ndarray:
        """An object array of zeros."""
        result = np.empty(shape, dtype=object)
        result.fill(self.zero)
        return result

    def differential(self, values: np.ndarray, axes: Sequence[int] | None = None) -> np.ndarray:
        """All derivatives, in a new last index: `result[..., k]` is ∂_k values[...]."""
        axes = range(self.dim) if axes is None else axes
        result = self.array((*values.shape, len(axes)))
        for place, value in np.ndenumerate(values):
            for k, axis in enumerate(axes):
                result[(*place, k)] = self.d(value, axis)
        return result

    def scaled(self, values: np.ndarray, number: int | Fraction) -> np.ndarray:
        """Every element times a rational number."""
        result: np.ndarray = values * self.number(number)
        return result

    def symmetric(self, dim: int, entry: Callable[[int, int], E]) -> np.ndarray:
        """The symmetric matrix whose (i, j) entry is `entry(i, j)`, computed for i <= j."""
        result = self.array((dim, dim))
        for i, j in packed_places(dim):
            result[i, j] = result[j, i] = entry(i, j)
        return result

    def multiply(self, *matrices: np.ndarray) -> np.ndarray:
        """The product of matrices of elements."""
        total = matrices[0]
        for factor in matrices[1:]:
            result = self.array((len(total), factor.shape[1]))
            for i, j in np.ndindex(result.shape):
                result[i, j] = self.dot((total[i, k], factor[k, j]) for k in range(len(factor)))
            total = result
        return total


class ExactRing(Ring[E]):
    """A ring that is read from sympy, written to sympy, and in which zero is decided."""

    @abstractmethod
    def read(self, expression: sympy.Expr) -> E:
        """A sympy expression as an element."""

    @abstractmethod
    def write(self, elements: Sequence[E]) -> list[sympy.Expr]:
        """Elements as sympy expressions; what is zero is written 0."""

    @abstractmethod
    def verdict(self, element: E) -> gr.Verdict:
        """Whether the element is zero, and how surely that is known."""

    def is_zero(self, element: E) -> bool:
        """Whether the element is zero, proved or probable."""
        return bool(self.verdict(element))


@final
class GraphRing(ExactRing[gr.Node]):
    """Real expression-graph nodes with total derivatives along named coordinates.

    `symbols` and `functions` are the sympy symbols and unknown functions that nodes are written in. Zero is decided on
    the `domain`; `finish` is applied to what is written. Along `ignorable` coordinates all derivatives vanish.
    """

    def __init__(
        self,
        coordinates: Sequence[str],
        *,
        ignorable: Sequence[str] = (),
        symbols: Iterable[sympy.Symbol] = (),
        functions: Iterable[Any] = (),
        domain: gr.Domain = gr.REALS,
        finish: Callable[[Sequence[sympy.Expr]], list[sympy.Expr]] = list,
    ) -> None:
        self.coordinates = tuple(coordinates)
        self.dim = len(self.coordinates)
        self.zero, self.one = gr.ZERO, gr.ONE
        self._symbols = {s.name: s for s in symbols}
        self._functions = {f.__name__: f for f in functions}
        self.derivation = gr.Derivation(self.coordinates, ignorable)
        self._domain = domain
        self._finish = finish
        self._verdicts: dict[gr.Node, gr.Verdict] = {}

    def number(self, value: int | Fraction) -> gr.Node:
        return gr.constant(value)

    def d(self, element: gr.Node, axis: int) -> gr.Node:
        return self.derivation(element, axis)

    def vanishes(self, element: gr.Node) -> bool:
        return element is gr.ZERO

    def dot(self, pairs: Iterable[tuple[gr.Node, gr.Node]]) -> gr.Node:
        return gr.add(*(x * y for x, y in pairs if x is not gr.ZERO and y is not gr.ZERO))

    def read(self, expression: sympy.Expr) -> gr.Node:
        return with_functions(expression)

    def write(self, elements: Sequence[gr.Node]) -> list[sympy.Expr]:
        new = [e for e in dict.fromkeys(elements) if e not in self._verdicts]
        self._verdicts |= zip(new, gr.verdicts(new, self._domain), strict=True)
        kept = [gr.ZERO if self.is_zero(e) else e for e in elements]
        return self._finish(all_to_sympy(kept, self._symbols, functions=self._functions))

    def verdict(self, element: gr.Node) -> gr.Verdict:
        if element not in self._verdicts:
            self._verdicts[element] = gr.is_zero(element, self._domain)
        return self._verdicts[element]


@final
class WirtingerRing(Ring[gr.Complex]):
    """Complex numbers of real nodes, with ∂_a (numbers 0..n-1) and ∂_ā (numbers n..2n-1).

    The coordinates are real and come in pairs x^1, y^1, x^2, y^2, ...; z^a = x^a + i y^a, ∂_a = ½(∂_x − i ∂_y).
    """

    def __init__(self, coordinates: Sequence[str]) -> None:
        self.coordinates = tuple(coordinates)
        self.dim = len(self.coordinates)
        self.complex_dim = self.dim // 2
        self.mirror = gr.Complex.conjugate
        self.zero, self.one = gr.Complex(gr.ZERO), gr.Complex(gr.ONE)
        self.derivation = gr.Derivation(self.coordinates)

    def number(self, value: int | Fraction) -> gr.Complex:
        return gr.Complex(gr.constant(value))

    def d(self, element: gr.Complex, axis: int) -> gr.Complex:
        a, sign = axis % self.complex_dim, -1 if axis < self.complex_dim else 1
        re_x, im_x = (self.derivation(part, 2 * a) for part in (element.re, element.im))
        re_y, im_y = (self.derivation(part, 2 * a + 1) for part in (element.re, element.im))
        return gr.Complex(HALF * (re_x - sign * im_y), HALF * (im_x + sign * re_y))

    def vanishes(self, element: gr.Complex) -> bool:
        return element.re is gr.ZERO and element.im is gr.ZERO

    def dot(self, pairs: Iterable[tuple[gr.Complex, gr.Complex]]) -> gr.Complex:
        terms = [x * y for x, y in pairs if not (self.vanishes(x) or self.vanishes(y))]
        return gr.Complex(gr.add(*(t.re for t in terms)), gr.add(*(t.im for t in terms)))

    def real(self, element: gr.Complex) -> gr.Complex:
        return gr.Complex(element.re)
