"""A number with its Monte-Carlo error."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import ArrayLike


@final
class Estimate(float):
    """A float that remembers its standard error (one σ of the Monte-Carlo mean).

    >>> Estimate(-201.3, 2.4)
    -201.3 ± 2.4
    >>> Estimate(-201.3, 2.4).within(-200)
    True
    """

    error: float

    def __new__(cls, value: float, error: float) -> Estimate:
        self = super().__new__(cls, value)
        self.error = float(error)
        return self

    def within(self, exact: float, deviations: float = 3.0) -> bool:
        """Whether `exact` is at most that many standard errors away."""
        return abs(float(self) - exact) <= deviations * self.error

    def __repr__(self) -> str:
        if not (np.isfinite(self.error) and self.error > 1e-14 * abs(float(self))):
            return f"{float(self):.6g} ± {self.error:.2g}"
        digits = int(np.floor(np.log10(self.error))) - 1
        size = int(np.floor(np.log10(max(abs(float(self)), self.error))))
        if -5 < digits <= 0 and size < 6:
            return f"{float(self):.{-digits}f} ± {self.error:.{-digits}f}"
        return f"{float(self):.{max(size - digits, 0)}e} ± {self.error:.1e}"

    __str__ = __repr__

    def __reduce__(self) -> tuple[type, tuple[float, float]]:
        return Estimate, (float(self), self.error)


def mean(values: ArrayLike) -> Estimate:
    """The mean of independent values with its standard error."""
    values = np.asarray(values, dtype=float)
    spread = values.std(ddof=1) if values.size > 1 else np.inf
    return Estimate(values.mean(), spread / np.sqrt(values.size))


def weighted_mean(values: ArrayLike, weights: ArrayLike) -> Estimate:
    """Σ w f / Σ w with the standard error of a ratio of means (delta method)."""
    values, weights = np.asarray(values, dtype=float), np.asarray(weights, dtype=float)
    total = weights.sum()
    value = float(weights @ values / total)
    error = float(np.sqrt(np.sum((weights * (values - value)) ** 2)) / total)
    return Estimate(value, error)
