"""Points from coordinates that a user has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import NotFiniteError, ShapeError
from geomflow.core.numbers import require_unmasked
from geomflow.variety.errors import OffVarietyError
from geomflow.variety.points import Points
from geomflow.variety.routines.lines import eliminated, scale_to_patch, settle_all, slope_norm
from geomflow.variety.scales import line_density

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface

_ON = 1e-6


def given_points(variety: Hypersurface, coordinates: np.ndarray, *, off_variety: bool = False) -> Points:
    """Homogeneous coordinates (P, N) as `Points`: scaled to their patch, polished onto Q = 0, measured.

    With `off_variety` the points stay where they are (noise experiments): local coordinates and pull-backs are taken
    there. The weights are those of a sample.
    Raises `ShapeError`, `NotFiniteError`, and `OffVarietyError` with the worst |Q| / (|z|^d Σ|coefficients|) and its
    place where that is above 1e-6.
    """
    require_unmasked(coordinates, "the array of coordinates")
    try:
        z = np.array(coordinates, dtype=complex, ndmin=2, order="C")
    except (TypeError, ValueError) as error:
        raise ShapeError(f"the coordinates are not an array of numbers ({error}); give (points, coordinates)") from None
    if z.ndim != 2 or z.shape[1] != variety.ambient.size:
        raise ShapeError(
            f"the coordinates have shape {np.shape(coordinates)}; "
            f"{variety.ambient} needs (points, {variety.ambient.size})"
        )
    _check_finite(variety, z)
    z = variety.ambient.scaled(z)
    if not off_variety:
        _check_on(variety, z)
    count, factors = len(z), len(variety.ambient.dims)
    out = np.empty((count, factors), np.int64), np.empty(count, np.int64), np.empty(count), np.empty(count)
    degrees = np.array(variety.degree, dtype=np.int64)
    settle = _settle_off if off_variety else settle_all
    settle(z, variety.polynomial.table, variety.bounds, degrees, out)
    patch, elim, omega2, density = out
    weights = variety.fubini_study_volume / line_density(variety, z, density)
    return Points(variety, z, weights, omega2, patch, elim)


def relative_residual(variety: Hypersurface, z: np.ndarray) -> np.ndarray:
    """|Q(z)| / (Π_i |z_i|^{d_i} Σ|coefficients|), which no scaling changes, (P,)."""
    size = np.exp(np.log(variety.ambient.norms(z)) @ np.array(variety.degree) / 2)
    return np.abs(variety.polynomial.value(z)) / (size * np.abs(variety.polynomial.coefficients).sum())


def _check_finite(variety: Hypersurface, z: np.ndarray) -> None:
    zero = np.any([~np.any(z[:, block], axis=1) for block in variety.ambient.blocks], axis=0)
    bad = np.nonzero(~np.all(np.isfinite(z), axis=1) | zero)[0]
    if bad.size:
        raise NotFiniteError(
            f"point {bad[0]} is {z[bad[0]].tolist()}: coordinates must be finite and not all zero in any factor"
        )


def _check_on(variety: Hypersurface, z: np.ndarray) -> None:
    worst = relative_residual(variety, z)
    off = np.count_nonzero(worst > _ON)
    if off:
        p = int(np.argmax(worst))
        raise OffVarietyError(
            f"{off} of {len(z)} points are not on the {variety}: the worst is point {p}, with relative |Q| = "
            f"{worst[p]:.3g} (at most {_ON:g}); pass off_variety=True to keep them where they are"
        )


def _settle_off(
    z: np.ndarray, table: tuple, bounds: np.ndarray, degrees: np.ndarray, out: tuple[np.ndarray, ...]
) -> None:
    """Patch and measure without moving onto the variety."""
    from geomflow.variety.routines.polynomial import gradients

    patch, elim, omega2, density = out
    for p in range(len(z)):
        for f in range(len(bounds) - 1):
            scale_to_patch(z[p], bounds[f], bounds[f + 1], patch[p], f)
    slope = gradients(z, *table)[1]
    for p in range(len(z)):
        elim[p] = eliminated(slope[p], patch[p])
        omega2[p] = 1 / abs(slope[p, elim[p]]) ** 2
        density[p] = slope_norm(z[p], slope[p], bounds, degrees)
