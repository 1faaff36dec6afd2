"""Scalars by structure: polynomials and functions of named geometric quantities, and the outline of their variation.

A scalar is a graph node over symbols, each of which stands for a `Term`: v, R, Δs, ⟨∇s, ∇t⟩, ... The algebra remembers
which. Sums, products and functions are varied by the chain rule; a term brings the one rule that the textbook has for
it, and its realisation in coordinates. Nothing here knows the dimension.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Generic, Self, TypeVar, final

from geomflow.core import graph as gr
from geomflow.core.errors import InputError


class Term(ABC):
    """A geometric quantity that the algebra treats as one symbol. Subclasses are frozen dataclasses."""

    stem: ClassVar[str]
    """What the name of the term's symbol begins with."""

    @property
    def arguments(self) -> tuple[gr.Node, ...]:
        """The scalars that the term is made of."""
        return tuple(part for part in vars(self).values() if isinstance(part, gr.Node))

    @property
    def name(self) -> str:
        """The identifier of the term's symbol: the stem, and what tells its arguments apart."""
        return "_".join([self.stem, *map(label, self.arguments)])


@final
@dataclass(frozen=True)
class Scalar(Term):
    """R, which is −2Δ_∂ log v of a potential."""

    stem: ClassVar[str] = "R"


@final
@dataclass(frozen=True)
class Laplacian(Term):
    """Δs of a metric, Δ_∂s of a potential."""

    scalar: gr.Node
    stem: ClassVar[str] = "laplacian"


@final
@dataclass(frozen=True)
class Pairing(Term):
    """⟨∇s, ∇t⟩ of a metric, ⟨∂s, ∂t⟩ = Re g^{ab̄}∂_as ∂_b̄t of a potential."""

    first: gr.Node
    second: gr.Node
    stem: ClassVar[str] = "pairing"


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

    def slopes(self, scalar: gr.Node) -> list[tuple[gr.Node, gr.Node]]:
        """The pairs (x, c) of ∇s = Σ c ∇x: the symbols of terms in a scalar, and its derivatives by them."""
        leaves = self.leaves(scalar)
        return list(zip(leaves, gr.gradient(scalar, leaves), strict=True))

    @property
    def scalar(self) -> gr.Node:
        """R."""
        return self.symbol(Scalar())


A = TypeVar("A", bound=Algebra)


@dataclass
class Variation(ABC, Generic[A]):
    """The first variation of the integral of a scalar against the volume, term by term.

    rules   the terms met, each with the weight that its variation is integrated against
    """

    algebra: A
    rules: list[tuple[Term, gr.Node]] = field(default_factory=list, kw_only=True)
    _weights: dict[gr.Node, gr.Node] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, algebra: A, integrand: gr.Node) -> Self:
        """The variation of ∫ integrand: that of the volume, then of each term before those that it is made of."""
        found = cls(algebra)
        found._vary_volume(integrand)
        found.spread(integrand, gr.ONE)
        while found._weights:
            leaf = algebra.leaves(*found._weights)[-1]
            weight, term = found._weights.pop(leaf), algebra.terms[leaf.data]
            if weight is not gr.ZERO:
                found.rules.append((term, weight))
                found._vary_term(term, weight)
        found._tidy()
        return found

    def spread(self, scalar: gr.Node, weight: gr.Node) -> None:
        """The chain rule: a weight on a scalar becomes weights on its terms."""
        for leaf, slope in self.algebra.slopes(scalar):
            self._weights[leaf] = self._weights.get(leaf, gr.ZERO) + weight * slope

    @abstractmethod
    def _vary_volume(self, integrand: gr.Node) -> None:
        """Add ∫ integrand δ(volume)."""

    @abstractmethod
    def _vary_term(self, term: Term, weight: gr.Node) -> None:
        """Add ∫ weight δ(term), integrated by parts; a weight on a scalar within is spread."""

    @abstractmethod
    def _tidy(self) -> None:
        """Drop what cancels."""


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


def expanded(scalar: gr.Node) -> gr.Node:
    """The scalar multiplied out, so that what cancels is seen to cancel."""
    import sympy

    from geomflow.core.graph.sympy_bridge import from_sympy, to_sympy

    return from_sympy(sympy.expand(to_sympy(scalar)))
