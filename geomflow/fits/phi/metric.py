"""A network as a Kähler potential on a Calabi–Yau hypersurface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.report import FitReport, read_report, report_record
from geomflow.core.threads import each, slices
from geomflow.fits.phi.inputs import ProjectiveInputs, input_count
from geomflow.fits.phi.jets import potential_jets
from geomflow.networks.complex_hessian import ComplexHessian
from geomflow.networks.perceptron import Perceptron
from geomflow.variety.metric import CorrectedMetric, FubiniStudy
from geomflow.variety.sections import stored_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geomflow.core.archive import Archive
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points

_CHUNK = 32


@final
class PhiNetwork(CorrectedMetric, kind="geomflow phi-network 1"):
    """g = g_FS + ∂∂̄φ with φ a perceptron of the real and imaginary parts of z_i z̄_j/|z|² in each factor.

    These inputs (25 on P^4, normalised to mean zero and variance one over projective space) do not change with the
    representative, so φ is one function on the whole variety and g is the same metric in every patch, by construction.
    No symmetry of the variety is built in. `report` says how a fit that made the metric went.

    Raises `InputError` where the network does not take these inputs to one output, or is not smooth (ReLU).
    """

    def __init__(
        self,
        variety: Hypersurface,
        network: Perceptron,
        parameters: np.ndarray,
        kahler_class: Sequence[float] | None = None,
        report: FitReport | None = None,
    ) -> None:
        self.variety, self.network, self.report = variety, network, report
        self.parameters = network.layout.checked(parameters)
        self.reference = FubiniStudy(variety, kahler_class)
        if network.inputs != input_count(variety.ambient):
            raise InputError(
                f"the network takes {network.inputs} inputs, and there are {input_count(variety.ambient)} products "
                f"z_i z̄_j on {variety.ambient}"
            )
        self._hessian = ComplexHessian(network)

    def correction(self, points: Points) -> np.ndarray:
        """φ, (P,)."""
        return self._evaluate(points)[1]

    def at(self, points: Points) -> np.ndarray:
        """g_{ab̄} = g_FS + ∂_a∂_b̄φ, shape (P, n, n)."""
        inputs, _, hessian = self._evaluate(points)
        return inputs.metric(hessian)

    def correction_jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Exact derivatives of φ: truncated power series through the inputs and every layer."""
        layers, activation = self.network.layers(self.parameters), self.network.activation
        parts = each(lambda s: potential_jets(layers, activation, points[s]), slices(len(points), _CHUNK))
        return tuple(np.concatenate([part[k] for part in parts]) for k in range(3))  # type: ignore[return-value]

    def record(self) -> dict[str, Any]:
        """Network, parameters, class and report."""
        return {"network": self.network.to_json(), "kahler_class": np.array(self.kahler_class),
                "parameters": self.parameters, **report_record(self.report)}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> PhiNetwork:
        """The metric of these."""
        parameters, report = file.numbers("parameters", "f", None), read_report(file, "PhiReport")
        return cls(variety, Perceptron.from_file(file), parameters, stored_class(file, variety), report)

    def _evaluate(self, points: Points) -> tuple[ProjectiveInputs, np.ndarray, np.ndarray]:
        self.check(points)
        inputs = ProjectiveInputs.of(points, self.kahler_class)
        return inputs, *self._hessian(self.parameters, inputs)

    def __repr__(self) -> str:
        return f"g_FS + ∂∂̄φ with {self.network}, on the {self.variety}"
