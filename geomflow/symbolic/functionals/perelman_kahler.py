"""Perelman's F on potentials with e^{−f}dμ_J = dμ_Ω: identically zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from geomflow.core import graph as gr
from geomflow.symbolic.functionals.potential import PotentialFunctional
from geomflow.symbolic.variation.potentials import PotentialAlgebra


@final
@dataclass(frozen=True)
class PerelmanKahler(PotentialFunctional):
    """Perelman's F with the dilaton f = log v: F(φ) = ∫ (R + |∇log v|²) dμ_Ω, which is identically zero.

    R = −2Δ_∂ log v integrates against dμ_Ω = dμ_J/v to −2∫|∂ log v|² dμ_Ω, minus the other term. The Euler operator
    vanishes identically, which `certify_gradient(lambda use: gr.ZERO)` decides exactly.
    Source: eq. (B.18) of Halverson and Ruehle.
    """

    geometry: Any
    name: ClassVar[str] = "perelman-kahler"
    definition: ClassVar[str] = "F = ∫ (R + |∇ log v|^2) dμ_Ω"
    source: ClassVar[str] = "eq. (B.18) of Halverson and Ruehle"

    def __post_init__(self) -> None:
        self.check()

    @property
    def remarks(self) -> tuple[str, ...]:
        """That there is nothing to descend."""
        return ("This functional is identically zero: its gradient flow stands still.",)

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """(R + 2|∂ log v|²)/v."""
        log_v = gr.log(use.v)
        return (use.scalar + 2 * use.pairing(log_v, log_v)) / use.v
