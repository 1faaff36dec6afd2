"""The ultra-local functionals E_F, and the σ measure as one of them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, final

from geomflow.core import graph as gr
from geomflow.symbolic.functionals.potential import PotentialFunctional
from geomflow.symbolic.functionals.scalars import OneVariable
from geomflow.symbolic.variation.kahler_frame import MASS
from geomflow.symbolic.variation.potentials import PotentialAlgebra


@final
@dataclass(frozen=True)
class EF(PotentialFunctional):
    """E_F(φ) = ∫ F(v) dμ_Ω for a convex F, given as text, sympy or a node: EF(T, "v*log(v)").

    Its gradient is Δ_∂F'(v) in Mabuchi's metric and −F'(v) + mean in the Dirichlet metric; the decay rate at the flat
    metric is F''(1)|k|⁴/4. Warns, with the place, where F'' < 0: descent is ill-posed there.
    Source: eqs. (B.12), (B.13) of Halverson and Ruehle.
    """

    geometry: Any
    function: Any
    name: ClassVar[str] = "ef"
    source: ClassVar[str] = "eqs. (B.12), (B.13) of Halverson and Ruehle"

    def __post_init__(self) -> None:
        self.check()
        trouble = self.parsed.not_convex()
        if trouble is not None:
            warnings.warn(f"F = {self.function} is not convex: {trouble}. Where F'' < 0 the descent of E_F is "
                          "ill-posed; use a convex F, or -F where F is concave.", stacklevel=3)

    @property
    def parsed(self) -> OneVariable:
        """F."""
        return OneVariable(self.function)

    @property
    def definition(self) -> str:  # type: ignore[override]
        """E_F = ∫ F(v) dμ_Ω."""
        return f"E = ∫ {self.function} dμ_Ω"

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """F(v)/v, as dμ_Ω = dμ_J/v."""
        return self.parsed.of(use.v) / use.v


@final
@dataclass(frozen=True)
class Sigma(PotentialFunctional):
    """σ(φ) = ∫ |v − 1| dμ_Ω / ∫ dμ_Ω, the distance of dμ_J from dμ_Ω in L¹, with its subgradient.

    E_F with F = |v − 1| over the volume ∫dμ_Ω of the state's class: the subgradient in Mabuchi's metric is
    Δ_∂ sign(v − 1)/∫dμ_Ω, a distribution on {v = 1}; in the Dirichlet metric (mean − sign(v − 1))/∫dμ_Ω.
    Source: eq. (B.11) of Halverson and Ruehle.
    """

    geometry: Any
    name: ClassVar[str] = "sigma"
    definition: ClassVar[str] = "σ = ∫ |v − 1| dμ_Ω / ∫ dμ_Ω"
    source: ClassVar[str] = "eq. (B.11) of Halverson and Ruehle"
    metrics: ClassVar[tuple[str, ...]] = ("dirichlet", "mabuchi", "L2")

    def __post_init__(self) -> None:
        self.check()

    @property
    def remarks(self) -> tuple[str, ...]:
        """That the gradient is a subgradient."""
        return ("|v − 1| has a corner: what is shown is a subgradient, Δ_∂ sign(v − 1) in Mabuchi's metric being "
                "supported on {v = 1}. Run it in the Dirichlet metric, with short steps.",)

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """|v − 1|/(v ∫dμ_Ω)."""
        return gr.call("abs", use.v - 1) / (use.v * MASS)
