"""Corrections of the components of Fubini–Study by kernel sums over train points of one chart."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from geomflow import kernels
from geomflow.core.archive import Archive
from geomflow.core.errors import InputError, ShapeError, StoreError
from geomflow.core.hermitian import pack, unpack
from geomflow.core.report import FitReport, read_report, report_record
from geomflow.core.threads import each
from geomflow.kernels import CutOffKernel, Kernel
from geomflow.kernels.blocks import contract, row_blocks
from geomflow.kernels.projective import CoordinateKernel, nearest_rows, unit_features
from geomflow.variety import FubiniStudy, HermitianMetric, Hypersurface, Points, in_patch, transition
from geomflow.variety.measures import gain_of

_ANY = "a kernel of its own"


@final
@dataclass(frozen=True, eq=False)
class ComponentMetric(HermitianMetric, kind="geomflow component metric 1"):
    """g(x) = g_FS(x) + Σ_p K(x, x_p) c_p, with K acting on components in the one chart of the train points x_p.

    It is Hermitian, and neither closed nor positive everywhere: a kernel on components does not keep dω = 0.
    Points in another chart are evaluated in that of the train points, and g is transformed.

    Parameters
    ----------
    sums : KernelSums
        K over the train points x_p.
    coefficients : (P, n, n) array
        c, minus the sum over the steps of rate times gradient.
    report : FitReport
        How the flow went.
    """

    asked: ClassVar[frozenset[str]] = frozenset({"kernel"})

    sums: KernelSums
    coefficients: np.ndarray
    report: FitReport
    variety: Hypersurface = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "variety", self.sums.points.variety)

    @property
    def points(self) -> Points:
        """The train points."""
        return self.sums.points

    @property
    def kernel(self) -> Kernel:
        """The kernel."""
        return self.sums.kernel

    @property
    def train_gain(self) -> float:
        """σ of Fubini–Study over σ of the metric on the train points; `geomflow.variety.gain` is that on others."""
        return gain_of(self.report["sigma"][0], self.report.sigma)

    @cached_property
    def _packed(self) -> np.ndarray:
        return pack(self.coefficients)

    def at(self, points: Points) -> NDArray[np.complex128]:
        """g_{ab̄} in the local coordinates of the given points, (Q, n, n); matrix-free."""
        there = self.in_chart(points)
        g = FubiniStudy(self.variety).at(there) + unpack(self.sums.at(there, self._packed))
        if there is points:
            return g
        change = transition(points, there)
        return change @ g @ np.swapaxes(change.conj(), 1, 2)

    def in_chart(self, points: Points) -> Points:
        """The points in the chart of the train points.

        Parameters
        ----------
        points : Points
            In any chart.
        """
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
        """The metric of these. A kernel that is not made of plain numbers is to be given; `StoreError` without it.

        Parameters
        ----------
        file : Archive
            The content of a file.
        variety : Hypersurface
            The one that the file names.
        kernel : Kernel, optional
            Instead of that in the file.
        """
        points, labels = Points.from_record(file, variety, "points_"), file.array("labels", "i", None)
        clusters = checked_labels(labels, len(points)) if labels.size else None
        used = kernel or _kernel(json.loads(file.text("kernel")), file.path)
        coefficients = file.numbers("coefficients", "c", len(points), variety.dim, variety.dim)
        sums = KernelSums(used, points, clusters, bool(file.array("mean", "b")))
        if (report := read_report(file, "CloudReport")) is None:
            raise file.damaged("'report' is empty")
        return cls(sums, coefficients, report)

    def __repr__(self) -> str:
        return f"component metric on the {self.variety} from {len(self.points)} points, by {self.kernel!r}"


def _described(kernel: Any) -> str:
    """A kernel of numbers, texts and such kernels as text; of others only that there was one."""
    try:
        return json.dumps(_plain(kernel))
    except TypeError:
        return json.dumps(_ANY)


def _plain(kernel: Any) -> list[Any]:
    if not (is_dataclass(kernel) and getattr(kernels, type(kernel).__name__, None) is type(kernel)):
        raise TypeError
    values = {each.name: getattr(kernel, each.name) for each in fields(kernel) if each.init}
    return [type(kernel).__name__,
            {name: _plain(value) if isinstance(value, kernels.Kernel) else value for name, value in values.items()}]


def _kernel(described: Any, path: str) -> Kernel:
    if described == _ANY:
        raise StoreError(f"{path} was made with a kernel that no file holds: give it, load_metric(path, kernel=...).")
    name, values = described
    return getattr(kernels, name)(**{key: _kernel(value, path) if isinstance(value, list) else value
                                     for key, value in values.items()})


#: Matrices of network kernels are kept through a flow if all clusters' together take at most so many bytes.
KEPT = 1 << 28
Sum = Callable[[np.ndarray, Any], np.ndarray]


@final
@dataclass(frozen=True, eq=False)
class KernelSums:
    """(K c)_p = Σ_q K(x_p, x_q) c_q over train points, q in the cluster of p where `labels` (P,) are given.

    With `mean` every sum is divided by Σ_q K(x_p, x_q), zero where that is. At other points the cluster is that of
    the nearest train point. Nothing quadratic in the number of points is kept, except for matrices of network kernels
    up to 256 MB (recomputing them costs more) and the neighbours of a `CutOffKernel`.

    Parameters
    ----------
    kernel : Kernel
        K.
    points : Points
        The train points.
    labels : (P,) array of int or None
        The cluster of each.
    mean : bool
        Whether sums become means.
    """

    kernel: Kernel
    points: Points
    labels: np.ndarray | None = None
    mean: bool = False

    def __call__(self, columns: np.ndarray, workers: Any = None) -> np.ndarray:
        """The sums of columns (P, c) at the train points, (P, c); `workers` as in `Kernel.apply`."""
        out = np.empty_like(columns)
        for members, total in zip(self._clusters, self._totals, strict=True):
            out[members] = total(columns[members], workers)
        return out * self._scale[:, None] if self.mean else out

    def at(self, points: Points, columns: np.ndarray) -> np.ndarray:
        """The sums at other points in the chart of the train points, (Q, c).

        Parameters
        ----------
        points : Points
            Q of them, in the chart of the train points.
        columns : (P, c) array
            What is summed.
        """
        if self.mean:
            columns = np.column_stack([columns, np.ones(len(columns))])
        out = np.zeros((len(points), columns.shape[1]))
        for members, rows in zip(self._clusters, self._homes(points), strict=True):
            if len(rows):
                out[rows] = self.kernel.apply(points[rows], self.points[members], columns[members])
        return out[:, :-1] * _inverse(out[:, -1])[:, None] if self.mean else out

    @cached_property
    def coupling(self) -> float:
        """The largest (Σ_q K(x_p, x_q) − K(x_p, x_p))/K(x_p, x_p) over the train points: what others add to one."""
        own = np.maximum(self.kernel.diagonal(self.points), np.finfo(float).tiny)
        if self.mean:
            own = own * self._scale
        return float((self(np.ones((len(own), 1)))[:, 0] / own - 1).max())

    @cached_property
    def _clusters(self) -> list[np.ndarray]:
        if self.labels is None:
            return [np.arange(len(self.points))]
        order = np.argsort(self.labels, kind="stable")
        return np.split(order, np.nonzero(np.diff(self.labels[order]))[0] + 1)

    @cached_property
    def _totals(self) -> list[Sum]:
        keep = 8 * sum(len(members) ** 2 for members in self._clusters) <= KEPT
        return [_total(self.kernel, self.points[members], keep) for members in self._clusters]

    @cached_property
    def _scale(self) -> np.ndarray:
        sums = np.empty(len(self.points))
        for members, total in zip(self._clusters, self._totals, strict=True):
            sums[members] = total(np.ones((len(members), 1)), None)[:, 0]
        return _inverse(sums)

    def _homes(self, points: Points) -> list[np.ndarray]:
        """For each cluster the numbers of the points whose nearest train point is in it."""
        if self.labels is None:
            return [np.arange(len(points))]
        near = self.labels[nearest_rows(unit_features(points), unit_features(self.points))]
        return [np.nonzero(near == self.labels[members[0]])[0] for members in self._clusters]


def on_points(kernel: Any, points: Points) -> Kernel:
    """`kernel` if it reads points of a variety, else behind their real and imaginary parts; InputError for none."""
    if not isinstance(kernel, Kernel):
        raise InputError(f"a flow on points is driven by a kernel, such as FubiniStudyGaussian(0.1), and {kernel!r} "
                         "is none.")
    try:
        kernel.read(points[:1])
    except InputError:
        return CoordinateKernel(kernel)
    return kernel


def checked_labels(labels: Any, count: int) -> np.ndarray:
    """One cluster for each point, numbers 0, 1, ... all of which occur; ShapeError, InputError for an empty cluster."""
    given = np.asarray(labels)
    if given.shape != (count,) or not np.issubdtype(given.dtype, np.integer):
        raise ShapeError(f"clusters of shape {given.shape} and type {given.dtype} were given for {count} points: give "
                         "the number of its cluster for each, as batched_labels returns them.")
    sizes = np.bincount(given) if given.min() >= 0 else np.zeros(1)
    if not sizes.all():
        empty = int(np.argmin(sizes))
        raise InputError(f"cluster {empty} of {max(int(given.max()) + 1, 1)} is empty: number clusters 0, 1, ... "
                         "without gaps, as np.unique(labels, return_inverse=True)[1] does.")
    return given


def _total(kernel: Kernel, points: Points, keep: bool) -> Sum:
    if isinstance(kernel, CutOffKernel):
        neighbours = kernel.neighbours(points)
        return lambda columns, workers: neighbours(columns)
    if not (keep and isinstance(kernel, CoordinateKernel)):
        return lambda columns, workers: kernel.apply(points, None, columns, workers=workers)
    matrix = kernel.matrix(points)

    def total(columns: np.ndarray, workers: Any) -> np.ndarray:
        rows, out = np.ascontiguousarray(columns.T), np.zeros(columns.shape[::-1])
        each(lambda s: contract(matrix[s], rows, out[:, s]), row_blocks(len(matrix), len(matrix)))
        return out.T

    return total


def _inverse(sums: np.ndarray) -> np.ndarray:
    """1/s, and 0 where the kernel reaches no train point but by rounding."""
    reached = sums > 1e-290
    return np.divide(1.0, sums, out=np.zeros_like(sums), where=reached)
