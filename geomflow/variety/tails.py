"""Heavy tails: where a few terms carry a sum, its spread over the sample says little of its error."""

from __future__ import annotations

import warnings

import numpy as np

from geomflow.variety.errors import UnreliableSampleWarning

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
        warnings.warn(
            f"the roots on {lost} lines were not found, and their points are missing: the sample of {points} points is "
            "biased. Write the polynomial in coordinates in which its coefficients are of one size.",
            UnreliableSampleWarning,
            stacklevel=4,
        )
    effective = sums.sum() ** 2 / (sums @ sums) if np.any(sums) else 0.0
    if effective < _FEW * len(sums):
        warnings.warn(
            f"{points} points are worth {points * effective / len(sums):.0f} of equal weight (those of "
            f"{effective:.0f} of {len(sums)} lines or pairs of lines): a few carry most of ∫|Ω|², and the errors of "
            "averages may be several times too small. Write the polynomial in coordinates in which it is more even, "
            "keep away from singular varieties, or take many more points.",
            UnreliableSampleWarning,
            stacklevel=4,
        )
