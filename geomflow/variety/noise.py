"""Noise of a given size around points, off the variety or on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.variety.given import given_points

if TYPE_CHECKING:
    from geomflow.variety.points import Points

_PROJECTIONS = 50


def noised(points: Points, size: float, seed: int, *, on_variety: bool = False) -> Points:
    """Every point moved by complex Gaussian noise with root mean square `size` in |δz|, tangent to the unit sphere.

    For small sizes that is the root mean square Fubini–Study distance. By default the points leave the variety, as in
    the paper's experiments; with `on_variety` they are projected back along ∂̄Q. Raises `InputError` for a negative
    size.
    """
    if not size >= 0:
        raise InputError(f"the noise has size {size}; give a number >= 0")
    rng = np.random.default_rng(seed)
    z = points.coordinates.copy()
    for block in points.variety.ambient.blocks:
        part = z[:, block] / np.linalg.norm(z[:, block], axis=1, keepdims=True)
        step = rng.standard_normal((*part.shape, 2)).view(complex)[..., 0]
        step -= np.sum(step * part.conj(), axis=1, keepdims=True) * part
        freedom = 2 * (part.shape[1] - 1) * len(points.variety.ambient.dims)
        z[:, block] = part + size / np.sqrt(freedom) * step
    if on_variety:
        z = _projected(points, z)
    return replace(given_points(points.variety, z, off_variety=not on_variety), line=points.line)


def _projected(points: Points, z: np.ndarray) -> np.ndarray:
    """Gauss–Newton back onto Q = 0 along ∂̄Q, at most a tenth of the norm a step."""
    for _ in range(_PROJECTIONS):
        value, slope = points.variety.polynomial.gradient(z)
        step = (value / np.sum(np.abs(slope) ** 2, axis=1))[:, None] * slope.conj()
        length = np.linalg.norm(step, axis=1, keepdims=True)
        z = z - step * np.minimum(1, 0.1 / np.maximum(length, 1e-300))
        if length.max() < 1e-13:
            break
    return z
