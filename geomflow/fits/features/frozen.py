"""Metric components in the span of the frozen tangent features of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core import archive
from geomflow.core.hermitian import unpack
from geomflow.fits.features.component_metric import ComponentNetwork
from geomflow.fits.features.places import real_coordinates
from geomflow.networks.perceptron import Perceptron
from geomflow.variety.metric import HermitianMetric

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.fits.features.fit import FrozenReport
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points


@final
class FrozenComponents(HermitianMetric, kind="geomflow frozen components 1"):
    """g = g_FS + M with M(x) = Σ_I δ_I ∂M_θ(x)/∂θ_I at the frozen parameters of a network of metric components."""

    def __init__(self, metric: ComponentNetwork, coefficients: np.ndarray, report: FrozenReport | None = None) -> None:
        self.metric, self.variety, self.report = metric, metric.variety, report
        self.coefficients = metric.network.layout.checked(coefficients, "coefficients")

    def at(self, points: Points) -> np.ndarray:
        """g_{ab̄} in local coordinates, (P, n, n)."""
        self.check(points)
        network = self.metric.network
        change = network.jvp(self.metric.parameters, real_coordinates(points), self.coefficients)
        return self.metric.reference.at(points) + unpack(change)

    def check(self, points: Points) -> None:
        """Raise `InputError` if the points are on another variety or in another patch."""
        self.metric.check(points)

    def record(self) -> dict[str, Any]:
        """The network with its parameters, coefficients and report."""
        network = self.metric
        return {"network": network.network.to_json(), "patch": np.array(network.patch),
                "parameters": network.parameters, "coefficients": self.coefficients,
                **archive.report_record(self.report)}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> FrozenComponents:
        """The metric of these."""
        patch = tuple(file.array("patch", "i", len(variety.ambient.dims) + 1).tolist())
        network = ComponentNetwork(variety, patch, Perceptron.from_file(file), file.numbers("parameters", "f", None))
        return cls(network, file.numbers("coefficients", "f", None), archive.report_of(file, "FrozenReport"))

    def __repr__(self) -> str:
        return f"g_FS + M, M in the tangent space of {self.metric.network}, on the {self.variety}"
