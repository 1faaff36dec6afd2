"""Power series of overlaps and invariants in local coordinates, for the fourth derivatives that curvature needs.

A series holds the Taylor coefficients of x^α x̄^β with |α|, |β| <= 2 as (P, rows, rows, functions), rows being
(1, x_a, x_a x_c for a <= c), as in `geomflow.fits.phi.jets`.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.hermitian import unpack
from geomflow.core.threads import each, one_thread_products, slices
from geomflow.fits.phi.jets import compose, coordinate_rows, product, quadratics, read_jets
from geomflow.fits.potentials.profiles import Profile
from geomflow.variety.jets import partial_index, second_order
from geomflow.variety.routines.forms import features as form_features

if TYPE_CHECKING:
    from collections.abc import Callable

    from geomflow.fits.potentials.invariants import InvariantFeatures
    from geomflow.variety.points import Points

_NUMBERS = 40_000


def composed_jets(
    points: Points,
    argument: Callable[[Points], np.ndarray],
    profile: Profile,
    heights: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(φ_ab̄, φ_acb̄, φ_acb̄d̄) of φ = Σ_c heights_c f(t_c), `argument` giving the series of all t_c at some points."""
    n = points.variety.dim

    def derivatives(t: np.ndarray) -> np.ndarray:
        return np.stack(profile.derivatives(t, 4))

    def work(block: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return read_jets(compose(argument(points[block]), derivatives, n) @ heights, n)

    with one_thread_products():
        parts = each(work, slices(len(points), max(1, _NUMBERS // len(heights))))
    return tuple(np.concatenate([part[k] for part in parts]) for k in range(3))  # type: ignore[return-value]


def overlap_series(points: Points, centres: np.ndarray) -> np.ndarray:
    """t = |z·c̄|²/|z|² with unit centres (M, N) of the Segre embedding: (P, rows, rows, M)."""
    z = _embedded(points)
    along = z @ centres.conj().T
    squares = np.sum(z[:, :, None] * z.conj()[:, None], axis=3, keepdims=True)
    overlap = along[:, :, None] * along.conj()[:, None]
    return product(overlap, np.broadcast_to(_power(squares, -1, points.variety.dim), overlap.shape), points.variety.dim)


def invariant_series(points: Points, features: InvariantFeatures) -> np.ndarray:
    """The invariant features u: (P, rows, rows, m)."""
    ambient, n, forms = points.variety.ambient, points.variety.dim, features.forms
    frame, index = second_order(points), partial_index(ambient.size, 2)
    raw = np.empty((len(points), frame.shape[1] ** 2, forms.count))
    pattern = forms.group, forms.left, forms.right, forms.entry
    form_features(points.coordinates, frame, index, forms.exponents, *pattern, raw)
    gram = unpack(np.swapaxes(raw / (features.scale * features.lengths), 1, 2))
    out = np.moveaxis(gram, 1, 3) / np.multiply.outer(quadratics(n).factorials, quadratics(n).factorials)[:, :, None]
    rows = coordinate_rows(points)
    for degree, block in zip(features.degrees, ambient.blocks):
        z = rows[:, :, block]
        squares = np.sum(z[:, :, None] * z.conj()[:, None], axis=3, keepdims=True)
        out = product(out, np.broadcast_to(_power(squares, -degree, n), out.shape), n)
    return out


def _power(series: np.ndarray, exponent: int, n: int) -> np.ndarray:
    """A power of a series of positive functions."""

    def derivatives(x: np.ndarray) -> np.ndarray:
        return np.stack([prod(exponent - i for i in range(k)) * x ** (exponent - k) for k in range(5)])

    return compose(series, derivatives, n)


def _embedded(points: Points) -> np.ndarray:
    """Taylor coefficients of the coordinates of the Segre embedding, (P, rows, Π (n_i + 1))."""
    rows, blocks, n = coordinate_rows(points), points.variety.ambient.blocks, points.variety.dim
    place = rows[:, :, blocks[0]]
    for block in blocks[1:]:
        own = rows[:, :, block]
        joined = np.zeros((*place.shape[:2], place.shape[2] * own.shape[2]), complex)
        for target, splittings in enumerate(quadratics(n).products):
            for r, s in splittings:
                joined[:, target] += (place[:, r, :, None] * own[:, s, None, :]).reshape(len(rows), -1)
        place = joined
    return place
