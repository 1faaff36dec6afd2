"""Measures of a metric beside σ: Ricci, transition, volume, positivity, and a report of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.variety.density import class_volume, kappa, sigma, volume
from geomflow.variety.estimate import Estimate, weighted_mean
from geomflow.variety.frames import in_patch, transition

if TYPE_CHECKING:
    from geomflow.variety.metric import VarietyMetric
    from geomflow.variety.points import Points


def scalar_curvature(metric: VarietyMetric, points: Points) -> np.ndarray:
    """R = 2 g^{ab̄}R_{ab̄} at the points, (P,)."""
    from geomflow.core.threads import each, slices

    return np.concatenate(each(lambda s: metric.curvature(points[s]).scalar, slices(len(points), 512)))


def ricci_measure(metric: VarietyMetric, points: Points) -> Estimate:
    """Vol^{1/n} ∫|R| dμ_J / Vol with Vol = ∫dμ_J = 2ⁿ ∫det g: zero on Ricci-flat metrics, independent of scale."""
    n = points.variety.dim
    mass = np.exp(metric.log_determinant(points)) / points.density
    size = (2.0**n * class_volume(metric)) ** (1 / n)
    average = weighted_mean(np.abs(scalar_curvature(metric, points)), mass, points.line)
    return average.scaled(size)


def transition_loss(metric: VarietyMetric, points: Points) -> float:
    """The largest |g − T g' T†| / |g| over all points and all other patches in which a coordinate is not small."""
    worst = 0.0
    g = metric.at(points)
    size = np.linalg.norm(g, axis=(1, 2))
    for f, block in enumerate(points.variety.ambient.blocks):
        for chosen in range(block.start, block.stop):
            inside = np.abs(points.coordinates[:, chosen]) > 0.05
            here = points[inside]
            if not len(here):
                continue
            patch = here.patch.copy()
            patch[:, f] = chosen
            there = in_patch(here, patch)
            change = transition(here, there)
            moved = change @ metric.at(there) @ np.swapaxes(change.conj(), 1, 2)
            worst = max(worst, float(np.max(np.linalg.norm(g[inside] - moved, axis=(1, 2)) / size[inside])))
    return worst


def smallest_eigenvalue(metric: VarietyMetric, points: Points) -> float:
    """The least eigenvalue of g relative to Fubini–Study of its class, over the points: positive inside the cone."""
    from geomflow.variety.fubini_study import FubiniStudy

    if not len(points):
        raise InputError("there are no points, and nothing is the least eigenvalue of none: take at least one")
    lower = np.linalg.inv(np.linalg.cholesky(FubiniStudy(points.variety, metric.kahler_class).at(points)))
    relative = lower @ metric.at(points) @ np.swapaxes(lower.conj(), 1, 2)
    return float(np.linalg.eigvalsh(relative).min())


@dataclass(frozen=True)
class Measures:
    """All measures of a metric on some points; printing it makes a table."""

    sigma: Estimate
    kappa: Estimate
    volume: Estimate
    class_volume: float
    ricci: Estimate
    transition: float
    smallest_eigenvalue: float
    effective_size: float

    def __str__(self) -> str:
        rows = {
            "σ": self.sigma,
            "κ": self.kappa,
            "∫det g": f"{self.volume} (exact {self.class_volume:.8g})",
            "Ricci measure": self.ricci,
            "transition loss": f"{self.transition:.2g}",
            "least eigenvalue over Fubini–Study": f"{self.smallest_eigenvalue:.4g}",
            "effective sample size": f"{self.effective_size:.0f}",
        }
        return "\n".join(f"{name:<36}{value}" for name, value in rows.items())


def measure(metric: VarietyMetric, points: Points) -> Measures:
    """Every measure at once."""
    return Measures(
        sigma(metric, points),
        kappa(metric, points),
        volume(metric, points),
        class_volume(metric),
        ricci_measure(metric, points),
        transition_loss(metric, points),
        smallest_eigenvalue(metric, points),
        points.effective_size,
    )
