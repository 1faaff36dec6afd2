"""Metric components in one coordinate patch: of a network, of its frozen features, and points as these see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.hermitian import pack, unpack
from geomflow.core.report import FitReport, read_report, report_record
from geomflow.networks.perceptron import Perceptron
from geomflow.variety.measures import normalised
from geomflow.variety.metric import FubiniStudy, HermitianMetric
from geomflow.variety.routines import hermitian

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points


def patch_of(points: Points) -> tuple[int, ...]:
    """The patch (one coordinate for each factor) and the eliminated coordinate that all points have.

    Raises `InputError` where they have several: components of a metric are not functions on the variety.
    """
    kinds = np.unique(np.column_stack([points.patch, points.elim]), axis=0)
    if len(kinds) != 1:
        raise InputError(
            f"the {len(points)} points are in {len(kinds)} coordinate systems, and components of a metric are "
            "functions in one only: take them by sample_patch(variety, n, seed, patch, elim)"
        )
    return tuple(int(k) for k in kinds[0])


def real_coordinates(points: Points) -> np.ndarray:
    """Re and Im of the homogeneous coordinates, (P, 2N): the inputs of section 3 of the paper."""
    return np.concatenate([points.coordinates.real, points.coordinates.imag], axis=1)


@final
@dataclass(frozen=True, eq=False)
class ComponentPlaces:
    """Points in one patch with everything that v = det g/(κ|Ω|²) of g = g_FS + M needs, M packed as n² real numbers.

    `inputs` (P, 2N); `offset` (P, n²): g_FS − 1, packed; `ratio` (P,): 1/|Ω|² up to one factor; `weights` (P,) of
    sum one. Everything is in the local coordinates of the patch.
    """

    inputs: np.ndarray
    offset: np.ndarray
    ratio: np.ndarray
    weights: np.ndarray
    n: int

    @classmethod
    def of(cls, points: Points) -> ComponentPlaces:
        """At points of one patch; raises `InputError` for others."""
        patch_of(points)
        metric, n = FubiniStudy(points.variety).at(points), points.variety.dim
        level = -np.log(points.omega2)
        ratio = np.exp(level - level.mean())
        weights = points.weights / points.weights.sum()
        return cls(real_coordinates(points), pack(metric - np.eye(n)), ratio, weights, n)

    def __len__(self) -> int:
        return len(self.weights)

    def take(self, index: np.ndarray | slice) -> ComponentPlaces:
        """The points of these numbers, their weights of sum one."""
        weights = self.weights[index]
        parts = self.inputs[index], self.offset[index], self.ratio[index], weights / weights.sum()
        return ComponentPlaces(*parts, self.n)

    def volume(self, change: np.ndarray, block: slice = slice(None)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """ratio · det(g_FS + M) = κ v, its derivative by the packed M, the least pivot of g (<= 0: not positive)."""
        whole = self.offset[block] + change
        value, dual, least = np.empty(len(whole)), np.empty(whole.shape), np.empty(len(whole))
        hermitian.determinants(whole, self.n, value, dual, least)
        ratio = self.ratio[block]
        with np.errstate(over="ignore", invalid="ignore"):
            return value * ratio, dual * ratio[:, None], least

    def quality(self, change: np.ndarray) -> tuple[float, float, float]:
        """κ, σ with v of mean one on these points, and the least pivot of g."""
        volume, _, least = self.volume(change)
        return *normalised(volume, self.weights)[1:], float(least.min())


@final
class ComponentNetwork(HermitianMetric, kind="geomflow component-network 1"):
    """g = g_FS + M, the n² outputs of a network being the real components of the Hermitian matrix M in one patch.

    The outputs are the diagonal, then real and imaginary part of each M_{ab̄}, a < b, in the patch's local coordinates;
    the inputs are real, then imaginary parts of the homogeneous coordinates, the patch's scaled to one (Halverson and
    Ruehle, section 3). Such a metric is Hermitian, but neither closed nor defined outside its patch; it has no
    potential. `geomflow.sigma(metric, points)` takes it as any other. Raises `InputError` for points of other patches.

    Parameters
    ----------
    variety : Hypersurface
        In N homogeneous coordinates.
    patch : tuple of int
        The coordinate that is one in each factor, then the one that is eliminated.
    network : Perceptron
        From 2N inputs to n² outputs, else `InputError`.
    parameters : (size,) array
        Those of the network.
    report : FitReport, optional
        How the fit that made it went.
    """

    def __init__(
        self,
        variety: Hypersurface,
        patch: tuple[int, ...],
        network: Perceptron,
        parameters: np.ndarray,
        report: FitReport | None = None,
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
        """M = g − g_FS, (P, n, n).

        Parameters
        ----------
        points : Points
            P of them, in the patch.
        """
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
                **report_record(self.report)}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> ComponentNetwork:
        """The metric of these."""
        patch = tuple(file.array("patch", "i", len(variety.ambient.dims) + 1).tolist())
        parameters, report = file.numbers("parameters", "f", None), read_report(file, "ComponentReport")
        return cls(variety, patch, Perceptron.from_file(file), parameters, report)

    def __repr__(self) -> str:
        return f"g_FS + M with {self.network} in the patch {self.patch}, on the {self.variety}"
