"""Volume and curvature integrals of a real metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from geomflow.core import graph as gr
from geomflow.symbolic.functionals.metric import MetricFunctional
from geomflow.symbolic.variation.metrics import MetricAlgebra


@final
@dataclass(frozen=True)
class Volume(MetricFunctional):
    """The volume ∫ dV; its gradient in Ebin's metric is ½ g_ij. (On Kähler potentials it is constant.)

    Parameters
    ----------
    geometry : Torus or Chart
        Real, of dimension 2, 3 or 4.
    """

    name: ClassVar[str] = "volume"
    definition: ClassVar[str] = "Vol = ∫ dV"
    source: ClassVar[str] = "Besse, Einstein Manifolds, 4.16"

    def integrand(self, use: MetricAlgebra) -> gr.Node:
        """1."""
        return gr.ONE


@final
@dataclass(frozen=True)
class EinsteinHilbert(MetricFunctional):
    """The total scalar curvature ∫ R dV; its gradient in Ebin's metric is minus the Einstein tensor R_ij − ½ R g_ij.

    In dimension 2 it is topological and the gradient vanishes. Descent is ill-posed in dimension 3 and above, and so is
    ascent: conformal and transverse-traceless directions have opposite signs. Source: Hilbert 1915; Besse, 4.17.

    Parameters
    ----------
    geometry : Torus or Chart
        Real, of dimension 2, 3 or 4.
    """

    name: ClassVar[str] = "einstein-hilbert"
    definition: ClassVar[str] = "S = ∫ R dV"
    source: ClassVar[str] = "Besse, Einstein Manifolds, 4.17"
    remarks: ClassVar[tuple[str, ...]] = (
        "The gradient flow of ∫R dV is backward in transverse-traceless directions and its ascent in conformal "
        "ones; use Ricci flow, PerelmanLambda, or descend ∫R² or ∫|Ric|².",
    )

    def integrand(self, use: MetricAlgebra) -> gr.Node:
        """R."""
        return use.scalar


@final
@dataclass(frozen=True)
class ScalarSquared(MetricFunctional):
    """∫ R² dV; its gradient in Ebin's metric is 2∇_i∇_jR − 2R R_ij + (½R² − 2ΔR) g_ij.

    Source: Besse, Einstein Manifolds, 4.66.

    Parameters
    ----------
    geometry : Torus or Chart
        Real, of dimension 2, 3 or 4.
    """

    name: ClassVar[str] = "scalar-squared"
    definition: ClassVar[str] = "E = ∫ R^2 dV"
    source: ClassVar[str] = "Besse, Einstein Manifolds, 4.66"

    def integrand(self, use: MetricAlgebra) -> gr.Node:
        """R²."""
        return use.scalar**2


@final
@dataclass(frozen=True)
class RicciSquared(MetricFunctional):
    """∫ |Ric|² dV, with its gradient of fourth order in Ebin's metric. Source: Besse, Einstein Manifolds, 4.66.

    Parameters
    ----------
    geometry : Torus or Chart
        Real, of dimension 2, 3 or 4.
    """

    name: ClassVar[str] = "ricci-squared"
    definition: ClassVar[str] = "E = ∫ |Ric|^2 dV"
    source: ClassVar[str] = "Besse, Einstein Manifolds, 4.66"

    def integrand(self, use: MetricAlgebra) -> gr.Node:
        """|Ric|²."""
        return use.ricci_squared
