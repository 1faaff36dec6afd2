"""Spaces of Kähler potentials: functions on a hypersurface with a norm, the kernels they are of, and their metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf

from geomflow.core import archive
from geomflow.core.archive import Archive
from geomflow.core.errors import InputError, ShapeError, StoreError
from geomflow.core.report import FitReport, read_report, report_record
from geomflow.core.threads import slices
from geomflow.fits.points import WeightedPoints
from geomflow.fits.projective import ProjectiveInputs
from geomflow.fits.span import LinearSpan
from geomflow.variety import Hypersurface, Points
from geomflow.variety.metric import KINDS, CorrectedMetric, FubiniStudy

#: Every span that has a place on disk, by the name of its kind.
SPANS: dict[str, type[PotentialSpan]] = {}

_CHUNK = 4096
#: Files that held coefficients of the tangent features of a network, and no others.
_FROZEN = "geomflow frozen features 1"


class PotentialSpan(LinearSpan["KernelMetric"]):
    """The functions φ = Σ_α a_α ψ_α on a hypersurface, α = 1..size, with the norm |a|; M = ∂∂̄φ.

    The ψ_α are orthonormal in the reproducing kernel Hilbert space of the kernel K(x, y) = Σ_α ψ_α(x) ψ_α(y): for a
    kernel they are combinations of its functions K(·, c), for a network its tangent features ∂φ/∂θ_α. Descent of a loss
    in the coefficients a is then its flow in the kernel, ∂φ/∂t = −K δE/δφ (Halverson and Ruehle, eq. (2.12) with the
    kernel on the potential).

    Derivatives along the variety are in an orthonormal frame of Fubini–Study, as `ProjectiveInputs` has it. A new span
    defines `size`, `combine` and `rows`; one whose metrics files hold names its kind, and defines `record` and
    `from_record`, as a `HermitianMetric` does.
    """

    kahler_class: tuple[float, ...]
    #: The name of this kind in files; empty for spans that no file holds.
    kind: ClassVar[str] = ""

    def __init_subclass__(cls, kind: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.kind = kind
        archive.register(cls, PotentialSpan, kind, SPANS)

    def record(self) -> dict[str, Any]:
        """What the span is made of besides its variety, for files. Raises `StoreError` for one that no file holds."""
        raise StoreError(f"{self} cannot be stored: no file holds a {type(self).__name__}")

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> PotentialSpan:
        """The span of a `record`. Raises `StoreError` for what is none.

        Parameters
        ----------
        file : Archive
            Its content.
        variety : Hypersurface
            Where the functions are.
        """
        raise StoreError(f"no file holds a {cls.__name__}")

    @abstractmethod
    def combine(self, prepared: Any, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """φ = Σ_α a_α ψ_α and its packed ∂_a∂_b̄φ: shapes (P,) and (P, n²).

        Parameters
        ----------
        prepared : object
            From `prepared`, at P points.
        coefficients : (size,) array
            a.
        """

    def change(self, prepared: Any, coefficients: np.ndarray) -> np.ndarray:
        """The packed ∂_a∂_b̄φ, (P, n²)."""
        return self.combine(prepared, coefficients)[1]

    def weighted(self, points: Points) -> WeightedPoints:
        """The points in the frame of g_FS; raises `InputError` on another variety."""
        if not self.variety.same_as(points.variety):
            raise InputError(f"the functions are on the {self.variety}, the points on the {points.variety}")
        return WeightedPoints.in_frames(points, self.kahler_class)

    def jets(self, points: Points, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(φ_ab̄, φ_acb̄, φ_acb̄d̄) in local coordinates, as `PolarisedMetric.jets`; `InputError` where there are none.

        Parameters
        ----------
        points : Points
            P of them.
        coefficients : (size,) array
            a.
        """
        raise InputError(
            f"{self} has no third and fourth derivatives, which curvature needs; take a kernel with a smooth profile"
        )

    def every_jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`jets` of each function ψ_α, these on a last axis.

        Parameters
        ----------
        points : Points
            P of them.
        """
        found = [self.jets(points, unit) for unit in np.eye(self.size)]
        second, third, fourth = (np.stack(parts, axis=-1) for parts in zip(*found, strict=True))
        return second, third, fourth

    def result(self, coefficients: np.ndarray, report: FitReport | None = None) -> KernelMetric:
        """A `KernelMetric`."""
        return KernelMetric(self, coefficients, report)


class KahlerKernel(ABC):
    """A symmetric, positive semi-definite K(x, y) of two points of a hypersurface, smooth enough for ∂∂̄∂∂̄K to exist.

    A metric g_FS + ∂∂̄φ with φ = Σ_c a_c K(·, c) is Kähler and in the class of g_FS wherever it is positive, and one
    function on the whole variety: K depends on points, not on their representatives or coordinates.
    """

    @abstractmethod
    def span(
        self, points: Points, kahler_class: Sequence[float] | None = None, tolerance: float = 1e-10
    ) -> PotentialSpan:
        """The functions K(·, c) with c among some points, as many as are independent.

        Parameters
        ----------
        points : Points
            Their Gram matrix is formed: 2,500 of them take 50 MB (`MemoryLimitError` before it is).
        kahler_class : sequence of float, optional
            The t_i, 1 unless given.
        tolerance : float
            Relative to the largest K(c, c): what is left out has a norm below its root.
        """


def independent(gram: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """(chosen, L): the centres that pivoted Cholesky takes from a Gram matrix, and their Cholesky factor.

    It stops where no function K(·, c) is farther than √(tolerance · largest K(c, c)) from the span of the chosen ones;
    L L† is the Gram matrix of these, so that L⁻¹ K(chosen, ·) is orthonormal in the kernel's space (Newton's basis).
    Raises `InputError` where the matrix is not positive anywhere or not finite.
    """
    largest = float(np.diagonal(gram).max())
    if not (np.isfinite(gram).all() and largest > 0):
        raise InputError(f"the Gram matrix of {len(gram)} centres has largest diagonal entry {largest:.3g}: no kernel")
    factor, pivots, rank, _ = dpstrf(gram, tol=tolerance * largest, lower=1)
    return pivots[:rank] - 1, np.ascontiguousarray(np.tril(factor[:rank, :rank]))


def whitened(lower: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows in terms of K(·, c) to rows in terms of the orthonormal basis: (P, M) -> (P, M)."""
    return solve_triangular(lower, rows.T, lower=True, check_finite=False).T


def unwhitened(lower: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Coefficients of the orthonormal basis to those of the K(·, c), (M,)."""
    return solve_triangular(lower, coefficients, lower=True, trans=1, check_finite=False)


def stored_factor(file: Archive) -> np.ndarray:
    """The whitening L of a file, (size, size). Raises `StoreError` for what is no Cholesky factor."""
    size = len(file.numbers("coefficients", "f", None))
    lower = file.numbers("lower", "f", size, size)
    if not np.all(np.diagonal(lower) > 0):
        raise file.damaged("'lower' is no Cholesky factor")
    return lower


@final
class KernelMetric(CorrectedMetric, kind="geomflow kernel metric 1"):
    """g = g_FS + ∂∂̄φ with φ = Σ_α a_α ψ_α in a span of kernel functions.

    φ is one function on the variety, so g is closed, in the class of Fubini–Study, and the same metric in every patch.
    Where it is not positive `log_determinant` is NaN, and measures raise `KahlerConeError` with the place.

    Parameters
    ----------
    span : PotentialSpan
        The functions ψ_α.
    coefficients : (size,) array
        a; `ShapeError` for another number.
    report : FitReport, optional
        How the fit that made it went.
    """

    def __init__(self, span: PotentialSpan, coefficients: np.ndarray, report: FitReport | None = None) -> None:
        self.span, self.report = span, report
        self.variety = span.variety
        self.coefficients = np.array(coefficients, dtype=float)
        self.reference = FubiniStudy(span.variety, span.kahler_class)
        if self.coefficients.shape != (span.size,):
            raise ShapeError(f"{self.coefficients.shape} coefficients for {span.size} functions; give ({span.size},)")

    def correction(self, points: Points) -> np.ndarray:
        """φ, (P,)."""
        return np.concatenate([value for _, value, _ in self._parts(points)])

    def at(self, points: Points) -> NDArray[np.complex128]:
        """g_{ab̄} = g_FS + ∂_a∂_b̄φ, shape (P, n, n)."""
        return np.concatenate([inputs.metric(hessian) for inputs, _, hessian in self._parts(points)])

    def correction_jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Derivatives of φ; `InputError` where the span has none."""
        self.check(points)
        return self.span.jets(points, self.coefficients)

    def record(self) -> dict[str, Any]:
        """The span, coefficients and report. Raises `StoreError` for a span that no file holds."""
        return {"span": self.span.kind, "coefficients": self.coefficients, **self.span.record(),
                **report_record(self.report)}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> KernelMetric:
        """The metric of these."""
        frozen = archive.kind_of(file.path, file) == _FROZEN
        span = SPANS["PotentialTangent" if frozen else file.text("span")].from_record(file, variety)
        report = read_report(file, "FrozenReport" if frozen else "KernelReport")
        return cls(span, file.numbers("coefficients", "f", None), report)

    def _parts(self, points: Points) -> Iterator[tuple[ProjectiveInputs, np.ndarray, np.ndarray]]:
        self.check(points)
        for block in slices(len(points), _CHUNK):
            inputs = ProjectiveInputs.of(points[block], self.kahler_class)
            yield inputs, *self.span.combine(self.span.prepared(inputs), self.coefficients)

    def __repr__(self) -> str:
        return f"g_FS + ∂∂̄φ with φ of {self.span}, on the {self.variety}"


KINDS[_FROZEN] = KernelMetric
