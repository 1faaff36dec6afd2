"""The geometric quantities of a metric that functionals are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from geomflow.core import graph as gr
from geomflow.symbolic.variation.algebra import Term, code


@final
@dataclass(frozen=True)
class Scalar(Term):
    """R."""

    name = "R"


@final
@dataclass(frozen=True)
class Dilaton(Term):
    """f: an unknown function beside the metric, or log(dV/dm) with the measure dm fixed."""

    fixed_measure: bool

    name = "f"


@final
@dataclass(frozen=True)
class RicciSquared(Term):
    """|Ric|² = R_ijR^{ij}."""

    name = "ricci_squared"


@final
@dataclass(frozen=True)
class Laplacian(Term):
    """Δs of a term s."""

    scalar: gr.Node

    @property
    def name(self) -> str:
        """laplacian_s."""
        return f"laplacian_{self.scalar.data}"

    @property
    def arguments(self) -> tuple[gr.Node, ...]:
        """s."""
        return (self.scalar,)


@final
@dataclass(frozen=True)
class Pairing(Term):
    """⟨∇s, ∇t⟩ of terms s and t."""

    first: gr.Node
    second: gr.Node

    @property
    def name(self) -> str:
        """pairing_s_t."""
        return f"pairing_{self.first.data}_{self.second.data}"

    @property
    def arguments(self) -> tuple[gr.Node, ...]:
        """s and t."""
        return (self.first, self.second)


@final
@dataclass(frozen=True)
class RicciDivergence(Term):
    """∇_i∇_j(λR^{ij})."""

    weight: gr.Node

    @property
    def name(self) -> str:
        """ricci_divergence_ and the code of λ."""
        return f"ricci_divergence_{code(self.weight)}"

    @property
    def arguments(self) -> tuple[gr.Node, ...]:
        """λ."""
        return (self.weight,)


@final
@dataclass(frozen=True)
class Component(Term):
    """g_ij in the chart: not a scalar, and known only to densities that users write."""

    label: str
    place: tuple[int, int]

    @property
    def name(self) -> str:
        """g_xx, g_xy, ..."""
        return self.label


@final
@dataclass(frozen=True)
class Partial(Term):
    """∂s/∂x^i: not covariant on its own."""

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
class Tensor:
    """A symmetric tensor of two lower indices.

    kind: "metric" g, "ricci" Ric, "hessian" ∇∇s, "outer" ½(∇s⊗∇t + ∇t⊗∇s), "ricci_square" R_ikR^k_j,
    "rough" ∇^k∇_kT_ij and "swapped" ½(∇^k∇_iT_kj + ∇^k∇_jT_ki) of T = λ Ric.
    """

    kind: str
    scalars: tuple[gr.Node, ...] = ()
