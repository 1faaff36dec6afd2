"""Kernels averaged over symmetries: K̄(x, c) is the mean of K(x, g c) over given maps g."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.memory import require
from geomflow.core.threads import each, one_thread_products
from geomflow.fits.potentials.isometries import Isometries
from geomflow.fits.potentials.overlap import OverlapSpan, projectors, segre, unit_vectors
from geomflow.fits.potentials.profiles import Profile, require_profile
from geomflow.fits.potentials.span import KahlerKernel, independent
from geomflow.variety.fubini_study import FubiniStudy

if TYPE_CHECKING:
    from geomflow.variety.points import Points

_BLOCK = 2**21


@final
@dataclass(frozen=True)
class OrbitKernel(KahlerKernel):
    """The functions ψ_c = mean over g of f(t(·, g c)) with g in a sample of the symmetries, or in a group of them.

    For a group they are invariant under it exactly, and the kernel they belong to is K averaged over the group. For m
    maps drawn from a large group what is not invariant is left with about 1/√m of its size, by chance: the regression
    sees it as noise in its features. Maps that swap factors of different t_i do not keep the Kähler class, and are left
    out. Their norm is that of K. At most `centres` points are taken, since each stands for
    as many as there are maps.
    """

    profile: Profile
    isometries: Isometries
    centres: int = 200

    def __post_init__(self) -> None:
        if self.centres < 1:
            raise InputError(f"{self.centres} centres: take at least one")

    def span(
        self, points: Points, kahler_class: tuple[float, ...] | None = None, tolerance: float = 1e-10
    ) -> OverlapSpan:
        """ψ_c for an independent part of the first points; the time of the Gram matrix is (centres × maps)².

        For a group it is centres² × maps. Raises `InputError` for symmetries of another ambient space, or of
        which none keeps the class.
        """
        reference, ambient = FubiniStudy(points.variety, kahler_class), points.variety.ambient
        if self.isometries.ambient != ambient:
            raise InputError(f"the symmetries act on {self.isometries.ambient}, the points are in {ambient}")
        z, isometries = unit_vectors(points[: self.centres]), self.isometries.keeping(reference.kahler_class)
        images = segre(ambient, isometries(z))
        require(
            16.0 * images.size * images.shape[2],
            f"{len(z)} orbits of {len(isometries)} points",
            "take fewer points or a smaller sample",
        )
        first = segre(ambient, z)[:, None] if isometries.group else images
        gram = require_profile(self.profile, _mean_gram(self.profile, first, images))
        chosen, lower = independent(gram, tolerance)
        return OverlapSpan(points.variety, reference.kahler_class, self.profile, images[chosen], lower)


def _mean_gram(profile: Profile, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Means of f(t) over the images of every two centres, (C, C), of (C, m, N) and (C, m', N)."""
    count, width = len(first), second.shape[2]
    right = projectors(second.reshape(-1, width))
    step = max(1, _BLOCK // (len(right) * first.shape[1]))
    out = np.empty((count, count))

    def work(start: int) -> None:
        block = first[start : start + step]
        t = projectors(block.reshape(-1, width)) @ right.T
        value = profile.derivatives(t, 0)[0]
        out[start : start + step] = value.reshape(*block.shape[:2], count, -1).mean(axis=(1, 3))

    with one_thread_products():
        each(work, range(0, count, step))
    return (out + out.T) / 2
