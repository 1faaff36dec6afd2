"""Numbers with their Monte-Carlo errors, and tails too heavy for one."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import ArrayLike

from geomflow.core.errors import InputError, warn
from geomflow.core.numbers import require_unmasked
from geomflow.variety.errors import UnreliableSampleWarning

#: An error of this size or less, relative to the number, is rounding.
_ROUNDING = 1e-14


@final
class Estimate(float):
    """A float that remembers its standard error (one σ of the Monte-Carlo mean).

    `heavy` says that a few terms carry the sum: their tail is too heavy for a variance (`tail_shape`), and the
    error, estimated from terms that were met, is too small more often than not. It is printed behind the error.

    Parameters
    ----------
    value : float
        The number.
    error : float
        Its standard error.
    heavy : bool
        Whether the error is too small more often than not.

    Examples
    --------
    >>> Estimate(-201.3, 2.4)
    -201.3 ± 2.4
    >>> Estimate(-201.3, 2.4).within(-200)
    True
    """

    error: float
    heavy: bool

    def __new__(cls, value: float, error: float, heavy: bool = False) -> Estimate:
        self = super().__new__(cls, value)
        self.error = float(error)
        self.heavy = bool(heavy)
        return self

    @classmethod
    def of(cls, value: float, terms: np.ndarray, line: np.ndarray) -> Estimate:
        """`value` with the standard error of a sum of `terms` (P,) of mean zero, its deviation to first order.

        Terms of one line (P,) are correlated, lines independent: √(L/(L − 1) Σ_l (Σ_{p in l} t_p)²) over L lines, a
        point of line -1 being one of its own; infinite for one line.

        Parameters
        ----------
        value : float
            The number.
        terms : (P,) array
            Terms of mean zero.
        line : (P,) array of int
            The line of each.
        """
        sums = line_sums(terms, line)
        count = len(sums)
        error = np.sqrt(count / (count - 1) * (sums @ sums)) if count > 1 else np.inf
        return cls(value, error, error > _ROUNDING * abs(value) and heavy(sums))

    def scaled(self, factor: float) -> Estimate:
        """The estimate of `factor` times the number.

        Parameters
        ----------
        factor : float
            Any.
        """
        return Estimate(factor * float(self), abs(factor) * self.error, self.heavy)

    def within(self, exact: float, deviations: float = 3.0) -> bool:
        """Whether `exact` is at most that many standard errors away.

        Parameters
        ----------
        exact : float
            What it should be.
        deviations : float
            How many standard errors.
        """
        return abs(float(self) - exact) <= deviations * self.error

    def __repr__(self) -> str:
        return f"{self._written()} (heavy tail)" if self.heavy else self._written()

    def _written(self) -> str:
        if not (np.isfinite(self.error) and self.error > _ROUNDING * abs(float(self))):
            return f"{float(self):.6g} ± {self.error:.2g}"
        digits = int(np.floor(np.log10(self.error))) - 1
        size = int(np.floor(np.log10(max(abs(float(self)), self.error))))
        if -5 < digits <= 0 and size < 6:
            return f"{float(self):.{-digits}f} ± {self.error:.{-digits}f}"
        return f"{float(self):.{max(size - digits, 0)}e} ± {self.error:.1e}"

    __str__ = __repr__

    def __reduce__(self) -> tuple[type, tuple[float, float, bool]]:
        return Estimate, (float(self), self.error, self.heavy)


def mean(values: ArrayLike, line: np.ndarray) -> Estimate:
    """The mean of values at points, with the standard error that their lines give."""
    return weighted_mean(values, np.ones(np.shape(values)), line)


def weighted_mean(values: ArrayLike, weights: ArrayLike, line: np.ndarray) -> Estimate:
    """Σ w f / Σ w with the standard error of a ratio of sums over independent lines (delta method).

    Raises `InputError` where there are no points, or all weights are zero.
    """
    require_unmasked([values, weights], "the values or the weights")
    values, weights = np.asarray(values, dtype=float), np.asarray(weights, dtype=float)
    total = mass(weights)
    value = float(weights @ values / total)
    return Estimate.of(value, weights * (values - value) / total, line)


def mass(weights: np.ndarray) -> float:
    """Σ w; raises `InputError` where there are no points, or all weights are zero: nothing is a mean then."""
    total = float(weights.sum())
    if not total:
        none = f"all {len(weights)} weights are zero" if len(weights) else "there are no points"
        raise InputError(f"{none}: take a sample with at least one point of positive weight")
    return total


def line_sums(terms: np.ndarray, line: np.ndarray) -> np.ndarray:
    """The sum of the terms (P,) on each line (L,), a point of line -1 being one of its own."""
    alone = line < 0
    numbers = np.unique(line[~alone], return_inverse=True)[1].reshape(-1)
    return np.concatenate([np.bincount(numbers, terms[~alone]), terms[alone]])


_FEWEST = 5
_FEW = 0.1


def tail_shape(terms: np.ndarray) -> tuple[float, float]:
    """The shape k of the tail of |terms| (L,), P(|t| > x) ~ x^{−1/k}, and its standard error (1 + k)/√M.

    That of a generalised Pareto distribution fitted to the M = min(L/5, 3√L) largest (Zhang and Stephens, 2009; Vehtari
    et al., 2024). The variance exists for k < 1/2, the mean for k < 1. Infinite error where there are too few terms.
    """
    size = np.sort(np.abs(terms))
    count = int(min(len(size) / 5, 3 * np.sqrt(len(size))))
    excess = size[len(size) - count :] - size[len(size) - count - 1] if count >= _FEWEST else size[:0]
    excess = excess[excess > 0]
    count = len(excess)
    if count < _FEWEST:
        return 0.0, np.inf
    grid = 30 + int(np.sqrt(count))
    quartile = excess[int(count / 4 + 0.5) - 1]
    slopes = 1 / excess[-1] + (1 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))) / (3 * quartile)
    shapes = np.log1p(-slopes[:, None] * excess).mean(axis=1)
    likelihood = count * (np.log(-slopes / shapes) - shapes - 1)
    share = np.exp(likelihood - likelihood.max())
    shape = float(np.log1p(-(share @ slopes / share.sum()) * excess).mean())
    return shape, (1 + abs(shape)) / np.sqrt(count)


def heavy(terms: np.ndarray) -> bool:
    """Whether the tail of independent terms is too heavy for a variance, k > 1/2, by more than k's standard error."""
    shape, error = tail_shape(terms)
    return shape - error > 0.5


def warn_if_few(sums: np.ndarray, points: int, lost: int = 0) -> None:
    """Warn (`UnreliableSampleWarning`) where the effective number of lines (L,) is less than a tenth of their number.

    That is Kish's, (Σw)²/Σw² with the sums w of the weights on lines. Warn also where lines are `lost`, whose roots
    were not found.
    """
    if lost:
        warn(
            f"the roots on {lost} lines were not found, and their points are missing: the sample of {points} points is "
            "biased. Write the polynomial in coordinates in which its coefficients are of one size.",
            UnreliableSampleWarning)
    effective = sums.sum() ** 2 / (sums @ sums) if np.any(sums) else 0.0
    if effective < _FEW * len(sums):
        warn(
            f"{points} points are worth {points * effective / len(sums):.0f} of equal weight (those of "
            f"{effective:.0f} of {len(sums)} lines or pairs of lines): a few carry most of ∫|Ω|², and the errors of "
            "averages may be several times too small. Write the polynomial in coordinates in which it is more even, "
            "keep away from singular varieties, or take many more points.", UnreliableSampleWarning)
