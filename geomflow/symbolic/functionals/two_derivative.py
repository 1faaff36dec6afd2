"""The two-derivative functionals E_G."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from geomflow.core import graph as gr
from geomflow.symbolic.functionals.potential import PotentialFunctional
from geomflow.symbolic.functionals.scalars import OneVariable
from geomflow.symbolic.variation.potentials import PotentialAlgebra


@final
@dataclass(frozen=True)
class EG(PotentialFunctional):
    """E_G(φ) = ∫ G(v) |∂v|² dμ_Ω for a positive G, given as text, sympy or a node: EG(T, "1/v").

    A flow of sixth order; the decay rate at the flat metric is G(1)|k|⁶/4. With W'² = G/v its gradient in Mabuchi's
    metric is Δ_∂(|∂W|² − 2vW'Δ_∂W) − ∇_c∇_d̄(∂^cW ∂^d̄W). Raises PositivityError, with the place, where G <= 0.
    Source: eqs. (B.15) to (B.20) of Halverson and Ruehle.
    """

    geometry: Any
    function: Any
    name: ClassVar[str] = "eg"
    source: ClassVar[str] = "eqs. (B.15) to (B.20) of Halverson and Ruehle"

    def __post_init__(self) -> None:
        self.check()
        self.parsed.check_positive("G")

    @property
    def parsed(self) -> OneVariable:
        """G."""
        return OneVariable(self.function)

    @property
    def definition(self) -> str:  # type: ignore[override]
        """E_G = ∫ G(v)|∂v|² dμ_Ω."""
        return f"E = ∫ ({self.function}) |∂v|^2 dμ_Ω"

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """G(v)|∂v|²/v."""
        return self.parsed.of(use.v) / use.v * use.pairing(use.v, use.v)
