"""The geometric quantities of a Kähler potential that functionals are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from geomflow.core import graph as gr
from geomflow.symbolic.variation.algebra import Term, code


@final
@dataclass(frozen=True)
class Potential(Term):
    """φ itself."""

    name = "phi"


@final
@dataclass(frozen=True)
class Ratio(Term):
    """v = dμ_J/dμ_Ω = det g/(κ|Ω|²)."""

    name = "v"


@final
@dataclass(frozen=True)
class ReferenceRatio(Term):
    """dμ_0/dμ_J = det g_0/det g, with g_0 the reference metric at φ = 0."""

    name = "reference_ratio"


@final
@dataclass(frozen=True)
class Scalar(Term):
    """R = −2Δ_∂ log v."""

    name = "R"


@final
@dataclass(frozen=True)
class FormTrace(Term):
    """tr_ω χ = g^{ab̄}χ_{ab̄} of the given form χ."""

    name = "trace_chi"


@final
@dataclass(frozen=True)
class Laplacian(Term):
    """Δ_∂ s."""

    scalar: gr.Node

    @property
    def name(self) -> str:
        """laplacian_ and the code of s."""
        return f"laplacian_{code(self.scalar)}"

    @property
    def arguments(self) -> tuple[gr.Node, ...]:
        """s."""
        return (self.scalar,)


@final
@dataclass(frozen=True)
class Pairing(Term):
    """⟨∂s, ∂t⟩ = Re g^{ab̄}∂_as ∂_b̄t."""

    first: gr.Node
    second: gr.Node

    @property
    def name(self) -> str:
        """pairing_ and the codes of s and t."""
        return f"pairing_{code(self.first)}_{code(self.second)}"

    @property
    def arguments(self) -> tuple[gr.Node, ...]:
        """s and t."""
        return (self.first, self.second)


@final
@dataclass(frozen=True)
class HessianPairing(Term):
    """⟨∂∂̄s, ∂∂̄t⟩ = s_{ab̄}t^{b̄a}."""

    first: gr.Node
    second: gr.Node

    @property
    def name(self) -> str:
        """hessians_ and the codes of s and t."""
        return f"hessians_{code(self.first)}_{code(self.second)}"

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


@final
@dataclass(frozen=True)
class DoubleDivergence(Term):
    """∇_a∇_b̄(λ T^{ab̄}): T is Re ∂^as ∂^b̄t ("outer"), s^{ac̄}t_c̄^b̄ ("product"), s^{ab̄} ("hessian") or χ^{ab̄} ("form")."""

    kind: str
    weight: gr.Node
    scalars: tuple[gr.Node, ...] = ()

    @property
    def name(self) -> str:
        """The kind and the codes of what it is made of."""
        return "_".join(["divdiv", self.kind, *map(code, self.arguments)])

    @property
    def arguments(self) -> tuple[gr.Node, ...]:
        """λ, then s and t."""
        return (self.weight, *self.scalars)
