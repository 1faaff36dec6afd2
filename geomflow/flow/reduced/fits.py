"""The time of a singularity from curvature along a run, by extrapolation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

RATIO = 2.0
"""Between curvatures at successive points of a fit."""

TERMS = 4
"""Of the series in 1/τ."""


@final
@dataclass(frozen=True)
class Approach:
    """How curvature Λ went to infinity.

    Parameters
    ----------
    time, error : float
        T, and by how much its fits differ.
    ages, sizes : (M,) array
        Times before the end of the run, and Λ there, from the last point back, Λ falling by halves.
    """

    time: float
    error: float
    ages: np.ndarray
    sizes: np.ndarray

    @property
    def scales(self) -> np.ndarray:
        """−Δt/Δ(1/Λ) of neighbours, which is Λ(T − t) where that is constant, from the last point back, (M − 1,)."""
        return np.diff(self.ages) / np.diff(1 / self.sizes)

    @property
    def left(self) -> float:
        """T − t at the last point, by the last two: T − t is as exact as Λ is, though T may not be."""
        return float(self.scales[0] / self.sizes[0])

    @property
    def exponent(self) -> float:
        """p of Λ(T − t) ∼ (T − t)^{−p} over the last half of the doublings: 0 where it is bounded."""
        half = max(2, len(self.scales) // 2)
        slope = np.polyfit(np.log(self.sizes[:half]), np.log(self.scales[:half]), 1)[0]
        return float(slope / (1 - slope)) if slope < 1 else float("inf")


def approach(times: np.ndarray, sizes: np.ndarray) -> Approach | None:
    """The fit of t = T − q Σ_i c_i/τ^i, q = 1/Λ, τ = log(Λ/Λ₀), to points at which Λ doubles.

    A round end is analytic in q, a neck's has corrections in 1/τ: both are in the series. Each window of points gives
    a T; the one taken is where two windows and two lengths of the series agree best, which is before the last points
    where these are not resolved any more. The error is what all later windows, and the shorter series, differ by.
    None for fewer than three doublings.

    Parameters
    ----------
    times, sizes : (n,) array
        t and Λ along a run.
    """
    places = _doublings(np.log(sizes) / np.log(RATIO))
    if len(places) < 4:
        return None
    ages, large = times[-1] - times[places], sizes[places]
    terms = min(TERMS, len(places) - 3)
    tau = np.log(large / sizes[0] * RATIO)
    found = {count: _intercepts(-ages, 1 / large, tau, count) for count in (terms, max(1, terms - 1))}
    long, short = found[terms], found[max(1, terms - 1)]
    spread = np.abs(np.diff(long)) + np.abs(long[:-1] - short[: len(long) - 1])
    best = int(np.argmin(spread))
    later = np.abs(np.concatenate([long[: best + 2], short[: best + 2]]) - long[best])
    return Approach(float(times[-1] + long[best]), float(later.max()), ages, large)


def _doublings(logs: np.ndarray) -> list[int]:
    """Places from the last one back, each the latest whose logarithm is less by one."""
    places = [len(logs) - 1]
    while len(below := np.flatnonzero(logs[: places[-1]] <= logs[places[-1]] - 1)):
        places.append(int(below[-1]))
    return places


def _intercepts(times: np.ndarray, q: np.ndarray, tau: np.ndarray, terms: int) -> np.ndarray:
    """T of each window of terms + 1 points, from the last one back."""
    count = len(times) - terms
    windows = [slice(k, k + terms + 1) for k in range(count)]
    rows = [np.column_stack([np.ones(terms + 1), *(-q[w] / q[w][0] * (tau[w][0] / tau[w]) ** i for i in range(terms))])
            for w in windows]
    return np.array([np.linalg.solve(row, times[w])[0] for row, w in zip(rows, windows, strict=True)])
