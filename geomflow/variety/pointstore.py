"""Points in .npz files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core import archive
from geomflow.variety.given import relative_residual
from geomflow.variety.hypersurface import Hypersurface
from geomflow.variety.points import ARRAYS, Points

if TYPE_CHECKING:
    from geomflow.core.archive import Archive

_KIND = "geomflow points 1"
_ON, _SAME = 1e-6, 1e-6


def save(points: Points, path: str | Path) -> None:
    """Write `points` with their polynomial, whole or not at all. Raises `StoreError`."""
    archive.write(path, _KIND, variety=describe(points.variety), **arrays_of(points))


def load(path: str | Path) -> Points:
    """Read points; raises `StoreError` for a file that is missing, damaged or of another kind."""
    with archive.opened(path, _KIND) as file:
        return points_of(file, variety_of(file))


def arrays_of(points: Points, prefix: str = "") -> dict[str, Any]:
    """What `points_of` reads: the arrays, and whether the points were moved off the variety on purpose."""
    off = bool((relative_residual(points.variety, points.coordinates) > _ON).any())
    return {f"{prefix}{name}": getattr(points, name) for name in ARRAYS} | {f"{prefix}off_variety": np.array(off)}


def points_of(file: Archive, variety: Hypersurface, prefix: str = "") -> Points:
    """The points of a file. Raises `StoreError` unless they are points of the variety with what belongs to them."""
    ambient = variety.ambient
    z = file.numbers(f"{prefix}coordinates", "c", None, ambient.size)
    count, factors = len(z), len(ambient.dims)
    weights, omega2 = (file.numbers(prefix + name, "f", count) for name in ("weights", "omega2"))
    patch = file.array(f"{prefix}patch", "i", count, factors)
    elim, line, off = f"{prefix}elim", f"{prefix}line", f"{prefix}off_variety"
    lines = file.array(line, "i", count) if line in file.arrays else np.full(count, -1)
    points = Points(variety, z, weights, omega2, patch, file.array(elim, "i", count), lines)
    for what in _faults(points, off in file.arrays and bool(file.array(off, "b"))):
        raise file.damaged(what)
    return points


def _faults(points: Points, off: bool):
    """What is wrong with points, the plainest first; `off` for points that need not be on the variety."""
    if points.weights.min(initial=0.0) < 0:
        yield f"the weight of point {points.weights.argmin()} is {points.weights.min():.6g}, which is negative"
    yield from _faults_of_patches(points)
    z, variety = points.coordinates, points.variety
    residual = relative_residual(variety, z)
    if not off and residual.max(initial=0.0) > _ON:
        yield f"{np.count_nonzero(residual > _ON)} of {len(z)} points are not on the {variety}, the worst by " \
              f"{residual.max():.3g}"
    slope = np.abs(np.take_along_axis(variety.polynomial.gradient(z)[1], points.elim[:, None], axis=1)[:, 0])
    other = np.nonzero(~(np.abs(points.omega2 * slope**2 - 1) < _SAME))[0]
    if other.size:
        yield f"|Ω|² at point {other[0]} is {points.omega2[other[0]]:.6g}, and 1/|∂Q|² there is " \
              f"{slope[other[0]]**-2.0:.6g}"


def _faults_of_patches(points: Points):
    """Patches that are none, or whose coordinate is not one."""
    z, ambient = points.coordinates, points.variety.ambient
    inside = np.c_[points.patch, points.elim]
    if inside.min(initial=0) < 0 or inside.max(initial=0) >= ambient.size:
        yield f"'patch' and 'elim' must be numbers of coordinates, from 0 to {ambient.size - 1}"
    if not np.all(ambient.factor_of[points.patch] == np.arange(len(ambient.dims))):
        yield "'patch' must name one coordinate of each factor"
    if np.any(points.patch == points.elim[:, None]):
        yield "the eliminated coordinate of a point is the one of its patch"
    if np.any(np.abs(np.take_along_axis(z, points.patch, axis=1) - 1) > _SAME):
        yield "the coordinates of the patches must be one"


def describe(variety: Hypersurface) -> str:
    """A variety as text."""
    return json.dumps(
        {
            "polynomial": str(variety.polynomial.expression),
            "coordinates": variety.names,
            "ambient": variety.ambient.dims,
        }
    )


def class_of(file: Archive, variety: Hypersurface, name: str = "kahler_class") -> tuple[float, ...]:
    """A Kähler class: one number for each factor."""
    return tuple(file.numbers(name, "f", len(variety.ambient.dims)).tolist())


def variety_of(file: Archive) -> Hypersurface:
    """The variety that `describe` wrote as 'variety'."""
    data = file.json("variety", dict)
    return Hypersurface(data["polynomial"], coordinates=data["coordinates"], ambient=data["ambient"])
