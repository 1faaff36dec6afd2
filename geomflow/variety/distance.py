"""The Fubini–Study distance, exact at zero, and nearest neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError

if TYPE_CHECKING:
    from geomflow.variety.ambient import Ambient
    from geomflow.variety.points import Points

_BLOCK = 512


def distance(first: Points | np.ndarray, second: Points | np.ndarray, ambient: Ambient | None = None) -> np.ndarray:
    """d(p, q) = arccos(|p·q̄| / |p||q|) pointwise, eq. (3.2); in a product the root of the sum of squares.

    Formed as the arctangent of q's parts across and along p, the former from q − p: zero exactly on equal points, with
    all digits near them; in [0, π/2] for each factor.
    """
    ambient = _ambient(first, second, ambient)
    p, q = _coordinates(first), _coordinates(second)
    blocks = [slice(None)] if ambient is None else ambient.blocks
    squares = [_angle(p[..., b], q[..., b]) ** 2 for b in blocks]
    return np.sqrt(np.sum(squares, axis=0)) if len(squares) > 1 else np.sqrt(squares[0])


def _angle(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """arctan2 of q's parts across and along p; the part across is that of q − p, which vanishes exactly for q = p."""
    norm = np.sum(np.abs(p) ** 2, axis=-1, keepdims=True)
    across = q - p
    across = across - np.sum(across * p.conj(), axis=-1, keepdims=True) / norm * p
    along = np.abs(np.sum(q * p.conj(), axis=-1)) / np.sqrt(norm[..., 0])
    return np.arctan2(np.linalg.norm(across, axis=-1), along)


def nearest(points: Points, queries: Points | None = None) -> tuple[np.ndarray, np.ndarray]:
    """For each query the number of the nearest point and its distance, (Q,) and (Q,), in blocks by brute force.

    Without `queries`, for each point its nearest *other* point. Memory is a block of 512 × P overlaps.
    """
    targets = points if queries is None else queries
    if queries is None and len(points) < 2:
        raise InputError("one point has no other point next to it: take at least two")
    blocks = points.variety.ambient.blocks
    units = [_unit(points.coordinates[:, b]).conj().T for b in blocks]
    index = np.empty(len(targets), np.int64)
    for start in range(0, len(targets), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(targets)))
        near = _closeness(targets.coordinates[rows], units, blocks)
        if queries is None:
            near[np.arange(near.shape[0]), np.arange(rows.start, rows.stop)] = np.inf
        index[rows] = np.argmin(near, axis=1)
    return index, distance(targets.coordinates, points.coordinates[index], points.variety.ambient)


def _closeness(z: np.ndarray, units: list[np.ndarray], blocks: tuple[slice, ...]) -> np.ndarray:
    """Something that orders as the distance: −|p·q̄|² in one factor, Σ d_i² in several."""
    overlaps = [np.abs(_unit(z[:, b]) @ u) for b, u in zip(blocks, units)]
    if len(overlaps) == 1:
        return -overlaps[0]
    return sum(np.arccos(np.minimum(o, 1.0)) ** 2 for o in overlaps)  # type: ignore[return-value]


def _unit(z: np.ndarray) -> np.ndarray:
    return z / np.linalg.norm(z, axis=-1, keepdims=True)


def _coordinates(points: Points | np.ndarray) -> np.ndarray:
    return np.asarray(getattr(points, "coordinates", points), dtype=complex)


def _ambient(first: object, second: object, ambient: Ambient | None) -> Ambient | None:
    for candidate in (first, second):
        variety = getattr(candidate, "variety", None)
        if variety is not None:
            return variety.ambient
    return ambient
