"""A metric whose Kähler potential is a combination of kernel functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core import archive
from geomflow.core.errors import ShapeError, StoreError
from geomflow.core.threads import slices
from geomflow.fits.phi.inputs import ProjectiveInputs
from geomflow.fits.potentials.span import KINDS as SPANS
from geomflow.fits.potentials.span import PotentialSpan
from geomflow.variety.fubini_study import CorrectedMetric, FubiniStudy
from geomflow.variety.metric import KINDS

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.fits.potentials.report import KernelReport
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points

_CHUNK = 4096
#: Files that held coefficients of the tangent features of a network, and no others.
_FROZEN = "geomflow frozen features 1"


@final
class KernelMetric(CorrectedMetric, kind="geomflow kernel metric 1"):
    """g = g_FS + ∂∂̄φ with φ = Σ_α a_α ψ_α in a span of kernel functions; `report` says how a fit that made it went.

    φ is one function on the variety, so g is closed, in the class of Fubini–Study, and the same metric in every patch.
    Where it is not positive `log_determinant` is NaN, and measures raise `KahlerConeError` with the place.
    Raises `ShapeError` where the number of coefficients is not that of the functions.
    """

    def __init__(self, span: PotentialSpan, coefficients: np.ndarray, report: KernelReport | None = None) -> None:
        self.span, self.report = span, report
        self.variety = span.variety
        self.coefficients = np.array(coefficients, dtype=float)
        self.reference = FubiniStudy(span.variety, span.kahler_class)
        if self.coefficients.shape != (span.size,):
            raise ShapeError(f"{self.coefficients.shape} coefficients for {span.size} functions; give ({span.size},)")

    def correction(self, points: Points) -> np.ndarray:
        """φ, (P,)."""
        return np.concatenate([value for _, value, _ in self._parts(points)])

    def at(self, points: Points) -> np.ndarray:
        """g_{ab̄} = g_FS + ∂_a∂_b̄φ, shape (P, n, n)."""
        return np.concatenate([inputs.metric(hessian) for inputs, _, hessian in self._parts(points)])

    def correction_jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Derivatives of φ; `InputError` where the span has none."""
        self.check(points)
        return self.span.jets(points, self.coefficients)

    def record(self) -> dict[str, Any]:
        """The span, coefficients and report. Raises `StoreError` for a span that no file holds."""
        if not self.span.kind:
            raise StoreError(f"{self.span} cannot be stored: no file holds a {type(self.span).__name__}")
        return {"span": self.span.kind, "coefficients": self.coefficients, **self.span.record(),
                **archive.report_record(self.report)}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> KernelMetric:
        """The metric of these."""
        frozen = archive.kind_of(file.path, file) == _FROZEN
        span = SPANS["PotentialTangent" if frozen else file.text("span")].from_record(file, variety)
        report = archive.report_of(file, "FrozenReport" if frozen else "KernelReport")
        return cls(span, file.numbers("coefficients", "f", None), report)

    def _parts(self, points: Points):
        self.check(points)
        for block in slices(len(points), _CHUNK):
            inputs = ProjectiveInputs.of(points[block], self.kahler_class)
            yield inputs, *self.span.combine(self.span.place(inputs), self.coefficients)

    def __repr__(self) -> str:
        return f"g_FS + ∂∂̄φ with φ of {self.span}, on the {self.variety}"


KINDS[_FROZEN] = KernelMetric
