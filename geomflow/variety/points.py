"""Points on a hypersurface: homogeneous coordinates in their patch, weights, |Ω|², local coordinates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geomflow.core import archive
from geomflow.core.errors import InputError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import require_unmasked
from geomflow.variety import chern, frames
from geomflow.variety.estimate import Estimate, mean
from geomflow.variety.metric import FubiniStudy, PolarisedMetric

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.variety.hypersurface import Hypersurface

#: What is known of each point: the arrays of `Points`, in order.
ARRAYS = ("coordinates", "weights", "omega2", "patch", "elim", "line")
#: The kind of their files.
KIND = "geomflow points 1"
_ON, _SAME = 1e-6, 1e-6


@final
@dataclass(frozen=True, eq=False)
class Points(InNotebook):
    """Points p = 1..P with what is needed to integrate and to differentiate there.

    The mean of the weights is ∫|Ω|² d^{2n}x, and Σ w f / Σ w a mean against dμ_Ω. Points of one line are correlated,
    and errors are estimated by lines (`geomflow.variety.estimate`).

    Parameters
    ----------
    variety : Hypersurface
        The variety Q = 0.
    coordinates : (P, N) complex array
        Homogeneous, that of the patch exactly one.
    weights : (P,) array
        |Ω|² over the density of the points.
    omega2 : (P,) array
        |Ω|² = 1/|∂Q/∂z_elim|².
    patch : (P, factors) array of int
        The coordinates that are one.
    elim : (P,) array of int
        The coordinate that Q = 0 eliminates, of largest |∂Q|.
    line : (P,) array of int, optional
        The line a point was found on, or pair of lines; -1, the default, for one of its own.
    """

    variety: Hypersurface
    coordinates: NDArray[np.complex128]
    weights: np.ndarray
    omega2: np.ndarray
    patch: np.ndarray
    elim: np.ndarray
    line: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        require_unmasked([getattr(self, name) for name in ARRAYS], "an array of the points")
        if not len(self.line):
            object.__setattr__(self, "line", np.full(len(self.coordinates), -1))

    def __len__(self) -> int:
        return len(self.coordinates)

    @cached_property
    def good(self) -> np.ndarray:
        """The local coordinates x^a, ascending: all but the patch's and the eliminated one, (P, n)."""
        return frames.good(self)

    @cached_property
    def omega(self) -> np.ndarray:
        """The component of Ω = dx¹∧…∧dxⁿ / (∂Q/∂z_elim), shape (P,)."""
        slope = self.variety.polynomial.gradient(self.coordinates)[1]
        result: np.ndarray = 1 / slope[np.arange(len(self)), self.elim]
        return result

    @cached_property
    def pullbacks(self) -> np.ndarray:
        """J[p, a, i] = ∂z_i/∂x^a, shape (P, n, N); for the eliminated coordinate −(∂Q/∂x_a)/(∂Q/∂z_elim)."""
        return frames.pullbacks(self)

    @cached_property
    def mass(self) -> np.ndarray:
        """dμ_Ω on the points, total mass one, (P,)."""
        return np.asarray(self.weights / self.weights.sum())

    @property
    def density(self) -> np.ndarray:
        """Points per d^{2n}x at each point, total mass one: |Ω|² / weights."""
        result: np.ndarray = self.omega2 / self.weights
        return result

    @property
    def effective_size(self) -> float:
        """Kish's effective sample size of the weights, (Σw)²/Σw²; zero for no points."""
        return float(self.weights.sum() ** 2 / (self.weights @ self.weights)) if np.any(self.weights) else 0.0

    @property
    def residual(self) -> float:
        """The largest |Q| over the points, at the scaled representatives."""
        return float(np.abs(self.variety.polynomial.value(self.coordinates)).max(initial=0.0))

    def __getitem__(self, index: slice | int | ArrayLike) -> Points:
        """The points that a slice, mask or list of numbers selects."""
        require_unmasked(index, "the selection of points")
        every: Any = np.arange(len(self))
        rows = np.atleast_1d(every[index])
        return replace(self, **{name: getattr(self, name)[rows] for name in ARRAYS})

    def in_chunks(self, size: int) -> Iterator[Points]:
        """Consecutive chunks of at most `size` points.

        Parameters
        ----------
        size : int
            At most so many points each.
        """
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def split(self, fraction: float, seed: int = 0) -> tuple[Points, Points]:
        """A random split in a train part of that fraction and the rest.

        Parameters
        ----------
        fraction : float
            Between 0 and 1.
        seed : int
            Of the order.
        """
        if not 0 < fraction < 1:
            raise InputError(f"the fraction is {fraction}; give a number between 0 and 1")
        order = np.random.default_rng(seed).permutation(len(self))
        cut = round(fraction * len(self))
        return self[np.sort(order[:cut])], self[np.sort(order[cut:])]

    def save(self, path: str | Path) -> None:
        """Write to an .npz file with the polynomial, whole or not at all; `geomflow.load_points` reads it.

        Raises `StoreError`.

        Parameters
        ----------
        path : path
            An .npz file; it is replaced in one step.
        """
        archive.write(path, KIND, variety=self.variety.to_json(), **self.record())

    def record(self, prefix: str = "") -> dict[str, Any]:
        """What `from_record` reads: the arrays, and whether points were moved off the variety on purpose.

        Parameters
        ----------
        prefix : str
            Before every name.
        """
        off = bool((self.variety.relative_residual(self.coordinates) > _ON).any())
        return {f"{prefix}{name}": getattr(self, name) for name in ARRAYS} | {f"{prefix}off_variety": np.array(off)}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface, prefix: str = "") -> Points:
        """The points of a file. Raises `StoreError` unless they are points of the variety with what belongs to them.

        Parameters
        ----------
        file : Archive
            An opened file.
        variety : Hypersurface
            The variety Q = 0.
        prefix : str
            Before every name.
        """
        ambient = variety.ambient
        z = file.numbers(f"{prefix}coordinates", "c", None, ambient.size)
        count, factors = len(z), len(ambient.dims)
        weights, omega2 = (file.numbers(prefix + name, "f", count) for name in ("weights", "omega2"))
        patch = file.array(f"{prefix}patch", "i", count, factors)
        elim, line, off = f"{prefix}elim", f"{prefix}line", f"{prefix}off_variety"
        lines = file.array(line, "i", count) if line in file.arrays else np.full(count, -1)
        points = cls(variety, z, weights, omega2, patch, file.array(elim, "i", count), lines)
        for what in _faults(points, off in file.arrays and bool(file.array(off, "b"))):
            raise file.damaged(what)
        return points

    def volume(self) -> Estimate:
        """∫|Ω|² d^{2n}x."""
        return mean(self.weights, self.line)

    def euler_number(self, metric: PolarisedMetric | None = None) -> Estimate:
        """χ from the top Chern form of `metric` (Fubini–Study by default); see `geomflow.variety.chern`.

        Parameters
        ----------
        metric : PolarisedMetric, optional
            Fubini–Study unless given.
        """
        return chern.euler_number(metric or FubiniStudy(self.variety), self)

    def __facts__(self) -> Facts:
        return [("on", self.variety), ("points", f"{len(self):,}"), ("effective size", f"{self.effective_size:,.0f}"),
                ("largest |Q|", self.residual), ("total mass", float(self.weights.mean()) if len(self) else None)]

    def __repr__(self) -> str:
        return f"{len(self)} points on the {self.variety}, effective size {self.effective_size:.0f}"


def concatenate(*parts: Points) -> Points:
    """All points of several sets on one variety.

    The weights are kept: every part must be a sample from the same density. So are the lines: two parts of one sample
    share them, and samples of different seeds do not.

    Parameters
    ----------
    *parts : Points
        Sets of points, one or more.
    """
    if not parts:
        raise InputError("nothing to concatenate: give at least one set of points")
    for other in parts[1:]:
        if not other.variety.same_as(parts[0].variety):
            raise InputError(f"points on different varieties: {parts[0].variety} and {other.variety}")
    arrays: dict[str, Any] = {name: np.concatenate([getattr(p, name) for p in parts]) for name in ARRAYS}
    return replace(parts[0], **arrays)


def _faults(points: Points, off: bool) -> Iterator[str]:
    """What is wrong with points, the plainest first; `off` for points that need not be on the variety."""
    if points.weights.min(initial=0.0) < 0:
        yield f"the weight of point {points.weights.argmin()} is {points.weights.min():.6g}, which is negative"
    yield from _faults_of_patches(points)
    z, variety = points.coordinates, points.variety
    residual = variety.relative_residual(z)
    if not off and residual.max(initial=0.0) > _ON:
        yield f"{np.count_nonzero(residual > _ON)} of {len(z)} points are not on the {variety}, the worst by " \
              f"{residual.max():.3g}"
    slope = np.abs(np.take_along_axis(variety.polynomial.gradient(z)[1], points.elim[:, None], axis=1)[:, 0])
    other = np.nonzero(~(np.abs(points.omega2 * slope**2 - 1) < _SAME))[0]
    if other.size:
        yield f"|Ω|² at point {other[0]} is {points.omega2[other[0]]:.6g}, and 1/|∂Q|² there is " \
              f"{slope[other[0]]**-2.0:.6g}"


def _faults_of_patches(points: Points) -> Iterator[str]:
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
