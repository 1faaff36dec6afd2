"""Metric components in the span of the frozen tangent features of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.hermitian import unpack
from geomflow.fits.features.component_metric import ComponentNetwork
from geomflow.fits.features.places import real_coordinates
from geomflow.variety.density import sigma
from geomflow.variety.metric import log_determinant

if TYPE_CHECKING:
    from geomflow.fits.features.fit import FrozenReport
    from geomflow.variety.estimate import Estimate
    from geomflow.variety.points import Points


@final
class FrozenComponents:
    """g = g_FS + M with M(x) = Σ_I δ_I ∂M_θ(x)/∂θ_I at the frozen parameters of a network of metric components."""

    def __init__(self, metric: ComponentNetwork, coefficients: np.ndarray, report: FrozenReport | None = None) -> None:
        self.metric, self.variety, self.report = metric, metric.variety, report
        self.coefficients = metric.network.layout.checked(coefficients, "coefficients")

    def at(self, points: Points) -> np.ndarray:
        """g_{ab̄} in local coordinates, (P, n, n)."""
        self.metric.check(points)
        network = self.metric.network
        change = network.jvp(self.metric.parameters, real_coordinates(points), self.coefficients)
        return self.metric.reference.at(points) + unpack(change)

    def log_determinant(self, points: Points) -> np.ndarray:
        """log det g_{ab̄}, (P,); NaN where g is not positive."""
        return log_determinant(self.at(points))

    def sigma(self, points: Points) -> Estimate:
        """σ on the points, eq. (B.11), κ normalised there; `KahlerConeError` where g is not positive."""
        return sigma(self, points)  # type: ignore[arg-type]

    def gain(self, points: Points) -> float:
        """σ of Fubini–Study over σ of this metric, on the same points."""
        return float(sigma(self.metric.reference, points)) / float(self.sigma(points))

    def __repr__(self) -> str:
        return f"g_FS + M, M in the tangent space of {self.metric.network}, on the {self.variety}"
