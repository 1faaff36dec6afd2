"""How likely a Gaussian random symmetric matrix is positive: a metric at a point, of an infinitely wide network."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.polynomial.legendre import leggauss
from scipy.special import chndtr, ndtr

from geomflow.core.errors import InputError, NotFiniteError, ShapeError
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
    Raises ShapeError and InputError for arrays that do not fit, numbers that are not finite and negative deviations.

    Examples
    --------
    >>> positive_probability(2 * np.eye(2), 1.0).value.round(5).item()
    0.90414
    """
    m, s = _checked(mean, deviation)
    number, sizes = whole(count, "the number of matrices drawn", 1), np.abs(m).max(axis=(-1, -2))
    lowest = np.linalg.eigvalsh(m)
    scale = np.where(s > 0, np.maximum(s, _SHARP * sizes), 1.0)
    exact = m.shape[-1] <= 2
    value = _exact(lowest / scale[..., None]) if exact else _drawn(m / scale[..., None, None], number, seed)
    value = np.where(s > 0, value, lowest[..., 0] > 0)
    error = np.where((s > 0) & (not exact), np.sqrt(value * (1 - value) / number), 0.0)
    return Probability(value, error)


def _checked(mean: np.ndarray, deviation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays, or what is wrong with them."""
    m, s = real_array(mean, "the mean"), real_array(deviation, "the deviation")
    if m.ndim < 2 or m.shape[-1] != m.shape[-2] or not m.shape[-1]:
        raise ShapeError(f"the mean is symmetric matrices (..., d, d), and an array of shape {m.shape} was given.")
    if not (np.isfinite(m).all() and np.isfinite(s).all()):
        raise NotFiniteError("the mean and the deviation are finite, and a number that is not was given.")
    if not np.allclose(m, np.swapaxes(m, -1, -2), rtol=1e-12, atol=0):
        raise ShapeError("the mean is symmetric matrices (..., d, d), and one that is not symmetric was given.")
    if s.shape != m.shape[:-2]:
        raise ShapeError(f"each matrix has a deviation: of shape {m.shape[:-2]}, and not {s.shape}.")
    if (s < 0).any():
        raise InputError(f"deviations are not negative, and the smallest is {s.min():g}.")
    return m, s


def _exact(eigenvalues: np.ndarray) -> np.ndarray:
    """The probabilities at deviation one in dimension 1 and 2, by the eigenvalues (..., d) of the mean."""
    low = np.clip(eigenvalues[..., 0], -_CERTAIN, _CERTAIN)
    if eigenvalues.shape[-1] == 1:
        return np.asarray(ndtr(low))
    apart = (eigenvalues[..., 1] - eigenvalues[..., 0]) / sqrt(2)
    far, value = apart >= _FAR, _by_trace(low, np.minimum(apart, _FAR))
    value[far] = _by_angle(low[far], apart[far])
    return np.clip(value, 0.0, 1.0)


def _by_trace(low: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """∫ dΦ(u − c) P(ρ < u), u half the trace in units of its deviation 1/√2, ρ of Rice's distribution."""
    centre = sqrt(2) * low + apart
    first, last = np.maximum(centre - _REACH, 0.0), np.maximum(centre + _REACH, 0.0)
    nodes, weights = leggauss(_NODES)
    half = (last - first)[..., None] / 2
    u = first[..., None] + half * (1 + nodes)
    density = np.exp(-((u - centre[..., None]) ** 2) / 2) / sqrt(2 * np.pi)
    return np.array(np.sum(weights * half * density * chndtr(u**2, 2.0, apart[..., None] ** 2), axis=-1))


def _by_angle(low: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """E Φ(c − ρ), ρ² = (δ + n)² + n'², for eigenvalues that are far apart: c − ρ = √2 λ − n − n'²/(ρ + δ + n)."""
    nodes, weights = hermegauss(_NODES)
    total = np.zeros(np.shape(low))
    for n, weight in zip(nodes, weights / weights.sum()):
        along = apart[..., None] + n
        gap = sqrt(2) * low[..., None] - n - nodes**2 / (np.hypot(along, nodes) + along)
        total += weight * (ndtr(gap) @ (weights / weights.sum()))
    return total


_REACH, _NODES = 9.0, 96
"""Deviations of the trace that are integrated over, and nodes for them: both to rounding."""
_CERTAIN, _FAR, _SHARP = 50.0, 30.0, 1e-100
"""Deviations within which a sign is open, beyond which two eigenvalues are far apart, and the least relative to m."""


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
