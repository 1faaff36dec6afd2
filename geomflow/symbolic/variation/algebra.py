"""Scalars by structure: polynomials and functions of named geometric quantities, with rules for their variation.

A scalar is a graph node over symbols, each of which stands for a `Term`: v, R, Δs, ⟨∇s, ∇t⟩, ... The algebra remembers
which. Sums, products and functions are varied by the chain rule; a term brings the one rule that the textbook has for
it, and its realisation in coordinates. Nothing here knows the dimension.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import final

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.graph.modular import PRIME, Undefined, residue
from geomflow.core.graph.node import Rational


class Term(ABC):
    """A geometric quantity that the algebra treats as one symbol. Subclasses are frozen dataclasses."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The identifier of the term's symbol."""

    @property
    def arguments(self) -> tuple[gr.Node, ...]:
        """The scalars that the term is made of."""
        return ()


@final
@dataclass(frozen=True)
class Laplacian(Term):
    """Δs of a metric, Δ_∂s of a potential."""

    scalar: gr.Node

    @property
    def name(self) -> str:
        """laplacian_s."""
        return f"laplacian_{label(self.scalar)}"

    @property
    def arguments(self) -> tuple[gr.Node, ...]:
        """s."""
        return (self.scalar,)


@final
@dataclass(frozen=True)
class Pairing(Term):
    """⟨∇s, ∇t⟩ of a metric, ⟨∂s, ∂t⟩ = Re g^{ab̄}∂_as ∂_b̄t of a potential."""

    first: gr.Node
    second: gr.Node

    @property
    def name(self) -> str:
        """pairing_s_t."""
        return f"pairing_{label(self.first)}_{label(self.second)}"

    @property
    def arguments(self) -> tuple[gr.Node, ...]:
        """s and t."""
        return (self.first, self.second)


@final
@dataclass(frozen=True)
class Partial(Term):
    """∂s/∂x^i along a real coordinate: not covariant on its own."""

    scalar: gr.Node
    axis: int

    @property
    def name(self) -> str:
        """partial_i_ and the code of s."""
        return f"partial_{self.axis}_{code(self.scalar)}"

    @property
    def arguments(self) -> tuple[gr.Node, ...]:
        """s."""
        return (self.scalar,)


@dataclass
class Algebra:
    """The terms in use, by name, in order of creation: arguments always come before what is made of them."""

    terms: dict[str, Term] = field(default_factory=dict)

    def symbol(self, term: Term) -> gr.Node:
        """The symbol of a term."""
        self.terms.setdefault(term.name, term)
        return gr.symbol(term.name)

    def term(self, leaf: gr.Node) -> Term | None:
        """What a symbol stands for; None for a parameter."""
        return self.terms.get(leaf.data) if leaf.op == "symbol" else None

    def leaves(self, *scalars: gr.Node) -> list[gr.Node]:
        """The symbols of terms in the scalars, in order of creation."""
        order = {name: k for k, name in enumerate(self.terms)}
        return sorted((x for x in gr.leaves(scalars) if self.term(x) is not None), key=lambda x: order[x.data])


class Weights:
    """The weights that the terms of a varied scalar are integrated against."""

    def __init__(self, algebra: Algebra) -> None:
        self._algebra = algebra
        self._weights: dict[gr.Node, gr.Node] = {}

    def spread(self, scalar: gr.Node, weight: gr.Node) -> None:
        """The chain rule: a weight on a scalar becomes weights on its terms."""
        leaves = self._algebra.leaves(scalar)
        for leaf, slope in zip(leaves, gr.gradient(scalar, leaves), strict=True):
            self._weights[leaf] = self._weights.get(leaf, gr.ZERO) + weight * slope

    def taken(self) -> Iterator[tuple[Term, gr.Node]]:
        """The terms with their weights, each before those that it is made of, to which its rule may spread more."""
        while self._weights:
            leaf = self._algebra.leaves(*self._weights)[-1]
            weight, term = self._weights.pop(leaf), self._algebra.term(leaf)
            if weight is not gr.ZERO and term is not None:
                yield term, weight


def no_rule(term: Term) -> InputError:
    """The error for a term that has no rule of variation."""
    return InputError(f"there is no rule for the variation of {type(term).__name__} '{term.name}': write the density "
                      "in scalars such as R, f, v, laplacian(s) and dot(s, t).")


def code(node: gr.Node) -> str:
    """A short name that tells scalars apart, the same in every process."""
    return f"{node.key & 0xFFFFFFFFFF:010x}"


def label(scalar: gr.Node) -> str:
    """The name of a term's symbol, the code of any other scalar."""
    return scalar.data if scalar.op == "symbol" else code(scalar)


def by_key(*scalars: gr.Node) -> tuple[gr.Node, ...]:
    """The scalars in an order of their own, for products that commute."""
    return tuple(sorted(scalars, key=lambda s: s.key))


def second_derivatives(scalar: gr.Node, leaves: Sequence[gr.Node]) -> tuple[list[gr.Node], list[list[gr.Node]]]:
    """First and second partial derivatives by the leaves."""
    slopes = gr.gradient(scalar, leaves)
    return slopes, [gr.gradient(slope, leaves) for slope in slopes]


LARGEST = 1000
"""Denominators and numerators of recognised constants are at most this."""


def recognised(scalar: gr.Node) -> gr.Node:
    """The scalar as a rational constant if it is one identically, else as it is."""
    if scalar.op == "constant":
        return scalar
    for seed in range(8):
        try:
            value = residue(gr.schedule((scalar,)), seed)[scalar]
        except Undefined:
            continue
        guess = _reconstructed(value)
        return gr.constant(guess) if guess is not None and gr.is_zero(scalar - guess) else scalar
    return scalar


def _reconstructed(value: int) -> Rational | None:
    """The rational with small numerator and denominator that has this residue."""
    for denominator in range(1, 65):
        numerator = value * denominator % PRIME
        if numerator > PRIME // 2:
            numerator -= PRIME
        if abs(numerator) <= LARGEST:
            return Fraction(numerator, denominator) if denominator > 1 else numerator
    return None


def ratio(scalar: gr.Node, unit: gr.Node) -> gr.Node:
    """scalar / unit, as a constant where it is one."""
    return recognised(scalar / unit)


def expanded(scalar: gr.Node) -> gr.Node:
    """The scalar multiplied out, so that what cancels is seen to cancel."""
    import sympy

    from geomflow.core.graph.sympy_bridge import from_sympy, to_sympy

    return from_sympy(sympy.expand(to_sympy(scalar)))
