"""The metric that a flow on points makes: corrections of the components of Fubini–Study."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow import kernels
from geomflow.core.errors import StoreError
from geomflow.core.hermitian import pack, unpack
from geomflow.core.report import FitReport, read_report, report_record
from geomflow.fits.clouds.sums import CloudSums, checked_labels
from geomflow.variety.frames import in_patch, transition
from geomflow.variety.measures import gain_of
from geomflow.variety.metric import FubiniStudy, HermitianMetric
from geomflow.variety.points import Points

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.kernels.kernel import Kernel
    from geomflow.variety.hypersurface import Hypersurface


_ANY = "a kernel of its own"


@final
@dataclass(frozen=True, eq=False)
class ComponentMetric(HermitianMetric, kind="geomflow component metric 1"):
    """g(x) = g_FS(x) + Σ_p K(x, x_p) c_p, with K acting on components in the one chart of the train points x_p.

    It is Hermitian, and neither closed nor positive everywhere: a kernel on components does not keep dω = 0.
    `coefficients` c (P, n, n) are minus the sum over the steps of rate times gradient. Points in another chart are
    evaluated in that of the train points, and g is transformed. `report` says how the flow went.
    """

    asked: ClassVar[frozenset[str]] = frozenset({"kernel"})

    sums: CloudSums
    coefficients: np.ndarray
    report: FitReport

    @property
    def points(self) -> Points:
        """The train points."""
        return self.sums.points

    @property
    def kernel(self) -> Kernel:
        """The kernel."""
        return self.sums.kernel

    @property
    def variety(self) -> Hypersurface:
        """The variety of the train points."""
        return self.points.variety

    @property
    def train_gain(self) -> float:
        """σ of Fubini–Study over σ of the metric on the train points; `geomflow.variety.gain` is that on others."""
        return gain_of(self.report["sigma"][0], self.report.sigma)

    @cached_property
    def _packed(self) -> np.ndarray:
        return pack(self.coefficients)

    def at(self, points: Points) -> np.ndarray:
        """g_{ab̄} in the local coordinates of the given points, (Q, n, n); matrix-free."""
        there = self.in_chart(points)
        g = FubiniStudy(self.variety).at(there) + unpack(self.sums.at(there, self._packed))
        if there is points:
            return g
        change = transition(points, there)
        return change @ g @ np.swapaxes(change.conj(), 1, 2)

    def in_chart(self, points: Points) -> Points:
        """The points in the chart of the train points."""
        self.check(points)
        patch, elim = self.points.patch[0], self.points.elim[0]
        if np.all(points.patch == patch) and np.all(points.elim == elim):
            return points
        return in_patch(points, patch, int(elim))

    def record(self) -> dict[str, Any]:
        """Train points, kernel, clusters, coefficients and report."""
        sums = self.sums
        labels = np.zeros(0, np.int64) if sums.labels is None else sums.labels
        return {"kernel": _described(self.kernel), "labels": labels, "mean": sums.mean,
                "coefficients": self.coefficients, **self.points.record("points_"),
                **report_record(self.report)}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface, kernel: Kernel | None = None) -> ComponentMetric:
        """The metric of these. A kernel that is not made of plain numbers is to be given; `StoreError` without it."""
        points, labels = Points.from_record(file, variety, "points_"), file.array("labels", "i", None)
        clusters = checked_labels(labels, len(points)) if labels.size else None
        used = kernel or _kernel(json.loads(file.text("kernel")), file.path)
        coefficients = file.numbers("coefficients", "c", len(points), variety.dim, variety.dim)
        sums = CloudSums(used, points, clusters, bool(file.array("mean", "b")))
        return cls(sums, coefficients, read_report(file, "CloudReport"))

    def __repr__(self) -> str:
        return f"component metric on the {self.variety} from {len(self.points)} points, by {self.kernel!r}"


def _described(kernel: Any) -> str:
    """A kernel of numbers, texts and such kernels as text; of others only that there was one."""
    try:
        return json.dumps(_plain(kernel))
    except TypeError:
        return json.dumps(_ANY)


def _plain(kernel: Any) -> list[Any]:
    if not (dataclasses.is_dataclass(kernel) and getattr(kernels, type(kernel).__name__, None) is type(kernel)):
        raise TypeError
    values = {field.name: getattr(kernel, field.name) for field in dataclasses.fields(kernel) if field.init}
    return [type(kernel).__name__,
            {name: _plain(value) if isinstance(value, kernels.Kernel) else value for name, value in values.items()}]


def _kernel(described: Any, path: str) -> Kernel:
    if described == _ANY:
        raise StoreError(f"{path} was made with a kernel that no file holds: give it, load_metric(path, kernel=...).")
    name, values = described
    return getattr(kernels, name)(**{key: _kernel(value, path) if isinstance(value, list) else value
                                     for key, value in values.items()})
