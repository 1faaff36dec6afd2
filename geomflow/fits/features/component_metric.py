"""The finite network of the paper: components of a metric in one coordinate patch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core import archive
from geomflow.core.errors import InputError
from geomflow.core.hermitian import unpack
from geomflow.core.outcome import Outcome
from geomflow.fits.features.places import patch_of, real_coordinates
from geomflow.networks.perceptron import Perceptron
from geomflow.variety.fubini_study import FubiniStudy
from geomflow.variety.metric import HermitianMetric

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points


@final
@archive.kept
@dataclass(frozen=True)
class ComponentReport:
    """A fit in numbers; `history` rows are (seconds, epochs, mean loss of the epoch, σ and least pivot held out)."""

    outcome: Outcome
    parameters: int
    points: int
    held_out: int
    epochs: int
    batch: int
    seed: int
    history: np.ndarray

    @property
    def sigma(self) -> float:
        """σ on the held-out points at the end."""
        return float(self.history[-1, 3])

    @property
    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """(epochs, σ on held-out points), to be drawn."""
        return self.history[:, 1], self.history[:, 3]

    def __str__(self) -> str:
        return (
            f"{self.parameters} parameters, {self.points} points, {self.epochs} epochs with batches of {self.batch} in "
            f"{self.history[-1, 0]:.0f} s: σ = {self.sigma:.3g} on {self.held_out} held-out points; {self.outcome}"
        )


@final
class ComponentNetwork(HermitianMetric, kind="geomflow component-network 1"):
    """g = g_FS + M, the n² outputs of a network being the real components of the Hermitian matrix M in one patch.

    The outputs are the diagonal, then real and imaginary part of each M_{ab̄}, a < b, in the patch's local coordinates;
    the inputs are real, then imaginary parts of the homogeneous coordinates, the patch's scaled to one (Halverson and
    Ruehle, section 3). Such a metric is Hermitian, but neither closed nor defined outside its patch; it has no
    potential. `geomflow.sigma(metric, points)` takes it as any other. `report` says how a fit that made it went.

    Raises `InputError` where the network does not take these inputs to these outputs, and for points of other patches.
    """

    def __init__(
        self,
        variety: Hypersurface,
        patch: tuple[int, ...],
        network: Perceptron,
        parameters: np.ndarray,
        report: ComponentReport | None = None,
    ) -> None:
        self.variety, self.patch, self.network, self.report = variety, tuple(patch), network, report
        self.parameters = network.layout.checked(parameters)
        self.reference = FubiniStudy(variety)
        needed = 2 * variety.ambient.size, variety.dim**2
        if (network.inputs, network.outputs) != needed:
            raise InputError(
                f"the network takes {network.inputs} inputs to {network.outputs} outputs, and metrics in a patch of "
                f"the {variety} need {needed[0]} (real and imaginary parts) and {needed[1]} (components)"
            )

    def at(self, points: Points) -> np.ndarray:
        """g_{ab̄} in local coordinates, (P, n, n)."""
        return self.reference.at(points) + self.change(points)

    def change(self, points: Points) -> np.ndarray:
        """M = g − g_FS, (P, n, n)."""
        self.check(points)
        return unpack(self.network.values(self.parameters, real_coordinates(points)))

    def check(self, points: Points) -> None:
        """Raise `InputError` if the points are on another variety or in another patch."""
        super().check(points)
        if patch_of(points) != self.patch:
            raise InputError(f"the metric is known in the patch {self.patch}, and the points are in {patch_of(points)}")

    def record(self) -> dict[str, Any]:
        """Network, parameters, patch and report."""
        return {"network": self.network.to_json(), "patch": np.array(self.patch), "parameters": self.parameters,
                **archive.report_record(self.report)}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> ComponentNetwork:
        """The metric of these."""
        patch = tuple(file.array("patch", "i", len(variety.ambient.dims) + 1).tolist())
        parameters, report = file.numbers("parameters", "f", None), archive.report_of(file, "ComponentReport")
        return cls(variety, patch, Perceptron.from_file(file), parameters, report)

    def __repr__(self) -> str:
        return f"g_FS + M with {self.network} in the patch {self.patch}, on the {self.variety}"
