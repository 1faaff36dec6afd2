"""Means over seeds with their errors, and straight lines through logarithms with theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.optimize import curve_fit

from geomflow.core.errors import InputError


def mean_and_error(values: Any) -> tuple[float, float]:
    """The mean and its standard error; zero for a single value.

    >>> mean_and_error([1.0, 3.0])
    (2.0, 1.0)
    """
    values = np.asarray(values, dtype=float)
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return float(values.mean()), float(error)


def plus_minus(value: float, error: float) -> str:
    """A number and its error, both to the second digit of the error; to four digits without one.

    >>> plus_minus(-1.001307, 0.00021), plus_minus(8.383, 0.084), plus_minus(1.25, 0.0)
    ('-1.00131 ± 0.00021', '8.383 ± 0.084', '1.25')
    """
    if not error > 0:
        return f"{value:.4g}"
    digits = max(1 - int(np.floor(np.log10(error))), 0)
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def said(numbers: Mapping[str, float], name: str) -> str:
    """A number of a study with its error, NAME and NAME_error, as they are quoted."""
    return plus_minus(numbers[name], numbers[f"{name}_error"])


def geometric_mean(values: Any) -> np.ndarray:
    """exp of the mean of logarithms along the first axis.

    >>> float(geometric_mean([1.0, 100.0]).round(12))
    10.0
    """
    return np.asarray(np.exp(np.log(np.asarray(values, dtype=float)).mean(axis=0)))


def geometric(values: Any) -> tuple[float, float]:
    """The geometric mean, and the factor of one standard error of it (one for a single value).

    Zero, with an infinite factor, where a value is: a metric without volume has no gain.
    """
    if not np.all(values):
        return 0.0, float(np.inf)
    mean, error = mean_and_error(np.log(np.asarray(values, dtype=float)))
    return float(np.exp(mean)), float(np.exp(error))


def exponent(x: Any, y: Any) -> float:
    """The γ of y ≈ c x^γ: the least-squares slope of logarithms.

    >>> round(exponent([1, 10, 100], [5, 0.5, 0.05]), 12)
    -1.0
    """
    return _line(np.asarray(x, dtype=float), np.log(np.asarray(y, dtype=float)))[1]


def exponent_and_error(x: Any, y: Any, errors: Any = 0.0) -> tuple[float, float]:
    """The γ of y ≈ c x^γ with its standard error, from how far the logarithms are from the line; zero for two places.

    Where errors of y are known, it is no smaller than what these make of it.

    >>> [round(value, 12) for value in exponent_and_error([1, 10, 100], [5, 0.5, 0.05])]
    [-1.0, 0.0]
    """
    relative = np.asarray(errors, dtype=float) / np.asarray(y, dtype=float)
    x, y = np.log(np.asarray(x, dtype=float)), np.log(np.asarray(y, dtype=float))
    intercept, slope = _line(np.exp(x), y)
    rest, spread = y - intercept - slope * x, x - x.mean()
    error = np.sqrt((rest @ rest) / (len(x) - 2) / (spread @ spread)) if len(x) > 2 else 0.0
    return slope, float(max(error, np.linalg.norm(spread * relative) / (spread @ spread)))


def squared_norm(batches: Any) -> tuple[float, float]:
    """|m|² of the mean m of vectors, (batches, d), without the share of their noise, and its error by the jackknife.

    Σ_{i≠j} v_i·v_j/(k(k − 1)) has the expectation |E v|², and may be negative. InputError for fewer than three batches.

    >>> squared_norm([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    (1.0, 0.0)
    """
    vectors = np.asarray(batches, dtype=float)
    if len(vectors) < 3:
        raise InputError(f"the error of a squared norm needs three batches or more, and {len(vectors)} were given.")
    count, own = len(vectors), np.sum(vectors**2, axis=1)
    sums = vectors.sum(axis=0) - np.vstack([np.zeros_like(vectors[:1]), vectors])  # of all, and without each
    pairs = np.sum(sums**2, axis=1) - own.sum() + np.concatenate([[0.0], own])
    value, without = pairs[0] / (count * (count - 1)), pairs[1:] / ((count - 1) * (count - 2))
    return float(value), float(np.sqrt((count - 1) * np.mean((without - without.mean()) ** 2)))


def exponent_of_squares(x: Any, squares: Any, errors: Any) -> tuple[float, float]:
    """The γ of y ≈ c x^γ, and its error, from y² known to errors: least squares weighted by these, no logarithms.

    Where the law misses by more than the errors say, that of γ is larger in proportion.

    >>> [round(value, 3) for value in exponent_of_squares([1, 2, 4], [16, 4, 1], [0.1, 0.1, 0.1])]
    [-1.0, 0.017]
    """
    x, squares, errors = (np.asarray(values, dtype=float) for values in (x, squares, errors))
    centre = np.exp(np.mean(np.log(x)))

    def law(x: np.ndarray, scale: float, gamma: float) -> np.ndarray:
        return np.asarray(scale * (x / centre) ** (2 * gamma))

    start = max(float(squares[0] * x[0] / centre), float(errors.min()))
    (scale, gamma), covariance = curve_fit(law, x, squares, (start, -0.5), errors, absolute_sigma=True)
    misfit = np.sum(((law(x, scale, gamma) - squares) / errors) ** 2) / max(len(x) - 2, 1)
    return float(gamma), float(np.sqrt(covariance[1, 1] * max(misfit, 1.0)))


def with_errors(found: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Values and errors by name, as numbers with the names NAME and NAME_error.

    >>> with_errors({"slope": (-1.0, 0.1)})
    {'slope': -1.0, 'slope_error': 0.1}
    """
    return {key: value for name, (mean, error) in found.items() for key, value in
            ((name, mean), (f"{name}_error", error))}


@final
@dataclass(frozen=True, eq=False)
class PowerLaw:
    """y = c x^γ, fitted to logarithms, with the covariance of (log c, γ) over repetitions: `samples` (draws, 2)."""

    factor: float
    exponent: float
    samples: np.ndarray

    def __call__(self, x: Any) -> np.ndarray:
        """c x^γ."""
        return self.factor * np.asarray(x, dtype=float) ** self.exponent

    def inverse(self, y: Any) -> np.ndarray:
        """The x at which the law is y."""
        return (np.asarray(y, dtype=float) / self.factor) ** (1 / self.exponent)

    @property
    def factor_error(self) -> float:
        """The standard deviation of c over the samples."""
        return float(np.exp(self.samples[:, 0]).std(ddof=1)) if len(self.samples) > 1 else 0.0

    @property
    def exponent_error(self) -> float:
        """The standard deviation of γ over the samples."""
        return float(self.samples[:, 1].std(ddof=1)) if len(self.samples) > 1 else 0.0

    def drawn(self) -> list[PowerLaw]:
        """The laws of the samples."""
        return [PowerLaw(float(np.exp(c)), float(gamma), self.samples[:0]) for c, gamma in self.samples]


DRAWS = 200


def power_law(x: np.ndarray, y: np.ndarray, draws: int = DRAWS, seed: int = 0) -> PowerLaw:
    """The power law through y (repetitions, x), its error from bootstrap over whole repetitions.

    The fit is to the mean of log y over the repetitions, one weight a place x. InputError for fewer than two places.
    """
    x, y = np.asarray(x, dtype=float), np.atleast_2d(np.asarray(y, dtype=float))
    if len(x) < 2 or y.shape[1] != len(x):
        raise InputError(f"a power law needs two places or more and a value at each, and {y.shape} values at {len(x)} "
                         "places were given.")
    logs, rng = np.log(y), np.random.default_rng(seed)
    chosen = rng.integers(len(y), size=(draws if len(y) > 1 else 0, len(y)))
    samples = np.array([_line(x, logs[rows].mean(axis=0)) for rows in chosen]).reshape(-1, 2)
    intercept, slope = _line(x, logs.mean(axis=0))
    return PowerLaw(float(np.exp(intercept)), float(slope), samples)


def _line(x: np.ndarray, logs: np.ndarray) -> tuple[float, float]:
    slope, intercept = np.polyfit(np.log(x), logs, 1)
    return float(intercept), float(slope)
