"""The Fubini–Study distance, exact at zero, and nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import require_unmasked
from geomflow.core.threads import each, slices
from geomflow.variety.ambient import Ambient, scaled

if TYPE_CHECKING:
    from geomflow.variety.points import Points

_ROWS, _COLUMNS = 64, 2048


def distance(first: Points | np.ndarray, second: Points | np.ndarray, ambient: Ambient | Sequence[int] | None = None
             ) -> np.ndarray:
    """d(p, q) = arccos(|p·q̄| / |p||q|) pointwise, eq. (3.2); in a product the root of the sum of squares.

    Formed as the arctangent of q's parts across and along p, the former from q − p: zero exactly on equal points, with
    all digits near them, and zero to rounding on p and s·p for every complex s ≠ 0; in [0, π/2] for each factor. This
    is the paper's distance, an angle: geodesics of the package's own Fubini–Study metric, ds² = 2g_{ab̄}dz^a dz̄^b with
    g = ∂∂̄ log|z|², are √2 times as long. `FlatCurve.distance` is such a length, not an angle.
    Raises `InputError` for coordinates that are not finite, or all zero in a factor.

    Parameters
    ----------
    first, second : Points or (..., N) complex array
        Homogeneous coordinates; the shapes broadcast.
    ambient : Ambient or sequence of int, optional
        The factors, for arrays; one projective space unless given.
    """
    ambient = _ambient(first, second, ambient)
    p, q = _coordinates(first), _coordinates(second)
    blocks = [slice(None)] if ambient is None else ambient.blocks
    squares = [_angle(p[..., b], q[..., b]) ** 2 for b in blocks]
    result: np.ndarray = np.sqrt(np.sum(squares, axis=0)) if len(squares) > 1 else np.sqrt(squares[0])
    return result


def _angle(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """arctan2 of q's parts across and along p; the part across is that of q − p, with q turned and scaled towards p.

    Representatives near each other, up to a power of two, are left as they are: their difference is exact.
    """
    if not (np.all(np.isfinite(p)) and np.all(np.isfinite(q))):
        raise InputError("homogeneous coordinates that are not finite are no point, and have no distance from any")
    p, q = scaled(p), scaled(q)
    norm = np.sum(np.abs(p) ** 2, axis=-1, keepdims=True)
    if not (np.all(norm) and np.all(np.any(q, axis=-1))):
        raise InputError("homogeneous coordinates that are all zero are no point, and have no distance from any")
    ratio = np.sum(q * p.conj(), axis=-1, keepdims=True) / norm
    size = np.abs(ratio)
    turn = np.exp2(np.round(np.log2(size, where=size > 0, out=np.zeros_like(size)))).astype(complex)
    np.copyto(turn, ratio, where=(np.abs(ratio / turn - 1) > 0.5) & (size > 0))
    across = q / turn - p
    across = across - np.sum(across * p.conj(), axis=-1, keepdims=True) / norm * p
    along = np.abs(ratio / turn)[..., 0] * np.sqrt(norm[..., 0])
    result: np.ndarray = np.arctan2(np.linalg.norm(across, axis=-1), along)
    return result


def nearest(points: Points, queries: Points | None = None) -> tuple[np.ndarray, np.ndarray]:
    """For each query the number of the nearest point and its distance, (Q,) and (Q,), in blocks by brute force.

    Without `queries`, for each point its nearest *other* point. Memory is a few copies of the points.

    Parameters
    ----------
    points : Points
        Among which is looked.
    queries : Points, optional
        For which; the points themselves unless given.
    """
    targets = points if queries is None else queries
    if queries is None and len(points) < 2:
        raise InputError("a point has no other point next to it: take at least two")
    if not len(points):
        raise InputError("there are no points to be near to: take at least one")
    blocks = points.variety.ambient.blocks
    near, far = (part.variety.ambient.unit(part.coordinates) for part in (points, targets))
    sources = [_turned(near[:, b]) for b in blocks]
    rows = [np.ascontiguousarray(far[:, b]).view(float) for b in blocks]
    found = each(lambda part: _nearest_of(rows, part, sources, queries is None), slices(len(targets), _ROWS))
    index = np.concatenate([np.empty(0, np.int64), *found])
    return index, distance(targets.coordinates, points.coordinates[index], points.variety.ambient)


def _nearest_of(rows: list[np.ndarray], part: slice, sources: list[np.ndarray], others: bool) -> np.ndarray:
    """The nearest source of the rows in `part`, block by block of sources; with `others` none is its own."""
    own, total = np.arange(part.start, part.stop), sources[0].shape[2]
    index, least = np.zeros(len(own), np.int64), np.full(len(own), np.inf)
    for columns in slices(total, _COLUMNS):
        far = _farness([r[part] for r in rows], [s[..., columns] for s in sources])
        if others:
            inside = (own >= columns.start) & (own < columns.stop)
            far[inside, own[inside] - columns.start] = np.inf
        best = np.argmin(far, axis=1)
        value = np.take_along_axis(far, best[:, None], axis=1)[:, 0]
        closer = value < least
        index[closer], least[closer] = best[closer] + columns.start, value[closer]
    return index


def _farness(rows: list[np.ndarray], sources: list[np.ndarray]) -> np.ndarray:
    """Something that orders as the distance: −|p·q̄|² in one factor, Σ d_i² in several."""
    squares = []
    for x, (real, imaginary) in zip(rows, sources):
        first, second = x @ real, x @ imaginary
        squares.append(np.add(np.multiply(first, first, out=first), np.multiply(second, second, out=second), out=first))
    result: np.ndarray
    if len(squares) == 1:
        result = np.negative(squares[0], out=squares[0])
    else:
        result = np.sum([np.arccos(np.sqrt(np.minimum(square, 1.0))) ** 2 for square in squares], axis=0)
    return result


def _turned(z: np.ndarray) -> np.ndarray:
    """Unit vectors z (P, N) such that products with real rows are real and imaginary part of p·q̄, (2, 2N, P)."""
    unit = np.ascontiguousarray(z)
    return np.ascontiguousarray(np.stack([unit.view(float).T, (1j * unit).view(float).T]))


def _coordinates(points: Points | np.ndarray) -> np.ndarray:
    require_unmasked(points, "the array of points")
    return np.asarray(getattr(points, "coordinates", points), dtype=complex)


def _ambient(first: object, second: object, ambient: Ambient | Sequence[int] | None) -> Ambient | None:
    for candidate in (first, second):
        variety = getattr(candidate, "variety", None)
        if variety is not None:
            found: Ambient = variety.ambient
            return found
    return ambient if ambient is None or isinstance(ambient, Ambient) else Ambient(tuple(ambient))
