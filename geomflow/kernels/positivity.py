"""How likely a Gaussian random symmetric matrix is positive: a metric at a point, of an infinitely wide network."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.special import chndtr, ndtr

from geomflow.core.errors import InputError, ShapeError
from geomflow.core.memory import require
from geomflow.core.numbers import generator, real_array, whole


class Probability(NamedTuple):
    """Probabilities, and their standard errors: zero where they are exact to rounding."""

    value: np.ndarray
    error: np.ndarray


def positive_probability(mean: np.ndarray, deviation: np.ndarray, count: int = 10_000,
                         seed: int | np.random.Generator = 0) -> Probability:
    r"""P(g > 0) of g_ij = m_ij + s ξ_ij, E[ξ_ij ξ_kl] = ½(δ_ik δ_jl + δ_il δ_jk): a Gaussian orthogonal ensemble.

    In dimension 1 it is Φ(m/s). In dimension 2 the trace is independent of the trace-free part, whose length ρ has
    Rice's distribution: P = ∫ dΦ(u) P(ρ < u), which for m_ij = m δ_ij is Φ(a) − e^{−a²/4} Φ(a/√2)/√2 with a = √2 m/s.
    In higher dimensions matrices are drawn.

    Parameters
    ----------
    mean : (..., d, d) array
        m, symmetric.
    deviation : (...) array
        s ≥ 0.
    count : int
        How many are drawn where d > 2.
    seed : int or Generator
        Of those.

    Notes
    -----
    Raises ShapeError and InputError for arrays that do not fit and for negative deviations.

    Examples
    --------
    >>> positive_probability(2 * np.eye(2), 1.0).value.round(5).item()
    0.90414
    """
    m, s = real_array(mean, "the mean"), real_array(deviation, "the deviation")
    if m.ndim < 2 or m.shape[-1] != m.shape[-2] or not np.allclose(m, np.swapaxes(m, -1, -2), rtol=1e-12, atol=0):
        raise ShapeError(f"the mean is symmetric matrices (..., d, d), and an array of shape {m.shape} was given, "
                         "or one that is not symmetric.")
    if s.shape != m.shape[:-2]:
        raise ShapeError(f"each matrix has a deviation: of shape {m.shape[:-2]}, and not {s.shape}.")
    if (s < 0).any():
        raise InputError(f"deviations are not negative, and the smallest is {s.min():g}.")
    certain = np.linalg.eigvalsh(m)[..., 0] > 0
    scaled = m / np.where(s > 0, s, 1.0)[..., None, None]
    exact, number = m.shape[-1] <= 2, whole(count, "the number of matrices drawn", 1)
    value = _exact(scaled) if exact else _drawn(scaled, number, seed)
    value = np.where(s > 0, value, certain)
    error = np.where((s > 0) & (not exact), np.sqrt(value * (1 - value) / number), 0.0)
    return Probability(value, error)


def _exact(m: np.ndarray) -> np.ndarray:
    """The probabilities at deviation one in dimension 1 and 2."""
    if m.shape[-1] == 1:
        return np.asarray(ndtr(m[..., 0, 0]))
    centre = (m[..., 0, 0] + m[..., 1, 1]) / sqrt(2)  # of half the trace, in units of its deviation 1/√2
    squared = ((m[..., 0, 0] - m[..., 1, 1]) ** 2 + 4 * m[..., 0, 1] ** 2) / 2
    low, high = np.maximum(centre - _REACH, 0.0), np.maximum(centre + _REACH, 0.0)
    nodes, weights = leggauss(_NODES)
    half = (high - low)[..., None] / 2
    u = low[..., None] + half * (1 + nodes)
    density = np.exp(-((u - centre[..., None]) ** 2) / 2) / sqrt(2 * np.pi)
    total: np.ndarray = np.sum(weights * half * density * chndtr(u**2, 2.0, squared[..., None]), axis=-1)
    return np.clip(total, 0.0, 1.0)


_REACH, _NODES = 9.0, 96
"""Deviations of the trace that are integrated over, and nodes for them: both to rounding."""


def _drawn(m: np.ndarray, count: int, seed: int | np.random.Generator) -> np.ndarray:
    """The shares that are positive of matrices drawn, the same fluctuations at every mean."""
    require(24.0 * count * m.shape[-1] ** 2, f"{count:,} matrices", "draw fewer")
    drawn = fluctuations(m.shape[-1], (count,), seed)
    flat = m.reshape(-1, *m.shape[-2:])
    shares = [np.mean(np.linalg.eigvalsh(drawn + one)[:, 0] > 0) for one in flat]
    return np.array(shares).reshape(m.shape[:-2])


def fluctuations(dim: int, shape: tuple[int, ...], seed: int | np.random.Generator) -> np.ndarray:
    """ξ, (*shape, d, d): symmetric, of variance 1 on the diagonal and ½ off it.

    Parameters
    ----------
    dim : int
        d.
    shape : tuple of int
        How many.
    seed : int or Generator
        Of the draw.
    """
    normal = generator(seed).standard_normal((*shape, dim, dim))
    return np.asarray((normal + np.swapaxes(normal, -1, -2)) / 2)
