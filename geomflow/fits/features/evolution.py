"""What training makes of the metric-NTK: drift, alignment with loss and target, spectrum and rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.hermitian import orthonormal, pack
from geomflow.fits.features.span import PotentialTangent
from geomflow.fits.phi.metric import PhiNetwork
from geomflow.kernels.spectrum import alignment, participation_ratio
from geomflow.variety.fubini_study import FubiniStudy

if TYPE_CHECKING:
    from geomflow.fits.phi.objective import FramePoints
    from geomflow.variety.metric import PolarisedMetric
    from geomflow.variety.points import Points

TOP = 20
"""The number of eigenvectors that count as the top ones."""


@final
@dataclass(frozen=True, eq=False)
class KernelNumbers:
    """The metric-NTK Θ of a network on some points, in numbers; matrices over pairs (point, component).

    drift              ‖Θ − Θ_0‖/‖Θ_0‖, Frobenius norms
    turned             1 − ⟨Θ, Θ_0⟩/(‖Θ‖‖Θ_0‖), the part of the drift that is no change of scale
    loss_alignment     ⟨D, ΘD⟩/(λ_max |D|²), D the gradient of ∫(v − 1)² dμ_Ω at the network's own metric
    target_alignment   ⟨h, Θh⟩/(‖Θ‖|h|²), h = g* − g_FS for the target metric g*
    target_share       the part of |h|² in the span of the `TOP` leading eigenvectors
    gradient_share     the part of |D|² there, D at Fubini–Study
    rank               (tr Θ)²/tr Θ², the participation ratio of the eigenvalues
    spectrum           eigenvalues, largest first
    """

    drift: float
    turned: float
    loss_alignment: float
    target_alignment: float
    target_share: float
    gradient_share: float
    rank: float
    spectrum: np.ndarray


@final
class KernelWatch:
    """Watches the metric-NTK of a φ-network on `points` through its training, against `target`, an accurate metric.

    ``watch(metric)`` gives `KernelNumbers` at the parameters of `metric`; drift is measured from `start`. Matrices are
    taken in the orthonormal frame of g_FS, so that no number depends on coordinates. Θ has 9 P rows on a threefold:
    a hundred points are enough. Raises `InputError` for metrics on another variety.
    """

    def __init__(self, start: PhiNetwork, points: Points, target: PolarisedMetric) -> None:
        self.points = points
        self.places: FramePoints = PotentialTangent(start).places(points)
        self.initial = PotentialTangent(start).kernel(points)
        self.target = frame_components(target, points)
        self.gradient = self._descent(np.zeros((len(points), points.variety.dim**2)))

    def __call__(self, metric: PhiNetwork) -> KernelNumbers:
        span = PotentialTangent(metric)
        kernel = span.kernel(self.points)
        values, vectors = np.linalg.eigh(kernel)
        top = vectors[:, -TOP:]
        slope = self._descent(span.present(self.places))
        norm, first = np.linalg.norm(kernel), np.linalg.norm(self.initial)
        return KernelNumbers(
            drift=float(np.linalg.norm(kernel - self.initial) / first),
            turned=1 - float(np.vdot(kernel, self.initial) / (norm * first)),
            loss_alignment=alignment(slope, kernel @ slope, float(values[-1])),
            target_alignment=alignment(self.target, kernel @ self.target, float(norm)),
            target_share=_share(top, self.target),
            gradient_share=_share(top, self.gradient),
            rank=participation_ratio(np.maximum(values, 0.0)),
            spectrum=values[::-1].copy(),
        )

    def _descent(self, change: np.ndarray) -> np.ndarray:
        """The gradient of Σ μ (v − 1)² by the matrices of g in an orthonormal basis, (P n²,)."""
        volume, dual, _ = self.places.volume(change)
        weights = self.places.weights
        kappa = weights @ volume
        v = volume / kappa
        slope = (2 * weights / kappa * ((v - 1) - weights @ ((v - 1) * v)))[:, None] * dual
        return (slope * orthonormal(self.points.variety.dim) ** -1.0).ravel()


def frame_components(metric: PolarisedMetric, points: Points) -> np.ndarray:
    """g − g_FS in an orthonormal frame of g_FS and an orthonormal basis of Hermitian matrices, (P n²,)."""
    metric.check(points)
    reference = FubiniStudy(points.variety, metric.kahler_class).at(points)
    lower = np.linalg.cholesky(reference)
    half = np.linalg.solve(lower, metric.at(points) - reference)
    inside = np.linalg.solve(lower, np.swapaxes(half.conj(), 1, 2))
    return (pack(np.swapaxes(inside.conj(), 1, 2)) * orthonormal(points.variety.dim)).ravel()


def _share(top: np.ndarray, vector: np.ndarray) -> float:
    square = float(vector @ vector)
    if not square > 0:
        raise InputError("the target is Fubini–Study itself: there is nothing to align with")
    return float(np.sum((top.T @ vector) ** 2)) / square
