"""Mabuchi's K-energy on a geometry with c₁ = 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from geomflow.core import graph as gr
from geomflow.core.conventions import K_ENERGY_OVER_ENTROPY
from geomflow.symbolic.functionals.potential import Paths, PotentialFunctional
from geomflow.symbolic.variation.potentials import PotentialAlgebra


@final
@dataclass(frozen=True)
class KEnergy(PotentialFunctional):
    """Mabuchi's K-energy K(φ) = 2∫ v log v dμ_Ω + R̄ ∫_0^1 ∫ φ dμ_tφ dt, v = dμ_J/dμ_Ω, Ω flat (c₁ = 0).

    Its gradient in Mabuchi's metric is R̄ − R, so that descent is Calabi flow ∂_tφ = R − R̄; it is twice the entropy,
    E_F with F = v log v, whose descent runs at half that speed (`core.conventions`). In the Dirichlet metric descent is
    ∂_tφ = 2 log v − mean. On a torus R̄ = 0 in every class. Source: Mabuchi 1986; Chen and Tian 2000.
    """

    geometry: Any
    name: ClassVar[str] = "kenergy"
    definition: ClassVar[str] = "K = 2∫ log v dμ_J + Rbar ∫_0^1 ∫ φ dμ_{tφ} dt"
    source: ClassVar[str] = "Mabuchi, Tohoku Math. J. 38 (1986)"

    def __post_init__(self) -> None:
        self.check()

    @property
    def parameters(self) -> Mapping[str, gr.Node]:
        """R̄ = 0."""
        return {"Rbar": gr.ZERO}

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """2 log v."""
        return K_ENERGY_OVER_ENTROPY * gr.log(use.v)

    def paths(self) -> Paths:
        """R̄ times the Monge–Ampère energy."""
        return {"volume": gr.symbol("Rbar")}
