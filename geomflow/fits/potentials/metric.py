"""A metric whose Kähler potential is a combination of kernel functions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.errors import ShapeError
from geomflow.core.hermitian import unpack
from geomflow.core.threads import slices
from geomflow.fits.phi.inputs import ProjectiveInputs
from geomflow.fits.potentials.span import PotentialSpan
from geomflow.variety.fubini_study import FubiniStudy
from geomflow.variety.metric import VarietyMetric

if TYPE_CHECKING:
    from geomflow.fits.potentials.report import KernelReport
    from geomflow.variety.points import Points

_CHUNK = 4096


@final
class KernelMetric(VarietyMetric):
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

    @property
    def kahler_class(self) -> tuple[float, ...]:
        """The t_i of the reference Σ t_i log|z_i|²."""
        return self.span.kahler_class

    def correction(self, points: Points) -> np.ndarray:
        """φ, (P,)."""
        return np.concatenate([value for _, value, _ in self._parts(points)])

    def potential(self, points: Points) -> np.ndarray:
        """K = Σ t_i log|z_i|² + φ at the scaled representatives, (P,)."""
        return self.reference.potential(points) + self.correction(points)

    def at(self, points: Points) -> np.ndarray:
        """g_{ab̄} = g_FS + ∂_a∂_b̄φ, shape (P, n, n)."""
        parts = []
        for inputs, _, hessian in self._parts(points):
            matrix = unpack(hessian) + np.eye(inputs.n)
            parts.append(inputs.lower @ matrix @ np.swapaxes(inputs.lower.conj(), 1, 2))
        return np.concatenate(parts)

    def jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Derivatives of K up to the fourth; `InputError` where the span has none."""
        self.check(points)
        own = self.span.jets(points, self.coefficients)
        return tuple(a + b for a, b in zip(self.reference.jets(points), own))  # type: ignore[return-value]

    def save(self, path: str | Path) -> None:
        """Write to an .npz file that `KernelMetric.load` reads; `StoreError` for a span that has its own store."""
        from geomflow.fits.potentials.store import save_metric

        save_metric(self, path)

    @staticmethod
    def load(path: str | Path) -> KernelMetric:
        """Read what `save` wrote; raises `StoreError`."""
        from geomflow.fits.potentials.store import load_metric

        return load_metric(path)

    def _parts(self, points: Points):
        self.check(points)
        for block in slices(len(points), _CHUNK):
            inputs = ProjectiveInputs.of(points[block], self.kahler_class)
            yield inputs, *self.span.combine(self.span.place(inputs), self.coefficients)

    def __repr__(self) -> str:
        return f"g_FS + ∂∂̄φ with φ of {self.span}, on the {self.variety}"
