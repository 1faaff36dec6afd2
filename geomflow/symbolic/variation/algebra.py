"""Scalars by structure: polynomials and functions of named geometric quantities, with rules for their variation.

A scalar is a graph node over symbols, each of which stands for a `Term`: v, R, Δs, ⟨∇s, ∇t⟩, ... The algebra remembers
which. Sums, products and functions are varied by the chain rule; a term brings the one rule that the textbook has for
it, and its realisation in coordinates. Nothing here knows the dimension.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

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


def no_rule(term: Term) -> InputError:
    """The error for a term that has no rule of variation."""
    return InputError(f"there is no rule for the variation of {type(term).__name__} '{term.name}': write the density "
                      "in scalars such as R, f, v, laplacian(s) and dot(s, t).")


def code(node: gr.Node) -> str:
    """A short name that tells scalars apart, the same in every process."""
    return f"{node.key & 0xFFFFFFFFFF:010x}"


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
