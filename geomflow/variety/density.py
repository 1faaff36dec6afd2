"""v = det g / (κ|Ω|²), κ and the σ-measure: how far a metric is from Ricci-flat."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from geomflow.variety.errors import KahlerConeError
from geomflow.variety.estimate import Estimate, mass, mean, weighted_mean

if TYPE_CHECKING:
    from geomflow.variety.metric import VarietyMetric
    from geomflow.variety.points import Points

#: Standard errors that no chance explains, even where weights have heavy tails; below the other a gap is rounding.
_DEVIATIONS, _ROUNDING = 8, 1e-9


def log_ratio(metric: VarietyMetric, points: Points) -> np.ndarray:
    """log(det g / |Ω|²), a function on the variety; (P,).

    Raises `KahlerConeError` with the number of points where g is not positive.
    """
    result = metric.log_determinant(points) - np.log(points.omega2)
    bad = np.nonzero(~np.isfinite(result))[0]
    if bad.size:
        raise KahlerConeError(
            f"the metric is not positive at {bad.size} of {len(points)} points, first at point {bad[0]}, "
            f"{np.round(points.coordinates[bad[0]], 4).tolist()}; it has left the Kähler cone"
        )
    return result


def kappa(metric: VarietyMetric, points: Points) -> Estimate:
    """κ = ∫det g d^{2n}x / ∫|Ω|² d^{2n}x."""
    return weighted_mean(np.exp(log_ratio(metric, points)), points.weights, points.line)


def density_ratio(metric: VarietyMetric, points: Points) -> np.ndarray:
    """v = det g / (κ|Ω|²) with mean one against dμ_Ω on these points, (P,)."""
    ratio = log_ratio(metric, points)
    return _normalised(np.exp(ratio - ratio.max(initial=-np.inf)), points)


def _normalised(ratio: np.ndarray, points: Points) -> np.ndarray:
    return ratio * (mass(points.weights) / (points.weights @ ratio))


def sigma(metric: VarietyMetric, points: Points) -> Estimate:
    """σ = ∫|1 − v| dμ_Ω / ∫dμ_Ω, eq. (B.11), with its Monte-Carlo error; zero exactly on Ricci-flat metrics."""
    ratio = log_ratio(metric, points)
    return sigma_of(np.exp(ratio - ratio.max(initial=-np.inf)), points)


def sigma_of(ratio: np.ndarray, points: Points) -> Estimate:
    """σ from det g/|Ω|² at the points, (P,), up to any factor.

    Its error is that of Σ w (|1 − v| + A(v − 1))/Σ w, whose second term, A = ∫v sgn(1 − v) dμ_Ω, is what κ moves.
    """
    v, total = _normalised(ratio, points), points.weights.sum()
    gap = np.abs(1 - v)
    value, along = (points.weights @ np.stack([gap, v * np.sign(1 - v)], axis=1)) / total
    terms = points.weights * (gap - value + along * (v - 1))
    return Estimate.of(value, terms / total, points.line)


def volume(metric: VarietyMetric, points: Points) -> Estimate:
    """∫ det g d^{2n}x, which the Kähler class fixes; see `class_volume`."""
    return mean(points.weights * np.exp(log_ratio(metric, points)), points.line)


class VolumeWarning(UserWarning):
    """A metric does not have the volume of its class on the points, by far more than the error there."""


def checked_volume(metric: VarietyMetric, points: Points) -> Estimate:
    """∫ det g d^{2n}x, with a warning (`VolumeWarning`) where it is more than eight standard errors from the exact one.

    That is far beyond chance: either the metric is none of its class, or the points do not see where it is large.
    """
    found, exact = volume(metric, points), class_volume(metric)
    if not abs(found - exact) <= _DEVIATIONS * found.error + _ROUNDING * exact:
        warnings.warn(f"{metric!r} has ∫det g = {found} on {len(points)} points, and its class "
                      f"{metric.kahler_class} has {exact:.6g}: it is none of its class, or these points see too little "
                      "of it; compare with other points, by gv.volume(metric, points)", VolumeWarning, stacklevel=3)
    return found


def class_volume(metric: VarietyMetric) -> float:
    """The exact ∫ det g d^{2n}x = πⁿ/n! ∫ (Σ t_i H_i)ⁿ of the metric's class."""
    from itertools import product
    from math import factorial, prod

    variety, n = metric.variety, metric.variety.dim
    terms = product(range(len(variety.ambient.dims)), repeat=n)
    return (
        np.pi**n / factorial(n) * sum(prod(metric.kahler_class[i] for i in c) * variety.intersection(*c) for c in terms)
    )
