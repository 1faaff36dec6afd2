"""Local coordinates of points, their pull-backs, and changes of patch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.threads import each, slices

if TYPE_CHECKING:
    from geomflow.variety.points import Points


def good(points: Points) -> np.ndarray:
    """The local coordinates, ascending: (P, n)."""
    free = np.ones(points.coordinates.shape, bool)
    np.put_along_axis(free, np.c_[points.patch, points.elim], False, axis=1)
    return np.nonzero(free)[1].reshape(len(points), points.variety.dim)


def bends(points: Points) -> np.ndarray:
    """∂²z_elim/∂x^a∂x^c = −J_a^i J_c^j ∂_i∂_jQ / (∂Q/∂z_elim) with J the pull-backs, shape (P, n, n)."""
    z, jacobian = points.coordinates, points.pullbacks
    polynomial = points.variety.polynomial
    out = np.empty((len(points), points.variety.dim, points.variety.dim), complex)

    def work(s: slice) -> None:
        slope = np.take_along_axis(polynomial.gradient(z[s])[1], points.elim[s, None], axis=1)
        out[s] = jacobian[s] @ polynomial.hessian(z[s]) @ np.swapaxes(jacobian[s], 1, 2) / -slope[:, :, None]

    each(work, slices(len(points)))
    return out


def pullbacks(points: Points) -> np.ndarray:
    """J[p, a, i] = ∂z_i/∂x^a, shape (P, n, N)."""
    local, elim = points.good, points.elim[:, None]
    out = np.zeros((*local.shape, points.variety.ambient.size), complex)

    def work(s: slice) -> None:
        slope = points.variety.polynomial.gradient(points.coordinates[s])[1]
        along = np.take_along_axis(slope, local[s], axis=1) / -np.take_along_axis(slope, elim[s], axis=1)
        np.put_along_axis(out[s], local[s, :, None], 1.0, axis=2)
        np.put_along_axis(out[s], elim[s, None], along[:, :, None], axis=2)

    each(work, slices(len(points)))
    return out


def in_patch(points: Points, patch: int | np.ndarray, elim: int | np.ndarray | None = None) -> Points:
    """The same points in the local coordinates of another patch, and with another eliminated coordinate.

    Raises `InputError` where a patch coordinate is zero.

    Parameters
    ----------
    points : Points
        P points.
    patch : int or (factors,) or (P, factors) array of int
        Coordinates that become one.
    elim : int or (P,) array of int, optional
        The coordinate that Q = 0 eliminates.
    """
    count, factors = points.patch.shape
    patch = np.array(np.broadcast_to(np.asarray(patch, dtype=np.int64).reshape(-1, factors), (count, factors)))
    variety = points.variety
    if not np.all(variety.ambient.factor_of[patch] == np.arange(factors)):
        raise InputError(f"patch {patch[0].tolist()} does not name one coordinate of each factor of {variety.ambient}")
    z = points.coordinates.copy()
    for f, block in enumerate(variety.ambient.blocks):
        scale = np.take_along_axis(z, patch[:, f : f + 1], axis=1)
        if np.any(scale == 0):
            raise InputError(
                f"{np.count_nonzero(scale == 0)} points have a vanishing patch coordinate: they are outside that patch"
            )
        z[:, block] /= scale
        np.put_along_axis(z, patch[:, f : f + 1], 1.0, axis=1)
    slope = variety.polynomial.gradient(z)[1]
    elim = _eliminated(slope, patch, elim)
    omega2 = 1 / np.abs(np.take_along_axis(slope, elim[:, None], axis=1)[:, 0]) ** 2
    return replace(points, coordinates=z, patch=patch, elim=elim, omega2=omega2)


def _eliminated(slope: np.ndarray, patch: np.ndarray, elim: int | np.ndarray | None) -> np.ndarray:
    size = np.abs(slope)
    np.put_along_axis(size, patch, -1.0, axis=1)
    if elim is None:
        result: np.ndarray = np.argmax(size, axis=1)
        return result
    elim = np.array(np.broadcast_to(np.asarray(elim, dtype=np.int64), (len(slope),)))
    if np.any(np.take_along_axis(size, elim[:, None], axis=1) <= 0):
        raise InputError("the eliminated coordinate is a patch coordinate, or ∂Q vanishes along it")
    return elim


def transition(source: Points, target: Points) -> np.ndarray:
    """T[p, a, b] = ∂x'^b/∂x^a between two sets of local coordinates of the same points, shape (P, n, n).

    A metric transforms as g = T g' T†, Ω's component as Ω = Ω' det T.

    Parameters
    ----------
    source, target : Points
        The same points in two sets of local coordinates, x and x'.
    """
    z, jacobian = source.coordinates, source.pullbacks
    moved = np.empty_like(jacobian)
    for f, block in enumerate(source.variety.ambient.blocks):
        scale = np.take_along_axis(z, target.patch[:, f : f + 1], axis=1)[:, :, None]
        change = np.take_along_axis(jacobian, target.patch[:, None, f : f + 1], axis=2)
        moved[:, :, block] = jacobian[:, :, block] / scale - change * z[:, None, block] / scale**2
    return np.take_along_axis(moved, target.good[:, None, :], axis=2)
