"""Calabi's functional."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from geomflow.core import graph as gr
from geomflow.symbolic.functionals.potential import PotentialFunctional
from geomflow.symbolic.variation.potentials import PotentialAlgebra


@final
@dataclass(frozen=True)
class Calabi(PotentialFunctional):
    """Calabi's functional Ca(φ) = ∫ (R − R̄)² dμ_J.

    Its gradient in Mabuchi's metric is −8 𝒟*𝒟 r with R = 2r and the Lichnerowicz operator
    𝒟*𝒟f = Δ_∂²f + R^{b̄a}f_{ab̄} + ⟨∂r,∂f⟩: a flow of eighth order. Ca is the squared norm of the gradient of the
    K-energy; Calabi flow is the descent of the K-energy, not of Ca. Source: Calabi 1982; eq. (B.7) of Halverson and
    Ruehle.
    """

    geometry: Any
    name: ClassVar[str] = "calabi"
    definition: ClassVar[str] = "Ca = ∫ (R − Rbar)^2 dμ_J"
    source: ClassVar[str] = "Calabi, Extremal Kähler metrics (1982)"

    def __post_init__(self) -> None:
        self.check()

    @property
    def parameters(self) -> Mapping[str, gr.Node]:
        """R̄ = 0."""
        return {"Rbar": gr.ZERO}

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """(R − R̄)²."""
        return (use.scalar - gr.symbol("Rbar")) ** 2
