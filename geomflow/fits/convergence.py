"""How metrics become Ricci-flat with the degree: σ and scalar curvature of optimal metrics on unseen points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geomflow.core.errors import InputError
from geomflow.fits.algebraic import algebraic_metric
from geomflow.variety import Hypersurface, Points, scalar_curvature, sigma
from geomflow.variety.estimate import Estimate, weighted_mean


@dataclass(frozen=True)
class Level:
    """An optimal metric of one degree: σ, the mean of |R| against dμ_Ω and its maximum over the unseen points.

    Parameters
    ----------
    degree : int
        k.
    parameters : int
        Coefficients of the metric.
    sigma : Estimate
        σ on the unseen points.
    curvature : Estimate
        The mean of |R| there.
    largest : float
        The largest |R|.
    """

    degree: int
    parameters: int
    sigma: Estimate
    curvature: Estimate
    largest: float


@dataclass(frozen=True)
class Convergence:
    """Levels in increasing degree; printing it makes a table.

    Parameters
    ----------
    levels : tuple of Level
        Of increasing degree.
    """

    levels: tuple[Level, ...]

    def rate(self, what: str = "sigma") -> float:
        """−d log(what)/dk by least squares: "sigma", "curvature" or "largest" falls by e^{−rate} a degree.

        Parameters
        ----------
        what : "sigma", "curvature" or "largest"
            What falls.
        """
        degrees = [level.degree for level in self.levels]
        values = [float(getattr(level, what)) for level in self.levels]
        return -float(np.polyfit(degrees, np.log(values), 1)[0])

    def predicted_rate(self) -> float:
        """The rate of the curvature that σ predicts: R = −2Δ_∂ log v, and −Δ_∂ is about k² on what degree k leaves."""
        degrees = [level.degree for level in self.levels]
        return self.rate() - 2 * float(np.polyfit(degrees, np.log(degrees), 1)[0])

    def __str__(self) -> str:
        lines = [f"{'k':>3} {'parameters':>10}  {'σ':<24} {'mean |R|':<24} max |R|"]
        for x in self.levels:
            lines.append(f"{x.degree:>3} {x.parameters:>10}  {x.sigma!s:<24} {x.curvature!s:<24} {x.largest:.3g}")
        return "\n".join(lines)


def convergence(
    variety: Hypersurface, degrees: Sequence[int], points: Points, unseen: Points, *, curved: int = 2000
) -> Convergence:
    """Fit the optimal metrics of these degrees on `points`; σ on all `unseen` points, curvature on the first `curved`.

    Parameters
    ----------
    variety : Hypersurface
        Where the metrics live.
    degrees : sequence of int
        At least two, increasing, else `InputError`.
    points : Points
        Those to fit on.
    unseen : Points
        Those to measure on.
    curved : int
        On how many of them curvature is taken.
    """
    if len(degrees) < 2 or np.any(np.diff(degrees) <= 0):
        raise InputError(f"the degrees are {list(degrees)}; give at least two that increase")
    here = unseen[:curved]
    levels = []
    for degree in degrees:
        metric = algebraic_metric(variety, int(degree), points)
        curvature = np.abs(scalar_curvature(metric, here))
        mean = weighted_mean(curvature, here.weights, here.line)
        assert metric.report is not None
        parameters = metric.report.parameters
        levels.append(Level(int(degree), parameters, sigma(metric, unseen), mean, float(curvature.max())))
    return Convergence(tuple(levels))
