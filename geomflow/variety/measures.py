"""Measures of metrics on points: v = det g/(κ|Ω|²), κ, σ, gain, volume, Ricci, transition, positivity."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import factorial, prod
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core import conventions
from geomflow.core.errors import InputError, warn
from geomflow.core.hermitian import log_determinant
from geomflow.core.threads import each, slices
from geomflow.variety.errors import KahlerConeError, VolumeWarning
from geomflow.variety.estimate import Estimate, mass, mean, weighted_mean
from geomflow.variety.frames import in_patch, transition
from geomflow.variety.metric import FubiniStudy, HermitianMetric, PolarisedMetric

if TYPE_CHECKING:
    from geomflow.variety.points import Points

#: Standard errors that no chance explains, even where weights have heavy tails; below the other a gap is rounding.
_DEVIATIONS, _ROUNDING = 8, 1e-9


def log_ratio(metric: HermitianMetric, points: Points) -> np.ndarray:
    """log(det g / |Ω|²), a function on the variety; (P,).

    Raises `KahlerConeError` with the number of points where g is not positive.
    """
    there = metric.in_chart(points)
    result: np.ndarray = metric.log_determinant(there) - np.log(there.omega2)
    bad = np.nonzero(~np.isfinite(result))[0]
    if bad.size:
        raise KahlerConeError(
            f"the metric is not positive at {bad.size} of {len(points)} points, first at point {bad[0]}, "
            f"{np.round(points.coordinates[bad[0]], 4).tolist()}; it has left the Kähler cone"
        )
    return result


def kappa(metric: HermitianMetric, points: Points) -> Estimate:
    """κ = ∫det g d^{2n}x / ∫|Ω|² d^{2n}x. Raises `KahlerConeError` where g is not positive.

    Parameters
    ----------
    metric : HermitianMetric
        The metric g, known by its components.
    points : Points
        Where it is measured, with the weights of dμ_Ω.
    """
    return weighted_mean(np.exp(log_ratio(metric, points)), points.weights, points.line)


def density_ratio(metric: HermitianMetric, points: Points) -> np.ndarray:
    """v = det g / (κ|Ω|²) with mean one against dμ_Ω on these points, (P,).

    Raises `KahlerConeError` where g is not positive.

    Parameters
    ----------
    metric : HermitianMetric
        The metric g, known by its components.
    points : Points
        Where it is measured, with the weights of dμ_Ω.
    """
    return normalised(_scaled_ratio(metric, points), points.weights)[0]


def _scaled_ratio(metric: HermitianMetric, points: Points) -> np.ndarray:
    """det g/|Ω|² up to a factor, at most one."""
    ratio = log_ratio(metric, points)
    result: np.ndarray = np.exp(ratio - ratio.max(initial=-np.inf))
    return result


def normalised(ratio: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, float, float]:
    """(v, κ, σ) from det g/|Ω|² at points, (P,), up to any factor, and the weights of dμ_Ω there, (P,).

    κ = Σ w ratio/Σ w, v = ratio/κ and σ = Σ w |1 − v|/Σ w, eq. (B.11). A metric that is not positive everywhere has a
    σ too, by the same formula, as long as its volume is positive; where κ is not, or no number, σ is infinite. This is
    the only place that says so.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        kappa = float(weights @ ratio) / mass(weights)
        v = ratio / kappa
        return v, kappa, conventions.sigma(v, weights) if 0 < kappa < np.inf else np.inf


def sigma(metric: HermitianMetric, points: Points) -> Estimate:
    """σ = ∫|1 − v| dμ_Ω / ∫dμ_Ω, eq. (B.11), with its Monte-Carlo error; zero exactly on Ricci-flat metrics.

    Raises `KahlerConeError` where g is not positive; `quality` has an answer there too.

    Parameters
    ----------
    metric : HermitianMetric
        The metric g, known by its components.
    points : Points
        Where it is measured, with the weights of dμ_Ω.
    """
    return sigma_of(_scaled_ratio(metric, points), points)


def sigma_of(ratio: np.ndarray, points: Points) -> Estimate:
    """σ from det g/|Ω|² at the points, (P,), up to any factor; infinite where no volume is left, see `normalised`.

    Its error is that of Σ w (|1 − v| + A(v − 1))/Σ w, whose second term, A = ∫v sgn(1 − v) dμ_Ω, is what κ moves.
    """
    v, _, value = normalised(ratio, points.weights)
    if not value < np.inf:
        return Estimate(np.inf, np.inf)
    total = points.weights.sum()
    along = points.weights @ (v * np.sign(1 - v)) / total
    terms = points.weights * (np.abs(1 - v) - value + along * (v - 1))
    return Estimate.of(value, terms / total, points.line)


@dataclass(frozen=True)
class Quality:
    """σ, eq. (B.11), of Fubini–Study (`before`) and of a metric (`after`) on the same points, each with its own κ.

    `not_positive` says at how many of the `points` the metric is not positive; det g counts there as it is.

    Parameters
    ----------
    before, after : Estimate
        σ of Fubini–Study and of the metric.
    not_positive : int
        At how many points g is not positive.
    points : int
        The number of points.
    """

    before: Estimate
    after: Estimate
    not_positive: int
    points: int

    @property
    def gain(self) -> float:
        """before/after: finite always; 0 where the metric has no volume left, κ ≤ 0."""
        return gain_of(self.before, self.after)

    def __str__(self) -> str:
        lost = f"; not positive at {self.not_positive}" if self.not_positive else ""
        return f"gain {self.gain:.4g} on {self.points} points: σ from {self.before} to {self.after}{lost}"


def quality(metric: HermitianMetric, points: Points) -> Quality:
    """σ before and after, and where positivity is lost: an answer for every metric, also one that failed.

    Where g is positive `after` is `sigma(metric, points)`. Fubini–Study is that of the metric's class, of t = (1, …, 1)
    for a metric in none.

    Parameters
    ----------
    metric : HermitianMetric
        The metric g, known by its components.
    points : Points
        Where it is measured, with the weights of dμ_Ω.
    """
    there = metric.in_chart(points)
    kahler_class = metric.kahler_class if isinstance(metric, PolarisedMetric) else None
    g, reference = metric.at(there), FubiniStudy(metric.variety, kahler_class).at(there)
    with np.errstate(over="ignore", invalid="ignore"):
        before, after = (sigma_of(np.linalg.det(h).real / there.omega2, there) for h in (reference, g))
    return Quality(before, after, int(np.isnan(log_determinant(g)).sum()), len(points))


def gain(metric: HermitianMetric, points: Points) -> float:
    """σ of Fubini–Study over σ of the metric on the same points: `quality(metric, points).gain`, never an error.

    Parameters
    ----------
    metric : HermitianMetric
        The metric g, known by its components.
    points : Points
        Where it is measured, with the weights of dμ_Ω.
    """
    return quality(metric, points).gain


def gain_of(before: float, after: float) -> float:
    """before/after of two σ; below the rounding of σ, 2e-16, differences are not told; 0 for an infinite `after`."""
    return float(before) / max(float(after), float(np.finfo(float).eps)) if np.isfinite(after) else 0.0


def volume(metric: PolarisedMetric, points: Points) -> Estimate:
    """∫ det g d^{2n}x, which the Kähler class fixes; see `class_volume`.

    Parameters
    ----------
    metric : PolarisedMetric
        A Kähler metric in a class.
    points : Points
        Where it is measured, with the weights of dμ_Ω.
    """
    return mean(points.weights * np.exp(log_ratio(metric, points)), points.line)


def checked_volume(metric: PolarisedMetric, points: Points) -> Estimate:
    """∫ det g d^{2n}x, with a warning (`VolumeWarning`) where it is more than eight standard errors from the exact one.

    That is far beyond chance: either the metric is none of its class, or the points do not see where it is large.

    Parameters
    ----------
    metric : PolarisedMetric
        A Kähler metric in a class.
    points : Points
        Where it is measured, with the weights of dμ_Ω.
    """
    found, exact = volume(metric, points), class_volume(metric)
    if not abs(found - exact) <= _DEVIATIONS * found.error + _ROUNDING * exact:
        warn(f"{metric!r} has ∫det g = {found} on {len(points)} points, and its class "
             f"{metric.kahler_class} has {exact:.6g}: it is none of its class, or these points see too little "
             "of it; compare with other points, by gv.volume(metric, points)", VolumeWarning)
    return found


def class_volume(metric: PolarisedMetric) -> float:
    """The exact ∫ det g d^{2n}x = πⁿ/n! ∫ (Σ t_i H_i)ⁿ of the metric's class.

    Parameters
    ----------
    metric : PolarisedMetric
        A Kähler metric in a class.
    """
    variety, n = metric.variety, metric.variety.dim
    terms = product(range(len(variety.ambient.dims)), repeat=n)
    return (
        np.pi**n / factorial(n) * sum(prod(metric.kahler_class[i] for i in c) * variety.intersection(*c) for c in terms)
    )


def scalar_curvature(metric: PolarisedMetric, points: Points) -> np.ndarray:
    """R = 2 g^{ab̄}R_{ab̄} at the points, (P,).

    Parameters
    ----------
    metric : PolarisedMetric
        A Kähler metric in a class.
    points : Points
        Where it is measured, with the weights of dμ_Ω.
    """
    return np.concatenate(each(lambda s: metric.curvature(points[s]).scalar, slices(len(points), 512)))


def ricci_measure(metric: PolarisedMetric, points: Points) -> Estimate:
    """Vol^{1/n} ∫|R| dμ_J / Vol with Vol = ∫dμ_J = 2ⁿ ∫det g: zero on Ricci-flat metrics, independent of scale.

    Parameters
    ----------
    metric : PolarisedMetric
        A Kähler metric in a class.
    points : Points
        Where it is measured, with the weights of dμ_Ω.
    """
    n = points.variety.dim
    mass = np.exp(metric.log_determinant(points)) / points.density
    size = (2.0**n * class_volume(metric)) ** (1 / n)
    average = weighted_mean(np.abs(scalar_curvature(metric, points)), mass, points.line)
    return average.scaled(size)


def transition_loss(metric: HermitianMetric, points: Points) -> float:
    """The largest |g − T g' T†| / |g| over all points and all other patches in which a coordinate is not small.

    Parameters
    ----------
    metric : HermitianMetric
        The metric g, known by its components.
    points : Points
        Where it is measured, with the weights of dμ_Ω.
    """
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


def smallest_eigenvalue(metric: PolarisedMetric, points: Points) -> float:
    """The least eigenvalue of g relative to Fubini–Study of its class, over the points: positive inside the cone.

    Parameters
    ----------
    metric : PolarisedMetric
        A Kähler metric in a class.
    points : Points
        Where it is measured, with the weights of dμ_Ω.
    """
    if not len(points):
        raise InputError("there are no points, and nothing is the least eigenvalue of none: take at least one")
    lower = np.linalg.inv(np.linalg.cholesky(FubiniStudy(points.variety, metric.kahler_class).at(points)))
    relative = lower @ metric.at(points) @ np.swapaxes(lower.conj(), 1, 2)
    return float(np.linalg.eigvalsh(relative).min())


@dataclass(frozen=True)
class Measures:
    """All measures of a metric on some points; printing it makes a table.

    Parameters
    ----------
    sigma, kappa, volume : Estimate
        σ, κ and ∫ det g d^{2n}x with their Monte-Carlo errors.
    class_volume : float
        The exact volume of the class.
    ricci : Estimate
        The Ricci measure.
    transition : float
        The transition loss.
    smallest_eigenvalue : float
        Of g relative to Fubini–Study.
    effective_size : float
        Kish's number of points.
    """

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


def measure(metric: PolarisedMetric, points: Points) -> Measures:
    """Every measure at once.

    Parameters
    ----------
    metric : PolarisedMetric
        A Kähler metric in a class.
    points : Points
        Where it is measured, with the weights of dμ_Ω.
    """
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
